"""The schema: what the migrations make is what the code declares, on both databases."""

from __future__ import annotations

import importlib
import pkgutil
from datetime import UTC, datetime

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Engine, inspect
from sqlalchemy.dialects import sqlite

import erp_core
from erp_core.storage.base import metadata
from erp_core.storage.ids import SeededIds, new_id
from erp_core.storage.schema import migrate
from erp_core.storage.types import UtcDateTime

for module in pkgutil.iter_modules(erp_core.__path__):
    if module.ispkg and module.name != "storage":
        importlib.import_module(f"erp_core.{module.name}.model")


def test_the_migrations_make_the_tables_that_the_code_declares(engine: Engine) -> None:
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []


def test_the_migrations_make_the_checks_that_the_code_declares(engine: Engine) -> None:
    found = inspect(engine)
    for table in metadata.sorted_tables:
        declared = {str(one.name) for one in table.constraints if str(one.name).startswith("ck_")}
        made = {str(one["name"]) for one in found.get_check_constraints(table.name)}
        assert made == declared, table.name


def test_migrating_a_current_database_changes_nothing(engine: Engine) -> None:
    before = sorted(inspect(engine).get_table_names())
    migrate(engine)
    assert sorted(inspect(engine).get_table_names()) == before


def test_a_moment_without_a_time_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        UtcDateTime().process_bind_param(datetime(2026, 1, 1), sqlite.dialect())


def test_seeded_ids_repeat_and_sort_by_their_moment() -> None:
    def some(seed: int) -> list[str]:
        ids = SeededIds(seed)
        made = []
        for day in range(1, 29):
            ids.at(datetime(2026, 1, day, tzinfo=UTC))
            made.append(str(ids()))
        return made

    assert some(1) == some(1) != some(2)
    assert some(1) == sorted(some(1))
    assert new_id().version == 7
