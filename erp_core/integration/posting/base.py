"""What every poster works with: the transaction, the import, and ids by code."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import Column, Connection, Table, select

from erp_core.gate.contract import NotFound, Task, Transaction
from erp_core.integration.staging import ImportRow
from erp_core.master.model import channels, items, locations, suppliers
from erp_core.storage.lookup import fetch_in


class Lookups:
    """Ids by code that were looked up before, so that chunk after chunk need not ask again.

    Codes keep their ids for good, and the ids of records that imports make follow from their codes.
    """

    LIMIT = 200_000

    def __init__(self) -> None:
        self._found: dict[tuple[str, str], UUID] = {}

    def find(
        self, connection: Connection, table: Table, key: Column[Any], codes: set[str]
    ) -> dict[str, UUID]:
        """Ids by code; codes that do not exist are left out."""
        name = table.name
        found = {code: self._found[name, code] for code in codes if (name, code) in self._found}
        if len(self._found) > self.LIMIT:
            self._found.clear()
        for id_, code in fetch_in(connection, select(table.c.id, key), key, codes - found.keys()):
            found[code] = self._found[name, code] = id_
        return found


@dataclass(frozen=True, slots=True)
class Posting:
    """One chunk on its way into the books."""

    tx: Transaction
    task: Task[Any]
    row: ImportRow
    lookups: Lookups

    @property
    def import_id(self) -> UUID:
        """The import that the rows belong to."""
        return self.row.id

    @property
    def audit_id(self) -> UUID:
        """The audit entry of the chunk."""
        return self.task.audit_id

    def items(self, skus: Iterable[str]) -> dict[str, UUID]:
        """Item ids by SKU; raises `NotFound` for one that does not exist."""
        return self.ids(items, items.c.sku, skus)

    def suppliers(self, codes: Iterable[str]) -> dict[str, UUID]:
        """Supplier ids by code."""
        return self.ids(suppliers, suppliers.c.code, codes)

    def locations(self, codes: Iterable[str]) -> dict[str, UUID]:
        """Location ids by code."""
        return self.ids(locations, locations.c.code, codes)

    def channels(self, codes: Iterable[str]) -> dict[str, UUID]:
        """Channel ids by code."""
        return self.ids(channels, channels.c.code, codes)

    def ids(self, table: Table, key: Column[Any], codes: Iterable[str]) -> dict[str, UUID]:
        """Ids by code in `table`; raises `NotFound` that names the missing ones."""
        wanted = set(codes)
        found = self.lookups.find(self.tx.connection, table, key, wanted)
        if missing := sorted(wanted - found.keys()):
            raise NotFound(
                f"{table.name} has no {', '.join(missing[:5])}",
                field=key.name,
                remedy="import or create them first, then run the import again",
            )
        return found


Poster = Callable[[dict[str, Any], Posting], None]


def to_day(text: str | None) -> date | None:
    """A staged day."""
    return None if text is None else date.fromisoformat(text)
