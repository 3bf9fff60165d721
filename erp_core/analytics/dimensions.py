"""Dimensions: what figures are grouped and filtered by, and who their members are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import Column, ColumnElement, Connection, Select, Table, select

from erp_core.exceptions.model import cases
from erp_core.gate.model import users
from erp_core.inventory.model import STATES
from erp_core.master.model import channels, items, legal_entities, locations, suppliers
from erp_core.orders.model import orders
from erp_core.orders.rules import ORDER_STATUSES
from erp_core.returns.model import return_lines

TIME_DIMENSIONS = ("day", "week", "month", "quarter", "year")
AGE_BUCKETS = (
    "0-30 days",
    "31-60 days",
    "61-90 days",
    "91-180 days",
    "181-365 days",
    "over 365 days",
    "unknown",
)
DELAY_CLASSES = (
    "over 7 days early",
    "1-7 days early",
    "on the confirmed day",
    "1-7 days late",
    "8-14 days late",
    "15-30 days late",
    "over 30 days late",
    "no confirmed day",
)


@dataclass(frozen=True, slots=True)
class Member:
    """One value of a dimension. `id` is what facts carry (a record's id or the text itself)."""

    id: UUID | str
    code: str
    name: str
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Dimension:
    """A way to cut figures.

    Kind `entity`: members are records (`table`, with `code` and `name` columns), and a result shows code
    and name in two columns. `text`: members are the values themselves. `time`: taken from the calendar;
    members are not listed. `item_column`: the dimension follows from the item; `place_column`: from the warehouse.
    """

    name: str
    label: str
    kind: Literal["entity", "text", "time"]
    synonyms: tuple[str, ...]
    definition: str
    table: Table | None = None
    code: str | None = None
    title: str = "name"
    source: Callable[[], Select[Any]] | None = None
    fixed: tuple[str, ...] = ()
    item_column: str | None = None
    place_column: str | None = None

    @property
    def code_column(self) -> Column[Any]:
        """The column that holds an entity member's code."""
        assert self.table is not None and self.code is not None
        return self.table.c[self.code]

    @property
    def name_column(self) -> Column[Any]:
        """The column that holds an entity member's name."""
        assert self.table is not None
        return self.table.c[self.title]


def _values(column: ColumnElement[Any]) -> Callable[[], Select[Any]]:
    return lambda: select(column).distinct().where(column.is_not(None)).order_by(column)


DIMENSIONS = (
    Dimension(
        "item",
        "Item",
        "entity",
        ("sku", "skus", "items", "product", "products", "article", "articles"),
        "Stock keeping unit.",
        items,
        "sku",
    ),
    Dimension(
        "category",
        "Category",
        "text",
        ("categories", "product category", "product group", "assortment"),
        "The item's category.",
        source=_values(items.c.category),
        item_column="category",
    ),
    Dimension(
        "brand",
        "Brand",
        "text",
        ("brands", "make", "label"),
        "The item's brand.",
        source=_values(items.c.brand),
        item_column="brand",
    ),
    Dimension(
        "abc_class",
        "ABC class",
        "text",
        ("abc", "abc classes", "inventory class", "item class", "class"),
        "The item's inventory class.",
        fixed=("A", "B", "C"),
        item_column="abc_class",
    ),
    Dimension(
        "channel",
        "Channel",
        "entity",
        ("channels", "sales channel", "sales channels", "shop", "marketplace"),
        "Sales channel of the order or return.",
        channels,
        "code",
    ),
    Dimension(
        "warehouse",
        "Warehouse",
        "entity",
        (
            "warehouses",
            "location",
            "locations",
            "site",
            "sites",
            "node",
            "store",
            "dc",
            "fulfilment centre",
            "distribution centre",
        ),
        "Own location: where stock lies, an order ships from, a purchase arrives or a return goes.",
        locations,
        "code",
    ),
    Dimension(
        "legal_entity",
        "Legal entity",
        "entity",
        ("legal entities", "legal unit", "legal units"),
        "Company in law that the warehouse belongs to; none where nobody said.",
        legal_entities,
        "code",
        place_column="legal_entity_id",
    ),
    Dimension(
        "supplier",
        "Supplier",
        "entity",
        ("suppliers", "vendor", "vendors", "manufacturer"),
        "Supplier of the purchase order; for stock, sales and returns the item's preferred supplier.",
        suppliers,
        "code",
    ),
    Dimension(
        "buyer",
        "Buyer",
        "entity",
        ("buyers", "purchaser", "purchasing agent", "requester"),
        "Who raised the purchase order, or asked for the proposal.",
        users,
        "login",
    ),
    Dimension(
        "customer_country",
        "Customer country",
        "text",
        ("country", "countries", "customer countries", "market", "destination", "destination country"),
        "Country of the customer.",
        source=_values(orders.c.customer_country),
    ),
    Dimension(
        "stock_state",
        "Stock state",
        "text",
        ("state", "states", "stock states", "inventory state", "stock status", "inventory status"),
        "State of stock in the ledger.",
        fixed=STATES,
    ),
    Dimension(
        "age_bucket",
        "Age bucket",
        "text",
        ("age", "stock age", "age buckets", "ageing bucket", "age band"),
        "Age of the receipt layer that stock belongs to.",
        fixed=AGE_BUCKETS,
    ),
    Dimension(
        "delay_class",
        "Delay class",
        "text",
        ("delay classes", "delay band", "delay bands", "classes of delay", "adherence class"),
        "Days from the first confirmed day to the receipt, in classes; without a confirmation a class of its own.",
        fixed=DELAY_CLASSES,
    ),
    Dimension(
        "order_status",
        "Order status",
        "text",
        ("order statuses", "status of orders", "sales order status"),
        "Status of the sales order now.",
        fixed=tuple(ORDER_STATUSES),
    ),
    Dimension(
        "po_status",
        "PO status",
        "text",
        ("purchase order status", "po statuses", "status of purchase orders"),
        "Status of the purchase order now.",
        fixed=(
            "draft",
            "submitted",
            "approved",
            "sent",
            "confirmed",
            "shipped",
            "partly_received",
            "received",
            "closed",
            "cancelled",
        ),
    ),
    Dimension(
        "return_reason",
        "Return reason",
        "text",
        ("reason", "reasons", "return reasons", "reason for return", "why returned"),
        "Reason code of the return line.",
        source=_values(return_lines.c.reason),
    ),
    Dimension(
        "disposition",
        "Disposition",
        "text",
        ("dispositions", "what happened to returns", "return disposition"),
        "What was done with the returned goods; empty until decided.",
        fixed=("restock", "refurbish", "quarantine", "vendor_return", "write_off"),
    ),
    Dimension(
        "exception_kind",
        "Exception kind",
        "text",
        (
            "exception kinds",
            "kind",
            "kinds",
            "exception type",
            "type of exception",
            "case kind",
            "alert type",
        ),
        "Kind of the case.",
        source=_values(cases.c.kind),
    ),
    Dimension("day", "Day", "time", ("days", "daily", "per day", "by day", "date"), "Calendar day."),
    Dimension(
        "week",
        "Week",
        "time",
        ("weeks", "weekly", "per week", "by week"),
        "Week from Monday, shown by its Monday.",
    ),
    Dimension(
        "month",
        "Month",
        "time",
        ("months", "monthly", "per month", "by month"),
        "Calendar month, as 2026-05.",
    ),
    Dimension(
        "quarter",
        "Quarter",
        "time",
        ("quarters", "quarterly", "per quarter", "by quarter"),
        "Calendar quarter, as 2026-Q2.",
    ),
    Dimension(
        "year",
        "Year",
        "time",
        ("years", "yearly", "annual", "annually", "per year", "by year"),
        "Calendar year.",
    ),
)

_STATUS_ALIASES = {
    "received_held": ("over-receipt",),
    "return_pending": ("awaiting inspection",),
    "in_transit": ("transit",),
    "on_hold": ("held",),
    "backordered": ("back-ordered", "on backorder", "on back order", "waiting for stock", "waiting on stock"),
    "cancelled": ("canceled",),
    "payment_review": (
        "in payment review",
        "under payment review",
        "waiting for payment",
        "held for payment",
    ),
    "pick_released": ("released for picking", "being picked", "in picking"),
    "partly_shipped": ("partially shipped", "part shipped"),
    "partly_received": ("partially received", "part received"),
}


def members(connection: Connection, dimension: Dimension) -> list[Member]:
    """All members of a dimension, by code; time dimensions list none.

    Virtual locations are no members of `warehouse`. Of people, `buyer` gives login and name only.
    """
    if dimension.table is not None:
        statement = select(dimension.table.c.id, dimension.code_column, dimension.name_column)
        if dimension.table is locations:
            statement = statement.where(locations.c.physical.is_(True))
        return [Member(*row) for row in connection.execute(statement.order_by(dimension.code_column))]
    if dimension.fixed:
        return fixed_members(dimension)
    if dimension.source is not None:
        return [_text_member(value) for (value,) in connection.execute(dimension.source())]
    return []


def fixed_members(dimension: Dimension) -> list[Member]:
    """The members that every company has, such as statuses; empty where a company names its own."""
    return [_text_member(value) for value in dimension.fixed]


def _text_member(value: str) -> Member:
    spoken = value.replace("_", " ")
    aliases = _STATUS_ALIASES.get(value, ())
    return Member(value, value, value, (spoken, *aliases) if spoken != value else aliases)


def matching(candidates: Sequence[Member], text: str) -> list[Member]:
    """Members whose code, name or alias is the text, case and surrounding space aside; a code wins over a name."""
    wanted = text.strip().casefold()
    by_code = [member for member in candidates if member.code.casefold() == wanted]
    if by_code:
        return by_code
    return [
        member
        for member in candidates
        if member.name.casefold() == wanted or any(alias.casefold() == wanted for alias in member.aliases)
    ]
