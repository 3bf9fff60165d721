"""What a submission asks for, read from the draft that is there or from the plan's own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Self
from uuid import UUID

from sqlalchemy import Connection, select

from erp_core.gate.contract import Asked, Command, DomainError, NotFound
from erp_core.gate.statuses import require_step
from erp_core.master.commands.prices import SetSupplierPrice
from erp_core.master.commands.records import Today, day_of
from erp_core.master.commands.supplier_items import SetSupplierItem
from erp_core.procurement.commands.drafting import SupplierTerms
from erp_core.procurement.commands.purchase_orders import CreatePurchaseOrder, SubmitPurchaseOrder
from erp_core.procurement.errors import PriceMovesInPlan
from erp_core.procurement.model import po_lines, purchase_orders
from erp_core.procurement.ordering.in_units import in_base_units, refuse_sized
from erp_core.procurement.queries import Pair
from erp_core.procurement.rules import PURCHASE_ORDER_STEPS
from erp_core.storage.lookup import AnyRow, fetch_in

_HEADER = select(
    purchase_orders.c.id,
    purchase_orders.c.number,
    purchase_orders.c.status,
    purchase_orders.c.supplier_id,
    purchase_orders.c.location_id,
    purchase_orders.c.total,
)
_LINES = select(
    po_lines.c.po_id,
    po_lines.c.item_id,
    po_lines.c.quantity,
    po_lines.c.unit_price,
    po_lines.c.contract_id,
).order_by(po_lines.c.line_no)


@dataclass(frozen=True, slots=True)
class Purchase:
    """What a submission asks for, from the draft that is there or from the plan's own draft."""

    number: str | None
    supplier_id: UUID
    location_id: UUID
    total: int
    lines: tuple[tuple[UUID, int, int], ...]
    """(item_id, quantity, unit price)"""
    contracted: frozenset[int] = frozenset()
    """The places of the lines whose price is a contract's."""

    @classmethod
    def read(
        cls, asked: Sequence[Asked[SubmitPurchaseOrder]], connection: Connection, today: Today
    ) -> list[Purchase | DomainError]:
        """Find what each submission is about; `NotFound`, or `IllegalTransition` where it cannot be approved."""
        drafts = [planned_draft(one) for one in asked]
        ids = [one.command.po_id for one, draft in zip(asked, drafts, strict=True) if draft is None]
        headers = {row.id: row for row in fetch_in(connection, _HEADER, purchase_orders.c.id, ids)}
        lines: dict[UUID, list[AnyRow]] = {id_: [] for id_ in ids}
        for row in fetch_in(connection, _LINES, po_lines.c.po_id, ids):
            lines[row.po_id].append(row)
        days = [day_of(one, today) for one in asked]
        converted = iter(in_base_units(connection, [draft for draft in drafts if draft is not None]))
        counted = [None if draft is None else next(converted) for draft in drafts]
        planned = [
            (draft, day)
            for draft, day in zip(counted, days, strict=True)
            if draft is not None and not isinstance(draft, DomainError)
        ]
        terms = SupplierTerms.read(connection, planned)
        found: list[Purchase | DomainError] = []
        for one, typed, draft, day in zip(asked, drafts, counted, days, strict=True):
            po_id = one.command.po_id
            try:
                if isinstance(draft, DomainError):
                    raise draft
                if typed is not None:
                    refuse_sized(typed, one.preceding)
                found.append(
                    cls._stored(headers.get(po_id), lines[po_id])
                    if draft is None
                    else cls._planned(draft, one.preceding, terms, day)
                )
            except DomainError as error:
                found.append(error)
        return found

    @classmethod
    def _stored(cls, row: AnyRow | None, rows: Sequence[AnyRow]) -> Self:
        if row is None:
            raise NotFound("there is no such purchase order", field="po_id", remedy="create the draft first")
        require_step(PURCHASE_ORDER_STEPS, row.status, "approved", f"purchase order {row.number}")
        lines = tuple((line.item_id, line.quantity, line.unit_price) for line in rows)
        contracted = frozenset(place for place, line in enumerate(rows) if line.contract_id is not None)
        return cls(row.number, row.supplier_id, row.location_id, row.total, lines, contracted)

    @classmethod
    def _planned(
        cls, draft: CreatePurchaseOrder, preceding: Sequence[Command], terms: SupplierTerms, day: date
    ) -> Self:
        terms.suppliers.require_active(draft.supplier_id, day)
        missing = [line.item_id for line in draft.lines if line.item_id not in terms.items]
        if missing:
            raise NotFound("there is no such item", field="lines.item_id", remedy="look it up by its SKU")
        repriced = {one.pair for one in preceding if isinstance(one, SetSupplierItem | SetSupplierPrice)}
        for line in draft.lines:
            if line.unit_price is None and (draft.supplier_id, line.item_id) in repriced:
                raise PriceMovesInPlan(
                    f"the plan changes the price of {terms.items[line.item_id].sku} and orders it at that",
                    field="lines.unit_price",
                    remedy="give the price in the order, or record it before the plan",
                )
        prices = terms.prices(draft, day)
        lines = tuple(
            (line.item_id, line.quantity, found.price)
            for line, found in zip(draft.lines, prices, strict=True)
        )
        contracted = frozenset(place for place, found in enumerate(prices) if found.contract_id is not None)
        total = (
            sum(quantity * price for _, quantity, price in lines) + draft.freight_cost + draft.expedite_cost
        )
        return cls(None, draft.supplier_id, draft.location_id, total, lines, contracted)

    @property
    def item_ids(self) -> list[UUID]:
        """The items, each once."""
        return list(dict.fromkeys(item_id for item_id, _, _ in self.lines))

    @property
    def quantities(self) -> dict[Pair, int]:
        """Units by (item, location): lines of the same item together."""
        sums: dict[Pair, int] = {}
        for item_id, quantity, _ in self.lines:
            pair = (item_id, self.location_id)
            sums[pair] = sums.get(pair, 0) + quantity
        return sums


def planned_draft(asked: Asked[SubmitPurchaseOrder]) -> CreatePurchaseOrder | None:
    """The draft that the same plan makes, as it was typed; None where the draft is there."""
    for earlier in asked.preceding:
        if isinstance(earlier, CreatePurchaseOrder) and earlier.po_id == asked.command.po_id:
            return earlier
    return None
