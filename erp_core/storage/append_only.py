"""Triggers that refuse UPDATE and DELETE on tables whose rows are only ever added."""

from __future__ import annotations

from collections.abc import Iterator

APPEND_ONLY = (
    "approval_policies",
    "audit_entries",
    "audit_leaves",
    "audit_checkpoints",
    "proposals",
    "proposal_decisions",
    "executions",
    "execution_attempts",
    "stock_moves",
    "cost_entries",
    "case_events",
)


def append_only_triggers(dialect: str) -> Iterator[str]:
    """The statements that make the tables append-only on `sqlite` or `postgresql`."""
    if dialect == "postgresql":
        yield (
            "CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME; END $$"
        )
    for table in APPEND_ONLY:
        for change in ("UPDATE", "DELETE"):
            name = f"{table}_refuse_{change.lower()}"
            if dialect == "postgresql":
                yield f"CREATE TRIGGER {name} BEFORE {change} ON {table} FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
            else:
                yield (
                    f"CREATE TRIGGER {name} BEFORE {change} ON {table} "
                    f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
                )
