"""A plan in words: its commands with names instead of ids, money and days as such."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import date
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ValidationError
from sqlalchemy import Connection

from erp_core.analytics.names import record_names
from erp_core.gate.contract import Command, Registry
from erp_core.master.queries import Names, list_supplier_items
from erp_core.procurement.contracts.reading import running_terms
from erp_core.procurement.contracts.rules import Drawn
from erp_core.procurement.ordering.in_units import plans_in_base_units
from erp_core.procurement.queries import purchase_order

_KINDS = {
    "item_id": "item",
    "supplier_id": "supplier",
    "location_id": "location",
    "from_location_id": "location",
    "to_location_id": "location",
    "channel_id": "channel",
    "po_id": "purchase_order",
    "order_id": "order",
    "return_id": "return",
    "return_line_id": "return_line",
}
_LABELS = {"po_id": "purchase_order"}
MONEY_FIELDS = frozenset(
    {
        "unit_price",
        "freight_cost",
        "expedite_cost",
        "unit_cost",
        "refund",
        "amount",
        "list_price",
        "standard_cost",
        "price",
    }
)
COSTS = MONEY_FIELDS | {"total", "written_off", "minimum_order"}
_EXTRA_COSTS = ("freight_cost", "expedite_cost")
_DAYS = frozenset({"need_by", "promised_on", "starts_on", "ends_on"})
_CODE = re.compile(r"[a-z]+(_[a-z]+)*")
_HIDDEN = frozenset({"line_id", "occurred_at"})


class PlannedField(BaseModel):
    """One field of a command in words. `kind` says how to show it: money, day, code, record or text."""

    name: str
    value: Any
    label: str | None = None
    kind: str = "text"


class PlannedCommand(BaseModel):
    """A command of a plan, with its lines as rows."""

    command: str
    about: str
    fields: list[PlannedField]
    lines: list[list[PlannedField]]


def known_fact(fact: str, value: Any) -> PlannedField:
    """A fact that a plan rests on, as it is shown: prices are money, codes are words."""
    if fact.startswith("price of ") and isinstance(value, int):
        return PlannedField(name=fact, value=value, kind="money")
    return PlannedField(name=fact, value=value, kind="code" if fact.startswith("status of ") else "text")


def without_prices(step: PlannedCommand) -> PlannedCommand:
    """The command for eyes that may not see cost."""
    lines = [[field for field in line if field.kind != "money"] for line in step.lines]
    fields = [field for field in step.fields if field.kind != "money"]
    return step.model_copy(update={"lines": lines, "fields": fields})


def in_words(command: str) -> str:
    """A command's name as words: `CreatePurchaseOrder` is "Create purchase order"."""
    first, *rest = re.findall(r"[A-Z][a-z0-9]*|[a-z0-9_]+", command) or [command]
    return " ".join([first, *(part.lower() for part in rest)])


def commands_of(payload: Sequence[Mapping[str, Any]], registry: Registry) -> list[Command]:
    """The plan's commands; one that the catalogue no longer has, or has otherwise, is left out."""
    found = []
    for one in payload:
        registration = registry.get(one["command"])
        if registration is not None:
            with suppress(ValidationError):
                found.append(registration.command.model_validate(one["payload"]))
    return found


def describe(
    payload: Sequence[Mapping[str, Any]],
    registry: Registry,
    connection: Connection,
    read_set: Sequence[Mapping[str, Any]] = (),
    *,
    today: date,
) -> list[PlannedCommand]:
    """The commands with codes and names instead of ids.

    What is bought stands with the prices that the proposal rests on (`read_set`), else with those in force `today`.
    An order that waits to be bought stands with what it is for, where the plan itself does not say so.
    """
    drafted = {one["payload"].get("po_id") for one in payload if one["command"] == "CreatePurchaseOrder"}
    payload = [
        one if one["payload"].get("po_id") in drafted else _with_content(one, connection) for one in payload
    ]
    (payload,) = plans_in_base_units(connection, [payload])
    payload = _priced(payload, connection, {str(one["fact"]): one["value"] for one in read_set}, today)
    named = _walk([one["payload"] for one in payload])
    names = record_names(
        connection, ((_KINDS[name], UUID(str(value))) for name, value in named if name in _KINDS)
    )
    described = []
    for one in payload:
        registration = registry.get(one["command"])
        about = first_sentence(registration.command) if registration else ""
        scalars = {name: value for name, value in one["payload"].items() if not isinstance(value, list)}
        rows = [row for row in one["payload"].get("lines", ()) if isinstance(row, Mapping)]
        described.append(
            PlannedCommand(
                command=one["command"],
                about=about,
                fields=_planned(scalars, names),
                lines=[_planned(row, names) for row in rows],
            )
        )
    return described


def _with_content(one: Mapping[str, Any], connection: Connection) -> Mapping[str, Any]:
    """A submission with supplier, place, reason and lines of the stored order."""
    if one["command"] != "SubmitPurchaseOrder":
        return one
    found = purchase_order(connection, UUID(str(one["payload"]["po_id"])))
    if found is None:
        return one
    order = found.order
    content = {name: getattr(order, name) for name in ("supplier_id", "location_id", "reason", *_EXTRA_COSTS)}
    lines = [
        {
            "item_id": line.item_id,
            **({"need_by": line.need_by} if line.need_by else {}),
            "quantity": line.quantity,
            "unit_price": line.unit_price,
            "amount": line.unit_price * line.quantity,
        }
        for line in found.lines
    ]
    return {"command": one["command"], "payload": {**content, **one["payload"], "lines": lines}}


def _priced(
    payload: Sequence[Mapping[str, Any]], connection: Connection, known: Mapping[str, Any], today: date
) -> list[Mapping[str, Any]]:
    """Lines to buy that carry no price of their own, with the contract's or the supplier's and what they come to."""
    priced: list[Mapping[str, Any]] = []
    for one in payload:
        order = one["payload"]
        if one["command"] == "CreatePurchaseOrder":
            supplier = UUID(str(order["supplier_id"]))
            items = [UUID(str(line["item_id"])) for line in order["lines"]]
            offers = list_supplier_items(connection, on=today, item_ids=items, supplier_ids=[supplier])
            names = Names.read(connection, items=items, suppliers=[supplier])
            prices = {
                str(offer.item_id): known.get(
                    f"price of {names.code(offer.item_id)} from {names.code(supplier)}", offer.price
                )
                for offer in offers
            }
            agreed = running_terms(connection, {(supplier, item, today) for item in items})
            prices |= {
                str(item): terms.price_at(line["quantity"])
                for item, line in zip(items, order["lines"], strict=True)
                if (terms := agreed.get((supplier, item, today)))
                and terms.takes(line["quantity"], Drawn(), 0)
            }
            lines = [_with_price(line, prices.get(str(line["item_id"]))) for line in order["lines"]]
            one = {"command": one["command"], "payload": {**order, "lines": lines}}
        priced.append(one)
    return priced


def _with_price(line: Mapping[str, Any], asked: int | None) -> Mapping[str, Any]:
    price = line.get("unit_price") or asked
    return line if price is None else {**line, "unit_price": price, "amount": price * line["quantity"]}


def first_sentence(command: type[Command]) -> str:
    """What a command does, from the first sentence of its description."""
    return (command.__doc__ or "").strip().partition("\n")[0].partition(". ")[0].rstrip(".").replace(
        "`", ""
    ) + "."


def _planned(values: Mapping[str, Any], names: Mapping[UUID, str]) -> list[PlannedField]:
    planned = []
    for name, value in values.items():
        if name in _KINDS:
            label = names.get(UUID(str(value)))
            if label is not None:
                shown = _LABELS.get(name, name.removesuffix("_id"))
                planned.append(PlannedField(name=shown, value=value, label=label, kind="record"))
        elif name in MONEY_FIELDS and isinstance(value, int):
            if value:
                planned.append(PlannedField(name=name, value=value, kind="money"))
        elif name not in _HIDDEN and not (name.endswith("_id") and isinstance(value, str)):
            planned.append(PlannedField(name=name, value=value, kind=_kind(name, value)))
    return sorted(planned, key=lambda field: field.kind != "record")


def _kind(name: str, value: Any) -> str:
    if name in _DAYS and value:
        return "day"
    return "code" if isinstance(value, str) and _CODE.fullmatch(value) else "text"


def _walk(value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        for name, part in value.items():
            if isinstance(part, Mapping | list):
                yield from _walk(part)
            else:
                yield name, part
    elif isinstance(value, list):
        for part in value:
            yield from _walk(part)
