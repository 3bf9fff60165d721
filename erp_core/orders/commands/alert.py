"""Telling service and customers about late and short orders: exactly those, each once."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Annotated, Literal
from uuid import NAMESPACE_URL, UUID, uuid5

from pydantic import AfterValidator, Field, StringConstraints
from sqlalchemy import and_, bindparam, select, update

from erp_core.gate.contract import Command, Done, Registration, Registry, Task, Transaction, each
from erp_core.master.model import items
from erp_core.orders.messages import Message
from erp_core.orders.model import order_lines, orders
from erp_core.orders.model_alerts import customer_messages, message_templates, order_alerts
from erp_core.orders.queries.alerts import affected, open_alerts, texts
from erp_core.orders.rules.alerts import (
    PLACEHOLDERS,
    Alert,
    Changes,
    changes,
    render,
    text_for,
    unknown_placeholders,
)
from erp_core.storage.bulk import insert_rows, upsert_replace
from erp_core.storage.locks import lock_names
from erp_core.storage.lookup import AnyRow, fetch_in


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
    """Write what changed since the last time."""
    lock_names(tx.connection, ["order alerts"])
    on = task.occurred_on
    found = changes(open_alerts(tx.connection), affected(tx.connection, on))
    ended = [*found.replaced, *found.over]
    if ended:
        alert = order_alerts.c
        tx.connection.execute(
            update(order_alerts)
            .where(and_(alert.line_id == bindparam("of_line"), alert.ended_on.is_(None)))
            .values(ended_on=on),
            [{"of_line": one.line_id} for one in ended],
        )
    insert_rows(
        tx.connection,
        order_alerts,
        [
            {
                "id": tx.new_id(),
                "order_id": one.order_id,
                "line_id": one.line_id,
                "kind": one.kind,
                "units": one.units,
                "promised_on": one.promised_on,
                "expected_on": one.expected_on,
                "raised_on": on,
                "ended_on": None,
                "audit_id": task.audit_id,
            }
            for one in found.new
        ],
    )
    messages = _messages(tx, found)
    insert_rows(tx.connection, customer_messages, [one.row(on, task.audit_id) for one in messages])
    counts = {
        "raised": len(found.new),
        "replaced": len(found.replaced),
        "ended": len(found.over),
        "messages": len(messages),
    }
    return Done(counts, tuple(one.event() for one in messages), after=counts)


def _messages(tx: Transaction, found: Changes) -> list[Message]:
    """One for each order and template; lines that ended because they left or were cancelled are no good news."""
    by_order: dict[tuple[UUID, str, date | None], list[Alert]] = {}
    lines = _lines(tx, (one.line_id for one in (*found.new, *found.over)))
    for one in found.new:
        by_order.setdefault((one.order_id, one.kind, one.expected_on), []).append(one)
    for one in found.over:
        if lines[one.line_id].open > 0:
            by_order.setdefault((one.order_id, "resolved", None), []).append(one)
    known = texts(tx.connection)
    rows = {
        row.id: row for row in fetch_in(tx.connection, _ORDERS, orders.c.id, (key[0] for key in by_order))
    }
    found_messages: list[Message] = []
    for (order_id, template, expected_on), alerts in by_order.items():
        order = rows[order_id]
        text = text_for(known, template, order.customer_country)
        assert text is not None
        goods = [f"{one.units} × {lines[one.line_id].name}" for one in alerts]
        about = tuple((one.line_id, one.units, one.expected_on) for one in alerts)
        written = render(text, order.external_ref, goods, expected_on)
        found_messages.append(
            Message(tx.new_id(), order_id, order.channel_id, order.customer_id, template, written, about)
        )
    return found_messages


_ORDERS = select(
    orders.c.id, orders.c.external_ref, orders.c.channel_id, orders.c.customer_id, orders.c.customer_country
)


def _lines(tx: Transaction, ids: Iterable[UUID]) -> dict[UUID, AnyRow]:
    line = order_lines.c
    owed = line.quantity - line.shipped_quantity - line.cancelled_quantity
    statement = select(line.id, items.c.name, owed.label("open")).join(items, items.c.id == line.item_id)
    return {row.id: row for row in fetch_in(tx.connection, statement, line.id, ids)}


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
