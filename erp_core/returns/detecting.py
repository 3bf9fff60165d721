"""What goes wrong with returns, as drafts of cases: goods that lie there and nobody decides on, and more coming back than before."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, case, func, select

from erp_core.exceptions.commands import Withheld
from erp_core.exceptions.draft import CaseDraft, fact
from erp_core.master.model import channels
from erp_core.master.queries import Names, feeds, list_locations, visible
from erp_core.orders.model import order_lines
from erp_core.returns.model import return_lines, returns
from erp_core.returns.rules import NOTHING_BACK
from erp_core.returns.rules.spikes import (
    FALSE_ALARMS,
    HORIZON_DAYS,
    LEAST_EARLIER_LINES,
    LEAST_RECENT_LINES,
    RECENT_DAYS,
    Cohorts,
    Counts,
    Spike,
    find_spikes,
)
from erp_core.returns.waiting import WaitingGoods, waiting_goods
from erp_core.storage.types import money_text

DAYS_TO_CLEAR = 7
LOSS_PER_WEEK = 2
"""Percent of its value that returned goods are taken to lose in a week of lying there."""
KINDS = ("return_uninspected", "return_spike")
TOLD_ITEMS = 10
"""So many items of those that stay at a place a case names, the dearest first."""
_PLACES = {"refurbishing": "refurbishing", "quarantined": "quarantine"}


def return_drafts(connection: Connection, today: date) -> tuple[list[CaseDraft], list[Withheld]]:
    """A case for each stranded return, for each place where goods stay undecided, and for each item and channel of which more comes back than before.

    Without a feed of returns both kinds are withheld; so are the items and channels with too few sales to judge.
    """
    if "returns" not in feeds(connection):
        return [], [Withheld(kind, "no returns feed: nothing ever came back", 0) for kind in KINDS]
    spikes, withheld = _spike_drafts(connection, today)
    return [*_stranded_drafts(connection, today), *spikes], withheld


def _deadline(today: date, days: int) -> datetime:
    return datetime.combine(today + timedelta(days=days), time(23, 59, 59), tzinfo=UTC)


def _stranded_drafts(connection: Connection, today: date) -> Iterator[CaseDraft]:
    """One for each return of which goods are undecided, and one for each place where goods stay that were decided on."""
    undecided: dict[UUID, list[WaitingGoods]] = defaultdict(list)
    staying: dict[tuple[UUID, str], list[WaitingGoods]] = defaultdict(list)
    for one in waiting_goods(connection, today, stranded_only=True):
        if one.state == "return_pending":
            undecided[one.return_id].append(one)
        else:
            staying[one.location_id, one.state].append(one)
    codes = {place.id: place.code for place in list_locations(connection)} if staying else {}
    yield from (_undecided(goods, today) for goods in undecided.values())
    yield from (_staying(goods, codes[place], today) for (place, _), goods in staying.items())


def _undecided(goods: Sequence[WaitingGoods], today: date) -> CaseDraft:
    first, units = goods[0], sum(one.quantity for one in goods)
    decides = first.command == "DisposeReturn"
    decide = {"command": "DisposeReturn", "payload": {"return_id": str(first.return_id)}}
    return _stranded(
        goods,
        today,
        key=str(first.return_id),
        title=f"{first.number}: {units} units lie there for {first.days} days and nobody decided on them",
        subjects=(
            ("return", first.return_id),
            *dict.fromkeys(("item", one.item_id) for one in goods),
            ("location", first.location_id),
        ),
        since="days since they came back",
        action={
            "kind": "dispose",
            "label": "decide on it" if decides else "inspect it",
            "commands": [decide] if decides else [],
        },
    )


def _staying(goods: Sequence[WaitingGoods], place: str, today: date) -> CaseDraft:
    first, units = goods[0], sum(one.quantity for one in goods)
    count = len({one.return_id for one in goods})
    dearest = sorted(goods, key=lambda one: -(one.cost or 0))
    return _stranded(
        goods,
        today,
        key=f"{first.location_id}:{first.state}",
        title=(
            f"{place}: {units} units of {count} return{'s' if count > 1 else ''} stay in {_PLACES[first.state]},"
            f" the longest for {first.days} days"
        ),
        subjects=(
            ("location", first.location_id),
            *list(dict.fromkeys(("item", one.item_id) for one in dearest))[:TOLD_ITEMS],
        ),
        since="days since the first were put there",
        action={"kind": "dispose", "label": "decide what becomes of them", "commands": []},
    )


def _stranded(
    goods: Sequence[WaitingGoods],
    today: date,
    *,
    key: str,
    title: str,
    subjects: tuple[tuple[str, UUID], ...],
    since: str,
    action: dict[str, Any],
) -> CaseDraft:
    known = [one.cost for one in goods if one.cost is not None]
    return CaseDraft(
        kind="return_uninspected",
        subject_key=key,
        title=title,
        subjects=subjects,
        probability=1.0,
        deadline=_deadline(today, DAYS_TO_CLEAR),
        expected_loss=sum(known) * LOSS_PER_WEEK // 100,
        residual_loss=0,
        action_cost=0,
        evidence=(
            fact("units", sum(one.quantity for one in goods), "units"),
            fact(since, goods[0].days, "days"),
            fact("what they cost", money_text(sum(known)) if known else "not known", "currency"),
            fact("taken to lose of it in a week", LOSS_PER_WEEK, "percent"),
        ),
        action=action,
        notes=() if len(known) == len(goods) else ("the cost of some of it is not known",),
    )


@dataclass(slots=True)
class _Cell:
    """An item on a channel: lines shipped and come back by cohort, and what the recent ones say."""

    shipped: int = 0
    shipped_before: int = 0
    back: set[UUID] = field(default_factory=set)
    back_before: set[UUID] = field(default_factory=set)
    loss: int = 0
    reasons: Counter[str] = field(default_factory=Counter)

    @property
    def counts(self) -> Counts:
        """What the test compares."""
        return Counts(self.shipped, len(self.back), self.shipped_before, len(self.back_before))


def _cells(connection: Connection, cohorts: Cohorts) -> dict[tuple[UUID, UUID], _Cell]:
    """Only items and channels of which anything came back lately: the others cannot have a spike."""
    line, back = order_lines.c, return_lines.c
    cells: dict[tuple[UUID, UUID], _Cell] = defaultdict(_Cell)
    recent = case((line.shipped_on >= cohorts.recent_from, 1), else_=0)
    sold = (
        select(line.item_id, line.channel_id, func.count(), func.sum(recent))
        .where(
            line.shipped_on.between(cohorts.before_from, cohorts.recent_to),
            line.shipped_quantity > 0,
            visible(line.import_id),
        )
        .group_by(line.item_id, line.channel_id)
    )
    for item_id, channel_id, lines, lately in connection.execute(sold):
        cell = cells[item_id, channel_id]
        cell.shipped, cell.shipped_before = int(lately), int(lines) - int(lately)
    came = (
        select(
            back.item_id,
            back.channel_id,
            back.order_line_id,
            back.shipped_on,
            back.returned_on,
            back.reason,
            back.refund - func.coalesce(back.recovered, 0),
        )
        .join(returns, returns.c.id == back.return_id)
        .where(
            back.shipped_on.between(cohorts.before_from, cohorts.recent_to),
            back.order_line_id.is_not(None),
            returns.c.status.not_in(NOTHING_BACK),
            visible(back.import_id),
        )
    )
    for item_id, channel_id, sold_line, shipped_on, returned_on, reason, loss in connection.execute(came):
        if (returned_on - shipped_on).days > HORIZON_DAYS:
            continue
        cell = cells[item_id, channel_id]
        if shipped_on < cohorts.recent_from:
            cell.back_before.add(sold_line)
            continue
        cell.back.add(sold_line)
        cell.loss += int(loss)
        cell.reasons[reason] += 1
    return cells


def _spike_drafts(connection: Connection, today: date) -> tuple[list[CaseDraft], list[Withheld]]:
    cells = _cells(connection, Cohorts.on(today))
    keys = sorted(cells)
    counts = [cells[key].counts for key in keys]
    blind = sum(not one.judged for one in counts)
    withheld = (
        [
            Withheld(
                "return_spike",
                f"under {LEAST_RECENT_LINES} lines sold lately or {LEAST_EARLIER_LINES} before",
                blind,
            )
        ]
        if blind
        else []
    )
    spikes = find_spikes(counts)
    names = Names.read(connection, items={keys[spike.cell][0] for spike in spikes})
    codes = dict(map(tuple, connection.execute(select(channels.c.id, channels.c.code)))) if spikes else {}
    return [
        _spike(spike, keys[spike.cell], cells[keys[spike.cell]], names, codes, today) for spike in spikes
    ], withheld


def _spike(
    spike: Spike,
    key: tuple[UUID, UUID],
    cell: _Cell,
    names: Names,
    codes: dict[UUID, str],
    today: date,
) -> CaseDraft:
    counts = cell.counts
    usual = counts.returned_before / counts.shipped_before
    excess = counts.returned - usual * counts.shipped
    loss = max(round((1 - FALSE_ALARMS) * excess * cell.loss / max(counts.returned, 1)), 0)
    why, often = cell.reasons.most_common(1)[0]
    return CaseDraft(
        kind="return_spike",
        subject_key=f"{key[0]}:{key[1]}",
        title=(
            f"{names.code(key[0])} on {codes[key[1]]}: {counts.returned} of {counts.shipped} lines came back,"
            f" mostly {why.replace('_', ' ')}"
        ),
        subjects=(("item", key[0]), ("channel", key[1])),
        probability=1 - FALSE_ALARMS,
        deadline=_deadline(today, RECENT_DAYS),
        expected_loss=loss,
        residual_loss=0,
        action_cost=0,
        evidence=(
            fact(f"came back within {HORIZON_DAYS} days", f"{counts.returned} of {counts.shipped}", "lines"),
            fact("before", f"{counts.returned_before} of {counts.shipped_before}", "lines"),
            fact("chance of this without a cause, for all that was judged", f"{spike.adjusted:.2g}", "ratio"),
            fact(f"reason given most: {why.replace('_', ' ')}", often, "lines"),
        ),
        action={
            "kind": "inspect",
            "label": "inspect what lies in stock, and hold the lot if it is at fault",
            "commands": [],
        },
    )
