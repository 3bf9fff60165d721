"""Customers."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar
from uuid import UUID

from pydantic import StringConstraints

from erp_core.gate.contract import Command, Task
from erp_core.master.commands.records import Creation, renamed
from erp_core.master.values import Country
from erp_core.orders.model import customers


class RegisterCustomer(Command):
    """A customer under the code a channel knows them by. Name and e-mail stay out of every log."""

    personal: ClassVar[frozenset[str]] = frozenset({"customer_name", "email"})

    customer_id: UUID
    code: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=60)]
    country: Country
    customer_name: Annotated[str, StringConstraints(strip_whitespace=True, max_length=120)] | None = None
    email: Annotated[str, StringConstraints(strip_whitespace=True, max_length=160)] | None = None

    @property
    def subject(self) -> tuple[str, UUID]:
        """The customer."""
        return ("customer", self.customer_id)


def _new_customer(task: Task[RegisterCustomer]) -> dict[str, Any]:
    return renamed(task.command.model_dump(exclude={"occurred_at"}), customer_id="id", customer_name="name")


register_customers = Creation(customers, "code", _new_customer)
