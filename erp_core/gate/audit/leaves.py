"""The entries as the log hashes them.

The leaf of an entry is its canonical JSON (RFC 8785): an object of its columns without those that are empty, ids in
their usual form, moments in UTC to the microsecond. It is the same on both databases, and a column that is
added later leaves the leaves of older entries as they are.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import ColumnElement, Connection, Text, cast, func, literal, select, type_coerce

from erp_core.gate.merkle import leaf_hash
from erp_core.gate.model import audit_entries, audit_leaves
from erp_core.storage.types import Id, Json, UtcDateTime, canonical_json

Entry = dict[str, Any]
PART = 5_000

_NAMES = [str(column.name) for column in audit_entries.columns]
_JSON = tuple(str(column.name) for column in audit_entries.columns if isinstance(column.type, Json))
_IDS = tuple(str(column.name) for column in audit_entries.columns if isinstance(column.type, Id))
_ID = _NAMES.index("id")
_SORTED = tuple(
    (_NAMES.index(name), name, "json" if name in _JSON else "id" if name in _IDS else "text")
    for name in sorted(_NAMES)
)


@dataclass(frozen=True, slots=True)
class SealedEntry:
    """A row of the log: its number, the hash it was sealed with, and the entry's columns as they are now (None: gone)."""

    leaf: int
    id_text: str
    sealed_hash: str
    texts: Sequence[str | None] | None

    @property
    def present(self) -> bool:
        """Whether the entry is there."""
        return self.texts is not None

    @property
    def entry(self) -> Entry | None:
        """The entry as it is now; None where it is gone."""
        return None if self.texts is None else _entry(self.texts)

    @property
    def audit_id(self) -> UUID | None:
        """The id of the entry; None where the log was made to hold none."""
        try:
            return UUID(self.id_text)
        except ValueError:
            return None

    @property
    def present_hash(self) -> str | None:
        """The hash of the entry as it is now.

        What JSON columns hold is taken as it stands there: the gate writes it in canonical form, so any other text
        was not written by it.
        """
        return None if self.texts is None else leaf_hash(_canonical(self.texts)).hex()


def hash_of(entry: Entry) -> str:
    """The leaf hash of an entry."""
    return leaf_hash(canonical_json(entry).encode()).hex()


def about(entry: Entry | None) -> str | None:
    """Who did what when, as far as it can be read."""
    if entry is None:
        return None
    who = f"{entry.get('principal_kind')} {entry.get('principal_id')}"
    return f"{entry.get('command')} by {who} at {entry.get('recorded_at')}, {entry.get('outcome')}"


def entries_of(connection: Connection, ids: Sequence[UUID]) -> dict[UUID, Entry]:
    """The entries with these ids, as the log hashes them, in the order in which they are sealed."""
    query = (
        select(*_texts(connection))
        .where(audit_entries.c.id.in_(ids))
        .order_by(audit_entries.c.recorded_at, audit_entries.c.id)
    )
    found = (_entry(row) for row in connection.execute(query))
    return {UUID(entry["id"]): entry for entry in found}


def sealed_entries(connection: Connection, start: int = 0, stop: int | None = None) -> Iterator[SealedEntry]:
    """The log in the order of its leaves, read in parts; `stop` is the first leaf left out."""
    last = connection.scalar(select(func.max(audit_leaves.c.leaf)))
    end = -1 if last is None else last
    if stop is not None:
        end = min(end, stop - 1)
    query = select(
        audit_leaves.c.leaf,
        type_coerce(audit_leaves.c.audit_id, Text)
        if connection.dialect.name == "sqlite"
        else cast(audit_leaves.c.audit_id, Text),
        audit_leaves.c.leaf_hash,
        *_texts(connection),
    ).outerjoin(audit_entries, audit_entries.c.id == audit_leaves.c.audit_id)
    for low in range(start, end + 1, PART):
        part = query.where(audit_leaves.c.leaf.between(low, min(low + PART - 1, end)))
        with _by_index(connection):
            rows = connection.execute(part.order_by(audit_leaves.c.leaf)).all()
        for row in rows:
            leaf, audit_id, sealed_hash, *texts = row
            yield SealedEntry(leaf, audit_id, sealed_hash, None if texts[0] is None else texts)


@contextmanager
def _by_index(connection: Connection) -> Iterator[None]:
    """Let PostgreSQL look each entry up: it would rather read the whole table for every part of the log."""
    if connection.dialect.name != "postgresql":
        yield
        return
    connection.exec_driver_sql("SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off")
    yield
    connection.exec_driver_sql("SET LOCAL enable_hashjoin = on; SET LOCAL enable_mergejoin = on")


def sealed_until(connection: Connection) -> datetime | None:
    """When the newest entry that has a leaf was recorded; None where nothing is sealed."""
    last = select(func.max(audit_leaves.c.leaf)).scalar_subquery()
    moment: datetime | None = connection.scalar(
        select(func.max(audit_entries.c.recorded_at))
        .join(audit_leaves, audit_leaves.c.audit_id == audit_entries.c.id)
        .where(audit_leaves.c.leaf > last - PART)
    )
    return moment


def _canonical(texts: Sequence[str | None]) -> bytes:
    """The entry as canonical JSON, without reading what its JSON columns hold."""
    dashed = len(texts[_ID] or "") == 32
    entry: dict[str, Any] = {}
    for position, name, kind in _SORTED:
        text = texts[position]
        if text is None:
            continue
        if kind == "json":
            entry[name] = orjson.Fragment(text)
        elif kind == "id" and dashed:
            entry[name] = f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
        else:
            entry[name] = text
    return orjson.dumps(entry)


def _entry(texts: Sequence[str | None]) -> Entry:
    entry: Entry = {name: text for name, text in zip(_NAMES, texts, strict=True) if text is not None}
    for name in _JSON:
        if name in entry:
            try:
                entry[name] = orjson.loads(entry[name])
            except ValueError:  # no command wrote this
                entry[name] = {"unreadable": str(entry[name])}
    if len(entry["id"]) == 32:
        for name in _IDS:
            if name in entry:
                text = entry[name]
                entry[name] = f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
    return entry


def _texts(connection: Connection) -> list[ColumnElement[Any]]:
    """The columns of an entry as the database's own texts: no value is converted twice."""
    plain = connection.dialect.name == "sqlite"
    texts: list[ColumnElement[Any]] = []
    for column in audit_entries.columns:
        if isinstance(column.type, UtcDateTime) and plain:
            text: ColumnElement[Any] = func.replace(type_coerce(column, Text), " ", "T").concat("Z")
        elif isinstance(column.type, UtcDateTime):
            text = func.to_char(func.timezone("UTC", column), literal('YYYY-MM-DD"T"HH24:MI:SS.US"Z"'))
        elif isinstance(column.type, Id) and not plain:
            text = cast(column, Text)
        else:
            text = type_coerce(column, Text)
        texts.append(text.label(f"entry_{column.name}"))
    return texts
