"""The components of landed cost."""

from __future__ import annotations

from dataclasses import asdict
from typing import Literal
from uuid import NAMESPACE_URL, UUID, uuid5

from erp_core.gate.contract import Command, Done, Registration, Registry, Task, Transaction, each
from erp_core.master.model_selection import landed_cost_components
from erp_core.master.queries.landed_costs import list_components
from erp_core.master.values import Name, ReasonCode
from erp_core.storage.bulk import upsert_replace


class SetLandedCostComponent(Command):
    """A component of landed cost, and what its amount is shared by among the goods. Governed.

    What was allocated before keeps its shares; `active` False takes the component out of use.
    """

    component: ReasonCode
    component_name: Name
    basis: Literal["value", "quantity", "weight", "volume"]
    active: bool = True

    @property
    def subject(self) -> tuple[str, UUID]:
        """The component."""
        return ("landed_cost", uuid5(NAMESPACE_URL, f"quartermaster:landed_cost:{self.component}"))


def set_component(task: Task[SetLandedCostComponent], tx: Transaction) -> Done:
    """Write the component."""
    command = task.command
    before = list_components(tx.connection).get(command.component)
    row = {
        "code": command.component,
        "name": command.component_name,
        "basis": command.basis,
        "active": command.active,
    }
    upsert_replace(
        tx.connection,
        landed_cost_components,
        [row | {"audit_id": task.audit_id}],
        ["name", "basis", "active", "audit_id"],
    )
    return Done(
        {"component": command.component}, before=None if before is None else asdict(before), after=row
    )


def register(registry: Registry) -> None:
    """Add the command."""
    registry.register(Registration(SetLandedCostComponent, each(set_component), governed=True))
