"""Tables of how orders are served: capacity to pick, clocks, shares of channels, substitutes, shortages, promises."""

from __future__ import annotations

from sqlalchemy import Boolean, CheckConstraint, Column, Date, ForeignKey, Integer, String, Table

from erp_core.orders.rules import ORDER_STATUSES, SHORTAGE_ACTIONS
from erp_core.storage.base import among, metadata
from erp_core.storage.types import Id, Quantity, UtcDateTime

pick_capacities = Table(
    "pick_capacities",
    metadata,
    Column("location_id", Id, ForeignKey("locations.id"), primary_key=True),
    Column("open_units", Quantity, nullable=False, comment="the most units on open pick lists at once"),
    Column("lead_minutes", Integer, nullable=False, comment="from release to packed"),
    Column("audit_id", Id, nullable=False),
    CheckConstraint("open_units >= 1", name="open_units"),
    CheckConstraint("lead_minutes >= 0", name="lead_minutes"),
    comment="What the people of a place can fetch and pack.",
)

stage_limits = Table(
    "stage_limits",
    metadata,
    Column("channel_id", Id, primary_key=True, comment="the zero id for every channel"),
    Column("status", String(16), primary_key=True),
    Column("minutes", Integer, nullable=False, comment="an order may stay in the status so long"),
    Column("warn_minutes", Integer, nullable=False, comment="before the end, when people are alerted"),
    Column("audit_id", Id, nullable=False),
    CheckConstraint(among("status", tuple(ORDER_STATUSES)), name="status"),
    CheckConstraint("minutes >= 1 AND warn_minutes >= 0 AND warn_minutes <= minutes", name="minutes"),
)

stage_alerts = Table(
    "stage_alerts",
    metadata,
    Column("order_id", Id, ForeignKey("orders.id"), primary_key=True),
    Column("status", String(16), primary_key=True),
    Column("since", UtcDateTime, primary_key=True),
    Column("kind", String(8), primary_key=True),
    Column("due_at", UtcDateTime, nullable=False),
    Column("raised_at", UtcDateTime, nullable=False),
    Column("audit_id", Id, nullable=False),
    CheckConstraint("kind IN ('at_risk', 'breached')", name="kind"),
    comment="Each stay of an order in a status is alerted once before its limit and once after it.",
)

channel_quotas = Table(
    "channel_quotas",
    metadata,
    Column("channel_id", Id, ForeignKey("channels.id"), primary_key=True),
    Column("item_id", Id, primary_key=True, comment="the zero id for every item"),
    Column("location_id", Id, primary_key=True, comment="the zero id for every place"),
    Column("valid_from", Date, primary_key=True),
    Column("valid_to", Date, comment="the day after its last; NULL: until the next begins"),
    Column("kept_units", Quantity, nullable=False, comment="of each place, that no other channel may take"),
    Column(
        "most_percent", Integer, nullable=False, comment="of a place's sellable stock the channel may hold"
    ),
    Column("low_percent", Integer, nullable=False, comment="adapting never goes below"),
    Column("high_percent", Integer, nullable=False, comment="nor above; equal: it does not adapt"),
    Column("oversell_units", Quantity, comment="it may owe so many of an item without stock; NULL: any"),
    Column("active", Boolean, nullable=False),
    Column("adapted_on", Date, comment="the day since which the share is what it is, by demand"),
    Column("audit_id", Id, nullable=False),
    CheckConstraint("kept_units >= 0 AND oversell_units >= 0", name="units"),
    CheckConstraint("valid_to >= valid_from", name="period"),
    CheckConstraint(
        "low_percent >= 0 AND low_percent <= most_percent AND most_percent <= high_percent"
        " AND high_percent <= 100",
        name="percents",
    ),
)

substitution_rules = Table(
    "substitution_rules",
    metadata,
    Column("item_id", Id, ForeignKey("items.id"), primary_key=True),
    Column("substitute_id", Id, ForeignKey("items.id"), primary_key=True),
    Column("channel_id", Id, primary_key=True, comment="the zero id for every channel"),
    Column("rank", Integer, nullable=False, comment="1 is tried first"),
    Column("active", Boolean, nullable=False),
    Column("audit_id", Id, nullable=False),
    CheckConstraint("item_id <> substitute_id", name="another_item"),
    CheckConstraint("rank >= 1", name="rank"),
    comment="What may be sent for what, unit for unit at the price that was agreed.",
)

shortage_rules = Table(
    "shortage_rules",
    metadata,
    Column("channel_id", Id, primary_key=True, comment="the zero id for every channel"),
    Column("step", Integer, primary_key=True),
    Column("action", String(12), nullable=False),
    Column("audit_id", Id, nullable=False),
    CheckConstraint(among("action", SHORTAGE_ACTIONS), name="action"),
    comment="What is done, in order, when stock is short for an order of the channel.",
)

shortages = Table(
    "shortages",
    metadata,
    Column("id", Id, primary_key=True),
    Column("order_id", Id, ForeignKey("orders.id"), nullable=False, index=True),
    Column("line_id", Id, ForeignKey("order_lines.id"), nullable=False),
    Column("item_id", Id, ForeignKey("items.id"), nullable=False, index=True),
    Column("location_id", Id, ForeignKey("locations.id"), nullable=False),
    Column("units", Quantity, nullable=False),
    Column("action", String(12), nullable=False, comment="what was done about them"),
    Column("other_line_id", Id, comment="the line that was added, or that gave its stock"),
    Column("occurred_at", UtcDateTime, nullable=False),
    Column("audit_id", Id, nullable=False),
    CheckConstraint("units > 0", name="units"),
    CheckConstraint(among("action", SHORTAGE_ACTIONS), name="action"),
    comment="Every decision on stock that was short, by rule; `procure` waits for a buyer.",
)

promise_changes = Table(
    "promise_changes",
    metadata,
    Column("id", Id, primary_key=True),
    Column("order_id", Id, ForeignKey("orders.id"), nullable=False, index=True),
    Column("line_id", Id, ForeignKey("order_lines.id"), nullable=False),
    Column("expected_before", Date),
    Column("expected_after", Date),
    Column("cause_kind", String(20), nullable=False),
    Column("cause_id", Id, nullable=False, index=True),
    Column("occurred_at", UtcDateTime, nullable=False),
    Column("audit_id", Id, nullable=False),
    comment="Which lines are expected on another day, because of what.",
)
