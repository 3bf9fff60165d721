"""The company as a whole: create it, show the demo, serve it, run its background work, examine it."""

from __future__ import annotations

from typing import Annotated

import typer

from api.cli.options import AsJson, Home


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    for command in (demo, init, serve, jobs, doctor):
        app.command()(command)


def demo(
    home: Home = None,
    seed: Annotated[int, typer.Option(help="Of the demo company's history.")] = 2024,
    no_serve: Annotated[bool, typer.Option("--no-serve", help="Load it and stop.")] = False,
    port: Annotated[int | None, typer.Option(min=1, max=65_535)] = None,
    as_json: AsJson = False,
) -> None:
    """Load the demo company, train, scan, and serve the console."""
    from api.cli.client import DEMO_HOME
    from api.demo import run_demo

    run_demo(home or DEMO_HOME, seed=seed, serve=not no_serve, port=port, as_json=as_json)


def init(
    admin_login: Annotated[
        str, typer.Option(help="The first administrator; the password comes from standard input.")
    ],
    name: Annotated[str | None, typer.Option(help="The company's name.")] = None,
    currency: Annotated[str, typer.Option(help="Its currency, as a three-letter code.")] = "EUR",
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Create a company: schema, calendar, approval policies, first administrator, knowledge index."""
    from contextlib import nullcontext

    from api.cli.client import find_settings
    from api.cli.errors import UNREACHABLE, USAGE, CliError
    from api.cli.output import out, print_json, waiting
    from api.cli.session import read_password
    from api.company import open_company
    from api.serving import CompanyHeld, held
    from api.setup import initialise
    from erp_core.gate.passwords import WeakPassword, require_strong

    password = read_password("password of the administrator")
    try:
        require_strong(password, admin_login, name or "")
    except WeakPassword as error:
        raise CliError(error.message, remedy=error.remedy, code=USAGE) from error
    settings = find_settings(home)
    try:
        with held(settings.home) if settings.database_url is None else nullcontext():
            company = open_company(settings)
            with waiting("creating the company"):
                initialise(
                    company, admin_login=admin_login, password=password, name=name, currency=currency.upper()
                )
            company.close()
    except CompanyHeld as error:
        raise CliError(str(error), remedy="stop it first", code=UNREACHABLE) from error
    if as_json:
        print_json({"home": str(settings.home), "admin": admin_login})
    else:
        out.print(
            f"the company in {settings.home} is ready; log in with `quartermaster login {admin_login}`",
            markup=False,
        )


def serve(
    home: Home = None,
    host: Annotated[str | None, typer.Option(help="Address to listen on (default: 127.0.0.1).")] = None,
    port: Annotated[
        int | None, typer.Option(min=0, max=65_535, help="Port (default: 8321); 0 takes a free one.")
    ] = None,
    no_jobs: Annotated[
        bool, typer.Option("--no-jobs", help="Leave background work to `quartermaster jobs`.")
    ] = False,
) -> None:
    """Serve the API and the console until stopped."""
    from api.cli.client import find_settings
    from api.cli.errors import UNREACHABLE, CliError
    from api.server import NotReady, serve_company
    from api.serving import CompanyHeld

    settings = find_settings(home)
    try:
        serve_company(settings, host=host, port=port, jobs=not no_jobs)
    except CompanyHeld as error:
        raise CliError(str(error), remedy="use that one, or stop it first", code=UNREACHABLE) from error
    except NotReady as error:
        raise CliError(str(error), remedy=error.remedy, code=3) from error


def jobs(home: Home = None) -> None:
    """Run the background work until stopped: seal, expire, relay, queued jobs, scheduled scans."""
    import signal

    from api.cli.client import find_settings
    from api.cli.errors import CliError
    from api.collector import collect_seldom
    from api.company import open_company
    from api.jobs import Runner
    from api.logs import configure
    from erp_core.storage.schema import is_migrated

    configure()
    company = open_company(find_settings(home))
    if not is_migrated(company.engine):
        raise CliError("there is no company to work for", remedy="run `quartermaster init`", code=3)
    runner = Runner(company)
    collect_seldom()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: runner.end())
    typer.echo("background work is running", err=True)
    runner.run()
    company.close()


def doctor(home: Home = None, as_json: AsJson = False) -> None:
    """Examine environment, database, feeds, audit seal, ledger, models and keys."""
    from api.cli.client import find_settings
    from api.cli.errors import REFUSED, CliError
    from api.cli.output import out, print_json, waiting
    from api.doctor import examine

    with waiting("examining"):
        checks = examine(find_settings(home))
    if as_json:
        print_json(
            [
                {"check": one.name, "state": one.state, "finding": one.finding, "remedy": one.remedy}
                for one in checks
            ]
        )
    else:
        signs = {"good": "[green]✓[/]", "note": "[yellow]•[/]", "bad": "[red]✗[/]"}
        for one in checks:
            out.print(f"{signs[one.state]} {one.name:<12}", end=" ")
            out.print(one.finding + (f" – {one.remedy}" if one.remedy else ""), markup=False)
    if any(one.state == "bad" for one in checks):
        raise CliError("something is wrong", remedy="see the findings above", code=REFUSED)
