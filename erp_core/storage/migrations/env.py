"""Alembic's environment: run by `erp_core.storage.schema.migrate`, or by the `alembic` command."""

from __future__ import annotations

import importlib
import pkgutil

from alembic import context

import erp_core
from erp_core.settings import settings
from erp_core.storage.base import metadata
from erp_core.storage.engine import open_engine, writing
from erp_core.storage.protection import protect

for module in pkgutil.iter_modules(erp_core.__path__):
    if module.ispkg and module.name != "storage":
        importlib.import_module(f"erp_core.{module.name}.model")

engine = context.config.attributes.get("engine") or open_engine(settings().owner_url)
with writing(engine) as connection:
    context.configure(
        connection=connection, target_metadata=metadata, render_as_batch=True, compare_type=True
    )
    context.run_migrations()
    protect(connection)
