"""What the database itself refuses about payments to suppliers: one for an invoice that is not matched.

The commands refuse it before, with better words. The triggers hold for a defect in them, and for whoever writes the
tables directly.
"""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import Connection, text

_RULES = (
    (
        "supplier_payments",
        "INSERT",
        "NOT EXISTS (SELECT 1 FROM supplier_invoices i WHERE i.id = NEW.invoice_id AND i.status = 'matched'"
        " AND i.supplier_id = NEW.supplier_id"
        " AND NEW.amount = CASE i.kind WHEN 'credit_note' THEN -i.total ELSE i.total END)",
        "a payment is for a matched invoice, and all of it",
    ),
    (
        "supplier_invoices",
        "UPDATE",
        "OLD.status <> NEW.status AND (OLD.status IN ('paid', 'rejected') OR (NEW.status = 'paid' AND"
        " (OLD.status <> 'matched' OR NOT EXISTS (SELECT 1 FROM supplier_payments p WHERE p.invoice_id = NEW.id))))",
        "an invoice becomes paid by its payment, and stays so",
    ),
)


def payable_triggers(dialect: str) -> Iterator[tuple[str, str]]:
    """Name and statement of each trigger, on `sqlite` or `postgresql`; repeating a statement of the latter is safe."""
    for table, change, refused, message in _RULES:
        name = f"{table}_rightful"
        if dialect == "sqlite":
            yield (
                name,
                f"CREATE TRIGGER {name} BEFORE {change} ON {table} WHEN {refused} "
                f"BEGIN SELECT RAISE(ABORT, '{message}'); END",
            )
        else:
            yield (
                name,
                f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
                f"IF {refused} THEN RAISE EXCEPTION '{message}' "
                f"USING ERRCODE = 'integrity_constraint_violation'; END IF; RETURN NEW; END $$; "
                f"CREATE OR REPLACE TRIGGER {name} BEFORE {change} ON {table} "
                f"FOR EACH ROW EXECUTE FUNCTION {name}()",
            )


def install_payables(connection: Connection) -> None:
    """Give a PostgreSQL database the triggers. Safe to repeat."""
    for _, statement in payable_triggers("postgresql"):
        connection.exec_driver_sql(statement)


def payable_findings(connection: Connection) -> Iterator[str]:
    """A sentence for each of the triggers that a PostgreSQL database no longer has."""
    present = set(
        connection.scalars(text("SELECT tgname FROM pg_trigger WHERE tgenabled IN ('O', 'A')")).all()
    )
    for name, _ in payable_triggers("postgresql"):
        if name not in present:
            yield f"the trigger {name} is gone or disabled"
