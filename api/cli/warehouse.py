"""The warehouse on the command line: receive what was scanned, look at lots and holds, hold stock back, recall a lot."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from api.cli.options import AsJson, Home, new_key

if TYPE_CHECKING:
    from api.cli.client import Client

RECEIPT_COLUMNS = ("sku", "quantity", "rejected", "lot_code", "expires_on", "serials", "barcode")
Sku = Annotated[str, typer.Argument(help="The item.")]
LotCode = Annotated[str, typer.Argument(help="The lot code, or with --serial the serial number.")]
Reason = Annotated[str, typer.Option(help="A reason of kind quality_hold; see `catalogue`.")]
Serial = Annotated[bool, typer.Option("--serial", help="The code is that of a numbered unit.")]


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    for command in (receive, lots, lot, expiring, holds, recall):
        app.command()(command)
    app.command(name="hold")(hold_lot)


def receive(
    number: Annotated[str, typer.Argument(help="Number of the purchase order.")],
    file: Annotated[
        Path,
        typer.Argument(
            help=f"CSV with {', '.join(RECEIPT_COLUMNS)}; a row for each scan, serial numbers with spaces between."
        ),
    ],
    place: Annotated[str | None, typer.Option(help="The label of the place, as scanned.")] = None,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Receive goods against a purchase order from a scanner's CSV file."""
    from uuid import uuid4

    from api.cli.client import connect
    from api.cli.output import out, print_json

    rows = _read(file)
    with connect(home) as client:
        order = client.get(f"/purchase-orders/{number}")
        codes = {id_: label["code"] for id_, label in order["labels"].items()}
        of_item = {codes[line["item_id"]]: line["id"] for line in order["record"]["lines"]}
        lines = [_line(n, row, of_item) for n, row in enumerate(rows, 2)]
        body = {"receipt_id": str(uuid4()), "po_id": order["record"]["order"]["id"], "lines": lines}
        if place is not None:
            body["scanned_location"] = place
        done = client.post("/commands/ReceiveGoods", body, key=new_key())
    if as_json:
        print_json(done)
        return
    result = done["result"]
    counted = ", ".join(f"{result[name]} {name}" for name in ("accepted", "held", "rejected"))
    out.print(f"{number} is {result['status'].replace('_', ' ')}: {counted}", markup=False)


def _read(file: Path) -> list[dict[str, str]]:
    from api.cli.errors import USAGE, CliError

    try:
        with file.open(encoding="utf-8-sig", newline="") as lines:
            reader = csv.DictReader(lines)
            strange = [name for name in reader.fieldnames or () if name not in RECEIPT_COLUMNS]
            rows = list(reader)
    except (OSError, UnicodeDecodeError) as error:
        raise CliError(f"{file} cannot be read: {error}", code=USAGE) from error
    if strange:
        raise CliError(
            f"{file} has a column {strange[0]}", code=USAGE, remedy=f"use {', '.join(RECEIPT_COLUMNS)}"
        )
    return rows


def _line(number: int, row: dict[str, str], of_item: dict[str, str]) -> dict[str, Any]:
    from uuid import uuid4

    from api.cli.errors import USAGE, CliError

    given = {name: (value or "").strip() for name, value in row.items() if name is not None}
    sku = given.get("sku", "")
    if sku not in of_item:
        raise CliError(
            f"line {number}: {sku or 'nothing'} was not ordered", code=USAGE, remedy="check the order"
        )
    line: dict[str, Any] = {"receipt_line_id": str(uuid4()), "po_line_id": of_item[sku]}
    for name, field in (("quantity", "quantity"), ("rejected", "rejected_quantity")):
        if given.get(name):
            if not given[name].isdecimal():
                raise CliError(f"line {number}: {name} {given[name]} is no whole number", code=USAGE)
            line[field] = int(given[name])
    line |= {name: given[name] for name in ("lot_code", "expires_on", "barcode") if given.get(name)}
    if given.get("serials"):
        line["serials"] = given["serials"].split()
    return line


def _item(client: Client, sku: str) -> str:
    from api.cli.errors import CliError

    for item in client.get("/items", text=sku, limit=500):
        if item["sku"] == sku:
            return str(item["id"])
    raise CliError(f"there is no item {sku}", remedy="give its SKU as it is written")


def lots(
    sku: Sku,
    status: Annotated[str | None, typer.Option(help="released, held or recalled.")] = None,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """List the lots and numbered units of an item, the first to expire first."""
    from api.cli.client import connect
    from api.cli.output import print_json, table

    with connect(home) as client:
        found = client.get("/lots", item_id=_item(client, sku), status=status)
    if as_json:
        print_json(found)
        return
    rows = [
        (
            one["code"],
            "unit" if one["serial"] else "lot",
            one["expires_on"],
            one["received_on"],
            one["status"],
        )
        for one in found
    ]
    table(f"{len(found)} lots of {sku}", _left("code", "kind", "last day", "received", "status"), rows)


def lot(sku: Sku, code: LotCode, home: Home = None, as_json: AsJson = False) -> None:
    """Follow a lot back to what it came in with and on to shipments and customers."""
    from api.cli.client import connect
    from api.cli.errors import CliError
    from api.cli.output import out, print_json, table

    with connect(home) as client:
        found = client.get("/lots", item_id=_item(client, sku), code=code)
        if not found:
            raise CliError(f"{sku} has no lot {code}", remedy="list its lots")
        way = client.get(f"/lots/{found[0]['id']}")
    if as_json:
        print_json(way)
        return
    out.print(f"{sku} lot {code}: {way['lot']['status']}, last day {way['lot']['expires_on']}", markup=False)
    table(
        "lies",
        _left("place", "state", "units"),
        [_values(one, "location_id", "state", "units") for one in way["stock"]],
    )
    table(
        "came in",
        _left("with", "document", "units"),
        [_values(one, "document_kind", "document_id", "units") for one in way["origins"]],
    )
    table(
        "went to",
        _left("order", "customer", "units"),
        [_values(one, "order_number", "customer_id", "units") for one in way["shipments"]],
    )


def expiring(
    days: Annotated[int, typer.Option(min=0, help="Days until the last one.")] = 30,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """List stock whose last day is near or over."""
    from api.cli.client import connect
    from api.cli.output import print_json, table

    with connect(home) as client:
        found = client.get("/lots/expiring", days=days)
    if as_json:
        print_json(found)
        return
    rows = [(one["lot"]["code"], one["lot"]["expires_on"], one["days_left"], one["units"]) for one in found]
    columns = [("lot", "left"), ("last day", "left"), ("days left", "right"), ("units", "right")]
    table(f"{len(found)} lots expire within {days} days", columns, rows)


def holds(home: Home = None, as_json: AsJson = False) -> None:
    """List what is held back, the latest first."""
    from api.cli.client import connect
    from api.cli.output import moment, print_json, table, words

    with connect(home) as client:
        found = client.get("/holds")
    if as_json:
        print_json(found)
        return
    rows = [(one["id"], words(one["kind"]), words(one["reason"]), moment(one["opened_at"])) for one in found]
    table(f"{len(found)} open holds", _left("id", "kind", "reason", "since"), rows)


def hold_lot(
    sku: Sku,
    code: LotCode,
    reason: Reason = "inspection_due",
    serial: Serial = False,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Hold a lot back wherever it lies, until somebody decides."""
    done = _about_lot("HoldStock", "hold_id", sku, code, reason, serial, home)
    _say(done, as_json, f"{sku} {code} is held: {done['result']['units']} units")


def recall(
    sku: Sku,
    code: LotCode,
    reason: Reason = "safety_notice",
    serial: Serial = False,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Call a lot back: freeze what is left, and list stock, transfers, shipments, orders and customers."""
    done = _about_lot("RecallLot", "recall_id", sku, code, reason, serial, home)
    result = done["result"]
    reached = f"{result['shipped_units']} units in {len(result['shipments'])} shipments"
    _say(
        done, as_json, f"{sku} {code} is recalled: {result['frozen_units']} units frozen, {reached} went out"
    )


def _about_lot(
    command: str, id_name: str, sku: str, code: str, reason: str, serial: bool, home: Path | None
) -> Any:
    from uuid import uuid4

    from api.cli.client import connect

    with connect(home) as client:
        named = {"serial" if serial else "lot_code": code}
        body = {id_name: str(uuid4()), "item_id": _item(client, sku), "reason_code": reason, **named}
        return client.post(f"/commands/{command}", body, key=new_key())


def _say(done: Any, as_json: bool, text: str) -> None:
    from api.cli.output import out, print_json

    if as_json:
        print_json(done)
    else:
        out.print(text, markup=False)


def _left(*names: str) -> list[tuple[str, str]]:
    return [(name, "left") for name in names]


def _values(record: dict[str, Any], *names: str) -> Sequence[Any]:
    return [record[name] for name in names]
