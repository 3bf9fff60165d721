"""Where companies under attack live: a file or a database each, copied from one that was built once."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Protocol
from uuid import uuid4

from sqlalchemy import Engine, create_engine, make_url, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError

from erp_core.clock import Clock
from erp_core.gate.audit import Sealer
from erp_core.storage.append_only import APPEND_ONLY
from erp_core.storage.engine import open_engine
from erp_core.storage.guard import grant_rights, new_secret, set_secret
from erp_core.storage.schema import migrate
from evals.attacks.attack import CannotRun
from evals.attacks.building import build
from evals.attacks.company import TODAY, AttackedCompany
from evals.attacks.product import Product


class Place(Protocol):
    """Gives each attack a company of its own."""

    name: str

    def fresh(self, folder: Path) -> AbstractContextManager[AttackedCompany]:
        """A company of its own, with its home in `folder`; gone afterwards."""

    def close(self) -> None:
        """Take away what the companies were copied from."""


class SqlitePlace:
    """Companies in files."""

    name = "sqlite"

    def __init__(self, product: Product, folder: Path) -> None:
        self._product, self._built = product, folder / "built"
        self._built.mkdir(parents=True)
        engine = open_engine(_file(self._built), throwaway=True)
        migrate(engine)
        company = self._open(engine, self._built)
        build(company)
        Sealer(engine, self._built).seal(company.gate.clock.now())
        engine.dispose()

    def close(self) -> None:
        """Take the company away that the others were copied from."""
        shutil.rmtree(self._built)

    @contextmanager
    def fresh(self, folder: Path) -> Iterator[AttackedCompany]:
        """A copy of the company, in this folder."""
        shutil.copytree(self._built, folder, dirs_exist_ok=True)
        engine = open_engine(_file(folder))
        try:
            yield self._open(engine, folder)
        finally:
            engine.dispose()

    def _open(self, engine: Engine, home: Path) -> AttackedCompany:
        gate = self._product.make_gate(engine, Clock(fixed_business_date=TODAY), home=home)
        return AttackedCompany(gate, self._product, home, lambda _role: create_engine(_file(home)))


class PostgresPlace:
    """Companies in databases of a server, whose application has a role of its own and the secret of the gate."""

    name = "postgresql"

    def __init__(self, product: Product, folder: Path, server: str) -> None:
        self._product, self._built, self._secret = product, folder / "built", new_secret()
        self._built.mkdir(parents=True)
        self._server = make_url(server)
        self._admin = create_engine(self._server, isolation_level="AUTOCOMMIT")
        self._role, self._password = f"qm_attacked_{uuid4().hex[:12]}", secrets.token_hex(16)
        self._template = f"qm_attacked_{uuid4().hex[:12]}"
        try:
            self._run(f"CREATE ROLE {self._role} LOGIN PASSWORD '{self._password}'")
            self._run(f"CREATE DATABASE {self._template}")
        except DBAPIError as error:
            raise CannotRun("this role of the server may not make roles and databases") from error
        owner = open_engine(self._url(self._template).render_as_string(hide_password=False))
        migrate(owner)
        company = self._open(owner, self._built, self._template)
        build(company)
        Sealer(owner, self._built).seal(company.gate.clock.now())
        with owner.begin() as connection:
            grant_rights(connection, self._role, APPEND_ONLY)
            set_secret(connection, self._secret)
        owner.dispose()

    def close(self) -> None:
        """Take the template and the role away."""
        self._run(f"DROP DATABASE IF EXISTS {self._template} WITH (FORCE)")
        self._run(f"DROP ROLE IF EXISTS {self._role}")
        self._admin.dispose()

    @contextmanager
    def fresh(self, folder: Path) -> Iterator[AttackedCompany]:
        """A copy of the company, in a database of its own."""
        shutil.copytree(self._built, folder, dirs_exist_ok=True)
        name = f"qm_attacked_{uuid4().hex[:12]}"
        self._run(f"CREATE DATABASE {name} TEMPLATE {self._template}")
        url = self._url(name, application=True).render_as_string(hide_password=False)
        engine = open_engine(url, gate_secret=lambda: self._secret)
        try:
            yield self._open(engine, folder, name)
        finally:
            engine.dispose()
            self._run(f"DROP DATABASE {name} WITH (FORCE)")

    def _open(self, engine: Engine, home: Path, name: str) -> AttackedCompany:
        gate = self._product.make_gate(engine, Clock(fixed_business_date=TODAY), home=home)
        return AttackedCompany(
            gate,
            self._product,
            home,
            lambda role: create_engine(self._url(name, application=role == "application")),
            self._secret,
        )

    def _url(self, name: str, *, application: bool = False) -> URL:
        url = self._server.set(database=name)
        return url.set(username=self._role, password=self._password) if application else url

    def _run(self, statement: str) -> None:
        with self._admin.connect() as connection:
            connection.execute(text(statement))


def _file(home: Path) -> str:
    return f"sqlite:///{home / 'quartermaster.db'}"
