"""The lexicon of one company: the catalogue's vocabulary and the members as they are now."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from sqlalchemy import Engine, String, cast, func, select

from copilot.agents.interpreter.lexicon import DimensionWord, Lexicon, MemberWord, MetricWord, build
from copilot.agents.untrusted import label
from erp_core.analytics.dimensions import members
from erp_core.analytics.metrics import catalogue
from erp_core.analytics.plan import dimensions_of
from erp_core.master.model import channels, items, locations, suppliers
from erp_core.storage.engine import reading

_SPOKEN = (
    "item",
    "supplier",
    "category",
    "brand",
    "channel",
    "warehouse",
    "customer_country",
    "return_reason",
    "disposition",
    "stock_state",
    "order_status",
    "po_status",
)
_LEAST_LETTERS = 2


def read_lexicon(engine: Engine) -> Lexicon:
    """Build the lexicon from the database: one query a dimension."""
    known = catalogue()
    words: list[MemberWord] = []
    with reading(engine) as connection:
        for name in _SPOKEN:
            dimension = known.dimensions[name]
            for one in members(connection, dimension):
                if len(one.code) >= _LEAST_LETTERS:
                    words.append(MemberWord(name, one.code, label(one.name), one.aliases))
    return build(
        [
            MetricWord(
                one.name,
                one.label,
                one.definition,
                one.unit,
                one.direction,
                one.synonyms,
                one.kind == "position",
                frozenset(dimensions_of(one)),
            )
            for one in known.metrics.values()
        ],
        [DimensionWord(one.name, one.label, one.synonyms) for one in known.dimensions.values()],
        words,
    )


def version(engine: Engine) -> tuple[object, ...]:
    """What changes when master data do: how many records there are, and the last entry that touched them."""
    with reading(engine) as connection:
        return tuple(
            tuple(connection.execute(select(func.count(), func.max(cast(one.c.audit_id, String)))).one())
            for one in (items, suppliers, locations, channels)
        )


def cached_lexicon(engine: Engine, *, seconds: float = 15) -> Callable[[], Lexicon]:
    """A lexicon shared between threads; looked at again after `seconds`, built again when master data changed."""
    lock = threading.Lock()
    held: list[tuple[float, tuple[object, ...], Lexicon]] = []

    def lexicon() -> Lexicon:
        with lock:
            now = time.monotonic()
            if held and now - held[0][0] < seconds:
                return held[0][2]
            current = version(engine)
            kept = held[0][2] if held and held[0][1] == current else read_lexicon(engine)
            held[:] = [(now, current, kept)]
            return kept

    return lexicon
