"""Where personal data may go, and how long it is kept."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import NAMESPACE_URL, UUID, uuid5

from pydantic import Field, StringConstraints

from erp_core.gate.contract import Command, Done, Registration, Registry, Task, Transaction, each
from erp_core.master.model import residency_rules, retention_rules
from erp_core.storage.bulk import upsert_replace

Destination = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=120)]
Reason = Annotated[str, StringConstraints(strip_whitespace=True, min_length=3, max_length=500)]
CountryOrAll = Annotated[str, StringConstraints(strip_whitespace=True, max_length=60)]


class _ForCountry(Command):
    by_people = True

    country: CountryOrAll = Field(default="", description="of the customer; empty for every country")
    reason: Reason

    @property
    def subject(self) -> tuple[str, UUID]:
        """The country."""
        return ("residency", uuid5(NAMESPACE_URL, f"quartermaster:residency:{self.country.casefold()}"))


class SetResidencyRule(_ForCountry):
    """Let personal data of a country leave only to these destinations. Governed. `active` False lifts the rule.

    A destination is `download` for files, and for language models `local`, the host of the endpoint, or `mcp` for those
    behind MCP clients, of which nothing else is known.
    """

    channel: Literal["export", "model"]
    destinations: tuple[Destination, ...] = Field(default=(), max_length=50)
    active: bool = True


class SetRetentionRule(_ForCountry):
    """Keep names and addresses of a country's customers for so many days after their last order. Governed."""

    days: int = Field(ge=1, le=36_500)


def set_residency_rule(task: Task[SetResidencyRule], tx: Transaction) -> Done:
    """Write the rule; the last word counts."""
    row = task.command.model_dump(mode="json", exclude={"occurred_at"})
    upsert_replace(
        tx.connection,
        residency_rules,
        [row | {"audit_id": task.audit_id}],
        ["destinations", "reason", "active", "audit_id"],
    )
    return Done(after=row)


def set_retention_rule(task: Task[SetRetentionRule], tx: Transaction) -> Done:
    """Write the rule; the last word counts."""
    row = task.command.model_dump(exclude={"occurred_at"})
    upsert_replace(
        tx.connection, retention_rules, [row | {"audit_id": task.audit_id}], ["days", "reason", "audit_id"]
    )
    return Done(after=row)


def register(registry: Registry) -> None:
    """Add the commands."""
    registry.register(Registration(SetResidencyRule, each(set_residency_rule), governed=True))
    registry.register(Registration(SetRetentionRule, each(set_retention_rule), governed=True))
