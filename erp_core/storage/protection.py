"""What the database itself refuses, whoever asks: changes of append-only tables, and writes beside the gate.

On PostgreSQL `guard` says how. On SQLite there are no roles: a table's triggers name a function that only the
application's own connections have, so another client cannot even prepare a statement that writes; whoever has the file can
take triggers off, and `protection_findings` names those that are missing or changed. Tables that hold the mass of rows go
without: there a trigger makes every row a third dearer, and `audit verify` and the rebuild of balances name what
was written beside the gate.
"""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import Connection, inspect, text

from erp_core.storage.append_only import APPEND_ONLY
from erp_core.storage.closed_months import CLOSED_MONTHS
from erp_core.storage.guard import guard_findings, install_guard
from erp_core.storage.lot_places import LOT_PLACES
from erp_core.storage.payables import PAYABLES
from erp_core.storage.quorum import quorum_refusals
from erp_core.storage.refusals import Refusal, install_refusals, refusal_findings, statements

UNGUARDED = frozenset({"alembic_version", "calendar"})
MANY_ROWS = frozenset(
    {
        "cost_entries",
        "demand_daily",
        "order_lines",
        "past_sales_daily",
        "reservations",
        "sales_document_lines",
        "shipment_lines",
        "shipments",
        "stock_daily",
        "stock_monthly",
        "stock_moves",
    }
)
GATE_FUNCTION = "quartermaster_gate"


def protect(connection: Connection) -> None:
    """Give every table its triggers, also those of a later migration. Safe to repeat."""
    if connection.dialect.name == "postgresql":
        install_guard(connection, APPEND_ONLY, UNGUARDED)
        install_refusals(connection, _refusals("postgresql"))
        return
    for name, statement in _sqlite_triggers(_tables(connection)):
        connection.exec_driver_sql(f"DROP TRIGGER IF EXISTS {name}")
        connection.exec_driver_sql(statement)


def protection_findings(connection: Connection) -> Iterator[str]:
    """A sentence for each protection that was taken off or changed."""
    if connection.dialect.name == "postgresql":
        yield from guard_findings(connection, APPEND_ONLY, UNGUARDED)
        yield from refusal_findings(connection, _refusals("postgresql"))
        return
    there = {
        row.name: row.sql
        for row in connection.execute(text("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'"))
    }
    gone = [name for name, statement in _sqlite_triggers(_tables(connection)) if there.get(name) != statement]
    if gone:
        yield f"{len(gone)} triggers that refuse direct writes are gone or changed, the first {gone[0]}"


def _refusals(dialect: str) -> tuple[Refusal, ...]:
    return (*quorum_refusals(dialect), *LOT_PLACES, *PAYABLES, *CLOSED_MONTHS)


def _tables(connection: Connection) -> list[str]:
    return sorted(set(inspect(connection).get_table_names()) - UNGUARDED)


def _sqlite_triggers(tables: list[str]) -> Iterator[tuple[str, str]]:
    for refusal in _refusals("sqlite"):
        yield from statements(refusal, "sqlite")
    for table in tables:
        for change in ("INSERT", "UPDATE", "DELETE"):
            if table not in MANY_ROWS:
                name = f"{table}_through_gate_{change.lower()}"
                yield (
                    name,
                    f"CREATE TRIGGER {name} BEFORE {change} ON {table} WHEN CASE WHEN 0 THEN {GATE_FUNCTION}() END "
                    f"BEGIN SELECT RAISE(ABORT, '{table} changes only through the gate'); END",
                )
            if table in APPEND_ONLY and change != "INSERT":
                name = f"{table}_refuse_{change.lower()}"
                yield (
                    name,
                    f"CREATE TRIGGER {name} BEFORE {change} ON {table} "
                    f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END",
                )
