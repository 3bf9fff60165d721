"""Reads of working calendars."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from uuid import UUID

from sqlalchemy import Connection, select

from erp_core.master.model_calendars import work_calendars
from erp_core.master.rules.calendars import WorkCalendar
from erp_core.storage.lookup import fetch_in


def calendars_of(connection: Connection, party_ids: Iterable[UUID]) -> dict[UUID, WorkCalendar]:
    """The calendars of these suppliers and places, with one statement; who has none is left out."""
    table = work_calendars.c
    statement = select(table.party_id, table.weekdays, table.closed)
    return {
        row.party_id: WorkCalendar(
            frozenset(row.weekdays), frozenset(date.fromisoformat(day) for day in row.closed)
        )
        for row in fetch_in(connection, statement, table.party_id, party_ids)
    }
