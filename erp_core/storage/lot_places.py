"""What the database itself refuses about lots: a numbered unit in two places, and promises of stock that is held.

The lot book and the commands refuse both before, with better words. The triggers look at balances of lots alone: stock
without lots passes by a comparison.
"""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import Connection, text

_NAME = "stock_balances_of_lots"
_NO_LOT = "00000000000000000000000000000000"
_OF_A_LOT = f"NEW.quantity > 0 AND NEW.lot_id <> '{_NO_LOT}'"
_REFUSED = (
    (
        "a numbered unit is in one place only",
        "EXISTS (SELECT 1 FROM lots l WHERE l.id = NEW.lot_id AND l.serial) AND 1 < "
        f"(SELECT sum(b.quantity) FROM stock_balances b WHERE b.lot_id = NEW.lot_id AND b.lot_id <> '{_NO_LOT}')",
    ),
    (
        "stock of a lot that is held is neither available nor promised",
        "NEW.state IN ('available', 'reserved') AND NEW.owner = 'own' "
        "AND EXISTS (SELECT 1 FROM lots l WHERE l.id = NEW.lot_id AND l.status <> 'released')",
    ),
)


def lot_triggers(dialect: str) -> Iterator[tuple[str, str]]:
    """Name and statement of each trigger, on `sqlite` or `postgresql`; repeating a statement of the latter is safe."""
    if dialect == "sqlite":
        refusals = " ".join(f"SELECT RAISE(ABORT, '{why}') WHERE {when};" for why, when in _REFUSED)
        for change in ("INSERT", "UPDATE"):
            name = f"{_NAME}_{change.lower()}"
            yield (
                name,
                f"CREATE TRIGGER {name} AFTER {change} ON stock_balances WHEN {_OF_A_LOT} BEGIN {refusals} END",
            )
        return
    refusals = " ".join(
        f"IF {when} THEN RAISE EXCEPTION '{why}' USING ERRCODE = 'integrity_constraint_violation'; END IF;"
        for why, when in _REFUSED
    )
    yield (
        _NAME,
        f"CREATE OR REPLACE FUNCTION {_NAME}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        f"{refusals} RETURN NULL; END $$; "
        f"CREATE OR REPLACE TRIGGER {_NAME} AFTER INSERT OR UPDATE ON stock_balances "
        f"FOR EACH ROW WHEN ({_OF_A_LOT}) EXECUTE FUNCTION {_NAME}()",
    )


def install_lot_places(connection: Connection) -> None:
    """Give a PostgreSQL database the trigger. Safe to repeat."""
    for _, statement in lot_triggers("postgresql"):
        connection.exec_driver_sql(statement)


def lot_place_findings(connection: Connection) -> Iterator[str]:
    """A sentence for the trigger where a PostgreSQL database no longer has it."""
    present = set(
        connection.scalars(text("SELECT tgname FROM pg_trigger WHERE tgenabled IN ('O', 'A')")).all()
    )
    for name, _ in lot_triggers("postgresql"):
        if name not in present:
            yield f"the trigger {name} is gone or disabled"
