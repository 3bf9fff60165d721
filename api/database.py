"""The company's database under its roles: migrated and granted as the owner, opened as the application."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path

from sqlalchemy import Connection, Engine, func, make_url, select

from erp_core.inventory.model import stock_moves
from erp_core.inventory.months import Retired, open_months, retire_months
from erp_core.settings import Settings
from erp_core.storage.append_only import APPEND_ONLY
from erp_core.storage.engine import open_engine, writing
from erp_core.storage.guard import grant_rights, new_secret, set_secret
from erp_core.storage.schema import is_migrated, migrate


def secret_file(settings: Settings) -> Path:
    """Where the secret that unlocks the application's sessions is kept."""
    return settings.home / "database" / "gate-secret"


def open_database(settings: Settings, *, throwaway: bool = False) -> Engine:
    """The application's engine. Where there is a secret each session is unlocked with it."""

    def secret() -> str | None:
        if settings.gate_secret:
            return settings.gate_secret
        file = secret_file(settings)
        return file.read_text(encoding="utf-8").strip() if file.exists() else None

    return open_engine(settings.url, throwaway=throwaway, gate_secret=secret)


def bring_up_to_date(settings: Settings, engine: Engine) -> None:
    """Migrate as the owner; where the application has a role of its own, that gets its rights as well."""
    if settings.migration_url is None:
        migrate(engine)
        return
    owner = open_engine(settings.owner_url)
    try:
        new = not is_migrated(owner)
        migrate(owner)
    finally:
        owner.dispose()
    role = make_url(settings.url).username
    if role is not None and (new or not (settings.gate_secret or secret_file(settings).exists())):
        separate(settings, role)
        engine.dispose()


def separate(settings: Settings, role: str) -> Path:
    """Give the role the application's rights and a new secret, and keep that under `home`.

    Raises `RoleTooPowerful` for a role that could go around its rights.
    """
    secret = settings.gate_secret or new_secret()
    owner = open_engine(settings.owner_url)
    try:
        with writing(owner) as connection:
            grant_rights(connection, role, APPEND_ONLY)
            set_secret(connection, secret)
    finally:
        owner.dispose()
    file = secret_file(settings)
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    file.touch(mode=0o600)
    file.chmod(0o600)
    file.write_text(f"{secret}\n", encoding="utf-8")
    return file


def open_ledger_months(settings: Settings, first: date | None, last: date) -> list[date]:
    """Open the ledger's months from that of `first`, else of the oldest move, to that of `last`; gives those that were not open."""
    with _owner(settings) as connection:
        oldest = first or connection.scalar(select(func.min(stock_moves.c.occurred_on))) or last
        return open_months(connection, oldest, last)


def retire_ledger_months(settings: Settings, before: date) -> Retired:
    """Retire the ledger's months before that of `before`. Raises `MonthInUse`."""
    with _owner(settings) as connection:
        return retire_months(connection, before, datetime.now(UTC))


@contextmanager
def _owner(settings: Settings) -> Iterator[Connection]:
    """One transaction of the tables' owner. Raises `NotPartitioned` on SQLite."""
    owner = open_engine(settings.owner_url)
    try:
        with writing(owner) as connection:
            yield connection
    finally:
        owner.dispose()
