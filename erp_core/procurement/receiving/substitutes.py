"""Substitutes and other goods that were not ordered, as cases: when they are announced, and when they came."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Protocol
from uuid import UUID

from sqlalchemy import Connection, select

from erp_core.exceptions.draft import CaseDraft, by_hand, fact
from erp_core.exceptions.rules import CaseKey
from erp_core.gate.contract import NotFound, Transaction
from erp_core.master.model import items
from erp_core.procurement.ordering.purchase_orders import Line, PurchaseOrder
from erp_core.procurement.receiving.rules import DAYS_TO_DECIDE
from erp_core.storage.lookup import fetch_in

UNORDERED_CASE = "unordered_goods"
_SKUS = select(items.c.id, items.c.sku)


class Announced(Protocol):
    """A line of a shipping notice."""

    @property
    def po_line_id(self) -> UUID:
        """The line of the order."""

    @property
    def quantity(self) -> int:
        """Units announced."""

    @property
    def substitute_item_id(self) -> UUID | None:
        """What comes instead; None where it is what was ordered."""


def skus(connection: Connection, item_ids: Iterable[UUID]) -> Mapping[UUID, str]:
    """The SKUs of items that are there."""
    return {id_: sku for id_, sku in fetch_in(connection, _SKUS, items.c.id, set(item_ids))}


def announced_key(line_id: UUID) -> CaseKey:
    """What makes the case of a line's announced substitute the same one."""
    return UNORDERED_CASE, f"{line_id}:announced"


def announced_substitutes(
    tx: Transaction, order: PurchaseOrder, lines: Sequence[Announced], occurred_at: datetime
) -> list[CaseDraft]:
    """A case for each line of the order in whose place something else is announced. Raises `NotFound`."""
    named = [(one, item_id) for one in lines if (item_id := one.substitute_item_id) is not None]
    if not named:
        return []
    known = skus(tx.connection, (item_id for _, item_id in named))
    units: dict[tuple[UUID, UUID], int] = {}
    for one, item_id in named:
        if item_id not in known:
            raise NotFound(
                "there is no such item", field="lines.substitute_item_id", remedy="use an item of ours"
            )
        if item_id != order.lines[one.po_line_id].item_id:
            units[one.po_line_id, item_id] = units.get((one.po_line_id, item_id), 0) + one.quantity
    return [
        _case(
            order,
            order.lines[line_id],
            item_id,
            announced_key(line_id)[1],
            f"{order.number} line {order.lines[line_id].line_no}: {count} units of {known[item_id]} are announced instead",
            fact("announced", count, "units"),
            "agree with the supplier before it arrives",
            occurred_at,
        )
        for (line_id, item_id), count in units.items()
    ]


def unordered_case(
    order: PurchaseOrder, goods: Mapping[str, Any], sku: str, occurred_at: datetime
) -> CaseDraft:
    """The case of goods that came and were not ordered; `goods` are the columns of `unordered_goods`."""
    line = order.lines.get(goods["instead_of_id"])
    told = "that were not ordered" if line is None else f"instead of line {line.line_no}"
    return _case(
        order,
        line,
        goods["item_id"],
        str(goods["id"]),
        f"{order.number}: {goods['held_quantity']} units of {sku} {told} are held",
        fact("held", goods["held_quantity"], "units"),
        "accept, return or correct what is held",
        occurred_at,
    )


def _case(
    order: PurchaseOrder,
    line: Line | None,
    item_id: UUID,
    subject_key: str,
    title: str,
    told: Mapping[str, Any],
    action: str,
    occurred_at: datetime,
) -> CaseDraft:
    return CaseDraft(
        kind=UNORDERED_CASE,
        subject_key=subject_key,
        title=title,
        subjects=tuple(_subjects(order, line, item_id)),
        probability=1.0,
        deadline=occurred_at + timedelta(days=DAYS_TO_DECIDE),
        expected_loss=0,
        residual_loss=0,
        action_cost=0,
        evidence=(told,),
        action=by_hand(action),
    )


def _subjects(order: PurchaseOrder, line: Line | None, item_id: UUID) -> Iterator[tuple[str, UUID]]:
    if line is not None:
        yield "po_line", line.id
    yield "purchase_order", order.id
    yield "supplier", order.supplier_id
    yield "item", item_id
