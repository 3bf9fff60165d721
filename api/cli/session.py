"""Log-in, log-out, who one is."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from api.cli.options import AsJson, Home


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    for command in (login, logout, whoami):
        app.command()(command)


def read_password(prompt: str = "password") -> str:
    """A password from standard input, or asked for without showing it."""
    from api.cli.errors import USAGE, CliError

    password = (
        typer.prompt(prompt, hide_input=True) if sys.stdin.isatty() else sys.stdin.readline().rstrip("\r\n")
    )
    if not password:
        raise CliError("there is no password", remedy="pipe it in, or type it when asked", code=USAGE)
    return str(password)


def login(
    name: Annotated[str, typer.Argument(metavar="LOGIN", help="Who you are.")],
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Log in; the password comes from standard input or is asked for."""
    from api.cli.client import Tokens, connect
    from api.cli.output import out, print_json

    password = read_password()
    with connect(home) as client:
        session = client.post("/auth/login", {"login": name, "password": password})
        Tokens().put(client.company, session["token"])
    if as_json:
        print_json(session["who"])
    else:
        out.print(
            f"logged in as {session['who']['login']} ({', '.join(session['who']['roles'])})", markup=False
        )


def logout(home: Home = None, as_json: AsJson = False) -> None:
    """End the session and forget its token."""
    from api.cli.client import Tokens, connect
    from api.cli.output import out, print_json

    with connect(home) as client:
        try:
            client.post("/auth/logout")
        finally:
            Tokens().put(client.company, None)
    if as_json:
        print_json({"logged_out": True})
    else:
        out.print("logged out")


def whoami(home: Home = None, as_json: AsJson = False) -> None:
    """Show who the stored token belongs to, their rights, and those lent to them."""
    from api.cli.client import connect
    from api.cli.output import facts, moment, money, print_json

    with connect(home) as client:
        who = client.get("/auth/whoami")
    if as_json:
        print_json(who)
    else:
        facts(
            [
                ("login", f"{who['login']} ({who['kind']})"),
                ("roles", ", ".join(who["roles"])),
                ("rights", ", ".join(who["rights"])),
                *([("may run", ", ".join(who["scope"]["commands"]))] if who.get("scope") else []),
                ("by", f"{who['credential']} {who.get('credential_name') or ''}".strip()),
                ("until", f"{moment(who['expires_at'])} UTC"),
                *(
                    (
                        "lent",
                        f"{one['role']}, by {one['lender']} until {one['ends_on']}"
                        + (f", below {money(one['amount_below'])}" if one["amount_below"] else ""),
                    )
                    for one in who["lent"]
                ),
            ]
        )
