"""Tables of procurement. Approval lives in the gate; a purchase order only knows which proposal holds it."""

from __future__ import annotations

from sqlalchemy import (
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from erp_core.procurement.model.claims import credited_returns as credited_returns
from erp_core.procurement.model.claims import vendor_claims as vendor_claims
from erp_core.procurement.model.claims import vendor_returns as vendor_returns
from erp_core.procurement.model.contracts import contract_lines as contract_lines
from erp_core.procurement.model.contracts import supplier_contracts as supplier_contracts
from erp_core.procurement.model.invoices import supplier_invoices as supplier_invoices
from erp_core.procurement.model.landed import landed_charges as landed_charges
from erp_core.procurement.model.quotations import quotation_awards as quotation_awards
from erp_core.procurement.model.quotations import quotation_invitations as quotation_invitations
from erp_core.procurement.model.quotations import quotation_lines as quotation_lines
from erp_core.procurement.model.quotations import quotation_request_lines as quotation_request_lines
from erp_core.procurement.model.quotations import quotation_requests as quotation_requests
from erp_core.procurement.model.quotations import quotations as quotations
from erp_core.procurement.model.receiving import held_decisions as held_decisions
from erp_core.procurement.model.receiving import inspection_rules as inspection_rules
from erp_core.procurement.model.receiving import receipt_reversals as receipt_reversals
from erp_core.procurement.model.receiving import unordered_decisions as unordered_decisions
from erp_core.procurement.model.receiving import unordered_goods as unordered_goods
from erp_core.procurement.model.supply import confirmation_chases as confirmation_chases
from erp_core.procurement.model.supply import po_revisions as po_revisions
from erp_core.procurement.model.supply import requisitions as requisitions
from erp_core.procurement.model.supply import shipping_notice_lines as shipping_notice_lines
from erp_core.procurement.model.supply import shipping_notices as shipping_notices
from erp_core.procurement.rules import PURCHASE_ORDER_STEPS
from erp_core.storage.base import among, metadata
from erp_core.storage.types import Id, Money, Quantity, UtcDateTime

purchase_orders = Table(
    "purchase_orders",
    metadata,
    Column("id", Id, primary_key=True),
    Column("number", String(40), nullable=False, unique=True),
    Column("supplier_id", Id, ForeignKey("suppliers.id"), nullable=False, index=True),
    Column("location_id", Id, ForeignKey("locations.id"), nullable=False),
    Column("buyer_id", Id, nullable=False),
    Column("currency", String(3), nullable=False),
    Column("status", String(16), nullable=False, index=True),
    Column("total", Money, nullable=False, comment="goods, freight and expedite: what the order commits"),
    Column("freight_cost", Money, nullable=False),
    Column("expedite_cost", Money, nullable=False),
    Column("created_on", Date, nullable=False),
    Column("submitted_at", UtcDateTime),
    Column("approved_at", UtcDateTime),
    Column("sent_on", Date),
    Column("known_on", Date, nullable=False),
    Column("proposal_id", Id),
    Column("reason", Text, nullable=False),
    Column(
        "slip_days", Integer, nullable=False, server_default="0", comment="days that its milestones are late"
    ),
    Column("version", Integer, nullable=False),
    Column("import_id", Id, index=True),
    Column("audit_id", Id, nullable=False),
    CheckConstraint(among("status", PURCHASE_ORDER_STEPS), name="status"),
)

po_lines = Table(
    "po_lines",
    metadata,
    Column("id", Id, primary_key=True),
    Column("po_id", Id, ForeignKey("purchase_orders.id"), nullable=False, index=True),
    Column("line_no", Integer, nullable=False),
    Column("item_id", Id, ForeignKey("items.id"), nullable=False, index=True),
    Column("quantity", Quantity, nullable=False),
    Column("unit_price", Money, nullable=False),
    Column(
        "reference_price", Money, nullable=False, comment="contract or standard price in force when ordered"
    ),
    Column(
        "contract_id",
        Id,
        ForeignKey("supplier_contracts.id"),
        index=True,
        comment="the blanket contract that it draws on, at its price",
    ),
    Column("need_by", Date),
    Column("first_promised_on", Date, comment="the first date the supplier confirmed"),
    Column("promised_on", Date, comment="the latest date"),
    Column("expected_on", Date, comment="the day we expect it, as milestones and notices tell"),
    Column("confirmed_quantity", Quantity, comment="what the supplier confirmed; none while it did not"),
    Column("confirmed_price", Money, comment="the price the supplier confirmed"),
    Column("asked_again_on", Date, comment="the line changed: it is to be confirmed again"),
    Column("accepted_quantity", Quantity, nullable=False),
    Column("accepted_by_promise", Quantity, nullable=False, comment="of it, by the first promised date"),
    Column("held_quantity", Quantity, nullable=False, comment="over-receipt: physically there, not sellable"),
    Column(
        "inspection_quantity",
        Quantity,
        nullable=False,
        server_default="0",
        comment="of the held units, those that wait for inspection",
    ),
    Column(
        "quarantined_quantity",
        Quantity,
        nullable=False,
        server_default="0",
        comment="of the held units, those that are in doubt",
    ),
    Column("rejected_quantity", Quantity, nullable=False),
    Column("cancelled_quantity", Quantity, nullable=False),
    Column(
        "tolerated_quantity",
        Quantity,
        nullable=False,
        server_default="0",
        comment="of the quantity, what came beyond the order and was tolerated",
    ),
    Column("completed_on", Date, comment="the day the line was fully accepted"),
    Column("delay_cause", String(30)),
    Column("import_id", Id),
    UniqueConstraint("po_id", "line_no"),
    CheckConstraint("quantity > 0", name="quantity"),
    CheckConstraint(
        "accepted_quantity >= 0 AND held_quantity >= 0 AND rejected_quantity >= 0 AND cancelled_quantity >= 0"
        " AND accepted_quantity + cancelled_quantity <= quantity",
        name="parts_within_quantity",
    ),
    CheckConstraint("accepted_by_promise <= accepted_quantity", name="by_promise_within_accepted"),
    CheckConstraint(
        "inspection_quantity >= 0 AND quarantined_quantity >= 0"
        " AND inspection_quantity + quarantined_quantity <= held_quantity",
        name="waiting_within_held",
    ),
    CheckConstraint("confirmed_quantity >= 0", name="confirmed_quantity"),
)

drop_ship_lines = Table(
    "drop_ship_lines",
    metadata,
    Column("po_line_id", Id, ForeignKey("po_lines.id"), primary_key=True),
    Column("order_line_id", Id, ForeignKey("order_lines.id"), nullable=False, index=True),
    Column("audit_id", Id, nullable=False),
    comment="Which purchase order line the supplier sends to the customer of which order line.",
)

po_milestones = Table(
    "po_milestones",
    metadata,
    Column("po_id", Id, ForeignKey("purchase_orders.id"), primary_key=True),
    Column("milestone", String(30), primary_key=True),
    Column("reached_on", Date, nullable=False),
    Column("audit_id", Id, nullable=False),
)

receipts = Table(
    "receipts",
    metadata,
    Column("id", Id, primary_key=True),
    Column("po_id", Id, ForeignKey("purchase_orders.id"), nullable=False, index=True),
    Column("location_id", Id, ForeignKey("locations.id"), nullable=False),
    Column("received_on", Date, nullable=False, index=True),
    Column("known_on", Date, nullable=False),
    Column("import_id", Id),
    Column("audit_id", Id, nullable=False, index=True),
)

receipt_lines = Table(
    "receipt_lines",
    metadata,
    Column("id", Id, primary_key=True),
    Column("receipt_id", Id, ForeignKey("receipts.id"), nullable=False, index=True),
    Column("po_line_id", Id, ForeignKey("po_lines.id"), nullable=False, index=True),
    Column("accepted_quantity", Quantity, nullable=False),
    Column("held_quantity", Quantity, nullable=False),
    Column("inspection_quantity", Quantity, nullable=False, server_default="0", comment="of the held"),
    Column("quarantined_quantity", Quantity, nullable=False, server_default="0", comment="of the held"),
    Column("rejected_quantity", Quantity, nullable=False),
    Column("exact", Integer, nullable=False, comment="1 when the line arrived as ordered or announced"),
    CheckConstraint(
        "accepted_quantity >= 0 AND held_quantity >= 0 AND rejected_quantity >= 0", name="quantities"
    ),
    CheckConstraint(
        "inspection_quantity >= 0 AND quarantined_quantity >= 0"
        " AND inspection_quantity + quarantined_quantity <= held_quantity",
        name="waiting_within_held",
    ),
)

supplier_messages = Table(
    "supplier_messages",
    metadata,
    Column("id", Id, primary_key=True),
    Column("supplier_id", Id, ForeignKey("suppliers.id"), nullable=False),
    Column("po_id", Id, ForeignKey("purchase_orders.id")),
    Column("received_at", UtcDateTime, nullable=False),
    Column(
        "body",
        Text,
        nullable=False,
        comment="untrusted text: rendered as data, never shown to a language model",
    ),
    Column("audit_id", Id, nullable=False),
    Index("ix_supplier_messages_po_id", "po_id"),
)
