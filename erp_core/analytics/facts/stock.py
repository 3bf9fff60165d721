"""Stock as of a day: units by state, value, age, excess, turnover, and availability on days with demand."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Float, Select, and_, case, cast, func, literal, null, select, union_all

from erp_core.analytics.dimensions import AGE_BUCKETS
from erp_core.analytics.expressions import at_least_zero, days_between, divided, flag, half_up, only
from erp_core.analytics.facts.fact import Fact, Measure, Scope, visible
from erp_core.analytics.facts.planning import outlook
from erp_core.finance.model import cost_balances, cost_entries
from erp_core.inventory.as_of import stock_at
from erp_core.inventory.model import stock_daily, stock_moves
from erp_core.inventory.rules import OWN
from erp_core.master.model import data_feeds
from erp_core.orders.model import demand_daily
from erp_core.planning.model import reorder_points

AGED_AFTER_DAYS = 90
COVER_DAYS = 90
TURNOVER_DAYS = 365
UNVALUED_STATE = "received_held"


def _positions(scope: Scope) -> Select[Any]:
    """The company's own units by item, warehouse and state as of the scope's day."""
    rows = union_all(*stock_at(None if scope.as_of >= scope.today else scope.as_of)).subquery().c
    keys = (
        rows.item_id.label("item"),
        rows.location_id.label("warehouse"),
        rows.state.label("stock_state"),
    )
    return select(*keys, func.sum(rows.units).label("units")).where(rows.state != "virtual").group_by(*keys)


def _costs(scope: Scope) -> Select[Any]:
    """Quantity and value on the cost balance of each item as of the scope's day."""
    if scope.as_of >= scope.today:
        return select(cost_balances.c.item_id, cost_balances.c.quantity, cost_balances.c.value).where(
            cost_balances.c.quantity > 0
        )
    quantity, value = func.sum(cost_entries.c.quantity), func.sum(cost_entries.c.value)
    return (
        select(cost_entries.c.item_id, quantity.label("quantity"), value.label("value"))
        .where(cost_entries.c.occurred_on <= scope.as_of)
        .group_by(cost_entries.c.item_id)
        .having(quantity > 0)
    )


def _stock(scope: Scope) -> Select[Any]:
    at = _positions(scope).subquery()
    state, units = at.c.stock_state, at.c.units
    return select(
        at.c.item,
        at.c.warehouse,
        state,
        only(state != "in_transit", units).label("on_hand"),
        only(state == "available", units).label("available"),
        only(state == "reserved", units).label("reserved"),
        only(state == "in_transit", units).label("in_transit"),
        only(state.in_(("quarantined", "received_held")), units).label("quarantined"),
        only(state.in_(("return_pending", "refurbishing")), units).label("return_pending"),
        only(state == "damaged", units).label("damaged"),
    ).where(units != 0)


def _stock_value(scope: Scope) -> Select[Any]:
    at, cost = _positions(scope).subquery(), _costs(scope).subquery()
    return (
        select(
            at.c.item,
            at.c.warehouse,
            at.c.stock_state,
            (at.c.units * divided(cost.c.value, cost.c.quantity)).label("value"),
        )
        .select_from(at.outerjoin(cost, cost.c.item_id == at.c.item))
        .where(at.c.units != 0, at.c.stock_state != UNVALUED_STATE)
    )


def _bucket(age: ColumnElement[Any]) -> ColumnElement[Any]:
    bounds = (30, 60, 90, 180, 365)
    return case(
        (age.is_(None), AGE_BUCKETS[-1]),
        *((age <= bound, AGE_BUCKETS[place]) for place, bound in enumerate(bounds)),
        else_=AGE_BUCKETS[len(bounds)],
    )


def _arrivals(scope: Scope) -> Select[Any]:
    """Units that came in by item and day, less those of them that were taken back since; bringing back what left is no arrival."""
    move, first = stock_moves.c, stock_moves.alias("first")
    came = select(
        move.item_id.label("item"), move.occurred_on.label("arrived_on"), move.quantity.label("units")
    ).where(
        move.from_state == "virtual",
        move.to_state != "virtual",
        move.reverses_id.is_(None),
        move.owner == OWN,
        move.occurred_on <= scope.as_of,
    )
    came_on = (
        select(first.c.occurred_on)
        .where(first.c.item_id == move.item_id, first.c.id == move.reverses_id)
        .scalar_subquery()
    )
    taken_back = select(move.item_id, came_on, -move.quantity).where(
        move.from_state != "virtual",
        move.to_state == "virtual",
        move.reverses_id.is_not(None),
        move.owner == OWN,
        move.occurred_on <= scope.as_of,
    )
    both = union_all(came, taken_back).subquery()
    units = func.sum(both.c.units)
    return (
        select(both.c.item, both.c.arrived_on, units.label("units"))
        .group_by(both.c.item, both.c.arrived_on)
        .having(units > 0)
    )


def _stock_age(scope: Scope) -> Select[Any]:
    """Units in stock as layers of the newest receipts that stand; what receipts do not explain is of unknown age."""
    at, cost = _positions(scope).subquery(), _costs(scope).subquery()
    valued = select(at).where(at.c.stock_state != UNVALUED_STATE, at.c.units != 0).cte()
    held = select(valued.c.item, func.sum(valued.c.units).label("units")).group_by(valued.c.item).cte()
    arrivals = _arrivals(scope).subquery()
    newest_first: dict[str, Any] = {"partition_by": arrivals.c.item, "order_by": arrivals.c.arrived_on.desc()}
    through = func.sum(arrivals.c.units).over(**newest_first, rows=(None, 0))
    layered = select(
        arrivals, (through - arrivals.c.units).label("newer"), through.label("through")
    ).subquery()
    left = held.c.units - layered.c.newer
    layers = select(
        held.c.item,
        held.c.units.label("held"),
        days_between(layered.c.arrived_on, literal(scope.as_of)).label("age"),
        case((left < layered.c.units, left), else_=layered.c.units).label("units"),
    ).select_from(held.join(layered, layered.c.item == held.c.item))
    explained = (
        select(arrivals.c.item, func.sum(arrivals.c.units).label("units"))
        .group_by(arrivals.c.item)
        .subquery()
    )
    rest = held.c.units - func.coalesce(explained.c.units, 0)
    unexplained = select(
        held.c.item, held.c.units.label("held"), null().label("age"), rest.label("units")
    ).select_from(held.outerjoin(explained, explained.c.item == held.c.item))
    layer = union_all(layers.where(left > 0), unexplained.where(rest > 0)).subquery()
    value = valued.c.units * divided(layer.c.units, layer.c.held) * divided(cost.c.value, cost.c.quantity)
    return select(
        valued.c.item,
        valued.c.warehouse,
        valued.c.stock_state,
        _bucket(layer.c.age).label("age_bucket"),
        value.label("value"),
        case((layer.c.age > AGED_AFTER_DAYS, value), (cost.c.value.is_not(None), 0.0)).label("aged_value"),
    ).select_from(
        valued.join(layer, layer.c.item == valued.c.item).outerjoin(cost, cost.c.item_id == valued.c.item)
    )


def _excess(scope: Scope) -> Select[Any]:
    at, cost = _positions(scope).subquery(), _costs(scope).subquery()
    expected = outlook(scope).subquery()
    forecast = (
        select(expected.c.item, expected.c.warehouse, func.sum(expected.c.per_day).label("per_day"))
        .group_by(expected.c.item, expected.c.warehouse)
        .subquery()
    )
    cover = half_up(func.coalesce(forecast.c.per_day, 0.0) * COVER_DAYS)
    target = case((reorder_points.c.order_up_to > cover, reorder_points.c.order_up_to), else_=cover)
    units = at_least_zero(at.c.units - target)
    return (
        select(
            at.c.item,
            at.c.warehouse,
            units.label("units"),
            (units * divided(cost.c.value, cost.c.quantity)).label("value"),
        )
        .select_from(
            at.outerjoin(forecast, and_(forecast.c.item == at.c.item, forecast.c.warehouse == at.c.warehouse))
            .outerjoin(
                reorder_points,
                and_(reorder_points.c.item_id == at.c.item, reorder_points.c.location_id == at.c.warehouse),
            )
            .outerjoin(cost, cost.c.item_id == at.c.item)
        )
        .where(at.c.stock_state == "available", at.c.units > 0)
    )


def _turnover(scope: Scope) -> Select[Any]:
    days = days_between(cost_entries.c.occurred_on, literal(scope.as_of)) + 1
    weight = case((days < TURNOVER_DAYS, days), else_=TURNOVER_DAYS)
    shipped = and_(cost_entries.c.event == "shipment", days <= TURNOVER_DAYS)
    return select(
        cost_entries.c.item_id.label("item"),
        only(shipped, -cost_entries.c.value).label("shipped_cost"),
        (cast(cost_entries.c.value, Float) * weight / TURNOVER_DAYS).label("mean_value"),
    ).where(cost_entries.c.occurred_on <= scope.as_of)


def _availability(scope: Scope) -> Select[Any]:
    """Item-location-days with demand since the stock feed began, and whether the day closed with nothing available."""
    zero = literal(0)
    changes = select(
        stock_daily.c.item_id.label("item"),
        stock_daily.c.location_id.label("warehouse"),
        stock_daily.c.day,
        stock_daily.c.change,
        zero.label("demand"),
    ).where(stock_daily.c.state == "available")
    demand = select(
        demand_daily.c.item_id,
        demand_daily.c.location_id,
        demand_daily.c.day,
        zero,
        demand_daily.c.units,
    ).where(visible(demand_daily), demand_daily.c.units > 0)
    both = union_all(changes, demand).subquery()
    keys = (both.c.item, both.c.warehouse, both.c.day)
    daily = (
        select(*keys, func.sum(both.c.change).label("change"), func.sum(both.c.demand).label("demand"))
        .group_by(*keys)
        .subquery()
    )
    closing = func.sum(daily.c.change).over(
        partition_by=(daily.c.item, daily.c.warehouse), order_by=daily.c.day, rows=(None, 0)
    )
    closed = select(
        daily.c.item, daily.c.warehouse, daily.c.day, daily.c.demand, closing.label("closing")
    ).subquery()
    began = select(data_feeds.c.first_on).where(data_feeds.c.kind == "stock").scalar_subquery()
    return select(
        closed.c.item,
        closed.c.warehouse,
        closed.c.day,
        literal(1).label("demand_days"),
        flag(closed.c.closing <= 0).label("stockout_days"),
    ).where(closed.c.demand > 0, closed.c.day >= began, closed.c.day <= scope.today)


_PLACE = frozenset({"item", "warehouse"})
_STATE = _PLACE | {"stock_state"}

FACTS = (
    Fact(
        "stock",
        _stock,
        _STATE,
        tuple(
            Measure(name)
            for name in (
                "on_hand",
                "available",
                "reserved",
                "in_transit",
                "quarantined",
                "return_pending",
                "damaged",
            )
        ),
        past=True,
        records="stock_move",
    ),
    Fact(
        "stock_value",
        _stock_value,
        _STATE,
        (Measure("value", whole=False, nullable=True),),
        past=True,
        records="stock_move",
    ),
    Fact(
        "stock_age",
        _stock_age,
        _STATE | {"age_bucket"},
        (Measure("value", whole=False, nullable=True), Measure("aged_value", whole=False, nullable=True)),
        past=True,
        records="stock_move",
    ),
    Fact(
        "excess",
        _excess,
        _PLACE,
        (Measure("units"), Measure("value", whole=False, nullable=True)),
        records="item",
    ),
    Fact(
        "turnover",
        _turnover,
        frozenset({"item"}),
        (Measure("shipped_cost"), Measure("mean_value", whole=False)),
        past=True,
        records="item",
    ),
    Fact(
        "availability",
        _availability,
        _PLACE,
        (Measure("demand_days"), Measure("stockout_days")),
        dated=True,
        records="order_line",
    ),
)
