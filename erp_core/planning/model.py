"""Tables of planning. A forecast version is published whole through the gate and never edited."""

from __future__ import annotations

from sqlalchemy import (
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
