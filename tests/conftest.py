"""Fixtures that all areas share: both databases, the gate, and principals by role."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import settings
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher
from sqlalchemy import Engine, TextClause, create_engine, text

from api.collector import collect_seldom
from api.composition import make_gate
from erp_core.clock import Clock
from erp_core.gate import passwords
from erp_core.gate.principals import Principal
from erp_core.gate.submission import Gate
from erp_core.storage.engine import open_engine
from erp_core.storage.schema import migrate

ROOT = Path(__file__).parent.parent
SHARED = Path(os.environ.get("QUARTERMASTER_SHARED", ROOT.parent / "shared"))
TODAY = date(2026, 6, 30)

MEMORY = Path("/dev/shm")
if MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > 4 * 2**30:
    # databases of tests lie in memory where there is room, as PostgreSQL's do
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(MEMORY))

DELIBERATELY_SLOW_HASHER = passwords._hasher
"""How the product hashes passwords; tests log in thousands of times, so that theirs is as fast as Argon2 gets."""
passwords._hasher = cache(lambda: PasswordHash((Argon2Hasher(time_cost=1, memory_cost=8, parallelism=1),)))

settings.register_profile("quartermaster", deadline=None)  # no test asks how fast the machine is
settings.load_profile("quartermaster")


def pytest_collection_finish() -> None:
    """Search for cycles as seldom as the server does: all tests are loaded."""
    collect_seldom()


def size(small: int, full: int) -> int:
    """The size of a test: `small` in `make test`, `full` in `make prove`."""
    return full if os.environ.get("QUARTERMASTER_TEST_SIZE") == "full" else small


def services() -> dict[str, str]:
    """What `scripts/test-services` started, from its environment file and the environment."""
    found = {}
    file = ROOT / ".test-services.env"
    if file.exists():
        for line in file.read_text().splitlines():
            name, _, value = line.partition("=")
            found[name.strip()] = value.strip().strip("'\"")
    return found | {
        name: value for name, value in os.environ.items() if name.startswith("QUARTERMASTER_TEST_")
    }


@pytest.fixture(scope="session")
def postgres_server() -> str:
    url = services().get("QUARTERMASTER_TEST_POSTGRES_URL")
    if not url:
        pytest.skip("no PostgreSQL: run scripts/test-services")
    return url


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "empty.db"
    engine = open_engine(f"sqlite:///{path}")
    migrate(engine)
    with engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    engine.dispose()
    return path


@pytest.fixture(scope="session")
def postgres_template(postgres_server: str) -> Iterator[str]:
    name = f"qm_template_{uuid4().hex[:12]}"
    admin = create_engine(postgres_server, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    engine = open_engine(_database(postgres_server, name))
    migrate(engine)
    engine.dispose()
    yield name
    with admin.connect() as connection:
        connection.execute(text(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)"))
    admin.dispose()


@dataclass(frozen=True, slots=True)
class Founding:
    """What the databases of some tests hold before a test begins: found once by each process, then copied."""

    name: str
    found: Callable[[Gate], Any]


Founded = Callable[[str, Founding], tuple[str, Any]]
"""Gives the file, or the database's name, to copy from, and what was found there."""


@pytest.fixture
def founding() -> Founding | None:
    """None: tests begin with an empty database. Overridden where they begin with a company."""
    return None


@pytest.fixture(scope="session")
def founded(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Founded]:
    """`founded("sqlite", founding)`: a database to copy, made when it is first asked for."""
    made: dict[tuple[str, str], tuple[str, Any]] = {}
    admin: Engine | None = None

    def of(kind: str, founding: Founding) -> tuple[str, Any]:
        nonlocal admin
        if (kind, founding.name) in made:
            return made[kind, founding.name]
        home = tmp_path_factory.mktemp(founding.name)
        if kind == "sqlite":
            place = str(home / "company.db")
            shutil.copy(request.getfixturevalue("sqlite_template"), place)
            engine = open_engine(f"sqlite:///{place}")
        else:
            server, place = request.getfixturevalue("postgres_server"), f"qm_founded_{uuid4().hex[:12]}"
            admin = admin or create_engine(server, isolation_level="AUTOCOMMIT")
            with admin.connect() as connection:
                connection.execute(_copy(request.getfixturevalue("postgres_template"), place))
            engine = open_engine(_database(server, place))
        premise = founding.found(make_gate(engine, Clock(fixed_business_date=TODAY), home=home))
        if kind == "sqlite":
            with engine.connect() as connection:
                connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        engine.dispose()
        made[kind, founding.name] = place, premise
        return place, premise

    yield of
    if admin is not None:
        with admin.connect() as connection:
            for kind, name in made:
                if kind == "postgresql":
                    connection.execute(text(f"DROP DATABASE {made[kind, name][0]} WITH (FORCE)"))
        admin.dispose()


def _copy(template: str, name: str) -> TextClause:
    return text(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY")


def _database(server: str, name: str) -> str:
    return f"{server.rpartition('/')[0]}/{name}" if "?" not in server else _with_query(server, name)


def _with_query(server: str, name: str) -> str:
    head, _, query = server.partition("?")
    return f"{head.rpartition('/')[0]}/{name}?{query}"


@pytest.fixture
def sqlite_url(
    request: pytest.FixtureRequest, tmp_path: Path, sqlite_template: Path, founding: Founding | None
) -> str:
    """A fresh, migrated SQLite database."""
    path = tmp_path / "company.db"
    founded = request.getfixturevalue("founded") if founding else None
    shutil.copy(founded("sqlite", founding)[0] if founded else sqlite_template, path)
    return f"sqlite:///{path}"


@pytest.fixture
def postgres_url(request: pytest.FixtureRequest, founding: Founding | None) -> Iterator[str]:
    """A fresh, migrated PostgreSQL database, dropped afterwards."""
    server = request.getfixturevalue("postgres_server")
    template = request.getfixturevalue("postgres_template")
    if founding is not None:
        template, _ = request.getfixturevalue("founded")("postgresql", founding)
    name = f"qm_test_{uuid4().hex[:12]}"
    admin = create_engine(server, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(_copy(template, name))
    yield _database(server, name)
    with admin.connect() as connection:
        connection.execute(text(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)"))
    admin.dispose()


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """The same test on both databases."""
    url: str = request.getfixturevalue("sqlite_url" if request.param == "sqlite" else "postgres_url")
    return url


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """A fresh, migrated database, SQLite and PostgreSQL in turn."""
    engine = open_engine(database_url)
    yield engine
    engine.dispose()


@pytest.fixture
def sqlite_engine(sqlite_url: str) -> Iterator[Engine]:
    """A fresh, migrated SQLite database, for what cannot differ between databases."""
    engine = open_engine(sqlite_url)
    yield engine
    engine.dispose()


@pytest.fixture
def clock() -> Clock:
    return Clock(fixed_business_date=TODAY)


@pytest.fixture
def gate(engine: Engine, clock: Clock, tmp_path: Path) -> Gate:
    """A gate with every command registered, over `engine`; business date 2026-06-30."""
    return make_gate(engine, clock, home=tmp_path)


@pytest.fixture
def sqlite_gate(sqlite_engine: Engine, clock: Clock, tmp_path: Path) -> Gate:
    """The same over SQLite only."""
    return make_gate(sqlite_engine, clock, home=tmp_path)


@pytest.fixture
def person() -> Callable[..., Principal]:
    """`person(gate, "buyer")`: a stored user with these roles, as an authenticated principal."""

    def make(gate: Gate, *roles: str, login: str | None = None) -> Principal:
        return gate.bootstrap_user(login or f"{roles[0]}-{uuid4().hex[:6]}", roles=roles)

    return make


@pytest.fixture
def simulator() -> Callable[[Gate], Principal]:
    """`simulator(gate)`: the service principal that may run every domain command and back-date."""

    def make(gate: Gate) -> Principal:
        return gate.bootstrap_user("simulator", roles=("simulator", "warehouse"), kind="service")

    return make


@pytest.fixture
def agent() -> Callable[[Principal], Principal]:
    """`agent(principal)`: an agent acting for that person in a run of its own."""

    def make(user: Principal, run_id: UUID | None = None) -> Principal:
        return Principal("agent", user.user_id, user.login, user.roles, run_id or uuid4(), user.person_id)

    return make


@pytest.fixture
def shared_data() -> Path:
    """The folder of published data sets; the test skips where it is not there."""
    if not (SHARED / "data").is_dir():
        pytest.skip(f"published data sets are not at {SHARED / 'data'}")
    return SHARED / "data"
