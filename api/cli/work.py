"""The daily work: ask, exceptions, metrics. (Proposals and decisions are in `deciding`.)"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from api.cli.options import AsJson, Home, new_key

if TYPE_CHECKING:
    from api.cli.client import Client


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    for command in (ask, exceptions, metrics):
        app.command()(command)


def ask(
    question: Annotated[str | None, typer.Argument(help="A question in plain language.")] = None,
    batch: Annotated[
        Path | None, typer.Option(help="A JSONL file, one question a line: text, or an object.")
    ] = None,
    conversation: Annotated[str | None, typer.Option(help="Go on with this conversation.")] = None,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Ask; the answer gives figures, how it was read, and sources."""
    from api.cli.client import connect
    from api.cli.errors import USAGE, CliError
    from api.cli.output import print_json, waiting

    if (question is None) == (batch is None):
        raise CliError("give a question, or --batch FILE", code=USAGE)
    with connect(home) as client:
        if batch is not None:
            _ask_batch(client, batch)
            return
        with waiting("thinking"):
            answer = client.post("/ask", {"question": question, "conversation_id": conversation})
    if as_json:
        print_json(answer)
    else:
        _show_answer(answer)


def _ask_batch(client: Client, batch: Path) -> None:
    from api.cli.errors import USAGE, CliError

    try:
        lines = [line for line in batch.read_text(encoding="utf-8").splitlines() if line.strip()]
    except OSError as error:
        raise CliError(f"{batch} cannot be read: {error.strerror}", code=USAGE) from error
    for number, line in enumerate(lines, 1):
        try:
            given = json.loads(line)
            body = {"question": given} if isinstance(given, str) else dict(given)
        except (ValueError, TypeError):
            raise CliError(
                f"line {number} of {batch} is not JSON",
                remedy='write "a question" or {"question": …}',
                code=USAGE,
            ) from None
        body.pop("id", None)
        try:
            answer: Any = client.post("/ask", body)
        except CliError as error:
            answer = {"status": "error", "problem": error.problem or error.message}
        if isinstance(given, dict) and "id" in given:
            answer = {"id": given["id"], **answer}
        typer.echo(json.dumps(answer, ensure_ascii=False))


def _show_answer(answer: dict[str, Any]) -> None:
    from api.cli.output import cell, out, table

    out.print(answer["text"], markup=False)
    if answer.get("interpretation"):
        out.print(answer["interpretation"], style="dim", markup=False)
    for shown in answer.get("tables", ()):
        columns = [
            (column.get("label") or column["name"], "left" if column.get("kind") == "dimension" else "right")
            for column in shown["columns"]
        ]
        note = f"{len(shown['rows'])} of {shown['total_rows']} rows" if shown["cut"] else ""
        units = [column.get("unit") for column in shown["columns"]]
        rows = [[cell(*pair) for pair in zip(row, units, strict=True)] for row in shown["rows"]]
        table(shown["title"], columns, rows, note)
    for option in answer.get("options", ()):
        out.print(f"  · {option['label']}: {option['question']}", markup=False)
    for proposal in answer.get("proposals", ()):
        out.print(f"proposed {proposal['id']}: {proposal['title']}", markup=False)
    for source in answer.get("sources", ()):
        out.print(f"source: {source['label']}", style="dim", markup=False)


def exceptions(
    case: Annotated[
        str | None, typer.Argument(metavar="[ID]", help="Show this one, with why it ranks there.")
    ] = None,
    kind: Annotated[list[str] | None, typer.Option(help="Only this kind; may be repeated.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=500)] = 20,
    propose: Annotated[bool, typer.Option("--propose", help="Submit the best action of ID.")] = False,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """List the exceptions ranked by money, show one, or propose its best action."""
    from api.cli.client import connect
    from api.cli.errors import USAGE, CliError
    from api.cli.output import facts, moment, money, out, print_json, table, words

    with connect(home) as client:
        if propose:
            if case is None:
                raise CliError("--propose needs the ID of an exception", code=USAGE)
            from api.cli.deciding import show_outcome

            show_outcome(client.post(f"/exceptions/{case}/propose", key=new_key()), as_json)
            return
        if case is not None:
            detail, why = client.get(f"/exceptions/{case}"), client.get(f"/exceptions/{case}/explanation")
            if as_json:
                print_json(detail | {"explanation": why})
                return
            found = detail["case"]
            out.print(found["title"], style="bold", markup=False)
            facts(
                [
                    ("kind", words(found["kind"])),
                    ("status", found["status"]),
                    ("deadline", moment(found["deadline"])),
                ]
            )
            out.print(why["rank"], markup=False)
            facts([(str(one.get("label")), one.get("value")) for one in why["evidence"]])
            out.print(f"best action: {why['best_action'] or 'none that can be proposed'}", markup=False)
            return
        page = client.get("/exceptions", kind=kind or None, limit=limit)
    if as_json:
        print_json(page)
        return
    rows = [
        (
            one["id"],
            words(one["kind"]),
            one["title"],
            money(one["net_benefit"]),
            one["status"],
            one["deadline"][:10],
        )
        for one in page["rows"]
    ]
    columns = [
        ("id", "left"),
        ("kind", "left"),
        ("what", "left"),
        ("worth", "right"),
        ("status", "left"),
        ("by", "left"),
    ]
    table(f"{page['total']} exceptions, most worth acting on first", columns, rows)


def metrics(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[METRIC]...", help="None: list the catalogue.")
    ] = None,
    by: Annotated[list[str] | None, typer.Option(help="A dimension; may be repeated.")] = None,
    period: Annotated[str | None, typer.Option(help="last_month, 2026-05, 2026-Q1, ...")] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000)] = 50,
    query: Annotated[str | None, typer.Option(help="A whole MetricQuery as JSON.")] = None,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """List the metrics, or ask for some of them."""
    from api.cli.client import connect
    from api.cli.errors import USAGE, CliError
    from api.cli.output import out, print_json, table

    with connect(home) as client:
        if not names and query is None:
            found = client.get("/metrics")
            if as_json:
                print_json(found)
                return
            rows = [(one["name"], one["label"], one["unit"], one["definition"]) for one in found["metrics"]]
            table(
                "metrics",
                [("name", "left"), ("label", "left"), ("unit", "left"), ("definition", "left")],
                rows,
            )
            out.print("dimensions: " + ", ".join(one["name"] for one in found["dimensions"]), markup=False)
            return
        try:
            wanted = (
                json.loads(query)
                if query
                else {"metrics": names, "by": by or [], "period": period, "limit": limit}
            )
        except ValueError as error:
            raise CliError(f"--query is not JSON: {error}", code=USAGE) from error
        result = client.post("/metrics/query", wanted)
    if as_json:
        print_json(result)
        return
    columns = [(one["label"], "left" if one["kind"] == "dimension" else "right") for one in result["columns"]]
    note = f"{len(result['rows'])} of {result['total_rows']} rows; as of {result['as_of']}"
    table("", columns, result["rows"], note)
    for line in result["notes"]:
        out.print(line, style="dim", markup=False)
