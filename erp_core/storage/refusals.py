"""Rules that the database itself keeps, as triggers: written once as data, made for SQLite and for PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import Connection, text


@dataclass(frozen=True, slots=True)
class Refusal:
    """What is refused: changes of `table` for which a condition over NEW and OLD holds, each with its reason.

    `only` narrows the rows that are looked at. AFTER sees the row written, BEFORE the rows as they were.
    """

    name: str
    table: str
    changes: tuple[str, ...]
    reasons: tuple[tuple[str, str], ...]
    """Pairs of reason and condition."""
    only: str = ""
    moment: Literal["BEFORE", "AFTER"] = "BEFORE"


def statements(refusal: Refusal, dialect: str) -> Iterator[tuple[str, str]]:
    """Name and statement of its triggers on `sqlite` or `postgresql`; repeating one of the latter is safe."""
    looked_at = f"WHEN ({refusal.only}) " if refusal.only else ""
    if dialect == "sqlite":
        checks = " ".join(f"SELECT RAISE(ABORT, '{why}') WHERE {when};" for why, when in refusal.reasons)
        for change in refusal.changes:
            name = f"{refusal.name}_{change.lower()}"
            yield (
                name,
                f"CREATE TRIGGER {name} {refusal.moment} {change} ON {refusal.table} {looked_at}BEGIN {checks} END",
            )
        return
    checks = " ".join(
        f"IF {when} THEN RAISE EXCEPTION '{why}' USING ERRCODE = 'integrity_constraint_violation'; END IF;"
        for why, when in refusal.reasons
    )
    name = refusal.name
    yield (
        name,
        f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        f"{checks} RETURN NEW; END $$; "
        f"CREATE OR REPLACE TRIGGER {name} {refusal.moment} {' OR '.join(refusal.changes)} ON {refusal.table} "
        f"FOR EACH ROW {looked_at}EXECUTE FUNCTION {name}()",
    )


def install_refusals(connection: Connection, refusals: Iterable[Refusal]) -> None:
    """Give a PostgreSQL database the triggers. Safe to repeat."""
    for refusal in refusals:
        for _, statement in statements(refusal, "postgresql"):
            connection.exec_driver_sql(statement)


def refusal_findings(connection: Connection, refusals: Iterable[Refusal]) -> Iterator[str]:
    """A sentence for each of the triggers that a PostgreSQL database no longer has."""
    present = set(
        connection.scalars(text("SELECT tgname FROM pg_trigger WHERE tgenabled IN ('O', 'A')")).all()
    )
    for refusal in refusals:
        if refusal.name not in present:
            yield f"the trigger {refusal.name} is gone or disabled"
