"""The database's roles: who owns the tables, and what the application may do."""

from __future__ import annotations

from typing import Annotated

import typer

from api.cli.options import Home


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    database = typer.Typer(help="Separate the owner of the tables from the application's role (PostgreSQL).")
    database.callback()(lambda: None)
    database.command()(grant)
    app.add_typer(database, name="database")


def grant(
    role: Annotated[str, typer.Argument(help="The login role that the application connects as.")],
    home: Home = None,
) -> None:
    """Give a role the rights the application needs and no others, and a new secret that unlocks its sessions.

    Connects as the owner: QUARTERMASTER_MIGRATION_URL. The secret is kept under the company's folder;
    on other hosts set QUARTERMASTER_GATE_SECRET to it. Repeat it to change the secret.
    """
    from api.cli.client import find_settings
    from api.cli.errors import REFUSED, USAGE, CliError
    from api.cli.output import out
    from api.database import separate
    from erp_core.storage.guard import RoleTooPowerful

    settings = find_settings(home)
    if settings.migration_url is None:
        raise CliError(
            "the owner of the tables is not known", remedy="set QUARTERMASTER_MIGRATION_URL", code=USAGE
        )
    try:
        file = separate(settings, role)
    except RoleTooPowerful as error:
        raise CliError(str(error), remedy="choose another role", code=REFUSED) from error
    out.print(f"{role} may run the application and nothing else; its secret is in {file}", markup=False)
