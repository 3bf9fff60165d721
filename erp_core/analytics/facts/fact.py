"""What a fact is: rows with dimension columns, a day, and measures that may be summed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from sqlalchemy import ColumnElement, Select, Table, or_, select

from erp_core.master.model import import_visibility
from erp_core.storage.types import NO_LOT

ITEM_DIMENSIONS = frozenset({"category", "brand", "abc_class"})
PLACE_DIMENSIONS = frozenset({"legal_entity"})
TIME = frozenset({"day", "week", "month", "quarter", "year"})


@dataclass(frozen=True, slots=True)
class Scope:
    """What a fact is built for. `wanted` holds the dimensions and measures that the query needs, so that
    joins for the others can be left out.
    """

    today: date
    as_of: date
    wanted: frozenset[str]

    def wants(self, *names: str) -> bool:
        """Whether any of these dimensions or measures is needed."""
        return not self.wanted.isdisjoint(names)


@dataclass(frozen=True, slots=True)
class Measure:
    """A column that is summed, whose different values are counted, or that only quantiles look at.

    `whole`: an integer. `nullable`: rows may hold no value, so that no row with a value means unknown
    rather than 0.
    """

    name: str
    aggregate: Literal["sum", "distinct", "value"] = "sum"
    whole: bool = True
    nullable: bool = False


@dataclass(frozen=True, slots=True)
class Fact:
    """Rows to aggregate. `build` gives a select with a column per own dimension, per wanted measure, and `day`;
    or several, whose rows together are the fact's (never where different values are counted).

    `past`: a position that can be told as of a past day. `records` is the record kind to drill to.
    """

    name: str
    build: Callable[[Scope], Select[Any] | tuple[Select[Any], ...]]
    own: frozenset[str]
    measures: tuple[Measure, ...]
    dated: bool = False
    past: bool = False
    records: str | None = None

    @property
    def dimensions(self) -> frozenset[str]:
        """Every dimension it carries, with those that follow from the item, the place or the day."""
        following = ITEM_DIMENSIONS | {"supplier"} if "item" in self.own else frozenset()
        following |= PLACE_DIMENSIONS if "warehouse" in self.own else frozenset()
        return self.own | following | (TIME if self.dated else frozenset())

    def arms(self, scope: Scope) -> tuple[Select[Any], ...]:
        """The selects whose rows together are the fact's."""
        built = self.build(scope)
        return built if isinstance(built, tuple) else (built,)

    def measure(self, name: str) -> Measure:
        """The measure of this name."""
        return next(measure for measure in self.measures if measure.name == name)


def visible(table: Table) -> ColumnElement[bool]:
    """Rows of live business and of complete imports; rows of a running or broken import stay unseen."""
    column = table.c.import_id
    complete = select(import_visibility.c.import_id).where(import_visibility.c.complete.is_(True))
    live = column == NO_LOT if not column.nullable else column.is_(None)
    return or_(live, column.in_(complete))
