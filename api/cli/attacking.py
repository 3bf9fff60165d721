"""`eval run approval-bypass`: attacks on companies built for it, shown one by one."""

from __future__ import annotations

from pathlib import Path

from rich.markup import escape
from rich.progress import Progress

from api.attacked import PRODUCT
from api.cli.errors import CliError
from api.cli.output import out, print_json
from evals.attacks.attack import CannotRun
from evals.attacks.run import Attempt
from evals.attacks.summary import SUITE, attack_product, told
from evals.report import terminal_table, write_reports


def attack(database: str | None, report: Path, *, as_json: bool) -> None:
    """Run every attack and write the reports; exits 1 where one did not end as it must."""
    with Progress(disable=as_json, transient=True) as bar:
        task = bar.add_task(SUITE, total=None)

        def show(attempt: Attempt, total: int) -> None:
            bar.update(task, advance=1, total=total)
            if not as_json:
                mark = {True: "[green]ok[/]", False: "[red]!![/]", None: "[yellow]--[/]"}[attempt.passed]
                bar.console.print(
                    f"{mark} {attempt.attack.name}: {escape(told(attempt.result))}", soft_wrap=True
                )

        try:
            summary = attack_product(PRODUCT, server=database, progress=show)
        except CannotRun as why:
            raise CliError(str(why), remedy="name a role that may make roles and databases", code=5) from why
    _, page = write_reports([summary], report / SUITE)
    if as_json:
        print_json([summary.as_dict()])
    else:
        out.print(terminal_table([summary]))
        out.print(f"{summary.unscored} skipped; report: {page}")
    if any(one.passed is False for one in summary.samples):
        raise SystemExit(1)
