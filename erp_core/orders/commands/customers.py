"""Customers."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar
from uuid import UUID

from pydantic import AfterValidator, StringConstraints

from erp_core.gate.contract import Command, Task
from erp_core.master.commands.records import Creation, renamed
from erp_core.master.rules.tax_ids import checked_tax_id
from erp_core.master.values import Country
from erp_core.orders.model import customers


class RegisterCustomer(Command):
    """A customer under the code a channel knows them by. Name, e-mail and tax id stay out of every log.

    A `tax_id` says that it is a business; it begins with the letters of its country, as DE136695976.
    """

    personal: ClassVar[frozenset[str]] = frozenset({"customer_name", "email", "tax_id"})

    customer_id: UUID
    code: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=60)]
    country: Country
    customer_name: Annotated[str, StringConstraints(strip_whitespace=True, max_length=120)] | None = None
    email: Annotated[str, StringConstraints(strip_whitespace=True, max_length=160)] | None = None
    tax_id: Annotated[str, StringConstraints(max_length=30), AfterValidator(checked_tax_id)] | None = None

    @property
    def subject(self) -> tuple[str, UUID]:
        """The customer."""
        return ("customer", self.customer_id)


def _new_customer(task: Task[RegisterCustomer]) -> dict[str, Any]:
    return renamed(task.command.model_dump(exclude={"occurred_at"}), customer_id="id", customer_name="name")


register_customers = Creation(customers, "code", _new_customer)
