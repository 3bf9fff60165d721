"""Tools over proposals: list them, and propose a purchase order. There is none that approves."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from itertools import count
from typing import Any, Literal
from uuid import UUID, uuid5

from pydantic import Field
from sqlalchemy import Connection

from copilot.agents.answer import Source
from copilot.agents.untrusted import label
from copilot.tools.order_plan import OrderPlan, ProposePurchaseOrder, plan_order
from copilot.tools.tool import Fact, Tool, ToolContext, ToolError, ToolInput, ToolOutput, table
from erp_core.exceptions.queries import case_detail
from erp_core.gate.contract import Denied, Executed, Invalid, Outcome, Proposed, Refused
from erp_core.gate.queries import ProposalView, proposed_in
from erp_core.gate.queries import list_proposals as read_proposals
from erp_core.master.queries import Names
from erp_core.procurement.commands.purchase_orders import (
    CreatePurchaseOrder,
    PurchaseOrderLine,
    SubmitPurchaseOrder,
)
from erp_core.storage.types import money_decimal

ROWS = 50
MOST_WAITING = 500


class ListProposals(ToolInput):
    """Which proposals to list."""

    status: Literal[
        "pending", "executed", "rejected", "sent_back", "withdrawn", "superseded", "expired", "stale"
    ] = "pending"
    mine: bool = Field(default=False, description="only those that the user asked for")
    for_me: bool = Field(default=False, description="only those that wait and that the user may decide")
    limit: int = Field(default=20, ge=1, le=ROWS)


def list_proposals(given: ListProposals, context: ToolContext) -> ToolOutput:
    """Proposals with what they cost, why they wait and for whom."""
    owner = context.principal.user_id if given.mine else None
    with context.reading() as connection:
        if given.for_me:
            waiting = _for_user(context, connection)
            shown, total = waiting[: given.limit], len(waiting)
        else:
            shown, total = read_proposals(
                connection, status=given.status, requested_by=owner, limit=given.limit
            )
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


def _for_user(context: ToolContext, connection: Connection) -> list[ProposalView]:
    """The newest that wait and that the user, not the agent, may decide now."""
    pending, _ = read_proposals(connection, status="pending", limit=MOST_WAITING)
    user = replace(context.principal, kind="person", run_id=None)
    seatings = context.gate.advice.deciding(pending, user, connection)
    now = context.gate.clock.business_now()
    return [
        one
        for one, seating in zip(pending, seatings, strict=True)
        if seating.why_not is None and now < one.expires_at
    ]


def propose_purchase_order(given: ProposePurchaseOrder, context: ToolContext) -> ToolOutput:
    """Put a purchase order before the people who may approve it. Nothing is ordered by this."""
    if not context.principal.is_agent or context.principal.run_id is None:
        raise ToolError("not_an_agent", "only an agent's run can propose")
    with context.reading() as connection:
        plan = plan_order(given, connection, context.today)
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
    with context.reading() as connection:
        times, po_id = _times_asked(digest, title, context.principal.run_id, connection)
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
        key=f"propose:{digest[:40]}" + (f":{times}" if times else ""),
        title=title,
        reason=create.reason,
        evidence=_evidence(given, context),
        tainted=context.run.tainted,
    )
    return _told(outcome, title, plan, names, given, context)


def _digest(given: ProposePurchaseOrder, plan: OrderPlan) -> str:
    payload = {
        "supplier": str(plan.supplier_id),
        "location": str(plan.location_id),
        "lines": [[str(item), quantity] for item, quantity, _ in plan.lines],
        "need_by": str(given.need_by),
        "case": str(given.case),
    }
    return hashlib.sha256(json.dumps(payload, sort_keys=True).encode()).hexdigest()


def _times_asked(digest: str, title: str, run_id: UUID, connection: Connection) -> tuple[int, UUID]:
    """How often the run asked for this order before, and the order's id.

    While the one asked for last still waits, asking again is asking for that one; once people have decided, it is new.
    """
    statuses: dict[str, set[str]] = {}
    for payload, status in proposed_in(connection, run_id, title):
        statuses.setdefault(payload[0]["payload"].get("po_id", ""), set()).add(status)
    for times in count():
        po_id = uuid5(run_id, f"purchase order {digest}" + (f" {times}" if times else ""))
        found = statuses.get(str(po_id), set())
        if not found or "pending" in found:
            break
    return times, po_id


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
    outcome: Outcome,
    title: str,
    plan: OrderPlan,
    names: Names,
    given: ProposePurchaseOrder,
    context: ToolContext,
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
    if given.need_by is not None:
        facts["need_by"] = Fact(value=given.need_by.isoformat(), unit=None, label="Needed by")
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
