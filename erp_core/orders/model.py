"""Tables of sales orders.

A row with an `import_id` is imported history: it feeds demand and sales figures, never made a stock
move, and is seen by readers only when its import is complete (`visible` in `queries`).
"""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    UniqueConstraint,
    text,
)

from erp_core.orders import model_alerts as model_alerts
from erp_core.orders import model_documents as model_documents
from erp_core.orders import model_outages as model_outages
from erp_core.orders import model_payments as model_payments
from erp_core.orders import model_service as model_service
from erp_core.orders.rules import OPEN_PICKS, ORDER_STATUSES, PICK_STATUSES
from erp_core.storage.base import among, metadata
from erp_core.storage.types import Id, Money, Quantity, UtcDateTime

_FREQUENT = ("reserved", "shipped", "backordered")
"""The first conditions of the check: most rows need no further one."""

customers = Table(
    "customers",
    metadata,
    Column("id", Id, primary_key=True),
    Column("code", String(60), nullable=False, unique=True),
    Column("country", String(60), nullable=False),
    Column("name", String(120)),
    Column("email", String(160)),
    Column("tax_id", String(20), comment="of a business, checked"),
    Column(
        "erase_after", Date, comment="asked to be forgotten; done when nothing keeps the records any more"
    ),
    Column("audit_id", Id, nullable=False),
)

orders = Table(
    "orders",
    metadata,
    Column("id", Id, primary_key=True),
    Column("number", String(40), nullable=False, unique=True),
    Column("external_ref", String(60), nullable=False),
    Column("channel_id", Id, ForeignKey("channels.id"), nullable=False),
    Column("customer_id", Id, ForeignKey("customers.id")),
    Column("customer_country", String(60), nullable=False),
    Column("status", String(16), nullable=False, index=True),
    Column("status_since", UtcDateTime, comment="when it took this status; NULL for imported history"),
    Column("ordered_at", UtcDateTime, nullable=False),
    Column("ordered_on", Date, nullable=False, index=True),
    Column("known_on", Date, nullable=False),
    Column("speed", String(10), comment="what the customer asked for; NULL: as the rules choose"),
    Column("promised_on", Date),
    Column("shipped_on", Date, comment="of the last shipment"),
    Column("hold_reason", String(30), comment="why it is on hold"),
    Column("cancel_reason", String(40)),
    Column("freight_cost", Money, nullable=False, comment="what shipping cost the company"),
    Column("shipments", Integer, nullable=False),
    Column("parcels_allowed", Integer, comment="agreed beyond what rules allow; NULL: as the rules say"),
    Column("version", Integer, nullable=False),
    Column("import_id", Id, index=True),
    Column("audit_id", Id, nullable=False),
    UniqueConstraint("channel_id", "external_ref"),
    CheckConstraint(among("status", dict.fromkeys((*_FREQUENT, *ORDER_STATUSES))), name="status"),
    Index(
        "ix_orders_customer_id",
        "customer_id",
        sqlite_where=text("customer_id IS NOT NULL"),
        postgresql_where=text("customer_id IS NOT NULL"),
    ),
)

UNFILLED = "quantity > reserved_quantity + shipped_quantity + cancelled_quantity"

order_lines = Table(
    "order_lines",
    metadata,
    Column("id", Id, primary_key=True),
    Column("order_id", Id, ForeignKey("orders.id"), nullable=False),
    Column("line_no", Integer, nullable=False),
    Column("item_id", Id, ForeignKey("items.id"), nullable=False),
    Column("location_id", Id, ForeignKey("locations.id"), nullable=False),
    Column(
        "location_reason", String(20), comment="why this location was chosen; NULL when the order named it"
    ),
    Column("channel_id", Id, nullable=False),
    Column("customer_country", String(60), nullable=False),
    Column("ordered_on", Date, nullable=False),
    Column("promised_on", Date),
    Column("expected_on", Date, comment="when its missing units can be sent; NULL while nobody knows"),
    Column("substitutes_id", Id, comment="the line in whose place it stands"),
    Column("shipped_on", Date, comment="of the line's last shipment"),
    Column("quantity", Quantity, nullable=False),
    Column("reserved_quantity", Quantity, nullable=False, comment="stock is held for them"),
    Column(
        "picked_quantity",
        Quantity,
        nullable=False,
        default=0,
        server_default=text("0"),
        comment="of those reserved",
    ),
    Column("shipped_quantity", Quantity, nullable=False),
    Column("shipped_by_promise", Quantity, nullable=False, comment="of it, shipped no later than promised"),
    Column("cancelled_quantity", Quantity, nullable=False),
    Column("unit_price", Money, nullable=False, comment="charged, net of markdown and tax"),
    Column("list_price", Money, nullable=False, comment="before markdown"),
    Column("cost", Money, comment="landed cost of what shipped; NULL while unknown"),
    Column("import_id", Id),
    Column("kit_line_id", Id, comment="the kit of the order that this line is a part of"),
    Column("per_kit", Quantity, comment="units of this line in one kit"),
    CheckConstraint("quantity > 0", name="quantity"),
    CheckConstraint("(kit_line_id IS NULL) = (per_kit IS NULL)", name="part_of_a_kit"),
    CheckConstraint(
        "reserved_quantity >= 0 AND shipped_quantity >= 0 AND cancelled_quantity >= 0"
        " AND reserved_quantity + shipped_quantity + cancelled_quantity <= quantity",
        name="parts_within_quantity",
    ),
    CheckConstraint(
        "picked_quantity >= 0 AND picked_quantity <= reserved_quantity", name="picked_within_reserved"
    ),
    UniqueConstraint("order_id", "line_no"),
    Index("ix_order_lines_item_id_ordered_on", "item_id", "ordered_on"),
    Index("ix_order_lines_ordered_on", "ordered_on"),
    Index(
        "ix_order_lines_unfilled",
        "item_id",
        "location_id",
        sqlite_where=text(UNFILLED),
        postgresql_where=text(UNFILLED),
    ),
)

pick_lists = Table(
    "pick_lists",
    metadata,
    Column("id", Id, primary_key=True),
    Column("order_id", Id, ForeignKey("orders.id"), nullable=False, index=True),
    Column("location_id", Id, ForeignKey("locations.id"), nullable=False),
    Column("wave_id", Id, index=True, comment="released together; NULL when released alone"),
    Column("status", String(10), nullable=False),
    Column("released_at", UtcDateTime, nullable=False),
    Column("status_since", UtcDateTime, nullable=False),
    Column("service_id", Id, ForeignKey("carrier_services.id"), comment="NULL while no carrier is chosen"),
    Column("service_reason", String(200), comment="the rule that chose it, or the reason of who did"),
    Column("service_override", Boolean, nullable=False, comment="chosen by a person against the rule"),
    Column("freight_price", Money, comment="of the service; NULL while unknown"),
    Column("cutoff_at", UtcDateTime, comment="packed before it, it leaves on that day"),
    Column("arrives_on", Date),
    Column("audit_id", Id, nullable=False),
    CheckConstraint(among("status", tuple(PICK_STATUSES)), name="status"),
    Index(
        "uq_pick_lists_open",
        "order_id",
        "location_id",
        unique=True,
        sqlite_where=text(among("status", OPEN_PICKS)),
        postgresql_where=text(among("status", OPEN_PICKS)),
    ),
    comment="What of an order is fetched at one place for one parcel; one at a time.",
)

pick_lines = Table(
    "pick_lines",
    metadata,
    Column("pick_id", Id, ForeignKey("pick_lists.id"), primary_key=True),
    Column("order_line_id", Id, ForeignKey("order_lines.id"), primary_key=True),
    Column("quantity", Quantity, nullable=False, comment="to fetch; once picked, what was found"),
    CheckConstraint("quantity >= 0", name="quantity"),
    sqlite_with_rowid=False,
)

order_kits = Table(
    "order_kits",
    metadata,
    Column("id", Id, primary_key=True, comment="the line as it was ordered; order lines are its components"),
    Column("order_id", Id, ForeignKey("orders.id"), nullable=False, index=True),
    Column("line_no", Integer, nullable=False),
    Column("kit_item_id", Id, ForeignKey("items.id"), nullable=False, index=True),
    Column("quantity", Quantity, nullable=False),
    Column("unit_price", Money, nullable=False, comment="of one kit; the prices of its lines add up to it"),
    Column("list_price", Money, nullable=False),
    Column("audit_id", Id, nullable=False),
    CheckConstraint("quantity > 0", name="quantity"),
)

shipments = Table(
    "shipments",
    metadata,
    Column("id", Id, primary_key=True),
    Column("order_id", Id, ForeignKey("orders.id"), nullable=False, index=True),
    Column("location_id", Id, ForeignKey("locations.id"), nullable=False),
    Column("pick_id", Id, comment="the pick list it was packed from; NULL when shipped without one"),
    Column("shipped_on", Date, nullable=False),
    Column("freight_cost", Money, nullable=False),
    Column("audit_id", Id, nullable=False),
)

shipment_lines = Table(
    "shipment_lines",
    metadata,
    Column("shipment_id", Id, ForeignKey("shipments.id"), primary_key=True),
    Column("order_line_id", Id, ForeignKey("order_lines.id"), primary_key=True),
    Column("quantity", Quantity, nullable=False),
    Column("cost", Money),
    CheckConstraint("quantity > 0", name="quantity"),
    sqlite_with_rowid=False,
)

late_costs = Table(
    "late_costs",
    metadata,
    Column("id", Id, primary_key=True),
    Column("order_line_id", Id, ForeignKey("order_lines.id"), nullable=False, index=True),
    Column("amount", Money, nullable=False),
    Column("booked_on", Date, nullable=False, index=True),
    Column("document_kind", String(20), nullable=False),
    Column("document_id", Id, nullable=False),
    Column("audit_id", Id, nullable=False),
    comment="Cost of goods that became known after they were sold.",
)

demand_daily = Table(
    "demand_daily",
    metadata,
    Column("item_id", Id, primary_key=True),
    Column("location_id", Id, primary_key=True),
    Column("channel_id", Id, primary_key=True),
    Column("day", Date, primary_key=True),
    Column("import_id", Id, primary_key=True, comment="the zero id for live orders"),
    Column(
        "units", Quantity, nullable=False, comment="ordered, less cancelled by the customer, by order day"
    ),
    Column("net_sales", Money, nullable=False),
    Column("list_sales", Money, nullable=False, comment="the same units at list price: the gap is markdown"),
    Column("lines", Integer, nullable=False),
    comment="Demand projection kept in the posting transaction; what models read.",
    sqlite_with_rowid=False,
)

past_sales_daily = Table(
    "past_sales_daily",
    metadata,
    Column("item_id", Id, primary_key=True),
    Column("ordered_on", Date, primary_key=True),
    Column("shipped_on", Date, primary_key=True, comment="the order day where nothing shipped"),
    Column("location_id", Id, primary_key=True),
    Column("channel_id", Id, primary_key=True),
    Column("customer_country", String(60), primary_key=True),
    Column("import_id", Id, primary_key=True),
    Column("ordered_units", Quantity, nullable=False),
    Column("cancelled_units", Quantity, nullable=False),
    Column("shipped_units", Quantity, nullable=False),
    Column("net_sales", Money, nullable=False, comment="of what shipped"),
    Column("markdown", Money, nullable=False, comment="of what shipped"),
    comment="Sums of imported order lines, which do not change; figures read them instead of the lines.",
    sqlite_with_rowid=False,
)
