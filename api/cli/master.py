"""Governance of the master data on the command line: quality, duplicates, owners, documents, catalogue."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from api.cli.options import AsJson, Home

Kind = Annotated[str, typer.Argument(help="item or supplier.", metavar="item|supplier")]


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    for command in (quality, duplicates, owners, documents, catalogue):
        app.command()(command)


def _asked(home: Any, path: str, **params: Any) -> Any:
    from api.cli.client import connect

    with connect(home) as client:
        return client.get(path, **params)


def quality(
    kind: Kind,
    below: Annotated[int | None, typer.Option(help="Only scores below this one.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=500)] = 50,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """List data-quality scores, the worst first; `score` computes them."""
    from api.cli.output import print_json, table

    found = _asked(home, f"/quality/{kind}", below=below, limit=limit)
    if as_json:
        print_json(found)
        return
    rows = [
        (one["score"], one["code"], "on" if one["automation"] else "off", _reasons(one["problems"]))
        for one in found
    ]
    columns = [("score", "right"), (kind, "left"), ("automation", "left"), ("problems", "left")]
    table(f"data quality of {kind}s", columns, rows)


def _reasons(problems: list[dict[str, Any]]) -> str:
    return "; ".join(f"−{one['points']} {one['text']}" for one in problems) or "–"


def duplicates(kind: Kind, home: Home = None, as_json: AsJson = False) -> None:
    """List records that are probably one, the surest first."""
    from api.cli.output import print_json, table

    found = _asked(home, f"/duplicates/{kind}")
    if as_json:
        print_json(found)
        return
    rows = [(one["score"], one["because"], _named(one["first"]), _named(one["second"])) for one in found]
    columns = [("score", "right"), ("because", "left"), ("first", "left"), ("second", "left")]
    table(f"{len(found)} probable duplicates", columns, rows)


def _named(twin: dict[str, str]) -> str:
    return f"{twin['code']}  {twin['name']}"


def owners(
    unowned: Annotated[
        str | None, typer.Option(help="List the records of this domain that nobody owns.")
    ] = None,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """List the domains of master data with their owners and what nobody owns."""
    from api.cli.output import print_json, table

    found = _asked(home, f"/data-owners/{unowned}/unowned" if unowned else "/data-owners")
    if as_json:
        print_json(found)
    elif unowned:
        table(
            f"{unowned} without an owner",
            [("code", "left"), ("id", "left")],
            [(o["code"], o["record_id"]) for o in found],
        )
    else:
        rows = [(one["domain"], one["owner"], one["unowned"], one["label"]) for one in found]
        columns = [("domain", "left"), ("owner", "left"), ("without", "right"), ("what", "left")]
        table("owners of the master data", columns, rows)


def documents(home: Home = None, as_json: AsJson = False) -> None:
    """List required supplier documents that are missing, not valid or about to run out."""
    from api.cli.output import print_json, table, words

    found = _asked(home, "/supplier-documents/due")
    if as_json:
        print_json(found)
        return
    rows = [
        (
            one["code"],
            one["name"],
            words(one["status"]),
            one["gap"]["label"],
            words(one["gap"]["state"]),
            one["gap"]["ends_on"],
        )
        for one in found
    ]
    names = ("supplier", "name", "status", "document", "state", "ends on")
    table(f"{len(found)} documents to see to", [(name, "left") for name in names], rows)


def catalogue(
    markdown: Annotated[bool, typer.Option("--markdown", help="As a page of the documentation.")] = False,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """List all statuses with their steps, the kinds of exception, and all reason codes."""
    import sys

    from api.catalogue import Catalogue, as_markdown
    from api.cli.output import out, print_json, table

    found = _asked(home, "/catalogue")
    if as_json:
        print_json(found)
        return
    if markdown:
        sys.stdout.write(as_markdown(Catalogue.model_validate(found)))
        return
    for document, statuses in found["statuses"].items():
        rows = [(one["status"], ", ".join(one["leads_to"]) or None) for one in statuses]
        table(document, [("status", "left"), ("leads to", "left")], rows)
    out.print(f"exceptions: {', '.join(found['exception_kinds'])}", markup=False)
    for kind in found["reasons"]:
        codes = [
            (one["code"], one["label"], one["effect"], "" if one["active"] else "off")
            for one in kind["codes"]
        ]
        names = ("code", "label", "effect", "")
        table(f"{kind['kind']}: {kind['about']}", [(name, "left") for name in names], codes)
