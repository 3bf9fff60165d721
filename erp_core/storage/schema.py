"""Bring a database to the current schema, through Alembic's migrations."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Engine, inspect

if TYPE_CHECKING:
    from alembic.config import Config

MIGRATIONS = Path(__file__).parent / "migrations"


def _config(engine: Engine) -> Config:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["engine"] = engine
    return config


def migrate(engine: Engine) -> None:
    """Upgrade to the newest migration; does nothing when already there."""
    from alembic import command

    command.upgrade(_config(engine), "head")


def pending_migrations(engine: Engine) -> list[str]:
    """The revisions that the database lacks, oldest first."""
    from alembic.runtime.migration import MigrationContext
    from alembic.script import ScriptDirectory

    scripts = ScriptDirectory.from_config(_config(engine))
    with engine.connect() as connection:
        current = MigrationContext.configure(connection).get_current_heads()
    waiting = scripts.iterate_revisions(scripts.get_current_head(), current[0] if current else "base")
    return [script.revision for script in reversed(list(waiting))]


def is_migrated(engine: Engine) -> bool:
    """Whether the database holds a company's tables at all."""
    return inspect(engine).has_table("audit_entries")
