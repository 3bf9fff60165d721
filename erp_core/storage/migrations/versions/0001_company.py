"""The company's tables, from the metadata (replaced by explicit operations before release)."""

from __future__ import annotations

from alembic import op

from erp_core.storage.append_only import append_only_triggers
from erp_core.storage.base import metadata

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    metadata.create_all(op.get_bind())
    for statement in append_only_triggers(op.get_bind().dialect.name):
        op.execute(statement)


def downgrade() -> None:
    metadata.drop_all(op.get_bind())
