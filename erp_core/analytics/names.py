"""What people call the records that proposals and the audit log name by id. Reads tables of all contexts."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Select, Table, select

from erp_core.exceptions.model import cases
from erp_core.gate.model import proposals
from erp_core.master.model import channels, items, locations, suppliers
from erp_core.orders.model import orders, pick_lists, shipments
from erp_core.procurement.model import purchase_orders
from erp_core.returns.model import return_lines, returns
from erp_core.storage.lookup import AnyRow, fetch_in


def _named(row: AnyRow) -> str:
    return f"{row.name} ({row.code})" if row.name else str(row.code)


def _plain(row: AnyRow) -> str:
    return str(row.name)


_COLUMNS = {
    "item": (items.c.id, items.c.sku, items.c.name),
    "supplier": (suppliers.c.id, suppliers.c.code, suppliers.c.name),
    "location": (locations.c.id, locations.c.code, locations.c.name),
    "channel": (channels.c.id, channels.c.code, channels.c.name),
    "purchase_order": (purchase_orders.c.id, purchase_orders.c.id, purchase_orders.c.number),
    "order": (orders.c.id, orders.c.id, orders.c.number),
    "return": (returns.c.id, returns.c.id, returns.c.number),
    "proposal": (proposals.c.id, proposals.c.id, proposals.c.title),
    "case": (cases.c.id, cases.c.id, cases.c.title),
}
_CODED = frozenset({"item", "supplier", "location", "channel"})
_OF_ORDER: dict[str, tuple[Table, Select[Any]]] = {
    kind: (table, select(table.c.id, orders.c.number).join(orders, orders.c.id == table.c.order_id))
    for kind, table in (("shipment", shipments), ("pick_list", pick_lists))
}
_RETURN_LINE = select(
    return_lines.c.id, return_lines.c.quantity, items.c.sku.label("code"), items.c.name
).join(items, items.c.id == return_lines.c.item_id)


def record_names(connection: Connection, records: Iterable[tuple[str, UUID]]) -> dict[UUID, str]:
    """The names of these (kind, id), with a query for each kind: "Desk lamp (LAMP-1)", "PO-10417".

    A parcel and a pick list are called as their order. A kind that has no names, or an id that names no record, is not
    in it. Customers have none here.
    """
    wanted: dict[str, list[UUID]] = {}
    for kind, id_ in records:
        wanted.setdefault(kind, []).append(id_)
    names: dict[UUID, str] = {}
    for kind, ids in wanted.items():
        if kind == "return_line":
            rows = fetch_in(connection, _RETURN_LINE, return_lines.c.id, ids)
            names |= {row.id: f"{row.quantity} × {_named(row)}" for row in rows}
        elif kind in _OF_ORDER:
            table, of_order = _OF_ORDER[kind]
            names |= {row.id: row.number for row in fetch_in(connection, of_order, table.c.id, ids)}
        elif kind in _COLUMNS:
            key, code, name = _COLUMNS[kind]
            tell: Callable[[AnyRow], str] = _named if kind in _CODED else _plain
            statement = select(key.label("id"), code.label("code"), name.label("name"))
            names |= {row.id: tell(row) for row in fetch_in(connection, statement, key, ids)}
    return names
