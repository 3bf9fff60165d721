"""The demo company: built once, in a folder beside its own that is renamed when everything is there."""

from __future__ import annotations

import gc
import json
import shutil
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from sqlalchemy import Engine

from api.cli.errors import UNREACHABLE, CliError
from api.cli.output import err, out, print_json
from api.company import Company, open_company
from api.server import NotReady, serve_company
from api.serving import CompanyHeld, held, running_server
from api.setup import build_knowledge
from api.stages import STAGES, StageFailed, Stages
from erp_core.settings import Settings
from erp_core.storage.schema import migrate

PASSWORD = "quartermaster"
LOGINS = (
    ("planner", "asks questions, plans"),
    ("buyer", "works through exceptions, proposes purchases"),
    ("manager", "approves"),
    ("warehouse", "receives and ships"),
    ("returns", "inspects what comes back"),
    ("finance", "approves with the manager, looks after cost"),
    ("payments", "pays what finance has matched"),
    ("service", "follows customers' orders"),
    ("executive", "looks at figures"),
    ("admin", "runs imports, models and users"),
    ("evaluator", "measures"),
)
Tell = Callable[[str, int, int], None]


def run_demo(home: Path, *, seed: int, serve: bool, port: int | None, as_json: bool = False) -> None:
    """Load the demo company where it is missing, then serve it until stopped."""
    marker = home / "demo.json"
    settings = Settings(home=home, database_url=None)
    running = running_server(home)
    if running is not None:
        raise CliError(
            f"the demo is being served already at {running.url}", remedy="open it", code=UNREACHABLE
        )
    started = time.monotonic()
    timings: dict[str, float] = {}
    if not marker.exists():
        try:
            timings = load(home, seed)
        except CompanyHeld as error:
            raise CliError(str(error), remedy="wait for it to finish", code=UNREACHABLE) from error
        except StageFailed as error:
            raise CliError(str(error), remedy="start it again; nothing is left behind") from error
    facts = json.loads(marker.read_text(encoding="utf-8"))
    if as_json:
        print_json({"home": str(home), "timings": timings, "password": PASSWORD, **facts})
    else:
        _print_timings(timings, time.monotonic() - started)
    if not serve:
        return

    def ready(_company: Company, url: str) -> None:
        out.print(f"\nQuartermaster is ready: [bold]{url}[/]\n")
        for login, about in LOGINS:
            out.print(f"  {login:<10} {about}", markup=False)
        out.print(f"\n  one password for all: {PASSWORD}", markup=False)
        out.print("  stop with Ctrl-C\n", style="dim")

    try:
        serve_company(settings, port=port, ready=ready)
    except NotReady as error:
        raise CliError(str(error), remedy=error.remedy, code=3) from error
    except CompanyHeld as error:
        raise CliError(str(error), remedy="use that one, or stop it first", code=UNREACHABLE) from error


def load(home: Path, seed: int, *, size: str = "demo") -> dict[str, float]:
    """Build the company in `home`, all or nothing; gives seconds by stage. A build that was killed starts over."""
    partial = home.with_name(home.name + ".partial")
    with held(home.with_name(home.name + ".building")):
        shutil.rmtree(partial, ignore_errors=True)
        timings = _build(partial, seed, size)
        if home.exists():
            shutil.rmtree(home)
        partial.rename(home)
    shutil.rmtree(home.with_name(home.name + ".building"), ignore_errors=True)
    return timings


def _build(home: Path, seed: int, size: str) -> dict[str, float]:
    from evals.worlds import build
    from evals.worlds.desk import leave_work
    from evals.worlds.parameters import SIZES
    from evals.worlds.telling import chapters_aside

    timings: dict[str, float] = {}
    settings = Settings(home=home, database_url=None)
    with _stages(timings) as stage, Stages(home) as stages:
        with (
            stage("company") as tell,
            closing(chapters_aside(SIZES[size], seed)) as telling,
            closing(open_company(settings, throwaway=True)) as company,
            _uncollected(),
        ):
            migrate(company.engine)
            summary = build(
                company.gate,
                company.engine,
                seed=seed,
                home=home,
                size=size,
                password=PASSWORD,
                progress=tell,
                telling=telling,
            )
        with closing(open_company(settings)) as company, ThreadPoolExecutor(1) as beside:
            sealed = beside.submit(_seal_and_index, company)
            results: dict[str, Any] = {}
            for name in STAGES:
                with stage(name) as tell:
                    results[name] = stages.run(name, tell)
            with stage("proposals of the last day"):
                leave_work(company.gate, company.clock.today(), seed)
            with stage("seal and index"):
                sealed.result()
                company.sealer.seal(company.clock.now())
            _settle(company.engine)
    facts = {"seed": seed, "company": dict(summary.counts), "results": results}
    (home / "demo.json").write_text(json.dumps(facts, default=str, indent=2), encoding="utf-8")
    return timings


@contextmanager
def _uncollected() -> Iterator[None]:
    """No search for cycles while millions of rows pass through; what is there beforehand is left alone."""
    gc.freeze()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        gc.unfreeze()


def _seal_and_index(company: Company) -> None:
    company.sealer.seal(company.clock.now())
    build_knowledge(company)


def _settle(engine: Engine) -> None:
    if engine.dialect.name == "sqlite":
        with engine.connect() as connection:
            connection.exec_driver_sql("ANALYZE")
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")


@contextmanager
def _stages(timings: dict[str, float]) -> Iterator[Callable[[str], Any]]:
    columns = (TextColumn("{task.description:<28}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=err, disable=not err.is_terminal) as bars:

        @contextmanager
        def stage(name: str) -> Iterator[Tell]:
            bar = bars.add_task(name, total=None)
            if not err.is_terminal:
                err.print(f"{name} …", markup=False)
            begun = time.monotonic()

            def tell(step: str, done: int, total: int) -> None:
                bars.update(bar, description=f"{name}: {step}"[:28], completed=done, total=total or None)

            yield tell
            timings[name] = round(time.monotonic() - begun, 1)
            bars.update(bar, description=name, completed=1, total=1)

        yield stage


def _print_timings(timings: dict[str, float], total: float) -> None:
    if not timings:
        out.print("the demo company is loaded")
        return
    for name, seconds in timings.items():
        out.print(f"  {name:<28} {seconds:>6.1f} s", markup=False)
    out.print(f"  {'in all':<28} {total:>6.1f} s", markup=False)
