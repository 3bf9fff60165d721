"""Stock on the command line: an item in depth on any day with the moves behind it, counts, refills, ageing."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Annotated, Any

import typer

from api.cli.options import AsJson, Home, new_key


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    group = typer.Typer(
        help="Stock in depth, what is to be counted, refilled or moved.", no_args_is_help=True
    )
    for command in (show, moves, age, counts, refills, transfers, snapshot):
        group.command()(command)
    app.add_typer(group, name="stock")


Sku = Annotated[str, typer.Argument(help="The SKU of an item.")]
At = Annotated[str | None, typer.Option("--at", help="The code of a location.")]
AsOf = Annotated[str | None, typer.Option(help="The end of a past day, as 2026-06-30.")]


def show(sku: Sku, at: At = None, as_of: AsOf = None, home: Home = None, as_json: AsJson = False) -> None:
    """Show an item by location, state, lot and owner, now or on a past day."""
    from api.cli.client import connect
    from api.cli.output import print_json, table

    with connect(home) as client:
        item, places = _item(client, sku), _places(client)
        found = client.get("/stock/buckets", item_id=item, location_id=_place(places, at), as_of=as_of)
    if as_json:
        print_json(found)
        return
    names = {id_: code for code, id_ in places.items()}
    none = "0" * 32
    rows = [
        (
            names.get(one["location_id"], one["location_id"]),
            one["state"].replace("_", " "),
            "" if one["lot_id"].replace("-", "") == none else one["lot_id"],
            one["owner"],
            one["units"],
        )
        for one in found["buckets"]
    ]
    columns = [(name, "left") for name in ("location", "state", "lot", "owner")] + [("units", "right")]
    table(f"{sku} as of {found['as_of']}", columns, rows)


def moves(
    sku: Sku,
    at: At = None,
    state: Annotated[str | None, typer.Option(help="Into or out of this state.")] = None,
    as_of: AsOf = None,
    limit: Annotated[int, typer.Option(min=1, max=500)] = 50,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """List the moves behind an item's stock, latest first."""
    from api.cli.client import connect
    from api.cli.output import print_json, table

    with connect(home) as client:
        item, places = _item(client, sku), _places(client)
        found = client.get(
            "/stock/moves",
            item_id=item,
            location_id=_place(places, at),
            state=state,
            last_on=as_of,
            limit=limit,
        )
    if as_json:
        print_json(found)
        return
    rows = [
        (
            one["occurred_on"],
            one["event"],
            one["from_state"],
            one["to_state"],
            one["quantity"],
            one["document_id"],
        )
        for one in found
    ]
    columns = [
        *((name, "left") for name in ("day", "event", "from", "to")),
        ("units", "right"),
        ("document", "left"),
    ]
    table(f"{len(found)} moves of {sku}", columns, rows)


def age(
    trapped: Annotated[bool, typer.Option("--trapped", help="Only what nobody can sell from there.")] = False,
    at: At = None,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """List stock by age, the oldest first, with days of supply and what is trapped."""
    from api.cli.client import connect
    from api.cli.output import print_json, table

    with connect(home) as client:
        found = client.get("/stock/ageing", location_id=_place(_places(client), at), trapped=trapped)
        codes = {} if as_json else _codes(client)
    if as_json:
        print_json(found)
        return
    rows = [
        (
            codes[one["item_id"]],
            codes[one["location_id"]],
            one["state"].replace("_", " "),
            one["units"],
            one["oldest_days"],
            one["days_of_supply"],
            one["trapped"],
        )
        for one in found
    ]
    right = ("units", "oldest, days", "days of supply", "trapped")
    table(
        "stock by age",
        [("item", "left"), ("location", "left"), ("state", "left"), *((name, "right") for name in right)],
        rows,
    )


def counts(at: At = None, home: Home = None, as_json: AsJson = False) -> None:
    """List what is to be counted now, most urgent first."""
    names = ("item_id", "location_id", "units", "days", "interval", "shrinkage")
    _list("/counts/due", "due to be counted", names, at, home, as_json)


def refills(at: At = None, home: Home = None, as_json: AsJson = False) -> None:
    """List the pick faces to refill from reserve, the emptiest first."""
    names = ("item_id", "location_id", "reserve_id", "there", "minimum", "units", "short")
    _list("/stock/refills", "pick faces to refill", names, at, home, as_json)


def transfers(at: At = None, home: Home = None, as_json: AsJson = False) -> None:
    """List transfers that would cover what a place lacks from what another can spare."""
    names = ("item_id", "from_location_id", "to_location_id", "units", "needed", "surplus", "reason")
    _list("/stock/transfer-advice", "transfers that would help", names, at, home, as_json)


def snapshot(
    file: Annotated[
        Path,
        typer.Argument(exists=True, dir_okay=False, readable=True, help="CSV with the columns sku, units."),
    ],
    at: Annotated[str, typer.Option("--at", help="The code of the location that it is of.")],
    source: Annotated[str, typer.Option(help="Who reports it.")],
    as_of: Annotated[str, typer.Option(help="The day whose end it shows, as 2026-06-30.")],
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Record what somebody else says lies at a location. It changes no stock; the scan compares it."""
    from uuid import uuid4

    from api.cli.client import connect
    from api.cli.deciding import show_outcome
    from api.cli.errors import USAGE, CliError

    with file.open(encoding="utf-8-sig", newline="") as lines:
        reader = csv.DictReader(lines)
        if not {"sku", "units"} <= set(reader.fieldnames or ()):
            raise CliError(f"{file} lacks a column", remedy="give it the columns sku and units", code=USAGE)
        reported = list(reader)
    with connect(home) as client:
        places = _places(client)
        place = _place(places, at)
        asked = {"party": "location", "party_id": place, "codes": sorted({row["sku"] for row in reported})}
        items = client.post("/commands/ResolveExternalSkus", asked, key=new_key())["result"]["items"]
        body = {
            "snapshot_id": str(uuid4()),
            "location_id": place,
            "source": source,
            "as_of": as_of,
            "lines": [
                {"item_id": _known(items, row["sku"], number), "quantity": _units(row, number)}
                for number, row in enumerate(reported, 2)
            ],
        }
        show_outcome(client.post("/commands/RecordStockSnapshot", body, key=new_key()), as_json)


def _units(row: dict[str, str], number: int) -> int:
    from api.cli.errors import USAGE, CliError

    try:
        return int(row["units"])
    except ValueError:
        raise CliError(
            f"line {number}: {row['units']!r} is no number of units",
            remedy="give whole base units",
            code=USAGE,
        ) from None


def _list(path: str, title: str, names: tuple[str, ...], at: str | None, home: Any, as_json: bool) -> None:
    from api.cli.client import connect
    from api.cli.output import print_json, table

    with connect(home) as client:
        found = client.get(path, location_id=_place(_places(client), at))
        codes = {} if as_json else _codes(client)
    if as_json:
        print_json(found)
        return
    columns = [
        (name.removesuffix("_id").replace("_", " "), "left" if name.endswith("_id") else "right")
        for name in names
    ]
    table(
        f"{len(found)} {title}",
        columns,
        [[codes.get(one[name], one[name]) for name in names] for one in found],
    )


def _item(client: Any, sku: str) -> str:
    from api.cli.errors import REFUSED, CliError

    wanted = sku.strip().lower()
    found = [one for one in client.get("/items", text=sku.strip(), limit=500) if one["sku"].lower() == wanted]
    if not found:
        raise CliError(f"there is no item {sku}", remedy="give a SKU as it is written", code=REFUSED)
    return str(found[0]["id"])


def _items(client: Any) -> dict[str, str]:
    found: dict[str, str] = {}
    while rows := client.get("/items", limit=500, offset=len(found)):
        found |= {one["sku"]: one["id"] for one in rows}
        if len(rows) < 500:
            break
    return found


def _codes(client: Any) -> dict[Any, str]:
    """What people call items and locations, by id."""
    places = {id_: code for code, id_ in _places(client).items()}
    return {id_: sku for sku, id_ in _items(client).items()} | places


def _known(items: dict[str, str], sku: str, number: int) -> str:
    from api.cli.errors import REFUSED, CliError

    if sku.strip() not in items:
        raise CliError(
            f"line {number}: {sku} stands for none of our items",
            remedy="correct it, or map it (MapExternalSku): it is in the inbox now",
            code=REFUSED,
        )
    return items[sku.strip()]


def _places(client: Any) -> dict[str, str]:
    return {one["code"]: one["id"] for one in client.get("/locations")}


def _place(places: dict[str, str], code: str | None) -> str | None:
    from api.cli.errors import REFUSED, CliError

    if code is None:
        return None
    if code not in places:
        raise CliError(
            f"there is no location {code}", remedy=f"give one of {', '.join(sorted(places))}", code=REFUSED
        )
    return places[code]
