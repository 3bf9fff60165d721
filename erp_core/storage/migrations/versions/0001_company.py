"""The company's tables, from the metadata (replaced by explicit operations before release)."""

from __future__ import annotations

from alembic import op

from erp_core.storage.base import metadata

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    metadata.create_all(op.get_bind())


def downgrade() -> None:
    metadata.drop_all(op.get_bind())
