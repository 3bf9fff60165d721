"""Kits: items that are sold as a set."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import delete

from erp_core.gate.contract import Command, Done, Registration, Registry, Task, Transaction, each
from erp_core.master.commands.records import existing, unknown
from erp_core.master.model import items, kit_components
from erp_core.master.queries.kits import components_of, kits_with
from erp_core.master.rules.kits import KitIsFixed, KitWithinKit, RepeatedComponent
from erp_core.master.values import Units
from erp_core.storage.bulk import insert_rows, update_rows
from erp_core.storage.locks import lock_names


class KitComponent(BaseModel):
    """Base units of an item in one kit."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    item_id: UUID
    quantity: Units


class DefineKit(Command):
    """Say what one unit of an item consists of. Components may change at any time: orders keep what they sold.

    `parts`: the kit has no stock of its own, an order for it reserves its components. `assembled`: it is put
    together ahead and sold from its own stock. Which of the two is decided while the item is a draft.
    """

    kit_item_id: UUID
    stocked_as: Literal["parts", "assembled"]
    components: Annotated[tuple[KitComponent, ...], Field(min_length=1, max_length=100)]

    @property
    def subject(self) -> tuple[str, UUID]:
        """The kit's item."""
        return ("item", self.kit_item_id)


def define_kit(task: Task[DefineKit], tx: Transaction) -> Done:
    """Put the components in the place of those before."""
    command = task.command
    wanted = {one.item_id: one.quantity for one in command.components}
    lock_names(tx.connection, (f"kit {id_}" for id_ in (command.kit_item_id, *wanted)))
    known = existing(tx, items, [command.kit_item_id, *wanted])
    _check(command, wanted, known, tx)
    before = components_of(tx.connection, [command.kit_item_id]).get(command.kit_item_id, ())
    table = kit_components
    tx.connection.execute(delete(table).where(table.c.kit_item_id == command.kit_item_id))
    insert_rows(
        tx.connection,
        table,
        [
            {
                "kit_item_id": command.kit_item_id,
                "component_item_id": item_id,
                "quantity": quantity,
                "audit_id": task.audit_id,
            }
            for item_id, quantity in wanted.items()
        ],
    )
    update_rows(tx.connection, items, [{"id": command.kit_item_id, "kit": command.stocked_as}])
    return Done(
        {"kit_item_id": str(command.kit_item_id)},
        before={"components": {str(one.item_id): one.quantity for one in before}},
        after={
            "stocked_as": command.stocked_as,
            "components": {str(item_id): quantity for item_id, quantity in wanted.items()},
        },
    )


def _check(
    command: DefineKit, wanted: dict[UUID, int], known: dict[UUID, dict[str, Any]], tx: Transaction
) -> None:
    kit = known.get(command.kit_item_id)
    if kit is None:
        raise unknown("item", command.kit_item_id, "kit_item_id")
    if kit["kit"] != command.stocked_as and kit["status"] != "draft":
        now = "a plain item" if kit["kit"] is None else f"a kit stocked as {kit['kit']}"
        raise KitIsFixed(
            f"{kit['sku']} is {now} and no draft any more",
            field="stocked_as",
            remedy="create a new item for the kit",
            item=kit["sku"],
        )
    if len(wanted) < len(command.components):
        raise RepeatedComponent(
            "a component stands twice", field="components", remedy="name it once, with all its units"
        )
    for item_id in wanted:
        if item_id not in known:
            raise unknown("item", item_id, "components.item_id")
        if item_id == command.kit_item_id or known[item_id]["kit"] is not None:
            raise KitWithinKit(
                f"{known[item_id]['sku']} is a kit itself",
                field="components.item_id",
                remedy="name the plain items that it consists of",
                item=known[item_id]["sku"],
            )
    if kits_with(tx.connection, [command.kit_item_id]):
        raise KitWithinKit(
            f"{kit['sku']} is a component of another kit",
            field="kit_item_id",
            remedy="create a new item for the kit",
            item=kit["sku"],
        )


def register(registry: Registry) -> None:
    """Add the command for kits."""
    registry.register(
        Registration(DefineKit, each(define_kit), compensation="DefineKit with the former components")
    )
