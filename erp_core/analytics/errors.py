"""What can be wrong with a question. Each error names the field and offers the nearest names."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from rapidfuzz import fuzz, process

from erp_core.gate.contract import DomainError


class QueryError(DomainError):
    """The question cannot be answered as asked."""

    code = "bad_query"


class UnknownName(QueryError):
    """A metric, dimension, record kind or other name that the vocabulary does not have."""

    code = "unknown_name"

    def __init__(self, kind: str, name: str, nearest: tuple[str, ...], field: str) -> None:
        offer = f"did you mean {', '.join(nearest)}?" if nearest else "list the vocabulary to see the names"
        super().__init__(
            f"there is no {kind} {name!r}", field=field, remedy=offer, name=name, nearest=nearest
        )
        self.kind = kind
        self.name = name
        self.nearest = nearest


class UnknownMember(QueryError):
    """A value that no member of a dimension has as code, name or alias."""

    code = "unknown_member"

    def __init__(self, dimension: str, value: str, nearest: tuple[str, ...]) -> None:
        offer = f"did you mean {', '.join(nearest)}?" if nearest else f"{dimension} has no member like it"
        super().__init__(
            f"{dimension} {value!r} is not known", field="where", remedy=offer, value=value, nearest=nearest
        )
        self.dimension = dimension
        self.value = value
        self.nearest = nearest


class AmbiguousMember(QueryError):
    """A name that several members of a dimension share."""

    code = "ambiguous_member"

    def __init__(self, dimension: str, value: str, codes: tuple[str, ...]) -> None:
        super().__init__(
            f"several members of {dimension} are called {value!r}",
            field="where",
            remedy=f"use one of the codes {', '.join(codes)}",
            value=value,
            nearest=codes,
        )
        self.dimension = dimension
        self.value = value
        self.nearest = codes


class DimensionNotCarried(QueryError):
    """A metric that cannot be cut by a dimension; `said` is the same in labels, for people."""

    code = "dimension_not_carried"

    def __init__(
        self, metric: str, dimension: str, possible: tuple[str, ...], said: tuple[str, str, tuple[str, ...]]
    ) -> None:
        label, cut, offered = said
        super().__init__(
            f"{label} has no {cut}",
            field="by",
            remedy=f"{label} can be cut by {', '.join(offered)}" if offered else f"{label} has no dimensions",
            metric=metric,
            dimension=dimension,
            possible=possible,
        )
        self.metric = metric
        self.dimension = dimension
        self.possible = possible


class MissingRight(QueryError):
    """The principal may not see a metric or a field."""

    code = "missing_right"

    def __init__(self, metric: str, right: str) -> None:
        super().__init__(
            f"{metric} needs the right {right}",
            field="metrics",
            remedy="ask somebody whose role has it",
            metric=metric,
            right=right,
        )
        self.metric = metric
        self.right = right


class InvalidPeriod(QueryError):
    """A period that is neither two dates nor a known name."""

    code = "invalid_period"


class PastNotKept(QueryError):
    """A position that is known as of today only."""

    code = "past_not_kept"


def nearest_names(name: str, candidates: Iterable[str], limit: int = 3) -> tuple[str, ...]:
    """The candidates most like the name, best first; none when nothing is like it."""
    wanted: dict[str, Any] = {text: text.replace("_", " ").casefold() for text in candidates}
    found = process.extract(
        name.replace("_", " ").casefold(), wanted, scorer=fuzz.WRatio, limit=limit, score_cutoff=55
    )
    return tuple(key for _, _, key in found)
