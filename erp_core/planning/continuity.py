"""When supply of an item fails: alternates, substitutes and transfers, each with the commands that carry it out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, select

from erp_core.inventory.queries import available_units
from erp_core.master.model import items
from erp_core.master.queries import Names
from erp_core.orders.model_service import substitution_rules
from erp_core.planning.balancing import transfer_advice
from erp_core.procurement.ordering.sourcing import SourceOffer, compare_sources


@dataclass(frozen=True, slots=True)
class Option:
    """A way out: `kind` alternate, transfer or substitute, units it gives and by when; `commands` are ready to propose.

    A payload's None ids are the caller's to make. A substitute that is allowed already needs no command.
    """

    kind: str
    label: str
    units: int
    available_on: date | None
    commands: Sequence[Mapping[str, Any]]
    offer: SourceOffer | None = None


def continuity_plan(
    connection: Connection,
    item_id: UUID,
    location_id: UUID,
    units: int,
    today: date,
    *,
    failed_supplier_id: UUID | None = None,
    need_by: date | None = None,
) -> list[Option]:
    """What can be done, transfers first as they are the quickest; empty where there is no way out."""
    failed = () if failed_supplier_id is None else (failed_supplier_id,)
    return [
        *_transfers(connection, item_id, location_id, units, today),
        *_substitutes(connection, item_id, location_id, units, today),
        *(
            _alternate(offer, item_id, location_id)
            for offer in compare_sources(connection, item_id, units, today, need_by=need_by, without=failed)
        ),
    ]


def _transfers(
    connection: Connection, item_id: UUID, location_id: UUID, units: int, today: date
) -> list[Option]:
    found = []
    advised = [one for one in transfer_advice(connection, location_id=location_id) if one.item_id == item_id]
    names = Names.read(connection, locations={one.from_location_id for one in advised})
    for one in advised:
        moved = min(one.units, units)
        payload = {
            "transfer_id": None,
            "from_location_id": str(one.from_location_id),
            "to_location_id": str(location_id),
            "lines": [{"item_id": str(item_id), "quantity": moved}],
        }
        found.append(
            Option(
                "transfer",
                f"move {moved} units from {names.code(one.from_location_id)}",
                moved,
                today,
                [{"command": "TransferStock", "payload": payload}],
            )
        )
    return found


def _substitutes(
    connection: Connection, item_id: UUID, location_id: UUID, units: int, today: date
) -> list[Option]:
    table = substitution_rules.c
    rows = connection.execute(
        select(table.substitute_id, items.c.sku)
        .join(items, items.c.id == table.substitute_id)
        .where(table.item_id == item_id, table.active, items.c.status == "active")
        .group_by(table.substitute_id, items.c.sku, table.rank)
        .order_by(table.rank, items.c.sku)
    ).all()
    there = available_units(connection, [row.substitute_id for row in rows])
    return [
        Option("substitute", f"send {row.sku} instead", min(left, units), today, [])
        for row in dict.fromkeys(rows)
        if (left := there.get((row.substitute_id, location_id), 0)) > 0
    ]


def _alternate(offer: SourceOffer, item_id: UUID, location_id: UUID) -> Option:
    draft = {
        "po_id": None,
        "supplier_id": str(offer.supplier_id),
        "location_id": str(location_id),
        "lines": [{"line_id": None, "item_id": str(item_id), "quantity": offer.quantity}],
        "reason": "supply from another source failed",
    }
    return Option(
        "alternate",
        f"order {offer.quantity} from {offer.code}",
        offer.quantity,
        offer.arrives_on,
        [
            {"command": "CreatePurchaseOrder", "payload": draft},
            {"command": "SubmitPurchaseOrder", "payload": {"po_id": None}},
        ],
        offer,
    )
