"""What the match needs of orders, of invoices before and of tolerances: read in bulk, a statement for each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from datetime import date
from uuid import UUID

from sqlalchemy import Connection, case, func, select

from erp_core.master.model import items
from erp_core.procurement.invoices.numbers import Numbered
from erp_core.procurement.invoices.rules import (
    PAYABLE,
    Billed,
    BilledCharge,
    BilledLine,
    OrderedCharges,
    OrderedLine,
    Tolerance,
)
from erp_core.procurement.model import credited_returns, po_lines
from erp_core.procurement.model.invoices import (
    match_tolerances,
    supplier_invoice_charges,
    supplier_invoice_lines,
    supplier_invoices,
)
from erp_core.procurement.ordering.purchase_orders import PurchaseOrders
from erp_core.procurement.receiving.reversing import CREDITED_BACK
from erp_core.storage.lookup import fetch_in

COMPANY = "company"
NOTHING: Mapping[UUID, int] = {}
TOLERANCE_FIELDS = tuple(part.name for part in fields(Tolerance))

_SIGN = case((supplier_invoices.c.kind == "credit_note", -1), else_=1)
_LINE = supplier_invoice_lines.c
_UNITS = case((_LINE.price_only == 1, 0), else_=_LINE.quantity)
_OVER = case(
    (_LINE.price_only == 1, _LINE.unit_price * _LINE.quantity),
    (_LINE.unit_price > po_lines.c.unit_price, (_LINE.unit_price - po_lines.c.unit_price) * _LINE.quantity),
    else_=0,
)
_INVOICED = (
    select(
        _LINE.po_line_id,
        func.sum(_UNITS * _SIGN).label("units"),
        func.sum(_OVER * _SIGN).label("over"),
    )
    .join(supplier_invoices, supplier_invoices.c.id == _LINE.invoice_id)
    .join(po_lines, po_lines.c.id == _LINE.po_line_id)
    .where(supplier_invoices.c.status.in_(PAYABLE))
    .group_by(_LINE.po_line_id)
)
_CHARGED = (
    select(
        supplier_invoice_charges.c.po_id,
        supplier_invoice_charges.c.kind,
        func.sum(supplier_invoice_charges.c.amount * _SIGN).label("amount"),
    )
    .join(supplier_invoices, supplier_invoices.c.id == supplier_invoice_charges.c.invoice_id)
    .where(supplier_invoices.c.status.in_(PAYABLE))
    .group_by(supplier_invoice_charges.c.po_id, supplier_invoice_charges.c.kind)
)
_NEWEST = (
    select(match_tolerances.c.scope, func.max(match_tolerances.c.version).label("version"))
    .group_by(match_tolerances.c.scope)
    .subquery()
)
_TOLERANCES = (
    select(match_tolerances)
    .join(
        _NEWEST,
        (_NEWEST.c.scope == match_tolerances.c.scope) & (_NEWEST.c.version == match_tolerances.c.version),
    )
    .where(match_tolerances.c.active == 1)
)
_LINES = select(
    _LINE.invoice_id, _LINE.po_line_id, _LINE.quantity, _LINE.unit_price, _LINE.price_only
).order_by(_LINE.line_no)
_CHARGES = select(
    supplier_invoice_charges.c.invoice_id,
    supplier_invoice_charges.c.po_id,
    supplier_invoice_charges.c.kind,
    supplier_invoice_charges.c.amount,
)


@dataclass(frozen=True, slots=True)
class Tolerances:
    """The policy in force, frozen: the supplier's, else the category's, else the company's, else the one built in."""

    by_scope: Mapping[str, Tolerance]

    @classmethod
    def read(cls, connection: Connection) -> Tolerances:
        """The newest version of each scope that is in use."""
        rows = connection.execute(_TOLERANCES).all()
        return cls(
            {row.scope: Tolerance(**{name: getattr(row, name) for name in TOLERANCE_FIELDS}) for row in rows}
        )

    @property
    def ask_category(self) -> bool:
        """Whether any category has one of its own."""
        return any(scope.startswith("category:") for scope in self.by_scope)

    def of(self, supplier_id: UUID, category: str | None = None) -> Tolerance:
        """What holds for goods of a category from a supplier."""
        for scope in (f"supplier:{supplier_id}", f"category:{category}", COMPANY):
            if scope in self.by_scope:
                return self.by_scope[scope]
        return Tolerance()


@dataclass(slots=True)
class Ordered:
    """Orders as the match sees them; what a batch finds payable counts at once for those after it."""

    orders: PurchaseOrders
    units: dict[UUID, int]
    over: dict[UUID, int]
    charged: dict[tuple[UUID, str], int]
    categories: Mapping[UUID, str]
    tolerances: Tolerances

    @classmethod
    def read(cls, connection: Connection, orders: PurchaseOrders, po_ids: Iterable[UUID]) -> Ordered:
        """Orders must be loaded before: that locks them, so that two invoices of one follow each other."""
        found = [order for po_id in dict.fromkeys(po_ids) if (order := orders.find(po_id)) is not None]
        lines = [line for order in found for line in order.lines.values()]
        tolerances = Tolerances.read(connection)
        wanted = {line.item_id for line in lines} if tolerances.ask_category else set()
        invoiced = fetch_in(connection, _INVOICED, _LINE.po_line_id, [line.id for line in lines])
        charged = fetch_in(
            connection, _CHARGED, supplier_invoice_charges.c.po_id, [order.id for order in found]
        )
        units = {row.po_line_id: int(row.units) for row in invoiced}
        for row in fetch_in(connection, CREDITED_BACK, credited_returns.c.po_line_id, units):
            units[row.po_line_id] += int(row.units)
        categories = fetch_in(connection, select(items.c.id, items.c.category), items.c.id, wanted)
        return cls(
            orders,
            units,
            {row.po_line_id: int(row.over) for row in invoiced},
            {(row.po_id, row.kind): int(row.amount) for row in charged},
            {row.id: row.category for row in categories},
            tolerances,
        )

    def lines(self, billed: Billed, po_of: Mapping[UUID, UUID]) -> dict[UUID, OrderedLine]:
        """The order lines that it bills."""
        found = {}
        for line_id in {line.po_line_id for line in billed.lines}:
            line = self.orders.get(po_of[line_id]).lines[line_id]
            found[line_id] = OrderedLine(
                line_id,
                line.po_id,
                line.accepted_quantity,
                line.unit_price,
                self.units.get(line_id, 0),
                self.over.get(line_id, 0),
            )
        return found

    def charges(self, po_ids: Iterable[UUID]) -> dict[UUID, OrderedCharges]:
        """What these orders agreed to beside goods."""
        return {
            po_id: OrderedCharges(
                po_id,
                (order := self.orders.get(po_id)).currency,
                order.total,
                order.freight_cost + order.expedite_cost,
                self.charged.get((po_id, "freight"), 0),
                self.charged.get((po_id, "prepayment"), 0),
                self.charged.get((po_id, "deduction"), 0),
            )
            for po_id in po_ids
        }

    def tolerances_of(self, lines: Mapping[UUID, OrderedLine], supplier_id: UUID) -> dict[UUID, Tolerance]:
        """What holds for each line."""
        return {
            line_id: self.tolerances.of(
                supplier_id, self.categories.get(self.orders.get(line.po_id).lines[line_id].item_id)
            )
            for line_id, line in lines.items()
        }

    def count(
        self, billed: Billed, po_of: Mapping[UUID, UUID], sign: int, sent_back: Mapping[UUID, int] = NOTHING
    ) -> None:
        """From now on these units and charges are invoiced (`sign` 1), or no longer (-1), but for units `sent_back`."""
        for line_id, units in sent_back.items():
            self.units[line_id] = self.units.get(line_id, 0) + units
        for line in billed.lines:
            price = self.orders.get(po_of[line.po_line_id]).lines[line.po_line_id].unit_price
            over = line.unit_price if line.price_only else max(line.unit_price - price, 0)
            units = 0 if line.price_only else line.quantity
            self.units[line.po_line_id] = self.units.get(line.po_line_id, 0) + sign * units
            self.over[line.po_line_id] = self.over.get(line.po_line_id, 0) + sign * over * line.quantity
        for charge in billed.charges:
            key = (charge.po_id, charge.kind)
            self.charged[key] = self.charged.get(key, 0) + sign * charge.amount


@dataclass(slots=True)
class Known:
    """Invoices that are there already: what they bill, by invoice."""

    lines: dict[UUID, list[BilledLine]] = field(default_factory=dict)
    charges: dict[UUID, list[BilledCharge]] = field(default_factory=dict)

    @classmethod
    def read(cls, connection: Connection, invoice_ids: Iterable[UUID]) -> Known:
        """Lines and charges of these invoices."""
        found, wanted = cls(), list(invoice_ids)
        for row in fetch_in(connection, _LINES, _LINE.invoice_id, wanted):
            found.lines.setdefault(row.invoice_id, []).append(
                BilledLine(row.po_line_id, row.quantity, row.unit_price, bool(row.price_only))
            )
        for row in fetch_in(connection, _CHARGES, supplier_invoice_charges.c.invoice_id, wanted):
            found.charges.setdefault(row.invoice_id, []).append(BilledCharge(row.po_id, row.kind, row.amount))
        return found

    def billed(self, invoice_id: UUID, currency: str, tax: int, total: int) -> Billed:
        """The document in the form that the match takes."""
        return Billed(currency, self.lines.get(invoice_id, []), self.charges.get(invoice_id, []), tax, total)


def orders_of(connection: Connection, po_line_ids: Iterable[UUID]) -> dict[UUID, UUID]:
    """The order of each line."""
    statement = select(po_lines.c.id, po_lines.c.po_id)
    return {row.id: row.po_id for row in fetch_in(connection, statement, po_lines.c.id, po_line_ids)}


def numbered(key: str, invoiced_on: date, billed: Billed) -> Numbered:
    """The invoice as its double would look."""
    return Numbered(
        key,
        invoiced_on,
        billed.total,
        (
            tuple(sorted((str(one.po_line_id), one.quantity) for one in billed.lines)),
            tuple(sorted((str(one.po_id), one.kind, one.amount) for one in billed.charges)),
        ),
    )
