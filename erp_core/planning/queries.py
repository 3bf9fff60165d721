"""Reads of planning: forecasts as arrays, reorder points, promotions, model versions."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime
from typing import Any, TypeVar
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, Table, select

from erp_core.master.model import items, locations
from erp_core.master.queries.ownership import RuleSource
from erp_core.planning.model import (
    forecast_series,
    forecast_versions,
    model_versions,
    promotions,
    reorder_points,
)
from erp_core.procurement.rules import ReorderTarget
from erp_core.storage.lookup import AnyRow, fetch_in

R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class ForecastVersion:
    """The header of a complete forecast. `levels` are quantile levels; days run from `start_on`."""

    id: UUID
    as_of: date
    start_on: date
    horizon_days: int
    levels: tuple[float, ...]
    purpose: str
    model_version_id: UUID | None
    published_at: datetime


@dataclass(frozen=True, slots=True)
class Forecast:
    """Daily forecasts of n series over h days at q levels, in units: `mean` (n, h), `quantiles` (n, q, h)."""

    version: ForecastVersion
    item_ids: tuple[UUID, ...]
    location_ids: tuple[UUID, ...]
    mean: NDArray[np.float32]
    quantiles: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class ReorderPoint:
    """When to order an item at a location and up to where, with what it was computed from."""

    item_id: UUID
    location_id: UUID
    safety_stock: int
    reorder_point: int
    order_up_to: int
    demand_mean: float
    demand_std: float
    lead_time_mean: float
    lead_time_std: float
    service_level: float
    as_of: date


@dataclass(frozen=True, slots=True)
class Promotion:
    """A planned price cut; `discount` is a share of the list price."""

    id: UUID
    item_id: UUID
    channel_id: UUID
    starts_on: date
    ends_on: date
    discount: float
    name: str
    known_on: date


@dataclass(frozen=True, slots=True)
class ModelVersion:
    """A model in the registry, with its card."""

    id: UUID
    name: str
    version: int
    status: str
    as_of: date
    trained_at: datetime
    artifact: str
    artifact_sha256: str
    card: Mapping[str, Any]


def latest_version(
    connection: Connection, *, purpose: str = "live", as_of: date | None = None
) -> ForecastVersion | None:
    """The newest complete forecast, made no later than `as_of` where given; None when there is none."""
    table = forecast_versions
    statement = select(table).where(table.c.complete == 1, table.c.purpose == purpose)
    if as_of is not None:
        statement = statement.where(table.c.as_of <= as_of)
    newest = statement.order_by(table.c.as_of.desc(), table.c.published_at.desc(), table.c.id.desc()).limit(1)
    row = connection.execute(newest).one_or_none()
    if row is None:
        return None
    return ForecastVersion(
        row.id,
        row.as_of,
        row.start_on,
        row.horizon_days,
        tuple(float(level) for level in row.levels),
        row.purpose,
        row.model_version_id,
        row.published_at,
    )


def latest_forecast(
    connection: Connection,
    *,
    item_ids: Collection[UUID] | None = None,
    location_ids: Collection[UUID] | None = None,
    purpose: str = "live",
    as_of: date | None = None,
) -> Forecast | None:
    """The newest complete forecast as arrays, of these items and locations where given; None when there is none."""
    version = latest_version(connection, purpose=purpose, as_of=as_of)
    if version is None:
        return None
    statement = (
        select(
            forecast_series.c.item_id,
            forecast_series.c.location_id,
            forecast_series.c.mean,
            forecast_series.c.quantiles,
        )
        .where(forecast_series.c.version_id == version.id)
        .order_by(forecast_series.c.item_id, forecast_series.c.location_id)
    )
    if location_ids is not None:
        statement = statement.where(forecast_series.c.location_id.in_(list(location_ids)))
    if item_ids is None:
        rows: Sequence[AnyRow] = connection.execute(statement).all()
    else:
        rows = fetch_in(connection, statement, forecast_series.c.item_id, sorted(item_ids))
    shape = (len(rows), len(version.levels), version.horizon_days)
    return Forecast(
        version,
        tuple(row.item_id for row in rows),
        tuple(row.location_id for row in rows),
        np.frombuffer(b"".join(row.mean for row in rows), "<f4").reshape(shape[0], shape[2]),
        np.frombuffer(b"".join(row.quantiles for row in rows), "<f4").reshape(shape),
    )


def list_reorder_points(
    connection: Connection, *, item_ids: Collection[UUID] | None = None, location_id: UUID | None = None
) -> tuple[ReorderPoint, ...]:
    """The reorder points in force, of these items and this location where given."""
    statement = select(*_columns(ReorderPoint, reorder_points)).order_by(
        reorder_points.c.item_id, reorder_points.c.location_id
    )
    if location_id is not None:
        statement = statement.where(reorder_points.c.location_id == location_id)
    if item_ids is None:
        return _read(ReorderPoint, connection.execute(statement))
    return _read(ReorderPoint, fetch_in(connection, statement, reorder_points.c.item_id, item_ids))


def reorder_targets(
    connection: Connection, pairs: Iterable[tuple[UUID, UUID]]
) -> dict[tuple[UUID, UUID], ReorderTarget]:
    """Reorder point and order-up-to level by (item, location); pairs without one are left out."""
    wanted = set(pairs)
    rows = fetch_in(connection, _TARGETS, reorder_points.c.item_id, {item_id for item_id, _ in wanted})
    return {
        (item_id, location_id): ReorderTarget(point, level)
        for item_id, location_id, point, level in rows
        if (item_id, location_id) in wanted
    }


_TARGETS = select(
    reorder_points.c.item_id,
    reorder_points.c.location_id,
    reorder_points.c.reorder_point,
    reorder_points.c.order_up_to,
)


def reorder_sources(connection: Connection) -> list[RuleSource]:
    """Who set each reorder point, and why it was theirs to set."""
    table = reorder_points
    rows = connection.execute(
        select(items.c.sku, locations.c.code, table.c.source, table.c.source_reason)
        .join(items, items.c.id == table.c.item_id)
        .join(locations, locations.c.id == table.c.location_id)
        .order_by(items.c.sku, locations.c.code)
    )
    return [RuleSource("reorder_point", *row) for row in rows]


def list_promotions(
    connection: Connection,
    *,
    start: date | None = None,
    end: date | None = None,
    item_id: UUID | None = None,
    known_by: date | None = None,
) -> tuple[Promotion, ...]:
    """Promotions that touch the days from `start` to `end`, known by a day where given, in order of time."""
    table = promotions
    statement = select(*_columns(Promotion, table)).order_by(table.c.starts_on, table.c.id)
    if start is not None:
        statement = statement.where(table.c.ends_on >= start)
    if end is not None:
        statement = statement.where(table.c.starts_on <= end)
    if item_id is not None:
        statement = statement.where(table.c.item_id == item_id)
    if known_by is not None:
        statement = statement.where(table.c.known_on <= known_by)
    return _read(Promotion, connection.execute(statement))


def list_models(connection: Connection, *, name: str | None = None) -> tuple[ModelVersion, ...]:
    """Model versions with their cards, the newest of each model first."""
    table = model_versions
    statement = select(*_columns(ModelVersion, table)).order_by(table.c.name, table.c.version.desc())
    if name is not None:
        statement = statement.where(table.c.name == name)
    return _read(ModelVersion, connection.execute(statement))


def active_model(connection: Connection, name: str) -> ModelVersion | None:
    """The active version of a model, or None."""
    return next((model for model in list_models(connection, name=name) if model.status == "active"), None)


def _columns(record: type[Any], table: Table) -> list[Any]:
    return [table.c[part.name] for part in fields(record)]


def _read(record: Callable[..., R], rows: Iterable[AnyRow]) -> tuple[R, ...]:
    return tuple(record(*row) for row in rows)
