"""What the databases refuse by themselves: changes of what is only added, and writes beside the gate."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import Engine, create_engine, inspect, make_url, text
from sqlalchemy.exc import DBAPIError

from api.company import open_company
from api.database import bring_up_to_date, secret_file, separate
from api.doctor import examine
from erp_core.gate.commands import SetCompanyFact
from erp_core.gate.contract import Executed
from erp_core.settings import Settings
from erp_core.storage.append_only import APPEND_ONLY
from erp_core.storage.engine import open_engine
from erp_core.storage.guard import RoleTooPowerful
from erp_core.storage.protection import MANY_ROWS, UNGUARDED, protect, protection_findings


def tables_of(engine: Engine) -> list[str]:
    return sorted(set(inspect(engine).get_table_names()) - UNGUARDED)


def refused(engine: Engine, statement: str) -> str:
    """What the database says to a statement that it must not take."""
    with pytest.raises(DBAPIError) as caught, engine.begin() as connection:
        connection.exec_driver_sql(statement)
    return str(caught.value.orig)


def first_column(engine: Engine, table: str) -> str:
    return str(inspect(engine).get_columns(table)[0]["name"])


@pytest.mark.capability("S207")
def test_every_append_only_table_refuses_update_delete_and_truncate(engine: Engine) -> None:
    """SQLite fires a trigger for each row, so each table gets one."""
    if engine.dialect.name == "sqlite":
        with closing(sqlite3.connect(engine.url.database or "")) as connection:
            fill(connection)
    assert set(APPEND_ONLY) <= set(tables_of(engine))
    for table in APPEND_ONLY:
        column = first_column(engine, table)
        assert "append-only" in refused(engine, f"UPDATE {table} SET {column} = {column}"), table
        assert "append-only" in refused(engine, f"DELETE FROM {table}"), table
        if engine.dialect.name == "postgresql":
            assert "append-only" in refused(engine, f"TRUNCATE {table} CASCADE"), table


def fill(connection: sqlite3.Connection) -> None:
    """One row in each append-only table, whatever constraints and other triggers say."""
    others = (
        "SELECT name FROM sqlite_master WHERE type = 'trigger' AND name NOT LIKE '%\\_refuse\\_%' ESCAPE '\\'"
    )
    for (name,) in connection.execute(others).fetchall():
        connection.execute(f"DROP TRIGGER {name}")
    connection.create_function("quartermaster_gate", 0, lambda: 1)
    connection.execute("PRAGMA ignore_check_constraints = ON")
    for table in APPEND_ONLY:
        columns = connection.execute(f"PRAGMA table_info({table})").fetchall()
        marks = ", ".join("?" * len(columns))
        values = [
            1 if "INT" in kind else "2026-01-01" if kind == "DATE" else "1" for _, _, kind, *_ in columns
        ]
        connection.execute(f"INSERT INTO {table} VALUES ({marks})", values)
    connection.commit()


@pytest.mark.capability("S207")
def test_an_insert_that_replaces_a_row_is_refused_like_a_delete(sqlite_engine: Engine) -> None:
    with closing(sqlite3.connect(sqlite_engine.url.database or "")) as connection:
        fill(connection)
    with sqlite_engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA ignore_check_constraints = ON")
        for table in APPEND_ONLY:
            with pytest.raises(DBAPIError, match="append-only"):
                connection.exec_driver_sql(f"INSERT OR REPLACE INTO {table} SELECT * FROM {table}")


@pytest.mark.capability("S209")
def test_another_client_cannot_write_the_file_of_a_company(sqlite_engine: Engine) -> None:
    names = [one for one in tables_of(sqlite_engine) if one not in MANY_ROWS]
    with closing(sqlite3.connect(sqlite_engine.url.database or "")) as stranger:
        for table in names:
            column = first_column(sqlite_engine, table)
            for statement in (
                f"INSERT INTO {table} SELECT * FROM {table}",
                f"INSERT OR REPLACE INTO {table} SELECT * FROM {table}",
                f"UPDATE {table} SET {column} = {column}",
                f"DELETE FROM {table}",
            ):
                with pytest.raises(sqlite3.OperationalError, match="quartermaster_gate"):
                    stranger.execute(statement)


@pytest.mark.capability("S209")
def test_triggers_that_were_taken_off_or_changed_are_named(engine: Engine) -> None:
    postgresql = engine.dialect.name == "postgresql"
    with engine.begin() as connection:
        assert list(protection_findings(connection)) == []
        if postgresql:
            connection.exec_driver_sql("ALTER TABLE orders DISABLE TRIGGER through_gate")
        else:
            connection.exec_driver_sql("DROP TRIGGER orders_through_gate_update")
            connection.exec_driver_sql(
                "CREATE TRIGGER orders_through_gate_update BEFORE UPDATE ON orders BEGIN SELECT 1; END"
            )
        (found,) = protection_findings(connection)
        assert "orders" in found
        protect(connection)
        if postgresql:
            connection.exec_driver_sql("ALTER TABLE orders ENABLE TRIGGER through_gate")
        assert list(protection_findings(connection)) == []


@pytest.fixture
def role(postgres_server: str) -> Iterator[str]:
    """A plain login role of the server."""
    name = f"qm_app_{uuid4().hex[:12]}"
    admin = create_engine(postgres_server, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f"CREATE ROLE {name} LOGIN PASSWORD 'app'"))
    yield name
    with admin.connect() as connection:
        connection.execute(text(f"DROP OWNED BY {name}"))
        connection.execute(text(f"DROP ROLE {name}"))
    admin.dispose()


@pytest.fixture
def settings(postgres_url: str, role: str, tmp_path: Path) -> Iterator[Settings]:
    """A company whose application has a role of its own."""
    own = make_url(postgres_url).set(username=role, password="app").render_as_string(hide_password=False)
    made = Settings(home=tmp_path / "home", database_url=own, migration_url=postgres_url)
    separate(made, role)
    yield made
    owner = create_engine(postgres_url)
    with owner.begin() as connection:  # the role can be dropped once it has no rights here
        connection.execute(text(f"DROP OWNED BY {role}"))
    owner.dispose()


@pytest.fixture
def stranger(settings: Settings) -> Iterator[Engine]:
    """Somebody with the application's database password, and not its secret."""
    engine = create_engine(settings.url)
    yield engine
    engine.dispose()


@pytest.mark.capability("S209", "S207")
def test_direct_sql_as_the_applications_role_writes_no_table(settings: Settings, stranger: Engine) -> None:
    for table in tables_of(stranger):
        column = first_column(stranger, table)
        for statement in (
            f"INSERT INTO {table} SELECT * FROM {table}",
            f"UPDATE {table} SET {column} = {column}",
            f"DELETE FROM {table}",
            f"TRUNCATE {table} CASCADE",
            f"COPY {table} FROM PROGRAM 'true'",
        ):
            told = refused(stranger, statement)
            words = ("only through the gate", "permission denied", "must be superuser")
            assert any(word in told for word in words), (table, statement, told)


@pytest.mark.capability("S209")
@pytest.mark.parametrize(
    "statement",
    [
        "ALTER TABLE stock_moves DISABLE TRIGGER ALL",
        "ALTER TABLE stock_moves DISABLE TRIGGER append_only",
        "DROP TRIGGER append_only ON stock_moves",
        "DROP TRIGGER through_gate ON orders",
        "CREATE TRIGGER mine BEFORE INSERT ON orders EXECUTE FUNCTION guard.refuse_change()",
        "DROP TABLE stock_moves",
        "ALTER TABLE audit_entries ADD COLUMN more text",
        "ALTER TABLE orders OWNER TO CURRENT_USER",
        "CREATE TABLE orders_too (id int)",
        "CREATE SCHEMA mine",
        "SET ROLE quartermaster",
        "SET SESSION AUTHORIZATION quartermaster",
        "SET session_replication_role = 'replica'",
        "ALTER ROLE CURRENT_USER SUPERUSER",
        "SELECT * FROM guard.lock",
        "UPDATE guard.lock SET secret_sha256 = ''",
        "DELETE FROM guard.applications",
        "CREATE OR REPLACE FUNCTION guard.require_gate() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",
        "DROP FUNCTION guard.require_gate() CASCADE",
        "SELECT guard.unlock('guess')",
        "UPDATE alembic_version SET version_num = ''",
    ],
)
def test_the_applications_role_cannot_take_the_protection_off(stranger: Engine, statement: str) -> None:
    told = refused(stranger, statement)
    assert any(
        word in told for word in ("permission denied", "must be owner", "must be superuser", "not the secret")
    ), told


@pytest.mark.capability("S209")
def test_the_mark_of_an_unlocked_session_cannot_be_forged_or_carried_over(
    settings: Settings, stranger: Engine
) -> None:
    company = open_company(settings)
    with company.engine.connect() as unlocked:
        mark = unlocked.scalar(text("SELECT current_setting('quartermaster.unlocked')"))
    company.close()
    assert mark and len(mark) == 64
    for forged in (mark, "0" * 64, ""):
        told = refused(stranger, f"SET quartermaster.unlocked = '{forged}'; DELETE FROM orders")
        assert "only through the gate" in told


@pytest.mark.capability("S209")
def test_the_application_works_under_its_own_role(settings: Settings) -> None:
    company = open_company(settings)
    admin = company.gate.bootstrap_user("admin", ("admin",))
    company.gate.install_policies()
    outcome = company.gate.submit(SetCompanyFact(key="name", value="Acme"), admin, key="1")
    assert isinstance(outcome, Executed)
    assert company.sealer.seal(company.clock.now()) > 1
    assert company.sealer.verify().findings == ()
    company.close()
    roles = next(one for one in examine(settings) if one.name == "roles")
    assert (roles.state, roles.finding) == ("good", "the application's role may not go around the gate")


def test_where_the_application_owns_its_tables_doctor_says_that_detection_only_holds(
    postgres_url: str, tmp_path: Path
) -> None:
    found = examine(Settings(home=tmp_path, database_url=postgres_url))
    roles = next(one for one in found if one.name == "roles")
    assert roles.state == "note" and "found out, not prevented" in roles.finding


@pytest.mark.capability("S209")
def test_a_new_company_is_made_by_the_owner_and_run_by_the_application(
    postgres_server: str, role: str, tmp_path: Path
) -> None:
    name = f"qm_new_{uuid4().hex[:12]}"
    admin = create_engine(postgres_server, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    there = make_url(postgres_server).set(database=name)
    own = there.set(username=role, password="app").render_as_string(hide_password=False)
    made = Settings(
        home=tmp_path, database_url=own, migration_url=there.render_as_string(hide_password=False)
    )
    try:
        company = open_company(made)
        bring_up_to_date(made, company.engine)
        file = secret_file(made)
        assert file.stat().st_mode & 0o777 == 0o600
        secret = file.read_text()
        bring_up_to_date(made, company.engine)
        assert file.read_text() == secret
        assert company.gate.bootstrap_user("admin", ("admin",)).roles == {"admin"}
        company.close()
    finally:
        with admin.connect() as connection:
            connection.execute(text(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)"))
        admin.dispose()


def test_a_changed_secret_locks_the_old_one_out(settings: Settings) -> None:
    old = secret_file(settings).read_text().strip()
    separate(settings, str(make_url(settings.url).username))
    late = open_engine(settings.url, gate_secret=lambda: old)
    with pytest.raises(DBAPIError, match="not the secret of the gate"), late.connect():
        pass
    late.dispose()


@pytest.mark.capability("S209")
@pytest.mark.parametrize("power", ["SUPERUSER", "CREATEROLE", "CREATEDB", "REPLICATION", "member", "reader"])
def test_a_role_that_could_go_around_its_rights_is_not_accepted(
    power: str, settings: Settings, role: str, postgres_url: str
) -> None:
    owner = create_engine(postgres_url)
    itself = make_url(postgres_url).username
    grants = {"member": f"GRANT {itself} TO {role}", "reader": f"GRANT pg_read_all_data TO {role}"}
    with owner.begin() as connection:
        connection.execute(text(grants.get(power, f"ALTER ROLE {role} {power}")))
    with pytest.raises(RoleTooPowerful, match="plain login role"):
        separate(settings, role)
    with owner.begin() as connection:
        takes = {
            "member": f"REVOKE {itself} FROM {role}",
            "reader": f"REVOKE pg_read_all_data FROM {role}",
        }
        connection.execute(text(takes.get(power, f"ALTER ROLE {role} NO{power}")))
    owner.dispose()


def test_a_role_that_does_not_exist_is_named(settings: Settings) -> None:
    with pytest.raises(RoleTooPowerful, match="no database role nobody_at_all"):
        separate(settings, "nobody_at_all")


def test_a_restored_dump_keeps_the_guard(
    settings: Settings, postgres_url: str, postgres_server: str, tmp_path: Path
) -> None:
    """pg_dump and pg_restore by the owner: the lock, the triggers and the rights come along."""
    import shutil
    import subprocess

    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/pg_dump")) or [shutil.which("pg_dump")]
    if not found[-1]:
        pytest.skip("no pg_dump here")
    tools = Path(str(found[-1])).parent
    plain = make_url(postgres_url).set(drivername="postgresql")
    name = f"qm_restored_{uuid4().hex[:12]}"
    admin = create_engine(postgres_server, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    try:
        dump = tmp_path / "dump"
        target = plain.set(database=name).render_as_string(hide_password=False)
        source = plain.render_as_string(hide_password=False)
        subprocess.run([tools / "pg_dump", "-Fc", "-f", dump, source], check=True, env=os.environ)
        subprocess.run([tools / "pg_restore", "-d", target, dump], check=True, env=os.environ)
        moved = settings.model_copy(
            update={
                "database_url": make_url(settings.url)
                .set(database=name)
                .render_as_string(hide_password=False)
            }
        )
        company = open_company(moved)
        assert company.gate.bootstrap_user("admin", ("admin",)).roles == {"admin"}
        assert company.sealer.verify().findings == ()
        company.close()
        intruder = create_engine(moved.url)
        assert "only through the gate" in refused(intruder, "DELETE FROM orders")
        intruder.dispose()
    finally:
        with admin.connect() as connection:
            connection.execute(text(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)"))
        admin.dispose()
