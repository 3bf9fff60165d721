"""The records behind figures: find them by the filters of a drill-down, or get one by id or number."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, and_, cast, func, or_, select
from sqlalchemy.types import String

from erp_core.analytics.errors import QueryError, UnknownName, nearest_names
from erp_core.analytics.plan import resolve_filter
from erp_core.analytics.query import Where
from erp_core.analytics.record_kind import RecordKind
from erp_core.analytics.record_kinds import KINDS
from erp_core.storage.types import money_decimal

MAX_RECORDS = 1_000
Record = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Records:
    """A page of records and how many there are in all. Money is `Decimal` in currency units; dates stay dates.

    Each record has `id` and its kind's fields. Text from outside comes as
    ``{"untrusted": kind, "id": id}`` only.
    """

    kind: str
    records: tuple[Record, ...]
    total: int

    @property
    def cut(self) -> bool:
        """Whether there are more records than these."""
        return len(self.records) < self.total


def find_records(
    connection: Connection,
    kind: str,
    filters: Mapping[str, Any] | None = None,
    *,
    limit: int = 50,
    rights: Collection[str],
) -> Records:
    """Records of a kind, newest first.

    `filters` maps dimensions to a value, a list of values (any of them) or ``{"op", "values"}``; `from` and
    `to` cut the kind's date. Unknown kinds, filters and values are errors with the nearest names; fields
    that the rights do not cover are left out.
    """
    found = _kind(kind)
    conditions = _conditions(connection, found, filters or {})
    source = found.source()
    total = connection.execute(select(func.count()).select_from(source).where(*conditions)).scalar_one()
    return Records(kind, _read(connection, found, conditions, limit, rights), int(total))


def get_record(
    connection: Connection, kind: str, id_or_number: UUID | str, *, rights: Collection[str]
) -> Record | None:
    """One record by id or by its number, code or SKU (case aside); None when there is none.

    For kinds with several lines to a number, the first line.
    """
    found = _kind(kind)
    known = [] if found.condition is None else [found.condition]
    identifier = _as_id(id_or_number)
    if identifier is not None:
        records = _read(connection, found, [*known, found.table.c.id == identifier], 1, rights)
    else:
        number = cast(found.number, String)
        text = str(id_or_number).strip()
        match = or_(number == text, func.upper(number) == text.upper())
        records = _read(connection, found, [*known, match], 1, rights)
    return records[0] if records else None


def _kind(name: str) -> RecordKind:
    if name not in KINDS:
        raise UnknownName("record kind", name, nearest_names(name, KINDS), "kind")
    return KINDS[name]


def _as_id(value: UUID | str) -> UUID | None:
    if isinstance(value, UUID):
        return value
    try:
        return UUID(value)
    except ValueError:
        return None


def _conditions(
    connection: Connection, kind: RecordKind, filters: Mapping[str, Any]
) -> list[ColumnElement[bool]]:
    conditions = [] if kind.condition is None else [kind.condition]
    for name, wanted in filters.items():
        if name in ("from", "to"):
            conditions.append(_bound(kind, name, wanted))
            continue
        if name not in kind.dimensions and name not in kind.linked:
            known = (*kind.dimensions, *kind.linked, *(("from", "to") if kind.day is not None else ()))
            raise UnknownName(f"filter of {kind.name}", name, nearest_names(name, known) or known, "filters")
        where = _where(name, wanted)
        resolved = resolve_filter(connection, where)
        ids = tuple(resolved.values)
        if name in kind.linked:
            matches = kind.linked[name](ids)
        else:
            matches = kind.dimensions[name].in_(ids)
        if resolved.op == "not_in":
            column = kind.dimensions.get(name)
            negated = ~matches if column is None else or_(column.is_(None), ~matches)
            conditions.append(negated)
        else:
            conditions.append(matches)
    return conditions


def _where(name: str, wanted: Any) -> Where:
    if isinstance(wanted, Mapping):
        return Where.model_validate({"dim": name, **wanted})
    values = wanted if isinstance(wanted, list | tuple) else [wanted]
    return Where(dim=name, op="in", values=tuple(str(value) for value in values))


def _bound(kind: RecordKind, name: str, value: Any) -> ColumnElement[bool]:
    if kind.day is None:
        raise QueryError(f"{kind.name} records have no date", field="filters", remedy=f"leave {name} out")
    try:
        day = value if isinstance(value, date) else date.fromisoformat(str(value))
    except ValueError as error:
        raise QueryError(f"{value!r} is no date", field="filters", remedy="write it as 2026-05-31") from error
    return kind.day >= day if name == "from" else kind.day <= day


def _read(
    connection: Connection,
    kind: RecordKind,
    conditions: list[ColumnElement[bool]],
    limit: int,
    rights: Collection[str],
) -> tuple[Record, ...]:
    shown = {
        name: column for name, column in kind.columns.items() if kind.rights.get(name, "") in ("", *rights)
    }
    columns = [kind.table.c.id.label("id"), *(column.label(name) for name, column in shown.items())]
    if kind.untrusted is not None:
        columns.append(kind.untrusted[1].label("has_untrusted"))
    statement = (
        select(*columns)
        .select_from(kind.source())
        .where(and_(True, *conditions))
        .order_by(*kind.order)
        .limit(max(1, min(limit, MAX_RECORDS)))
    )
    return tuple(_record(kind, row._mapping, shown) for row in connection.execute(statement))


def _record(kind: RecordKind, row: Mapping[Any, Any], shown: Mapping[str, Any]) -> Record:
    record: Record = {"id": row["id"]}
    for name in shown:
        value = row[name]
        record[name] = money_decimal(value) if name in kind.money and value is not None else value
    if kind.untrusted is not None and row["has_untrusted"]:
        record["text"] = {"untrusted": kind.untrusted[0], "id": row["id"]}
    return record
