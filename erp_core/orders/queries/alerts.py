"""Reads of late and short orders: who is affected now, what is open, and what customers were told."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import Column, Connection, Row, Select, select, text

from erp_core.master.model import items
from erp_core.orders.model import UNFILLED, order_lines, orders
from erp_core.orders.model_alerts import customer_messages, message_templates, order_alerts
from erp_core.orders.rules import WAITING
from erp_core.orders.rules.alerts import TEXTS, Alert, Text, WaitingLine, alert_for
from erp_core.storage.lookup import fetch_in


@dataclass(frozen=True, slots=True)
class OrderAlert:
    """An open alert, for service. `expected_on` None: nobody knows."""

    id: UUID
    order_id: UUID
    order: str
    line_id: UUID
    item_id: UUID
    sku: str
    kind: str
    units: int
    promised_on: date | None
    expected_on: date | None
    raised_on: date


@dataclass(frozen=True, slots=True)
class CustomerMessage:
    """What was handed to the outbox for the customer of an order."""

    id: UUID
    order_id: UUID
    template: str
    subject: str
    body: str
    sent_on: date


_MISSING = (
    order_lines.c.quantity
    - order_lines.c.reserved_quantity
    - order_lines.c.shipped_quantity
    - order_lines.c.cancelled_quantity
)


def affected(connection: Connection, today: date, order_ids: Iterable[UUID] | None = None) -> list[Alert]:
    """The alerts that live, cleared orders call for on this day, of these orders or of all, by order and line."""
    statement = (
        select(
            order_lines.c.order_id,
            order_lines.c.id,
            _MISSING,
            order_lines.c.promised_on,
            order_lines.c.expected_on,
        )
        .join(orders, orders.c.id == order_lines.c.order_id)
        .where(text(UNFILLED), orders.c.status.in_(WAITING), order_lines.c.import_id.is_(None))
        .order_by(order_lines.c.order_id, order_lines.c.line_no)
    )
    rows = _of_orders(connection, statement, order_lines.c.order_id, order_ids)
    found = (alert_for(WaitingLine(*tuple(row)), today) for row in rows)
    return [one for one in found if one is not None]


def open_alerts(connection: Connection, order_ids: Iterable[UUID] | None = None) -> list[Alert]:
    """The alerts that stand, of these orders or of all, by line."""
    alert = order_alerts.c
    statement = select(
        alert.order_id, alert.line_id, alert.kind, alert.units, alert.promised_on, alert.expected_on
    ).where(alert.ended_on.is_(None))
    return [Alert(*tuple(row)) for row in _of_orders(connection, statement, alert.order_id, order_ids)]


def _of_orders(
    connection: Connection, statement: Select[Any], key: Column[Any], order_ids: Iterable[UUID] | None
) -> Iterable[Row[Any]]:
    if order_ids is None:
        return connection.execute(statement)
    return fetch_in(connection, statement, key, order_ids)


def list_alerts(connection: Connection, order_ids: Iterable[UUID] | None = None) -> list[OrderAlert]:
    """The alerts that stand, of these orders or of all, with order and item, the earliest promise first."""
    alert = order_alerts.c
    statement = (
        select(
            alert.id,
            alert.order_id,
            orders.c.number,
            alert.line_id,
            items.c.id,
            items.c.sku,
            alert.kind,
            alert.units,
            alert.promised_on,
            alert.expected_on,
            alert.raised_on,
        )
        .join(orders, orders.c.id == alert.order_id)
        .join(order_lines, order_lines.c.id == alert.line_id)
        .join(items, items.c.id == order_lines.c.item_id)
        .where(alert.ended_on.is_(None))
        .order_by(alert.promised_on.is_(None), alert.promised_on, orders.c.number, alert.line_id)
    )
    return [OrderAlert(*tuple(row)) for row in _of_orders(connection, statement, alert.order_id, order_ids)]


def messages_of(connection: Connection, order_ids: Iterable[UUID]) -> list[CustomerMessage]:
    """What the customers of these orders were told, in order."""
    message = customer_messages.c
    statement = select(
        message.id, message.order_id, message.template, message.subject, message.body, message.sent_on
    ).order_by(message.sent_on, message.id)
    return [CustomerMessage(*row) for row in fetch_in(connection, statement, message.order_id, order_ids)]


def texts(connection: Connection) -> dict[tuple[str, str], Text]:
    """The texts by template and casefolded country; the empty country stands for every other."""
    table = message_templates.c
    rows = connection.execute(select(table.template, table.country, table.subject, table.body))
    start = {(template, ""): one for template, one in TEXTS.items()}
    return start | {(template, country): Text(subject, body) for template, country, subject, body in rows}
