"""What an exception costs, and which action leaves the least: pure functions on arrays.

Money in currency units (float) here; the scan turns it into ten-thousandths once. The formulas with
their units stand in docs/models.md. A loss is "by the deadline, if nothing is done".
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from copilot.models.arrays import Bools, Floats, Ints
from copilot.models.projection import Outlook, lost_units

ACTIONS = ("none", "order_now", "order_expedited", "expedite", "transfer", "reduce_inbound", "markdown")
ORDER_NOW, ORDER_EXPEDITED, EXPEDITE, TRANSFER, REDUCE, MARKDOWN = range(1, 7)


@dataclass(frozen=True, slots=True)
class Terms:
    """What the pricing assumes. Rates are shares, money in currency units, times in days.

    `materiality`: cases that stand to lose less are left out. `lost_sale_share`: of units short, how many
    are lost rather than waited for. `expedite_share`: premium over the goods' value for half the time.
    """

    materiality: float = 10.0
    carrying_rate: float = 0.25
    lost_sale_share: float = 0.8
    order_cost: float = 25.0
    expedite_share: float = 0.08
    expedite_time: float = 0.5
    transfer_cost: float = 40.0
    transfer_unit_share: float = 0.02
    transfer_days: int = 3
    review_days: int = 7
    excess_days: int = 90
    markdown: float = 0.15
    markdown_pace: float = 2.5
    write_down: float = 0.5
    persistence: float = 0.6
    change_days: int = 84
    least_delay_chance: float = 0.1


@dataclass(frozen=True, slots=True)
class Priced:
    """Amounts per row (n,): the loss, what the best action leaves of it and costs, which one (in
    `ACTIONS`), and the units it moves."""

    expected_loss: Floats
    residual_loss: Floats
    action_cost: Floats
    action: Ints
    units: Floats


@dataclass(frozen=True, slots=True)
class Situation:
    """Money and means per item-location (n,): unit `margin` and `cost`, lead time of a new order in days,
    units to order by the stored reorder point, units another location can spare, units inbound, and
    whether anybody supplies the item (`orderable`)."""

    margin: Floats
    cost: Floats
    lead_days: Ints
    order_units: Floats
    spare_units: Floats
    inbound_units: Floats
    orderable: Bools


def best_of(loss: Floats, options: list[tuple[int, Floats, Floats, Floats]]) -> Priced:
    """The option (action, residual loss, action cost, units) with the greatest net benefit; none where none helps."""
    residual, cost, units = loss.copy(), np.zeros(len(loss)), np.zeros(len(loss))
    action = np.zeros(len(loss), dtype=np.int64)
    for code, left, price, moved in options:
        left = np.minimum(left, loss)
        better = (moved > 0) & (loss - left - price > np.maximum(loss - residual - cost, 0) + 1e-9)
        residual, cost = np.where(better, left, residual), np.where(better, price, cost)
        units, action = np.where(better, moved, units), np.where(better, code, action)
    return Priced(loss, residual, cost, action, units)


def uncovered_days(situation: Situation, terms: Terms, horizon: int) -> Ints:
    """The window a decision today answers for: lead time of a new order plus one review period."""
    return np.minimum(situation.lead_days + terms.review_days, horizon).astype(np.int64)


@dataclass(frozen=True, slots=True)
class Shortage:
    """Stockout losses per row (n,): priced with the best action; of the loss, the part `by_delay` of open
    purchase orders; and what expediting those orders would leave and cost."""

    priced: Priced
    by_delay: Floats
    expedited_residual: Floats
    expedite_cost: Floats


def price_shortage(outlook: Outlook, situation: Situation, terms: Terms) -> Shortage:
    """Stockout losses with inbound delay in them.

    loss = margin x lost-sale share x [(1 - p) x units short if inbound keeps its promise + p x units short if it is late].
    Placing an order that the reorder point asks for anyway costs nothing more.
    """
    until = uncovered_days(situation, terms, outlook.mean.shape[1])
    worth = np.maximum(situation.margin, 0) * terms.lost_sale_share

    def expected(days: Ints, extra_day: Ints | None = None, extra: Floats | None = None) -> Floats:
        added = np.zeros_like(outlook.mean)
        if extra is not None and extra_day is not None:
            inside = extra_day < added.shape[1]
            added[np.flatnonzero(inside), extra_day[inside]] = extra[inside]
        on_time = lost_units(outlook, outlook.promised + added, until=days)
        risky = np.flatnonzero(outlook.late_chance > 0)
        late = lost_units(outlook, outlook.delayed + added, until=days, rows=risky)
        chance = outlook.late_chance
        return worth * ((1 - chance) * on_time + chance * late)

    loss = expected(until)
    kept = worth * lost_units(outlook, outlook.promised, until=until)
    by_delay = np.maximum(loss - kept, 0)
    short = np.ceil(loss / np.maximum(worth, 1e-9) * 1.2)
    units = np.where(situation.orderable, np.maximum(situation.order_units, short), 0)
    hurried = np.maximum(np.ceil(situation.lead_days * terms.expedite_time), 2).astype(np.int64)
    value = units * situation.cost
    moved = np.minimum(situation.spare_units, short)
    hastened = worth * lost_units(outlook, outlook.hastened, until=until)
    rush = terms.order_cost + terms.expedite_share * situation.inbound_units * situation.cost
    placing = np.where(situation.order_units > 0, 0.0, terms.order_cost)
    options = [
        (ORDER_NOW, expected(until, situation.lead_days, units), placing, units),
        (
            ORDER_EXPEDITED,
            expected(until, hurried, units),
            placing + terms.expedite_share * value,
            units,
        ),
        (EXPEDITE, hastened, rush, situation.inbound_units),
        (
            TRANSFER,
            expected(until, np.full(len(loss), terms.transfer_days), moved),
            terms.transfer_cost + terms.transfer_unit_share * moved * situation.cost,
            moved,
        ),
    ]
    priced = best_of(loss, options)
    return Shortage(priced, by_delay, np.minimum(hastened, loss), rush)


def price_spike(
    outlook: Outlook, situation: Situation, rows: Ints, ratio: Floats, chance: Floats, terms: Terms
) -> Priced:
    """Margin lost if a spike goes on: units short at `ratio` times the demand, beyond those short anyway.

    loss = chance x margin x lost-sale share x (units short at the higher demand - units short as forecast).
    Amounts are per element of `rows`.
    """
    until = uncovered_days(situation, terms, outlook.mean.shape[1])
    times = np.ones(len(outlook.stock))
    times[rows] = np.clip(ratio, 1, 5)
    worth = (np.maximum(situation.margin, 0) * terms.lost_sale_share)[rows] * chance

    def beyond(added: Floats) -> Floats:
        raised = lost_units(outlook, outlook.promised + added, until=until, rows=rows, demand_times=times)
        return (raised - lost_units(outlook, outlook.promised, until=until, rows=rows))[rows]

    none = np.zeros_like(outlook.promised)
    loss = worth * np.maximum(beyond(none), 0)
    wanted = np.ceil(np.maximum((times - 1)[rows], 0) * outlook.mean[rows].mean(axis=1) * until[rows])
    more = np.where(situation.orderable[rows], wanted, 0)
    arriving = none.copy()
    inside = situation.lead_days[rows] < none.shape[1]
    arriving[rows[inside], situation.lead_days[rows][inside]] = more[inside]
    left = worth * np.maximum(beyond(arriving), 0)
    idle = (1 - chance) * more * situation.cost[rows] * terms.carrying_rate * terms.change_days / 365
    spare = np.minimum(situation.spare_units[rows], wanted)
    sent = none.copy()
    sent[rows, min(terms.transfer_days, none.shape[1] - 1)] = spare
    moved = worth * np.maximum(beyond(sent), 0)
    price = terms.transfer_cost + terms.transfer_unit_share * spare * situation.cost[rows]
    return best_of(loss, [(ORDER_NOW, left, terms.order_cost + idle, more), (TRANSFER, moved, price, spare)])


def excess_units(outlook: Outlook, days: int) -> Floats:
    """Units (n,) of stock and inbound beyond the 90 % quantile of demand over `days`, from the mean's last pace."""
    horizon = outlook.mean.shape[1]
    mean = outlook.mean.sum(axis=1, dtype=np.float64) * days / horizon
    spread = np.sqrt((outlook.day_ratio + outlook.level_cv**2 * mean) * mean)
    total = outlook.stock + outlook.promised.sum(axis=1)
    result: Floats = np.floor(np.maximum(total - mean - 1.2816 * spread, 0))
    return result


def price_excess(
    outlook: Outlook, situation: Situation, price: Floats, excess: Floats, terms: Terms
) -> Priced:
    """Cost of carrying units that nobody will ask for soon, and of writing down what a year doesn't sell.

    loss = value x carrying rate x half the days to sell it (a year at most) / 365 + write-down x value unsold after a year.
    Reducing open orders comes first, then a markdown that makes it sell 2.5 times as fast.
    """
    pace = np.maximum(outlook.mean.mean(axis=1, dtype=np.float64), 1e-6)

    def loss_of(units: Floats, speed: Floats) -> Floats:
        days = np.minimum(units / speed + terms.excess_days, 365.0)
        unsold = np.maximum(units - speed * (365.0 - terms.excess_days), 0)
        carried = units * situation.cost * terms.carrying_rate * days / 2 / 365
        return np.asarray(carried + terms.write_down * unsold * situation.cost)

    loss = loss_of(excess, pace)
    cancelled = np.minimum(np.floor(situation.inbound_units), excess)
    faster = pace * terms.markdown_pace
    sold = np.minimum(excess, faster * (365.0 - terms.excess_days))
    return best_of(
        loss,
        [
            (REDUCE, loss_of(excess - cancelled, pace), np.full(len(loss), terms.order_cost), cancelled),
            (MARKDOWN, loss_of(excess, faster), terms.markdown * price * sold, sold),
        ],
    )


def price_drop(
    outlook: Outlook,
    situation: Situation,
    price: Floats,
    rows: Ints,
    missing: Floats,
    chance: Floats,
    terms: Terms,
) -> Priced:
    """Capital tied up by demand that stays away: units not sold over 84 days, limited by stock and inbound.

    loss = chance x units x cost x (carrying rate x 84 / 365 + write-down x share of stock that this leaves over).
    `missing` is units a day under expectation; amounts are per element of `rows`.
    """
    held = np.maximum(outlook.stock + outlook.promised.sum(axis=1), 0)[rows]
    units = np.floor(np.minimum(missing * terms.change_days, held))
    share = units / np.maximum(held, 1)
    cost = situation.cost[rows]
    weight = terms.carrying_rate * terms.change_days / 365 + terms.write_down * 0.2 * share
    loss = chance * units * cost * weight
    cancelled = np.minimum(np.floor(situation.inbound_units[rows]), units)
    left = chance * (units - cancelled) * cost * weight
    faster = outlook.mean[rows].mean(axis=1, dtype=np.float64) * (terms.markdown_pace - 1) * terms.change_days
    sold = np.floor(np.minimum(units, faster))
    return best_of(
        loss,
        [
            (REDUCE, left, np.full(len(rows), terms.order_cost), cancelled),
            (
                MARKDOWN,
                loss * (1 - sold / np.maximum(units, 1)),
                terms.markdown * price[rows] * sold,
                sold,
            ),
        ],
    )
