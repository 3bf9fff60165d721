"""The work of the tables' owner on PostgreSQL: what the application may do, and the ledger's months."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from typing import Annotated

import typer

from api.cli.options import Home


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    database = typer.Typer(
        help="Work of the tables' owner: the application's role, the ledger's months (PostgreSQL)."
    )
    for command in (grant, months, retire):
        database.command()(command)
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


def months(
    until: Annotated[str, typer.Option(help="The last month, like 2027-12.")],
    first: Annotated[
        str | None, typer.Option("--from", help="The first month; else that of the oldest move.")
    ] = None,
    home: Home = None,
) -> None:
    """Open months of the ledger: each gets a partition of its own. Nobody else can use the ledger meanwhile.

    Connects as the owner: QUARTERMASTER_MIGRATION_URL, or else the company's own URL.
    """
    from api.cli.client import find_settings
    from api.cli.output import out
    from api.database import open_ledger_months

    with _refusals():
        made = open_ledger_months(find_settings(home), _month(first) if first else None, _month(until))
    out.print(f"{len(made)} months opened, {made[0]:%Y-%m} to {made[-1]:%Y-%m}" if made else "all are open")


def retire(
    before: Annotated[str, typer.Option(help="The first month that stays, like 2024-01.")],
    home: Home = None,
) -> None:
    """Take the moves of old months out of the ledger and carry their sums; the moves go to the schema `retired`.

    Connects as the owner: QUARTERMASTER_MIGRATION_URL, or else the company's own URL.
    """
    from api.cli.client import find_settings
    from api.cli.output import out
    from api.database import retire_ledger_months

    with _refusals():
        retired = retire_ledger_months(find_settings(home), _month(before))
    out.print(f"{retired.moves} moves of {len(retired.months)} months are in the schema `retired` now")


@contextmanager
def _refusals() -> Iterator[None]:
    from api.cli.errors import REFUSED, CliError
    from erp_core.inventory.months import MonthInUse, NotPartitioned

    try:
        yield
    except MonthInUse as error:
        raise CliError(
            str(error), remedy="keep these months, or see `database months`", code=REFUSED
        ) from error
    except NotPartitioned as error:
        raise CliError(str(error), remedy="keep the company on PostgreSQL", code=REFUSED) from error


def _month(text: str) -> date:
    from api.cli.errors import USAGE, CliError

    try:
        return date.fromisoformat(f"{text}-01")
    except ValueError as error:
        raise CliError(f"{text} is not a month", remedy="write it like 2027-12", code=USAGE) from error
