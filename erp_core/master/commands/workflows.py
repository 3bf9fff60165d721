"""Which workflow the segment of a supplier selects."""

from __future__ import annotations

from typing import Annotated, Literal, Self
from uuid import NAMESPACE_URL, UUID, uuid5

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from erp_core.gate.contract import Command, Done, Registration, Registry, Task, Transaction, each
from erp_core.master.model_selection import segment_workflows
from erp_core.master.queries.workflows import list_workflows
from erp_core.master.rules.workflows import CONFIRMATION, Workflow
from erp_core.storage.bulk import upsert_replace

_Days = Annotated[int, Field(ge=0, le=365)]
MilestoneName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{1,29}$")]


class Milestone(BaseModel):
    """Something that happens on the way, so many days after the order was sent."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: MilestoneName
    days: _Days


class SetSegmentWorkflow(Command):
    """What a purchase order to a supplier of this segment asks for after it was sent. Governed.

    Without `confirm_days` no confirmation is required; `every_line` refuses one that leaves lines out.
    `supplier_steps` can be taken by the supplier's own login only.
    """

    segment: Literal["strategic", "long_tail", "imported", "domestic"]
    confirm_days: _Days | None = None
    every_line: bool = False
    milestones: tuple[Milestone, ...] = Field(default=(), max_length=12)
    supplier_steps: tuple[Literal["confirmation", "milestones"], ...] = ()

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        names = [one.name for one in self.milestones]
        if len(set(names)) < len(names) or CONFIRMATION in names:
            raise ValueError("milestones must have names of their own, and confirmation is none of them")
        if [one.days for one in self.milestones] != sorted(one.days for one in self.milestones):
            raise ValueError("milestones must stand in the order of their days")
        if self.confirm_days is None and (self.every_line or CONFIRMATION in self.supplier_steps):
            raise ValueError("nothing needs to be confirmed: give confirm_days, or ask for no confirmation")
        return self

    @property
    def subject(self) -> tuple[str, UUID]:
        """The segment."""
        return ("supplier_segment", uuid5(NAMESPACE_URL, f"quartermaster:segment:{self.segment}"))


def set_segment_workflow(task: Task[SetSegmentWorkflow], tx: Transaction) -> Done:
    """Write the workflow; the last word on a segment counts, for orders that are under way too."""
    command = task.command
    before = list_workflows(tx.connection)[command.segment]
    row = {
        "segment": command.segment,
        "confirm_days": command.confirm_days,
        "every_line": command.every_line,
        "milestones": [[one.name, one.days] for one in command.milestones],
        "supplier_steps": sorted(set(command.supplier_steps)),
    }
    names = [name for name in row if name != "segment"]
    upsert_replace(
        tx.connection, segment_workflows, [row | {"audit_id": task.audit_id}], [*names, "audit_id"]
    )
    return Done({"segment": command.segment}, before=_told(before), after=row)


def _told(workflow: Workflow) -> dict[str, object]:
    return {
        "segment": workflow.segment,
        "confirm_days": workflow.confirm_days,
        "every_line": workflow.every_line,
        "milestones": [list(one) for one in workflow.milestones],
        "supplier_steps": sorted(workflow.supplier_steps),
    }


def register(registry: Registry) -> None:
    """Add the command."""
    registry.register(Registration(SetSegmentWorkflow, each(set_segment_workflow), governed=True))
