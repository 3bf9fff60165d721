"""The guard of a PostgreSQL database: two roles, a lock, and triggers that only an unlocked session passes.

The *migration role* owns the tables. The *application's role* has the rights it needs and no more: it owns nothing,
and on append-only tables it may only read and insert. Rights alone would let anybody with that role's password write, so
every table has a statement trigger that refuses a session which was not unlocked when it connected, with a secret that only
the application's processes hold. The trigger compares a session setting with SHA-256 over a key that the role
cannot read, the process id of the session and the start of the server: `SET` cannot forge it, and it fits no other session.
The owner passes: whoever owns the tables could drop the triggers.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Iterator
from hashlib import sha256

from sqlalchemy import Connection, text

_READ_ONLY = frozenset({"alembic_version", "calendar"})

_PROOF = """encode(sha256(held || convert_to(
        pg_backend_pid()::text || '/' || pg_postmaster_start_time()::text, 'UTF8') || held), 'hex')"""

_SCHEMA = f"""
CREATE SCHEMA IF NOT EXISTS guard;
CREATE TABLE IF NOT EXISTS guard.lock (
    only_one boolean PRIMARY KEY DEFAULT true CHECK (only_one),
    server_key bytea NOT NULL,
    secret_sha256 text
);
CREATE TABLE IF NOT EXISTS guard.applications (role name PRIMARY KEY);
INSERT INTO guard.lock (server_key)
    VALUES (sha256(convert_to(gen_random_uuid()::text || gen_random_uuid()::text, 'UTF8')))
    ON CONFLICT DO NOTHING;

CREATE OR REPLACE FUNCTION guard.unlock(secret text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $guard$
DECLARE held bytea;
BEGIN
    SELECT server_key INTO held FROM guard.lock
        WHERE secret_sha256 = encode(sha256(convert_to(secret, 'UTF8')), 'hex');
    IF held IS NULL THEN
        RAISE EXCEPTION 'this is not the secret of the gate' USING ERRCODE = 'insufficient_privilege';
    END IF;
    PERFORM set_config('quartermaster.unlocked', {_PROOF}, false);
END $guard$;
REVOKE ALL ON FUNCTION guard.unlock(text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION guard.require_gate() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $guard$
DECLARE held bytea;
BEGIN
    IF session_user = current_user THEN
        RETURN NULL;
    END IF;
    SELECT server_key INTO held FROM guard.lock;
    IF current_setting('quartermaster.unlocked', true) IS DISTINCT FROM {_PROOF} THEN
        RAISE EXCEPTION '%% changes only through the gate: submit a command', TG_TABLE_NAME
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NULL;
END $guard$;
REVOKE ALL ON FUNCTION guard.require_gate() FROM PUBLIC;

CREATE OR REPLACE FUNCTION guard.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $guard$
BEGIN
    RAISE EXCEPTION '%% is append-only', TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
END $guard$;
"""

_TRIGGERS = """
SELECT format('CREATE OR REPLACE TRIGGER through_gate BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON %I.%I '
              'FOR EACH STATEMENT EXECUTE FUNCTION guard.require_gate()', schemaname, tablename)
FROM pg_tables WHERE schemaname = current_schema() AND tablename <> ALL (:unguarded)
UNION ALL
SELECT format('CREATE OR REPLACE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON %I.%I '
              'FOR EACH STATEMENT EXECUTE FUNCTION guard.refuse_change()', schemaname, tablename)
FROM pg_tables WHERE schemaname = current_schema() AND tablename = ANY (:append_only)
"""

_PRESENT = """
SELECT c.relname, t.tgname FROM pg_trigger t
JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_proc p ON p.oid = t.tgfoid JOIN pg_namespace pn ON pn.oid = p.pronamespace
WHERE n.nspname = current_schema() AND pn.nspname = 'guard' AND t.tgenabled IN ('O', 'A')
    AND p.proname = CASE t.tgname WHEN 'through_gate' THEN 'require_gate' ELSE 'refuse_change' END
"""

_DANGEROUS = """
SELECT r.rolsuper OR r.rolcreaterole OR r.rolcreatedb OR r.rolreplication OR r.rolbypassrls
    OR pg_has_role(r.oid, (SELECT nspowner FROM pg_namespace WHERE nspname = 'guard'), 'MEMBER')
    OR EXISTS (SELECT FROM pg_roles p WHERE p.rolname = ANY (:predefined) AND pg_has_role(r.oid, p.oid, 'MEMBER'))
FROM pg_roles r WHERE r.rolname = :role
"""

_PREDEFINED = [
    "pg_read_all_data",
    "pg_write_all_data",
    "pg_execute_server_program",
    "pg_read_server_files",
    "pg_write_server_files",
    "pg_database_owner",
]


class RoleTooPowerful(ValueError):
    """A role that could go around its grants may not be the application's."""


def install_guard(connection: Connection, append_only: Collection[str], unguarded: Collection[str]) -> None:
    """Make or renew the lock and every table's triggers, and the rights of the roles granted before."""
    connection.exec_driver_sql(_SCHEMA)
    tables = {"append_only": list(append_only), "unguarded": list(unguarded)}
    for statement in connection.scalars(text(_TRIGGERS), tables).all():
        connection.exec_driver_sql(statement)
    for role in connection.scalars(text("SELECT role FROM guard.applications")).all():
        grant_rights(connection, role, append_only)


def guard_findings(
    connection: Connection, append_only: Collection[str], unguarded: Collection[str]
) -> Iterator[str]:
    """A sentence for each table whose triggers are gone, disabled or changed."""
    tables = set(
        connection.scalars(text("SELECT tablename FROM pg_tables WHERE schemaname = current_schema()"))
    )
    wanted = {(table, "through_gate") for table in tables - set(unguarded)}
    wanted |= {(table, "append_only") for table in tables & set(append_only)}
    gone = sorted(wanted - {(row.relname, row.tgname) for row in connection.execute(text(_PRESENT))})
    if gone:
        yield (
            f"{len(gone)} triggers that refuse direct writes are gone, disabled or changed, "
            f"the first {gone[0][1]} on {gone[0][0]}"
        )


def grant_rights(connection: Connection, role: str, append_only: Collection[str]) -> None:
    """Give the application's role the rights it needs, and take every other away. Raises `RoleTooPowerful`."""
    dangerous = connection.scalar(text(_DANGEROUS), {"role": role, "predefined": _PREDEFINED})
    if dangerous is None:
        raise RoleTooPowerful(f"there is no database role {role}")
    if dangerous:
        raise RoleTooPowerful(
            f"{role} owns the tables, is a member of their owner, or has rights beyond any table's: "
            "make a plain login role for the application"
        )
    quote = connection.dialect.identifier_preparer.quote
    name, schema = quote(role), quote(str(connection.scalar(text("SELECT current_schema()"))))
    tables = connection.scalars(text("SELECT tablename FROM pg_tables WHERE schemaname = current_schema()"))
    statements = [
        f"REVOKE CREATE ON SCHEMA {schema} FROM PUBLIC, {name}",
        f"GRANT USAGE ON SCHEMA {schema}, guard TO {name}",
        f"REVOKE ALL ON ALL TABLES IN SCHEMA {schema}, guard FROM PUBLIC, {name}",
        f"GRANT EXECUTE ON FUNCTION guard.unlock(text) TO {name}",
    ]
    for table in tables:
        rights = "SELECT, INSERT, UPDATE, DELETE"
        if table in _READ_ONLY:
            rights = "SELECT"
        elif table in append_only:
            rights = "SELECT, INSERT"
        statements.append(f"GRANT {rights} ON {schema}.{quote(table)} TO {name}")
    connection.exec_driver_sql(";\n".join(statements))
    connection.execute(
        text("INSERT INTO guard.applications (role) VALUES (:role) ON CONFLICT DO NOTHING"), {"role": role}
    )


def set_secret(connection: Connection, secret: str) -> None:
    """Let sessions be unlocked with this secret, and with no earlier one; sessions that are open stay so."""
    connection.execute(
        text("UPDATE guard.lock SET secret_sha256 = :digest"),
        {"digest": sha256(secret.encode()).hexdigest()},
    )


def new_secret() -> str:
    """A secret that nobody guesses."""
    return secrets.token_urlsafe(32)


def is_separated(connection: Connection) -> bool:
    """Whether this connection's role is another than the tables' owner, so that the guard holds for it."""
    member = text(
        "SELECT pg_has_role(session_user, nspowner, 'MEMBER') FROM pg_namespace WHERE nspname = 'guard'"
    )
    return connection.scalar(member) is False
