"""What a count found more or less, for policies and for whoever approves it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, select

from erp_core.gate.contract import Asked, Command, DomainError, Facts, NotFound, ReadSet
from erp_core.gate.policies.unasked import Unasked, unasked_since
from erp_core.inventory.counts.by_lot import lot_variances
from erp_core.inventory.counts.model import stock_count_lines, stock_counts
from erp_core.inventory.counts.rules import NotCounted
from erp_core.inventory.lots.queries import lots_by_id
from erp_core.inventory.queries import unasked_adjustments
from erp_core.inventory.rules import NO_LOT
from erp_core.master.queries import Names
from erp_core.storage.locks import lock_names
from erp_core.storage.lookup import AnyRow

Variances = dict[tuple[UUID, UUID], int]
"""Counted less expected, by item and lot."""


class OfCount(Command):
    """A command about a count."""

    count_id: UUID

    @property
    def subject(self) -> tuple[str, UUID]:
        """The count."""
        return ("count", self.count_id)


def count_facts(asked: Sequence[Asked[OfCount]], connection: Connection) -> Sequence[Facts | DomainError]:
    """`units` found more or less, and `cumulative_units` with what was adjusted or counted of the items unasked."""
    found: list[Facts | DomainError] = []
    unasked = Unasked()
    variances = [_or_error(connection, one.command.count_id) for one in asked]
    moments = [one.occurred_at for one in asked if one.occurred_at is not None]
    item_ids = {item_id for one in variances if isinstance(one, dict) for item_id, _ in one}
    if moments and item_ids:
        lock_names(connection, (f"adjustments of {item_id}" for item_id in item_ids))
        for row in unasked_adjustments(connection, item_ids, unasked_since(moments)):
            unasked.add(row.item_id, row.occurred_at, row.quantity)
    for one, changes in zip(asked, variances, strict=True):
        if isinstance(changes, DomainError):
            found.append(changes)
            continue
        told: dict[str, Any] = {"units": sum(map(abs, changes.values())), "reason": "counted"}
        if one.occurred_at is not None:
            told["cumulative_units"] = sum(
                unasked.with_earlier(item_id, one.occurred_at, units)
                for item_id, units in _units_by_item(changes).items()
            )
        found.append(told)
    return found


def count_read_sets(
    asked: Sequence[Asked[OfCount]], connection: Connection
) -> Sequence[ReadSet | DomainError]:
    """The variance by item: a recount meanwhile makes the proposal stale."""
    found: list[ReadSet | DomainError] = []
    for one in asked:
        changes = _or_error(connection, one.command.count_id)
        if isinstance(changes, DomainError):
            found.append(changes)
            continue
        names = Names.read(connection, items={item_id for item_id, _ in changes})
        codes = lots_by_id(connection, {lot_id for _, lot_id in changes})
        found.append(
            [
                {
                    "fact": f"variance of {names.code(item_id)}"
                    + (f" lot {codes[lot_id].code}" if lot_id in codes else ""),
                    "value": units,
                    "tolerance": 0,
                }
                for (item_id, lot_id), units in changes.items()
            ]
        )
    return found


def _units_by_item(variances: Variances) -> dict[UUID, int]:
    units: dict[UUID, int] = {}
    for (item_id, _), variance in variances.items():
        units[item_id] = units.get(item_id, 0) + abs(variance)
    return units


def _or_error(connection: Connection, count_id: UUID) -> Variances | DomainError:
    try:
        if connection.scalar(select(stock_counts.c.id).where(stock_counts.c.id == count_id)) is None:
            return unknown_count(count_id)
        return variances_of(connection, count_id)
    except DomainError as error:
        return error


def variances_of(connection: Connection, count_id: UUID) -> Variances:
    """Counted less expected by item and lot: of a tracked item those of its lots, which may cancel each other out."""
    rows = lines_of(connection, count_id)
    missing = [row for row in rows if row.counted is None]
    if missing:
        raise NotCounted(
            f"{len(missing)} of {len(rows)} items on the sheet are not counted",
            field="count_id",
            remedy="count them first: 0 where nothing is found",
            items=[str(row.item_id) for row in missing[:20]],
        )
    differing = [row for row in rows if row.counted != row.expected]
    by_lot = lot_variances(connection, count_id)
    tracked = {item_id for item_id, _ in by_lot}
    plain = {
        (row.item_id, NO_LOT): row.counted - row.expected for row in differing if row.item_id not in tracked
    }
    return plain | by_lot


def lines_of(connection: Connection, count_id: UUID) -> Sequence[AnyRow]:
    line = stock_count_lines.c
    return connection.execute(
        select(line.item_id, line.expected, line.counted)
        .where(line.count_id == count_id)
        .order_by(line.item_id)
    ).all()


def unknown_count(count_id: UUID) -> NotFound:
    return NotFound(f"there is no count {count_id}", field="count_id", remedy="open the count first")
