"""Evaluation from the command line: `eval list` and `eval run`."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from api.cli.options import AsJson, Home


class Beside(StrEnum):
    """Agents that any honest suite must fail."""

    null = "null"
    abstain = "abstain"


group = typer.Typer(
    help="Evaluation suites: list them, run one over HTTP, read the report.", no_args_is_help=True
)


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    app.add_typer(group, name="eval")


@group.command("list")
def list_suites(as_json: AsJson = False) -> None:
    """List the suites shipped with the project."""
    from api.cli.output import out, print_json
    from evals.attacks.attack import all_attacks
    from evals.attacks.summary import DESCRIPTION, SUITE
    from evals.suite import load_suite, suite_names

    suites = [load_suite(name) for name in suite_names()]
    listed = [{"name": one.name, "cases": len(one.cases), "description": one.description} for one in suites]
    listed.append({"name": SUITE, "cases": len(all_attacks()), "description": DESCRIPTION})
    if as_json:
        print_json(listed)
        return
    for one in listed:
        out.print(f"[bold]{one['name']}[/] ({one['cases']} cases): {one['description']}")


@group.command("run")
def run(
    suite: Annotated[str, typer.Argument(help="A shipped suite by name, or a suite file.")],
    trials: Annotated[
        int, typer.Option(min=1, max=100, help="Trials of each case; pass^k uses all of them.")
    ] = 1,
    parallel: Annotated[int, typer.Option(min=1, max=16, help="Cases at once.")] = 2,
    beside: Annotated[list[Beside] | None, typer.Option(help="Agents to run beside the served one.")] = None,
    url: Annotated[str | None, typer.Option(help="A server to use as it is, instead of a copy.")] = None,
    report: Annotated[Path, typer.Option(help="Folder of log and reports.")] = Path("var/evals"),
    at_least: Annotated[float | None, typer.Option(help="Exit 1 when fewer cases pass, as a share.")] = None,
    database: Annotated[
        str | None,
        typer.Option(
            help="approval-bypass: a PostgreSQL server on which databases may be made, instead of files."
        ),
    ] = None,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Run a suite against the demo company: on a copy behind a server of its own, unless `--url` names one.

    A run that broke off goes on where it stood when the command is repeated. The demo users' password is
    taken from QUARTERMASTER_EVAL_PASSWORD, or is the demo's. `approval-bypass` builds companies of its own
    and exits 1 on any breach.
    """
    if suite == "approval-bypass":
        from api.cli.attacking import attack

        attack(database, report, as_json=as_json)
        return
    import os

    from rich.progress import Progress

    from api.cli.client import DEMO_HOME
    from api.cli.errors import CliError
    from api.cli.output import out, print_json
    from api.demo import PASSWORD
    from evals.agents import AbstainingAgent, Asked, Company, NullAgent, ServedAgent
    from evals.report import terminal_table, write_reports
    from evals.runner import Summary, run_suite
    from evals.server import ServerDidNotStart, serve_copy
    from evals.suite import BadSuite, load_suite

    try:
        loaded = load_suite(suite)
    except BadSuite as error:
        raise CliError(str(error), remedy="see `quartermaster eval list`", code=2) from error
    folder = home or DEMO_HOME
    if url is None and not (folder / "quartermaster.db").exists():
        raise CliError(
            f"there is no company in {folder}", remedy="load the demo: quartermaster demo --no-serve", code=3
        )

    def evaluate(address: str) -> list[Summary]:
        company = Company(address, os.environ.get("QUARTERMASTER_EVAL_PASSWORD", PASSWORD))
        known: dict[str, Asked] = {
            "served": ServedAgent(company),
            "null": NullAgent(),
            "abstain": AbstainingAgent(),
        }
        summaries = []
        for name in ["served", *(one.value for one in beside or ())]:
            with Progress(disable=as_json, transient=True) as bar:
                task = bar.add_task(f"{loaded.name}: {name}", total=len(loaded.cases) * trials)
                summaries.append(
                    run_suite(
                        loaded,
                        known[name],
                        company,
                        trials=trials,
                        parallel=parallel,
                        log=report / loaded.name / "samples.jsonl",
                        progress=lambda done, total: bar.update(task, completed=done, total=total),  # noqa: B023
                    )
                )
        return summaries

    try:
        if url is not None:
            summaries = evaluate(url)
        else:
            with serve_copy(folder) as address:
                summaries = evaluate(address)
    except ServerDidNotStart as error:
        raise CliError(
            f"the server did not start: {error}", remedy="try `quartermaster doctor`", code=5
        ) from error
    _, page = write_reports(summaries, report / loaded.name)
    if as_json:
        print_json([one.as_dict() for one in summaries])
    else:
        out.print(terminal_table(summaries))
        out.print(f"{summaries[0].unscored} not scored; report: {page}")
    passed = summaries[0].overall["pass^1"].value
    if at_least is not None and (passed is None or passed < at_least):
        raise SystemExit(1)
