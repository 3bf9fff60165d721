"""Forecasts: the newest live one, how good backtests were, and demand under promotion."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Float, Select, and_, cast, func, select

from erp_core.analytics.facts.fact import Fact, Measure, Scope, visible
from erp_core.orders.model import demand_daily
from erp_core.planning.model import forecast_versions, forecast_weeks, promotions


def newest_live_version(scope: Scope) -> Select[Any]:
    """Id of the newest complete live forecast known on the scope's day."""
    return (
        select(forecast_versions.c.id)
        .where(
            forecast_versions.c.purpose == "live",
            forecast_versions.c.complete == 1,
            forecast_versions.c.as_of <= scope.as_of,
        )
        .order_by(
            forecast_versions.c.as_of.desc(),
            forecast_versions.c.published_at.desc(),
            forecast_versions.c.id.desc(),
        )
        .limit(1)
    )


def outlook(scope: Scope) -> Select[Any]:
    """Mean forecast per day by item, warehouse and week; its sum over weeks is the mean over the horizon."""
    return (
        select(
            forecast_weeks.c.item_id.label("item"),
            forecast_weeks.c.location_id.label("warehouse"),
            (forecast_weeks.c.mean_units / cast(forecast_versions.c.horizon_days, Float)).label("per_day"),
        )
        .join(forecast_versions, forecast_versions.c.id == forecast_weeks.c.version_id)
        .where(forecast_weeks.c.version_id == newest_live_version(scope).scalar_subquery())
    )


def _forecast(scope: Scope) -> Select[Any]:
    return select(
        forecast_weeks.c.item_id.label("item"),
        forecast_weeks.c.location_id.label("warehouse"),
        forecast_weeks.c.week.label("day"),
        forecast_weeks.c.mean_units.label("units"),
    ).where(forecast_weeks.c.version_id == newest_live_version(scope).scalar_subquery())


def _accuracy(scope: Scope) -> Select[Any]:
    """Errors of the newest complete backtest of each origin."""
    newest = (
        select(
            forecast_versions.c.id,
            func.row_number()
            .over(
                partition_by=forecast_versions.c.as_of,
                order_by=(forecast_versions.c.published_at.desc(), forecast_versions.c.id.desc()),
            )
            .label("age"),
        )
        .where(forecast_versions.c.purpose == "backtest", forecast_versions.c.complete == 1)
        .subquery()
    )
    actual, mean, naive = (
        forecast_weeks.c.actual_units,
        forecast_weeks.c.mean_units,
        forecast_weeks.c.baseline_units,
    )
    return select(
        forecast_weeks.c.item_id.label("item"),
        forecast_weeks.c.location_id.label("warehouse"),
        forecast_weeks.c.week.label("day"),
        actual.label("actual"),
        (mean - actual).label("error"),
        func.abs(mean - actual).label("absolute_error"),
        func.abs(naive - actual).label("naive_absolute_error"),
    ).where(
        forecast_weeks.c.version_id.in_(select(newest.c.id).where(newest.c.age == 1)),
        actual.is_not(None),
    )


def _promoted(scope: Scope) -> Select[Any]:
    running = (
        select(promotions.c.id)
        .where(
            and_(
                promotions.c.item_id == demand_daily.c.item_id,
                promotions.c.channel_id == demand_daily.c.channel_id,
                demand_daily.c.day.between(promotions.c.starts_on, promotions.c.ends_on),
            )
        )
        .exists()
    )
    return select(
        demand_daily.c.item_id.label("item"),
        demand_daily.c.location_id.label("warehouse"),
        demand_daily.c.channel_id.label("channel"),
        demand_daily.c.day,
        demand_daily.c.units,
    ).where(visible(demand_daily), running)


_PLACE = frozenset({"item", "warehouse"})

FACTS = (
    Fact("outlook", outlook, _PLACE, (Measure("per_day", whole=False),), past=True, records="item"),
    Fact("forecast", _forecast, _PLACE, (Measure("units", whole=False),), dated=True, records="item"),
    Fact(
        "accuracy",
        _accuracy,
        _PLACE,
        (
            Measure("actual"),
            Measure("error", whole=False),
            Measure("absolute_error", whole=False),
            Measure("naive_absolute_error", whole=False),
        ),
        dated=True,
        records="item",
    ),
    Fact("promoted", _promoted, _PLACE | {"channel"}, (Measure("units"),), dated=True, records="order_line"),
)
