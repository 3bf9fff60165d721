"""Which kinds of fact the company has, and for which days."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import Connection, func, select

from erp_core.master.model import data_feeds
from erp_core.planning.model import forecast_versions

LABELS = {
    "sales": "sales",
    "stock": "stock",
    "cost": "cost",
    "purchasing": "purchasing",
    "returns": "returns",
    "forecast": "a published forecast",
    "backtest": "a published backtest",
}


@dataclass(frozen=True, slots=True)
class Feed:
    """The days a feed covers, and the last day it was fresh on."""

    first_on: date
    last_on: date
    fresh_on: date


def feeds_of_company(connection: Connection) -> dict[str, Feed]:
    """Feeds by name; a feed that the company does not have is not there."""
    rows = connection.execute(select(data_feeds.c.kind, data_feeds.c.first_on, data_feeds.c.last_on))
    feeds = {kind: Feed(first, last, last) for kind, first, last in rows}
    for purpose, name in (("live", "forecast"), ("backtest", "backtest")):
        row = connection.execute(
            select(
                func.max(forecast_versions.c.as_of),
                func.min(forecast_versions.c.as_of),
                func.max(forecast_versions.c.horizon_days),
            ).where(forecast_versions.c.purpose == purpose, forecast_versions.c.complete == 1)
        ).one()
        if row[0] is not None:
            as_of, first, horizon = row
            feeds[name] = Feed(first, as_of + timedelta(days=horizon), as_of)
    return feeds


def data_end(feeds: Mapping[str, Feed], name: str) -> date:
    """The last day on which silence of a feed means that nothing happened: the company's newest data of any kind."""
    own = feeds[name].last_on
    if name in ("forecast", "backtest"):
        return own
    return max(feed.last_on for other, feed in feeds.items() if other not in ("forecast", "backtest"))
