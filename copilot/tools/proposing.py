"""Tools over proposals: list them, and propose a purchase order. There is none that approves."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal
from uuid import UUID, uuid5

from pydantic import Field
from sqlalchemy import Connection, select

from copilot.agents.answer import Source
from copilot.agents.untrusted import label
from copilot.tools.members import find_member, receiving_places
from copilot.tools.tool import Fact, Tool, ToolContext, ToolError, ToolInput, ToolOutput, table
from erp_core.exceptions.queries import case_detail
from erp_core.gate.contract import Denied, Executed, Invalid, Outcome, Proposed, Refused
from erp_core.gate.queries import list_proposals as read_proposals
from erp_core.master.queries import Names, SupplierItem, item_factors, list_supplier_items, list_suppliers
from erp_core.planning.queries import list_reorder_points
from erp_core.procurement.commands.purchase_orders import (
    CreatePurchaseOrder,
    PurchaseOrderLine,
    SubmitPurchaseOrder,
)
from erp_core.procurement.model import po_lines, purchase_orders
from erp_core.procurement.rules import Terms
from erp_core.storage.types import money_decimal

ROWS = 50


class ListProposals(ToolInput):
    """Which proposals to list."""

    status: Literal[
        "pending", "executed", "rejected", "sent_back", "withdrawn", "superseded", "expired", "stale"
    ] = "pending"
    mine: bool = False
    limit: int = Field(default=20, ge=1, le=ROWS)


def list_proposals(given: ListProposals, context: ToolContext) -> ToolOutput:
    """Proposals with what they cost, why they wait and for whom."""
    owner = context.principal.user_id if given.mine else None
    with context.reading() as connection:
        shown, total = read_proposals(connection, status=given.status, requested_by=owner, limit=given.limit)
    sees_cost = "see_cost" in context.rights
    rows = [
        (
            label(one.title),
            money_decimal(one.amount) if one.amount is not None and sees_cost else None,
            one.requester,
            ", ".join(f"{entry['people']} {entry['role']}" for entry in one.approvers),
            one.policy_name,
            one.expires_at.date(),
            one.status,
            str(one.id),
        )
        for one in shown
    ]
    columns: list[tuple[str, str, str | None]] = [
        ("title", "Proposal", None),
        ("amount", "Amount", "money"),
        ("requester", "Asked by", None),
        ("approvers", "Waits for", None),
        ("policy", "Rule", None),
        ("expires", "Expires", None),
        ("status", "Status", None),
        ("proposal", "Id", None),
    ]
    return ToolOutput(
        tables=(
            table(f"{given.status.replace('_', ' ').capitalize()} proposals", columns, rows, total=total),
        ),
        sources=(Source(kind="records", id="proposals", label="Proposals"),),
        as_of=context.today,
    )


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
class _Plan:
    supplier_id: UUID
    location_id: UUID
    lines: tuple[tuple[UUID, int, int], ...]

    @property
    def amount(self) -> int:
        """What it costs at the prices in force."""
        return sum(quantity * price for _, quantity, price in self.lines)


def propose_purchase_order(given: ProposePurchaseOrder, context: ToolContext) -> ToolOutput:
    """Put a purchase order before the people who may approve it. Nothing is ordered by this."""
    if not context.principal.is_agent or context.principal.run_id is None:
        raise ToolError("not_an_agent", "only an agent's run can propose")
    with context.reading() as connection:
        plan = _plan(given, connection)
        names = Names.read(
            connection,
            items=[one[0] for one in plan.lines],
            suppliers=[plan.supplier_id],
            locations=[plan.location_id],
        )
        if given.case is not None and case_detail(connection, given.case) is None:
            raise ToolError("not_found", "there is no such exception", field="case")
    wanted = ", ".join(
        f"{quantity} × {label(names.name(item))} ({names.code(item)})" for item, quantity, _ in plan.lines
    )
    title = f"Buy {wanted} from {label(names.name(plan.supplier_id))}"
    digest = _digest(given, plan)
    po_id = uuid5(context.principal.run_id, f"purchase order {digest}")
    create = CreatePurchaseOrder(
        po_id=po_id,
        supplier_id=plan.supplier_id,
        location_id=plan.location_id,
        lines=tuple(
            PurchaseOrderLine(
                line_id=uuid5(po_id, str(number)), item_id=item, quantity=quantity, need_by=given.need_by
            )
            for number, (item, quantity, _) in enumerate(plan.lines, start=1)
        ),
        reason=_reason(given, context),
    )
    outcome = context.gate.submit_plan(
        [create, SubmitPurchaseOrder(po_id=po_id)],
        context.principal,
        key=f"propose:{digest[:40]}",
        title=title,
        reason=create.reason,
        evidence=_evidence(given, context),
        tainted=context.run.tainted,
    )
    return _told(outcome, title, plan, names, given, context)


def _plan(given: ProposePurchaseOrder, connection: Connection) -> _Plan:
    quantities = _quantities(given, connection)
    offers = list_supplier_items(connection, item_ids=quantities)
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
    return _Plan(supplier_id, location, tuple(lines))


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


def _digest(given: ProposePurchaseOrder, plan: _Plan) -> str:
    payload = {
        "supplier": str(plan.supplier_id),
        "location": str(plan.location_id),
        "lines": [[str(item), quantity] for item, quantity, _ in plan.lines],
        "need_by": str(given.need_by),
        "case": str(given.case),
    }
    return hashlib.sha256(json.dumps(payload, sort_keys=True).encode()).hexdigest()


def _reason(given: ProposePurchaseOrder, context: ToolContext) -> str:
    """Why, in our own words: no text of a model or from outside reaches the document."""
    if given.case is not None:
        return f"To resolve exception {given.case}"
    return f"Asked for by {context.principal.login} through the agent"


def _evidence(given: ProposePurchaseOrder, context: ToolContext) -> list[Mapping[str, Any]]:
    evidence: list[Mapping[str, Any]] = []
    if given.case is not None:
        evidence.append({"kind": "case", "id": str(given.case)})
    for output in context.run.outputs:
        for source in output.sources:
            if source.kind in ("query", "model") and len(evidence) < 20:
                evidence.append({"kind": source.kind, "id": source.id, "label": source.label})
    return evidence


def _told(
    outcome: Outcome, title: str, plan: _Plan, names: Names, given: ProposePurchaseOrder, context: ToolContext
) -> ToolOutput:
    if isinstance(outcome, Denied):
        raise ToolError("no_right", outcome.message, remedy=outcome.remedy)
    if isinstance(outcome, Refused):
        error = outcome.error
        raise ToolError(error.code, error.message, field=error.field, remedy=error.remedy)
    if isinstance(outcome, Invalid):
        first = outcome.errors[0]
        raise ToolError(
            "invalid", str(first["reason"]), field=str(first["field"]), remedy=str(first.get("remedy", ""))
        )
    if isinstance(outcome, Executed):
        raise AssertionError("an agent's plan was executed: the gate is broken")
    assert isinstance(outcome, Proposed)
    sees_cost = "see_cost" in context.rights
    rows = [
        (
            names.code(item),
            label(names.name(item)),
            quantity,
            money_decimal(price) if sees_cost else None,
            money_decimal(price * quantity) if sees_cost else None,
        )
        for item, quantity, price in plan.lines
    ]
    columns: list[tuple[str, str, str | None]] = [
        ("item", "Item", None),
        ("name", "Name", None),
        ("quantity", "Quantity", "units"),
        ("price", "Price", "money"),
        ("amount", "Amount", "money"),
    ]
    approvers = [dict(entry) for entry in outcome.approvers]
    facts = {"lines": Fact(value=len(rows), unit="count", label="Lines")}
    if sees_cost:
        facts["amount"] = Fact(value=money_decimal(plan.amount), unit="money", label="Amount")
    return ToolOutput(
        tables=(table(title, columns, rows),),
        facts=facts,
        sources=(Source(kind="records", id=str(outcome.proposal_id), label=title),),
        proposals=(
            {
                "id": str(outcome.proposal_id),
                "payload_hash": outcome.payload_hash,
                "title": title,
                "approvers": approvers,
                "policy": outcome.policy,
                "tainted": context.run.tainted,
            },
        ),
        data={
            "supplier": names.code(plan.supplier_id),
            "supplier_name": label(names.name(plan.supplier_id)),
            "warehouse": names.code(plan.location_id),
            "approvers": approvers,
            "policy": outcome.policy,
        },
        as_of=context.today,
    )


TOOLS: tuple[Tool[Any], ...] = (
    Tool(
        "list_proposals",
        "List proposals by status, with amount and who must approve.",
        ListProposals,
        "read_records",
        "read",
        ROWS,
        list_proposals,
    ),
    Tool(
        "propose_purchase_order",
        "Propose a purchase order. It becomes a proposal that people approve or reject; nothing is ordered.",
        ProposePurchaseOrder,
        "ask",
        "propose",
        50,
        propose_purchase_order,
    ),
)
