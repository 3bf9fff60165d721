"""Plain words for cases: labelled figures with units and queries, titles, and actions ready to propose."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID

import numpy as np

from copilot.models.pricing import ACTIONS
from copilot.models.situation import Company
from erp_core.master.queries import Item, Location, Supplier
from erp_core.procurement.rules import Terms as SupplierTerms

NAME_LENGTH = 60
"""Letters of an item's name in a title: enough to know it by, and a title fits its column."""


@dataclass(frozen=True, slots=True)
class Directory:
    """Records that cases speak of, by id."""

    items: Mapping[UUID, Item]
    locations: Mapping[UUID, Location]
    suppliers: Mapping[UUID, Supplier]

    def sku(self, item: UUID) -> str:
        return self.items[item].sku if item in self.items else str(item)

    def item(self, item: UUID) -> str:
        """The item as people know it: its name with the SKU; the SKU alone where it has no name."""
        if item not in self.items or not self.items[item].name:
            return self.sku(item)
        return f"{shortened(self.items[item].name, NAME_LENGTH)} ({self.sku(item)})"

    def place(self, location: UUID) -> str:
        return self.locations[location].code if location in self.locations else str(location)

    def supplier(self, supplier: UUID | None) -> str:
        if supplier is None:
            return "no supplier"
        return self.suppliers[supplier].name if supplier in self.suppliers else str(supplier)


def shortened(text: str, length: int) -> str:
    """The text, cut with an ellipsis where it is longer."""
    return text if len(text) <= length else f"{text[: length - 1].rstrip()}…"


@dataclass(frozen=True, slots=True)
class Sources:
    """What the evidence cites: names, and the versions of forecast and models."""

    directory: Directory
    forecast: str
    delay_model: str
    anomaly_model: str


def fact(
    label: str, value: float | int | str | date, unit: str = "", query: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """One line of evidence; a fraction becomes text with at most two decimals."""
    shown = number_text(float(value)) if isinstance(value, float | int | np.number) else str(value)
    return {"label": label, "value": shown, "unit": unit, "query": query}


def number_text(value: float) -> str:
    """12, 3.4 or 0.25: no more decimals than tell something."""
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2
    text = f"{value:.{digits}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def metric(directory: Directory, name: str, item: UUID, place: UUID | None) -> dict[str, Any]:
    """The metric query that shows a figure of an item, at a warehouse or over all of them."""
    where = [{"dim": "item", "op": "eq", "values": [directory.sku(item)]}]
    if place is not None:
        where.append({"dim": "warehouse", "op": "eq", "values": [directory.place(place)]})
    return {"v": 1, "metrics": [name], "by": [one["dim"] for one in where], "where": where}


def deadline(as_of: date, days: int) -> datetime:
    """The end of a day so many days after `as_of`, in UTC."""
    return datetime.combine(as_of + timedelta(days=int(days)), time(23, 59, 59), tzinfo=UTC)


def money(amount: float) -> int:
    """Ten-thousandths of an amount, rounded to cents."""
    return round(round(float(amount), 2) * 10_000)


def percent(share: float) -> int:
    """A share in whole percent."""
    return round(100 * float(share))


def action_of(
    company: Company,
    directory: Directory,
    row: int,
    code: int,
    units: float,
    avoid: UUID | None = None,
) -> dict[str, Any] | None:
    """The best action for an item-location with its commands; ids to be filled at proposal time are None.

    A purchase goes to another supplier than `avoid` where the item has one.
    """
    if code == 0:
        return None
    item, place = company.pairs[row]
    name, here = directory.item(item), directory.place(place)
    kind, quantity = ACTIONS[code], max(int(units), 1)
    offers = company.sources.get(item, ())
    source = next((one for one in offers if one.supplier_id != avoid), offers[0] if offers else None)
    if kind in ("order_now", "order_expedited"):
        if source is None:
            return None
        quantity = SupplierTerms(source.minimum_quantity, source.order_multiple).next_valid(quantity)
        faster = " by express" if kind == "order_expedited" else ""
        label = f"Order {quantity} of {name} for {here} from {directory.supplier(source.supplier_id)}{faster}"
        premium = 0
        if kind == "order_expedited":
            premium = money(company.terms.expedite_share * quantity * company.situation.cost[row])
        return _action(kind, label, _purchase(source.supplier_id, place, item, quantity, premium, label))
    if kind == "expedite":
        return _action(kind, f"Have the open orders of {name} for {here} expedited", [])
    if kind == "transfer":
        giver = company.pairs[int(company.spare_at[row])][1]
        label = f"Transfer {quantity} of {name} from {directory.place(giver)} to {here}"
        payload = {
            "transfer_id": None,
            "from_location_id": str(giver),
            "to_location_id": str(place),
            "lines": [{"item_id": str(item), "quantity": quantity}],
        }
        return _action(kind, label, [{"command": "TransferStock", "payload": payload}])
    if kind == "reduce_inbound":
        label, commands = _reduction(company, directory, row, quantity)
        return _action(kind, label, commands)
    return _action(kind, f"Mark down {name} at {here} to sell {quantity} units faster", [])


def decide_by_hand(kind: str, label: str) -> dict[str, Any]:
    """What to do where nothing that costs money pays: words, without commands."""
    return _action(kind, label, [])


def _action(kind: str, label: str, commands: list[dict[str, Any]]) -> dict[str, Any]:
    return {"kind": kind, "label": label, "commands": commands}


def _purchase(
    supplier: UUID, place: UUID, item: UUID, quantity: int, premium: int, reason: str
) -> list[dict[str, Any]]:
    create = {
        "po_id": None,
        "supplier_id": str(supplier),
        "location_id": str(place),
        "lines": [{"line_id": None, "item_id": str(item), "quantity": quantity}],
        "expedite_cost": premium,
        "reason": reason,
    }
    return [
        {"command": "CreatePurchaseOrder", "payload": create},
        {"command": "SubmitPurchaseOrder", "payload": {"po_id": None}},
    ]


def _reduction(
    company: Company, directory: Directory, row: int, quantity: int
) -> tuple[str, list[dict[str, Any]]]:
    """Cancel the latest open order that holds nothing else and is wholly excess; else ask for a smaller one."""
    item, place = company.pairs[row]
    lines, inbound = company.lines, company.inbound
    mine = np.flatnonzero(inbound.row == row)
    for k in mine[np.argsort(-inbound.due[mine], kind="stable")]:
        line = int(inbound.line[k])
        po = lines.po_ids[line]
        alone = sum(other == po for other in lines.po_ids) == 1
        untouched = lines.open_units[line] == lines.units[line]
        if alone and untouched and lines.open_units[line] <= quantity:
            label = f"Cancel {lines.po_numbers[line]}: {int(lines.open_units[line])} of {directory.item(item)} not needed"
            payload = {"po_id": str(po), "reason_code": "not_needed"}
            return label, [{"command": "CancelPurchaseOrder", "payload": payload}]
    numbers = sorted({lines.po_numbers[int(inbound.line[k])] for k in mine})
    return (
        f"Reduce {', '.join(numbers[:3])} by {quantity} of {directory.item(item)} for {directory.place(place)}",
        [],
    )
