"""Who may do what: roles, users, sessions, keys, passwords, refusals."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any
from uuid import uuid4

import typer

from api.cli.options import AsJson, Home

users = typer.Typer(help="Accounts and their roles.", no_args_is_help=True)
keys = typer.Typer(help="API keys.", no_args_is_help=True)
sessions = typer.Typer(help="One's own sessions.", no_args_is_help=True)


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    for command in (roles, can, password, refusals):
        app.command()(command)
    app.add_typer(users, name="users")
    app.add_typer(keys, name="keys")
    app.add_typer(sessions, name="sessions")


def roles(
    as_json: AsJson = False,
    as_markdown: Annotated[bool, typer.Option("--markdown", help="As the page docs/roles.md.")] = False,
) -> None:
    """Show roles by commands by fields: the one table that the gate and every read ask."""
    from api.access_table import access_table, markdown
    from api.cli.output import out, print_json, table
    from api.composition import make_gate
    from erp_core.clock import Clock
    from erp_core.storage.engine import open_engine

    gate = make_gate(open_engine("sqlite://"), Clock(), home=Path())
    found = access_table(gate.registry)
    if as_json:
        print_json(found.model_dump(mode="json"))
    elif as_markdown:
        out.print(markdown(found), markup=False, soft_wrap=True, end="")
    else:
        table(
            "fields and other rights",
            [("right", "left"), ("roles", "left"), ("what it is", "left")],
            [(one.right, ", ".join(one.roles), one.about) for one in found.rights],
        )
        table(
            "commands",
            [("command", "left"), ("policy", "left"), ("roles", "left")],
            [(one.command, "yes" if one.governed else "", ", ".join(one.roles)) for one in found.commands],
        )


def can(
    command: Annotated[str, typer.Argument(metavar="COMMAND", help="A command of the catalogue.")],
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Say whether one may run a command, by which role, and what to do when not. Exit code 4 means no."""
    from api.cli.client import connect
    from api.cli.errors import EXIT_CODES
    from api.cli.output import out, print_json

    with connect(home) as client:
        found = client.get(f"/can/{command}")
    if as_json:
        print_json(found)
    elif found["allowed"]:
        manner = "propose it" if found["only_propose"] else "run it"
        policy = "; an approval policy decides whether people must agree" if found["governed"] else ""
        out.print(f"yes: as {', '.join(found['by_roles'])} you may {manner}{policy}", markup=False)
    else:
        out.print(f"no: {found['remedy']}", markup=False)
    if not found["allowed"]:
        raise typer.Exit(EXIT_CODES[403])


def password(home: Home = None, as_json: AsJson = False) -> None:
    """Change one's password: the present one and the new one come from standard input, a line each, or are asked for."""
    from api.cli.session import read_password

    body = {"password": read_password("present password"), "new_password": read_password("new password")}
    _send("/auth/password", body, home, as_json, "the password is changed; all other sessions have ended")


def refusals(
    limit: Annotated[int, typer.Option(min=1, max=500)] = 50, home: Home = None, as_json: AsJson = False
) -> None:
    """Show who was turned away where, counted by five minutes."""
    from api.cli.client import connect
    from api.cli.output import moment, print_json, table

    with connect(home) as client:
        found = client.get("/refusals", limit=limit)
    if as_json:
        print_json(found)
    else:
        table(
            "refusals",
            [("since", "left"), ("kind", "left"), ("login", "left"), ("where", "left"), ("times", "right")],
            [
                (moment(one["window_start"]), one["kind"], one["login"] or "–", one["place"], one["times"])
                for one in found
            ],
        )


@users.command("list")
def list_users(home: Home = None, as_json: AsJson = False) -> None:
    """Show everybody with their roles."""
    from api.cli.client import connect
    from api.cli.output import print_json, table

    with connect(home) as client:
        found = client.get("/users")
    if as_json:
        print_json(found)
    else:
        table(
            "users",
            [("login", "left"), ("name", "left"), ("kind", "left"), ("roles", "left"), ("active", "left")],
            [
                (
                    one["login"],
                    one["name"],
                    one["kind"],
                    ", ".join(one["roles"]),
                    "yes" if one["active"] else "no",
                )
                for one in found
            ],
        )


@users.command("add")
def add_user(
    login: str,
    name: Annotated[str, typer.Option(help="What the person or service is called.")],
    role: Annotated[list[str] | None, typer.Option(help="A role; may be given again.")] = None,
    service: Annotated[
        bool, typer.Option("--service", help="A service account: it gets keys, no password.")
    ] = False,
    same_person_as: Annotated[str | None, typer.Option(help="Login of the person's other account.")] = None,
    namesake: Annotated[
        bool, typer.Option("--namesake", help="Somebody else of this name has an account.")
    ] = False,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Add an account; a person's password comes from standard input or is asked for."""
    from api.cli.session import read_password

    body = {
        "login": login,
        "person_name": name,
        "roles": role or [],
        "kind": "service" if service else "person",
        "password": None if service else read_password("password of the new user"),
        "person_id": None if same_person_as is None else _user(same_person_as, home)["person_id"],
        "namesake": namesake,
    }
    _send("/users", body, home, as_json, f"{login} is added")


@users.command("grant")
def grant(login: str, role: str, home: Home = None, as_json: AsJson = False) -> None:
    """Give a role. One that decides or governs waits for a second person."""
    _about("GrantRole", login, home, as_json, f"{login} has the role {role}", role=role)


@users.command("revoke")
def revoke(login: str, role: str, home: Home = None, as_json: AsJson = False) -> None:
    """Take a role away, at once."""
    _about("RevokeRole", login, home, as_json, f"{login} has the role {role} no more", role=role)


@users.command("deactivate")
def deactivate(login: str, home: Home = None, as_json: AsJson = False) -> None:
    """Keep somebody out: sessions, keys and agents end at once."""
    _about("SetUserActive", login, home, as_json, f"{login} is kept out", active=False)


@users.command("activate")
def activate(login: str, home: Home = None, as_json: AsJson = False) -> None:
    """Let somebody in again."""
    _about("SetUserActive", login, home, as_json, f"{login} may log in", active=True)


@users.command("unlock")
def unlock(login: str, home: Home = None, as_json: AsJson = False) -> None:
    """End a lock-out after failed log-ins."""
    _about("UnlockLogin", login, home, as_json, f"{login} may try again")


@users.command("end-sessions")
def end_sessions(login: str, home: Home = None, as_json: AsJson = False) -> None:
    """Log somebody out everywhere."""
    _about("EndSessions", login, home, as_json, f"{login} is logged out everywhere")


@users.command("link")
def link(
    login: str,
    issuer: Annotated[str, typer.Option(help="The identity provider's issuer.")],
    subject: Annotated[str, typer.Option(help="Who it is there.")],
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Let a subject of the identity provider log in as this user."""
    _about("LinkIdentity", login, home, as_json, f"{login} is linked", issuer=issuer, subject_id=subject)


@keys.command("list")
def list_keys(home: Home = None, as_json: AsJson = False) -> None:
    """Show live keys: one's own, for administrators everybody's."""
    from api.cli.client import connect
    from api.cli.output import moment, print_json, table

    with connect(home) as client:
        found = client.get("/keys")
    if as_json:
        print_json(found)
    else:
        heads = ("id", "name", "begins", "account", "may", "ends", "last used")
        table(
            "keys",
            [(head, "left") for head in heads],
            [
                (
                    one["id"],
                    one["name"],
                    one["prefix"],
                    one["login"],
                    ("as agent: " if one["scope"].get("agent") else "")
                    + ", ".join([*one["scope"]["commands"], *one["scope"]["rights"]]),
                    moment(one["expires_at"]),
                    moment(one["last_used_at"]),
                )
                for one in found
            ],
        )


@keys.command("issue")
def issue(
    name: str,
    command: Annotated[
        list[str] | None, typer.Option(help="A command it may run; may be given again.")
    ] = None,
    right: Annotated[list[str] | None, typer.Option(help="A right it has; may be given again.")] = None,
    agent: Annotated[
        bool, typer.Option("--agent", help="For a language model or MCP client: it reads and proposes.")
    ] = False,
    days: Annotated[int, typer.Option(min=1, max=3650, help="How long it lives.")] = 90,
    service: Annotated[str | None, typer.Option(help="Login of the service account it is for.")] = None,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Make a key for oneself or a service account. The secret is shown this once."""
    body = {
        "name": name,
        "user_id": None if service is None else _user(service, home)["id"],
        "commands": command or [],
        "rights": right or [],
        "agent": agent,
        "days": days,
    }
    _show_key(_post("/keys", body, home), as_json)


@keys.command("rotate")
def rotate(
    key_id: str,
    overlap_hours: Annotated[int, typer.Option(min=0, max=72, help="How long the old one goes on.")] = 0,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Give a key a new secret, which is shown this once."""
    _show_key(_post(f"/keys/{key_id}/rotate", {"overlap_hours": overlap_hours}, home), as_json)


@keys.command("revoke")
def revoke_key(key_id: str, home: Home = None, as_json: AsJson = False) -> None:
    """End a key at once."""
    _send("/commands/RevokeKey", {"key_id": key_id}, home, as_json, "the key has ended")


@sessions.command("list")
def list_sessions(home: Home = None, as_json: AsJson = False) -> None:
    """Show one's own sessions."""
    from api.cli.client import connect
    from api.cli.output import moment, print_json, table

    with connect(home) as client:
        found = client.get("/auth/sessions")
    if as_json:
        print_json(found)
    else:
        heads = ("id", "begins", "since", "last used", "ends", "")
        table(
            "sessions",
            [(head, "left") for head in heads],
            [
                (
                    one["id"],
                    one["prefix"],
                    moment(one["created_at"]),
                    moment(one["last_used_at"]),
                    moment(one["expires_at"]),
                    "this one" if one["current"] else "",
                )
                for one in found
            ],
        )


@sessions.command("end")
def end_session(
    session_id: Annotated[str | None, typer.Argument(help="Which one; without it --all.")] = None,
    everywhere: Annotated[bool, typer.Option("--all", help="All of them, this one too.")] = False,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """End one session, or all."""
    from api.cli.errors import REFUSED, USAGE, CliError
    from api.cli.output import out, print_json

    if (session_id is None) == (not everywhere):
        raise CliError(
            "name one session, or --all", remedy="`quartermaster sessions list` shows them", code=USAGE
        )
    if everywhere:
        _send("/auth/logout-everywhere", None, home, as_json, "logged out everywhere")
        return
    answer = _post(f"/auth/sessions/{session_id}/end", None, home)
    if not answer["result"]["ended"]:
        raise CliError(
            "no live session of yours has this id",
            remedy="`quartermaster sessions list` shows them",
            code=REFUSED,
        )
    print_json(answer) if as_json else out.print("the session has ended")


def _user(login: str, home: Path | None) -> dict[str, Any]:
    from api.cli.client import connect
    from api.cli.errors import CliError

    with connect(home) as client:
        known = {one["login"]: one for one in client.get("/users")}
    if login not in known:
        raise CliError(f"there is no user {login}", remedy="`quartermaster users list` shows them")
    found: dict[str, Any] = known[login]
    return found


def _post(path: str, body: Any, home: Path | None) -> Any:
    from api.cli.client import connect

    with connect(home) as client:
        return client.post(path, body, key=f"cli-{uuid4()}")


def _about(command: str, login: str, home: Path | None, as_json: bool, done: str, **fields: Any) -> None:
    _send(f"/commands/{command}", {"user_id": _user(login, home)["id"], **fields}, home, as_json, done)


def _send(path: str, body: Any, home: Path | None, as_json: bool, done: str) -> None:
    from api.cli.output import out, print_json

    answer = _post(path, body, home)
    if as_json:
        print_json(answer)
    elif answer["outcome"] == "proposed":
        wanted = " and ".join(f"{one['people']} {one['role']}" for one in answer["approvers"])
        out.print(f"proposal {answer['proposal_id']} waits for {wanted}", markup=False)
    else:
        out.print(done, markup=False)


def _show_key(issued: dict[str, Any], as_json: bool) -> None:
    from api.cli.output import out, print_json

    if as_json:
        print_json(issued)
        return
    out.print(issued["token"], markup=False, soft_wrap=True)
    waits = issued.get("waits")
    out.print(
        "it is shown this once; store it now"
        if waits is None
        else f"it is shown this once, and works when proposal {waits['proposal_id']} is approved",
        style="dim",
    )
