"""What a purchase order to propose comes to: supplier, warehouse, base units and prices by item."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from pydantic import Field
from sqlalchemy import Connection, select

from copilot.tools.members import find_member, receiving_places
from copilot.tools.tool import ToolError, ToolInput
from erp_core.exceptions.queries import case_detail
from erp_core.master.queries import Names, SupplierItem, item_factors, list_supplier_items, list_suppliers
from erp_core.planning.queries import list_reorder_points
from erp_core.procurement.model import po_lines, purchase_orders
from erp_core.procurement.rules import Terms


class OrderLine(ToolInput):
    """One item and how many of it: base units, or the `unit` named, such as carton, by the item's own factor."""

    item: str = Field(max_length=120, description="SKU or name")
    quantity: int = Field(gt=0, le=1_000_000)
    unit: str | None = Field(default=None, max_length=20, description="a packing unit; left out: base units")


class ProposePurchaseOrder(ToolInput):
    """A purchase order to propose. Left out, supplier and warehouse follow from the items."""

    lines: tuple[OrderLine, ...] = Field(min_length=1, max_length=50)
    supplier: str | None = Field(default=None, max_length=160, description="code or name")
    warehouse: str | None = Field(default=None, max_length=120, description="code or name")
    need_by: date | None = None
    case: UUID | None = Field(default=None, description="the exception that this resolves")


@dataclass(frozen=True)
class OrderPlan:
    """Supplier, location, and (item, base units, price) by line. Money in ten-thousandths."""

    supplier_id: UUID
    location_id: UUID
    lines: tuple[tuple[UUID, int, int], ...]

    @property
    def amount(self) -> int:
        """What it costs at the prices in force."""
        return sum(quantity * price for _, quantity, price in self.lines)


def plan_order(given: ProposePurchaseOrder, connection: Connection, today: date) -> OrderPlan:
    """The order that the arguments come to. Raises `ToolError` with field and remedy for what can't be bought."""
    quantities = _quantities(given, connection)
    offers = list_supplier_items(connection, on=today, item_ids=quantities)
    supplier_id = _supplier(given, offers, list(quantities), connection)
    supplier = next(iter(list_suppliers(connection, ids=[supplier_id])))
    if supplier.status != "active":
        raise ToolError(
            "supplier_not_active",
            f"{supplier.code} is {supplier.status}",
            field="supplier",
            remedy="choose an active supplier",
        )
    terms = {offer.item_id: offer for offer in offers if offer.supplier_id == supplier_id}
    names = Names.read(connection, items=quantities)
    lines = []
    for item, quantity in quantities.items():
        offer = terms.get(item)
        if offer is None:
            others = Names.read(
                connection, suppliers=[one.supplier_id for one in offers if one.item_id == item]
            )
            near = tuple(others.code(one.supplier_id) for one in offers if one.item_id == item)
            raise ToolError(
                "not_sold",
                f"{supplier.code} does not sell {names.code(item)}",
                field="supplier",
                remedy="these suppliers do" if near else "no supplier is on record for it",
                nearest=near,
            )
        if not Terms(offer.minimum_quantity, offer.order_multiple).accepts(quantity):
            raise _terms_error(names.code(item), supplier.code, quantity, offer)
        lines.append((item, quantity, offer.price))
    location = _warehouse(given, list(quantities), connection)
    return OrderPlan(supplier_id, location, tuple(lines))


def _quantities(given: ProposePurchaseOrder, connection: Connection) -> dict[UUID, int]:
    """Base units by item. A unit of packing that the item has no factor for is an error that offers units."""
    found = [(line, find_member(connection, "item", line.item, "lines")) for line in given.lines]
    packed = [member.id for line, member in found if line.unit and isinstance(member.id, UUID)]
    factors = item_factors(connection, packed) if packed else {}
    quantities: dict[UUID, int] = {}
    for line, member in found:
        assert isinstance(member.id, UUID)
        factor = factors.get(member.id, {}).get(line.unit, 0) if line.unit else 1
        if not factor:
            known = factors.get(member.id, {})
            raise ToolError(
                "unknown_unit",
                f"there is no {line.unit} of {member.code} on record, so {line.quantity} of them is no quantity",
                field="lines",
                remedy=f"order in {' or '.join([*known, 'units'])}",
                nearest=(*(f"{line.quantity} {unit}" for unit in known), f"{line.quantity} units"),
            )
        quantities[member.id] = quantities.get(member.id, 0) + line.quantity * factor
    return quantities


def _terms_error(item: str, supplier: str, quantity: int, offer: SupplierItem) -> ToolError:
    multiple, least = offer.order_multiple, offer.minimum_quantity
    first = -(-least // multiple) * multiple
    up = max(first, -(-quantity // multiple) * multiple)
    down = quantity // multiple * multiple
    choices = tuple(dict.fromkeys(str(one) for one in (down, up) if one >= first))
    return ToolError(
        "supplier_terms",
        f"{supplier} sells {item} from {least} units in multiples of {multiple}; {quantity} does not fit",
        field="lines",
        remedy=f"ask for {' or '.join(choices)}",
        nearest=choices,
    )


def _supplier(
    given: ProposePurchaseOrder, offers: Sequence[SupplierItem], items: list[UUID], connection: Connection
) -> UUID:
    if given.supplier is not None:
        found = find_member(connection, "supplier", given.supplier, "supplier").id
        assert isinstance(found, UUID)
        return found
    active = {one.id for one in list_suppliers(connection) if one.status == "active"}
    ranks: dict[UUID, dict[UUID, int]] = {}
    for offer in offers:
        if offer.supplier_id in active:
            ranks.setdefault(offer.supplier_id, {})[offer.item_id] = offer.rank
    complete = [one for one, sold in ranks.items() if len(sold) == len(items)]
    if not complete:
        near = tuple(Names.read(connection, suppliers=ranks).code(one) for one in ranks)
        raise ToolError(
            "no_supplier",
            "no one active supplier sells all of these items",
            field="supplier",
            remedy="propose an order per supplier",
            nearest=near[:6],
        )
    return min(complete, key=lambda one: (sum(ranks[one].values()), str(one)))


def _warehouse(given: ProposePurchaseOrder, items: list[UUID], connection: Connection) -> UUID:
    """The named warehouse; else the one with the greatest need; else where it was last bought for; else the only one."""
    if given.warehouse is not None:
        found = find_member(connection, "warehouse", given.warehouse, "warehouse").id
        assert isinstance(found, UUID)
        return found
    if given.case is not None:
        detail = case_detail(connection, given.case)
        place = next(
            (id_ for kind, id_ in (detail.case.subjects if detail else ()) if kind == "location"), None
        )
        if place is not None:
            return place
    from erp_core.procurement.queries import positions

    bought_for = receiving_places(connection)
    points = [one for one in list_reorder_points(connection, item_ids=items) if one.location_id in bought_for]
    stock = positions(connection, [(one.item_id, one.location_id) for one in points])
    need: dict[UUID, float] = {}
    for point in points:
        short = point.order_up_to - stock[point.item_id, point.location_id].units
        need[point.location_id] = need.get(point.location_id, 0) + short
    if need:
        return max(need, key=lambda one: (need[one], str(one)))
    last: UUID | None = connection.execute(
        select(purchase_orders.c.location_id)
        .join(po_lines, po_lines.c.po_id == purchase_orders.c.id)
        .where(po_lines.c.item_id.in_(items), purchase_orders.c.import_id.is_(None))
        .order_by(purchase_orders.c.created_on.desc(), purchase_orders.c.number.desc())
        .limit(1)
    ).scalar()
    if last is not None:
        return last
    from erp_core.master.queries import list_locations

    places = [one for one in list_locations(connection) if one.kind == "warehouse"] or list_locations(
        connection
    )
    if len(places) != 1:
        raise ToolError(
            "missing_warehouse",
            "which warehouse should it go to?",
            field="warehouse",
            nearest=tuple(one.code for one in places[:6]),
        )
    return places[0].id
