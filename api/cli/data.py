"""Data in and out, and the models: import, export, train, forecast, scan."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from api.cli.options import AsJson, Home

if TYPE_CHECKING:
    from api.cli.client import Client


SOURCES = (
    "items, suppliers, opening-stock, sales-history, open-orders, purchase-orders or returns (our templates);"
    " online-retail or scms (as published)."
)


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    app.command("import")(import_file)
    for command in (export, train, forecast, score, classify, scan):
        app.command()(command)


def import_file(
    source: Annotated[str, typer.Argument(help=SOURCES, metavar="SOURCE")],
    file: Annotated[
        Path, typer.Argument(exists=True, dir_okay=False, readable=True, help="CSV, plain or .gz.")
    ],
    as_of: Annotated[
        str, typer.Option(help="The day up to which the data is taken, as 2026-06-30; later rows stay out.")
    ],
    on_error: Annotated[
        str, typer.Option(help="A malformed row: reject-file posts nothing, skip-rows posts the others.")
    ] = "reject-file",
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Import a CSV file of history or opening documents.

    Every row is accepted, set aside by a rule, or refused with field, reason and remedy. A killed import
    continues when it is run again; the same content again changes nothing.
    """
    from api.cli.client import connect
    from api.cli.errors import REFUSED, CliError
    from api.cli.output import out, print_json, table

    with connect(home, jobs=True) as client:
        with file.open("rb") as content:
            job = client.post(
                "/imports",
                files={"file": (file.name, content)},
                data={"source": source, "as_of": as_of, "on_error": on_error},
            )
        report = follow(client, job)["result"]
    if as_json:
        print_json(report)
    else:
        out.print(report["summary"], markup=False)
        for name in ("set_aside", "noted"):
            if report[name]:
                rows = sorted(report[name].items(), key=lambda one: -one[1])
                table(name.replace("_", " "), [("rule", "left"), ("rows", "right")], rows)
        if report["refusals"]:
            rows = [(one["line"], one["field"], one["reason"], one["remedy"]) for one in report["refusals"]]
            columns = [("line", "right"), ("field", "left"), ("reason", "left"), ("remedy", "left")]
            table("refused rows (the first 100)", columns, rows)
    if report["status"] == "rejected":
        raise CliError(
            "nothing was posted", remedy="correct the rows, or use --on-error skip-rows", code=REFUSED
        )


def export(
    to: Annotated[Path | None, typer.Option(help="The file to write; left out, standard output.")] = None,
    canonical: Annotated[
        bool, typer.Option("--canonical", help="The same bytes for the same company.")
    ] = False,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Export the company's business facts as JSON lines; prints the SHA-256 with --to or --json."""
    from hashlib import sha256

    from api.cli.client import connect
    from api.cli.output import out, print_json

    digest, size = sha256(), 0
    with connect(home) as client:
        target = to.open("wb") if to else (None if as_json else sys.stdout.buffer)
        try:
            for piece in client.download("/export", canonical=str(canonical).lower()):
                digest.update(piece)
                size += len(piece)
                if target is not None:
                    target.write(piece)
        finally:
            if to and target is not None:
                target.close()
    if as_json:
        print_json({"sha256": digest.hexdigest(), "bytes": size, "file": str(to) if to else None})
    elif to:
        out.print(f"{size:,} bytes, SHA-256 {digest.hexdigest()}", markup=False)


def train(home: Home = None, as_json: AsJson = False) -> None:
    """Train the models on what is known today; writes a card and a version for each."""
    _work("train", home, as_json)


def forecast(home: Home = None, as_json: AsJson = False) -> None:
    """Forecast demand and publish forecast and reorder points."""
    _work("forecast", home, as_json)


def score(home: Home = None, as_json: AsJson = False) -> None:
    """Score the data quality of every item and supplier."""
    _work("score", home, as_json)


def classify(home: Home = None, as_json: AsJson = False) -> None:
    """Find the inventory classes of every item: ABC, fast, seasonal, private label, imported, new."""
    _work("classify", home, as_json)


def scan(home: Home = None, as_json: AsJson = False) -> None:
    """Find what is about to go wrong, price it, and bring the inbox up to date."""
    _work("scan", home, as_json)


def _work(kind: str, home: Path | None, as_json: bool) -> None:
    from api.cli.client import connect
    from api.cli.output import facts, out, print_json

    with connect(home, jobs=True) as client:
        job = follow(client, client.post("/jobs", {"kind": kind}))
    result = job["result"] or {}
    if as_json:
        print_json(result)
    else:
        facts(
            [
                (name.replace("_", " "), _short(value))
                for name, value in result.items()
                if value not in ({}, []) and name != "withheld"
            ]
        )
        for withheld, reason, subjects in result.get("withheld", ()):
            out.print(
                f"withheld: {withheld.replace('_', ' ')} ({reason}; {subjects:,} not judged)", markup=False
            )


def _short(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(
            f"{name} {part}" if isinstance(part, int | float) else name for name, part in value.items()
        )
    if isinstance(value, list):
        return str(len(value))
    if isinstance(value, float):
        return f"{value:,.1f}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def follow(client: Client, job: dict[str, Any]) -> dict[str, Any]:
    """Wait for a job, showing its progress to people; raises when it failed."""
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    from api.cli.errors import REFUSED, CliError
    from api.cli.output import err

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=err, disable=not err.is_terminal, transient=True) as progress:
        bar = progress.add_task(job["kind"], total=1.0)
        while job["status"] in ("queued", "running"):
            time.sleep(0.2)
            job = client.get(f"/jobs/{job['id']}")
            progress.update(bar, completed=job["progress"], description=job["stage"] or job["kind"])
    if job["status"] == "failed":
        raise CliError(f"{job['kind']} failed: {job['error']}", code=REFUSED)
    return job
