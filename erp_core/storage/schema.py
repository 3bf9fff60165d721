"""Bring a database to the current schema, through Alembic's migrations."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Engine, inspect

MIGRATIONS = Path(__file__).parent / "migrations"


def migrate(engine: Engine) -> None:
    """Upgrade to the newest migration; does nothing when already there."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["engine"] = engine
    command.upgrade(config, "head")


def is_migrated(engine: Engine) -> bool:
    """Whether the database holds a company's tables at all."""
    return inspect(engine).has_table("audit_entries")
