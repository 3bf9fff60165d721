"""Telling service and customers about late and short orders: exactly those, each once."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import NAMESPACE_URL, UUID, uuid5

from pydantic import AfterValidator, Field, StringConstraints
from sqlalchemy import select

from erp_core.gate.contract import Command, Done, Registration, Registry, Task, Transaction, each
from erp_core.inventory.locks import lock_documents
from erp_core.orders.alerting import alert
from erp_core.orders.model import orders
from erp_core.orders.model_alerts import message_templates
from erp_core.orders.queries.alerts import affected, open_alerts, texts
from erp_core.orders.rules.alerts import PLACEHOLDERS, changes, unknown_placeholders
from erp_core.storage.bulk import upsert_replace


class AlertOrders(Command):
    """Bring alerts up to date with what is late or short on the business date, and write to the customers.

    Each customer reads what is new of an order in one message, and once; nothing new, nothing sent. Messages go
    through the outbox with the order's and customer's ids, never with a name or an address.
    """


def _known(text: str) -> str:
    strange = unknown_placeholders(text)
    if strange:
        raise ValueError(f"{{{strange[0]}}} is nothing a text can speak of: use {', '.join(PLACEHOLDERS)}")
    return text


class SetMessageTemplate(Command):
    """The text of a message to customers of a country, or of every other one. Governed.

    It may speak of {order}, {items} and {expected_on}. That a parcel left (`shipped`) is written only where there is
    a text for it; {expected_on} is then the day on which the carrier brings it.
    """

    template: Literal["delay", "shortage", "resolved", "shipped"]
    country: Annotated[str, StringConstraints(strip_whitespace=True, max_length=60)] = ""
    subject_line: Annotated[str, Field(min_length=1, max_length=150), AfterValidator(_known)]
    message: Annotated[str, Field(min_length=1, max_length=4_000), AfterValidator(_known)]

    @property
    def subject(self) -> tuple[str, UUID]:
        """The template."""
        name = f"quartermaster:message:{self.template}:{self.country.casefold()}"
        return ("message_template", uuid5(NAMESPACE_URL, name))


def alert_orders(task: Task[AlertOrders], tx: Transaction) -> Done:
    """Write what changed since the last time. Orders that another writer holds are told by it, or the next time."""
    found = changes(open_alerts(tx.connection), affected(tx.connection, task.occurred_on))
    touched = {one.order_id for one in (*found.new, *found.over)}
    held = lock_documents(tx.connection, _LOCKED, orders.c.id, touched, skip_busy=True)
    alerted = alert(tx, {row.id: task.audit_id for row in held}, task.occurred_at)
    counts = {
        "raised": alerted.raised,
        "replaced": alerted.replaced,
        "ended": alerted.ended,
        "messages": len(alerted.events(task.audit_id)),
    }
    return Done(counts, alerted.events(task.audit_id), after=counts)


_LOCKED = select(orders.c.id)


def set_message_template(task: Task[SetMessageTemplate], tx: Transaction) -> Done:
    """Write the text."""
    command = task.command
    row = {
        "template": command.template,
        "country": command.country.casefold(),
        "subject": command.subject_line,
        "body": command.message,
    }
    before = texts(tx.connection).get((row["template"], row["country"]))
    upsert_replace(
        tx.connection,
        message_templates,
        [row | {"audit_id": task.audit_id}],
        ["subject", "body", "audit_id"],
    )
    was = None if before is None else {"subject": before.subject, "body": before.body}
    return Done({"template": command.template}, before=was, after=row)


def register(registry: Registry) -> None:
    """Add the commands."""
    registry.register(Registration(AlertOrders, each(alert_orders)))
    registry.register(Registration(SetMessageTemplate, each(set_message_template), governed=True))
