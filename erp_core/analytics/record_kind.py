"""What a kind of record is: how its records are read, filtered and ordered, and what of them needs a right."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, FromClause, Table


@dataclass(frozen=True, slots=True)
class RecordKind:
    """How records of a kind are read.

    `columns` by name; `money` names those in ten-thousandths; `rights` says which need a right. `dimensions`
    are what filters may name, `day` is the date that a period cuts. `untrusted` gives the handle's kind and
    the column that says whether there is such text. `linked` are dimensions that a record may have several of: the
    condition that it has one of these members.
    """

    name: str
    table: Table
    source: Callable[[], FromClause]
    columns: dict[str, ColumnElement[Any]]
    number: ColumnElement[Any]
    dimensions: dict[str, ColumnElement[Any]]
    day: ColumnElement[Any] | None
    order: tuple[ColumnElement[Any], ...]
    money: frozenset[str] = frozenset()
    rights: dict[str, str] = field(default_factory=dict)
    condition: ColumnElement[bool] | None = None
    untrusted: tuple[str, ColumnElement[Any]] | None = None
    linked: dict[str, Callable[[tuple[Any, ...]], ColumnElement[bool]]] = field(default_factory=dict)
