"""The company's tables, from the metadata (replaced by explicit operations before release)."""

from __future__ import annotations

from datetime import date, timedelta

from alembic import op

from erp_core.storage.append_only import append_only_triggers
from erp_core.storage.base import metadata

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

FIRST, LAST = date(2005, 1, 1), date(2035, 12, 31)


def upgrade() -> None:
    metadata.create_all(op.get_bind())
    op.bulk_insert(metadata.tables["calendar"], calendar_rows())
    for statement in append_only_triggers(op.get_bind().dialect.name):
        op.execute(statement)


def calendar_rows() -> list[dict[str, object]]:
    days = (FIRST + timedelta(days=number) for number in range((LAST - FIRST).days + 1))
    return [
        {
            "day": day,
            "week": day - timedelta(days=day.weekday()),
            "month": f"{day:%Y-%m}",
            "quarter": f"{day.year}-Q{(day.month + 2) // 3}",
            "year": f"{day.year}",
        }
        for day in days
    ]


def downgrade() -> None:
    metadata.drop_all(op.get_bind())
