"""Tables of planning. A forecast version is published whole through the gate and never edited."""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    Date,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
)

from erp_core.storage.base import among, metadata
from erp_core.storage.types import Id, Json, Quantity, UtcDateTime

model_versions = Table(
    "model_versions",
    metadata,
    Column("id", Id, primary_key=True),
    Column("name", String(40), nullable=False, index=True, comment="demand, demand_anomaly, supplier_delay"),
    Column("version", Integer, nullable=False),
    Column("status", String(10), nullable=False),
    Column("as_of", Date, nullable=False, comment="nothing known after this day was used"),
    Column("trained_at", UtcDateTime, nullable=False),
    Column("artifact", Text, nullable=False, comment="file under the home folder, relative"),
    Column("artifact_sha256", String(64), nullable=False),
    Column("card", Json, nullable=False),
    Column("audit_id", Id, nullable=False),
    CheckConstraint(among("status", ("active", "retired", "rejected")), name="status"),
)

forecast_versions = Table(
    "forecast_versions",
    metadata,
    Column("id", Id, primary_key=True),
    Column("as_of", Date, nullable=False, index=True),
    Column("start_on", Date, nullable=False),
    Column("horizon_days", Integer, nullable=False),
    Column("levels", Json, nullable=False, comment="quantile levels as text"),
    Column("purpose", String(10), nullable=False, comment="live, or backtest for accuracy figures"),
    Column("complete", Integer, nullable=False),
    Column("model_version_id", Id, ForeignKey("model_versions.id")),
    Column("published_at", UtcDateTime, nullable=False),
    Column("audit_id", Id, nullable=False),
)

forecast_series = Table(
    "forecast_series",
    metadata,
    Column("version_id", Id, ForeignKey("forecast_versions.id"), primary_key=True),
    Column("item_id", Id, ForeignKey("items.id"), primary_key=True),
    Column("location_id", Id, ForeignKey("locations.id"), primary_key=True),
    Column("mean", LargeBinary, nullable=False, comment="float32 by day, little endian"),
    Column("quantiles", LargeBinary, nullable=False, comment="float32, levels x days"),
)

forecast_weeks = Table(
    "forecast_weeks",
    metadata,
    Column("version_id", Id, ForeignKey("forecast_versions.id"), primary_key=True),
    Column("item_id", Id, primary_key=True),
    Column("location_id", Id, primary_key=True),
    Column("week", Date, primary_key=True, comment="Monday; only days inside the horizon are counted"),
    Column("mean_units", Float, nullable=False),
    Column("baseline_units", Float, nullable=False, comment="the seasonal naive forecast, for comparison"),
    Column("actual_units", Quantity, comment="filled for backtests only"),
    Index("ix_forecast_weeks_item_id", "item_id"),
)

reorder_points = Table(
    "reorder_points",
    metadata,
    Column("item_id", Id, ForeignKey("items.id"), primary_key=True),
    Column("location_id", Id, ForeignKey("locations.id"), primary_key=True),
    Column("safety_stock", Quantity, nullable=False),
    Column("reorder_point", Quantity, nullable=False),
    Column("order_up_to", Quantity, nullable=False),
    Column("demand_mean", Float, nullable=False, comment="units a day over the lead time"),
    Column("demand_std", Float, nullable=False),
    Column("lead_time_mean", Float, nullable=False, comment="days"),
    Column("lead_time_std", Float, nullable=False),
    Column("service_level", Float, nullable=False),
    Column("as_of", Date, nullable=False),
    Column("source", String(40), nullable=False, comment="the system that set it"),
    Column("source_reason", String(80), nullable=False, comment="why it was that one's to set"),
    Column("audit_id", Id, nullable=False),
)

promotions = Table(
    "promotions",
    metadata,
    Column("id", Id, primary_key=True),
    Column("item_id", Id, ForeignKey("items.id"), nullable=False, index=True),
    Column("channel_id", Id, ForeignKey("channels.id"), nullable=False),
    Column("starts_on", Date, nullable=False),
    Column("ends_on", Date, nullable=False),
    Column("discount", Float, nullable=False, comment="share of the list price"),
    Column("name", String(120), nullable=False),
    Column("known_on", Date, nullable=False),
    Column("audit_id", Id, nullable=False),
    CheckConstraint("ends_on >= starts_on", name="dates"),
    CheckConstraint("discount >= 0 AND discount < 1", name="discount"),
)

promotion_starts = Table(
    "promotion_starts",
    metadata,
    Column("promotion_id", Id, ForeignKey("promotions.id"), primary_key=True),
    Column("started_on", Date, nullable=False),
    Column("needed_units", Quantity, nullable=False),
    Column("covered_units", Quantity, nullable=False),
    Column("override_reason", Text, comment="why it started although stock was short; NULL when it was not"),
    Column("audit_id", Id, nullable=False),
)

decision_outcomes = Table(
    "decision_outcomes",
    metadata,
    Column("decision_id", Id, primary_key=True, comment="a proposal, or the document of an act without one"),
    Column("decision", String(8), nullable=False),
    Column("status", String(10), nullable=False),
    Column("origin", String(8), nullable=False, index=True),
    Column("model_version", String(160)),
    Column("overridden", Boolean, nullable=False, comment="a person changed a quantity between versions"),
    Column("case_kind", String(30)),
    Column("decided_on", Date, nullable=False),
    Column("cutoff_on", Date, nullable=False, comment="nothing that happened after this day counts"),
    Column("stockout_days", Integer),
    Column("excess_units", Quantity, comment="of the units asked for"),
    Column("arrived_percent", Integer, comment="of the units ordered, by the cut-off"),
    Column("days_late", Integer, comment="of the last line against its first promise; NULL while open"),
    Column("cost_change", Integer, comment="against the prices in force, in 1/100 %"),
    Column("verdict", String(8), comment="NULL without data"),
    Column("scored_at", UtcDateTime, nullable=False),
    Column("audit_id", Id, nullable=False),
    CheckConstraint(among("decision", ("proposal", "act")), name="decision"),
    CheckConstraint(among("status", ("executed", "rejected", "withdrawn", "expired")), name="status"),
    CheckConstraint(among("origin", ("person", "agent", "rule", "import")), name="origin"),
    CheckConstraint(among("verdict", ("good", "neutral", "bad")), name="verdict"),
    CheckConstraint("cutoff_on >= decided_on", name="cutoff"),
    comment="What came of each decision, measured once when its horizon had passed.",
)

outcome_scopes = Table(
    "outcome_scopes",
    metadata,
    Column("decision_id", Id, ForeignKey("decision_outcomes.decision_id"), primary_key=True),
    Column("scope_kind", String(16), primary_key=True),
    Column("scope", String(80), primary_key=True),
    Index("ix_outcome_scopes_scope", "scope_kind", "scope"),
)

readiness_thresholds = Table(
    "readiness_thresholds",
    metadata,
    Column("process", String(20), primary_key=True),
    Column("site", String(40), primary_key=True, comment="a location's code; empty for every site"),
    Column("check", String(30), primary_key=True),
    Column("least", Integer, nullable=False, comment="percent"),
    Column("least_number", Integer, nullable=False, comment="of counts, documents or cases behind it"),
    Column("audit_id", Id, nullable=False),
    CheckConstraint("least >= 0 AND least <= 100 AND least_number >= 1", name="figures"),
)

go_lives = Table(
    "go_lives",
    metadata,
    Column("process", String(20), primary_key=True),
    Column("site", String(40), primary_key=True),
    Column("override_reason", Text, comment="why it went live before its checks were green"),
    Column("figures", Json, nullable=False, comment="the checks as they stood"),
    Column("since", UtcDateTime, nullable=False),
    Column("audit_id", Id, nullable=False),
)

go_live_reviews = Table(
    "go_live_reviews",
    metadata,
    Column("process", String(20), primary_key=True),
    Column("site", String(40), primary_key=True),
    Column("day", Date, primary_key=True),
    Column("user_id", Id, nullable=False),
    Column("note", Text, nullable=False),
    Column("audit_id", Id, nullable=False),
)
