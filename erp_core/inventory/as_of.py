"""The company's own stock, now or at the end of a past day, as rows that add up to it."""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import Select, and_, select

from erp_core.inventory.model import stock_balances, stock_daily, stock_monthly
from erp_core.inventory.rules import OWN

_KEYS = ("item_id", "location_id", "state")


def stock_at(day: date | None) -> list[Select[Any]]:
    """Selects of `item_id, location_id, state, units`; the units of a key, of all of them, add up to its stock.

    None means now. Whole months come first, then the days of the last month. Those are found by the keys that changed
    in that month: looked up by item alone, the whole history would be read.
    """
    if day is None:
        now = stock_balances.c
        return [select(*(now[key] for key in _KEYS), now.quantity.label("units")).where(now.owner == OWN)]
    first, months, days = day.replace(day=1), stock_monthly.c, stock_daily.c
    keys = [months[key] for key in _KEYS]
    same = and_(*(days[key] == months[key] for key in _KEYS), days.day.between(first, day))
    return [
        select(*keys, months.change.label("units")).where(months.month < first),
        select(*keys, days.change.label("units")).join(stock_daily, same).where(months.month == first),
    ]
