"""Tools over the inbox of exceptions."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Literal
from uuid import UUID

from pydantic import Field
from sqlalchemy import Connection

from copilot.agents.answer import Source
from copilot.agents.untrusted import label
from copilot.tools.members import find_member, record_id
from copilot.tools.tool import Fact, Tool, ToolContext, ToolError, ToolInput, ToolOutput, table
from erp_core.exceptions.draft import evidence_for
from erp_core.exceptions.queries import Case, CaseFilter, case_detail, ranked_cases, withheld_detections
from erp_core.master.queries import Names, list_items
from erp_core.storage.types import money_decimal

ROWS = 100
_NAMED_CASES = 5
Kind = Literal[
    "stockout_risk",
    "overstock",
    "demand_spike",
    "demand_drop",
    "supplier_delay_risk",
    "po_overdue",
    "channel_oversell",
    "expiring_lot",
    "valuation_difference",
    "snapshot_difference",
    "confirmation_difference",
    "confirmation_missing",
    "shipping_notice_difference",
    "receipt_variance",
    "unordered_goods",
    "packaging_difference",
    "milestone_missed",
    "orders_delayed",
    "invoice_mismatch",
    "import_document",
    "unmapped_sku",
    "contract_behind",
    "contract_running_out",
    "return_uninspected",
    "return_spike",
]


class _About(ToolInput):
    kind: Kind | None = None
    item: str | None = Field(default=None, max_length=120, description="SKU or name")
    supplier: str | None = Field(default=None, max_length=160, description="code or name")
    warehouse: str | None = Field(default=None, max_length=120, description="code or name")
    category: str | None = Field(default=None, max_length=80)


class ListExceptions(_About):
    """Which open exceptions to list; nothing given lists all, the most money first."""

    channel: str | None = Field(default=None, max_length=120)
    brand: str | None = Field(default=None, max_length=80)
    limit: int = Field(default=10, ge=1, le=ROWS)


class ExplainException(_About):
    """One exception: by id, by what it is about, or by its place in the ranked list (1 is the top)."""

    case: UUID | None = None
    position: int | None = Field(default=None, ge=1, le=ROWS)
    purchase_order: str | None = Field(default=None, max_length=40)


def _filter(connection: Connection, about: _About) -> CaseFilter:
    return CaseFilter(
        kinds=(about.kind,) if about.kind else (),
        item_id=record_id(connection, "item", about.item),
        location_id=record_id(connection, "warehouse", about.warehouse),
        supplier_id=record_id(connection, "supplier", about.supplier),
    )


def _cases(connection: Connection, about: _About, limit: int) -> tuple[list[Case], int]:
    """Ranked cases; a category is applied to the cases' items here, as the inbox knows subjects by id only."""
    if about.category is None:
        page = ranked_cases(connection, _filter(connection, about), limit=limit)
        return list(page.cases), page.total
    page = ranked_cases(connection, _filter(connection, about), limit=5_000)
    wanted = {item.id for item in list_items(connection, category=about.category)}
    kept = [
        case for case in page.cases if any(kind == "item" and id_ in wanted for kind, id_ in case.subjects)
    ]
    return kept[:limit], len(kept)


def list_exceptions(given: ListExceptions, context: ToolContext) -> ToolOutput:
    """The open exceptions ranked by the money that acting on them saves."""
    with context.reading() as connection:
        found, total = _cases(connection, given, given.limit)
        withheld = withheld_detections(connection)
    sees_cost = "see_cost" in context.rights
    rows = [
        (
            number,
            label(case.title),
            case.kind,
            money_decimal(case.expected_loss) if sees_cost else None,
            money_decimal(case.net_benefit) if sees_cost else None,
            Decimal(str(round(case.probability, 4))),
            case.deadline.date(),
            case.status,
            label(str(case.action["label"])) if case.action and case.action.get("label") else None,
            str(case.id),
        )
        for number, case in enumerate(found, start=1)
    ]
    columns: list[tuple[str, str, str | None]] = [
        ("position", "#", "rank"),
        ("title", "Exception", None),
        ("kind", "Kind", None),
        ("expected_loss", "Expected loss", "money"),
        ("net_benefit", "Worth acting", "money"),
        ("probability", "Probability", "percent"),
        ("deadline", "By", None),
        ("status", "Status", None),
        ("action", "Best action", None),
        ("case", "Case", None),
    ]
    notes = tuple(
        f"{one.kind.replace('_', ' ')}: {one.subjects or 'none'} could not be judged ({one.reason})"
        for one in withheld
        if given.kind in (None, one.kind)
    )
    unsupported = tuple(
        f"exceptions carry no {name}; the {name} was left out"
        for name in ("channel", "brand")
        if getattr(given, name)
    )
    return ToolOutput(
        tables=(table("Open exceptions", columns, rows, total=total),),
        sources=tuple(Source(kind="case", id=str(case.id), label=label(case.title)) for case in found[:20]),
        notes=notes + unsupported,
        data={"cases": [str(case.id) for case in found]},
        as_of=context.today,
    )


def _choose(connection: Connection, given: ExplainException) -> UUID:
    if given.case is not None:
        return given.case
    if given.purchase_order is not None:
        from erp_core.procurement.queries import find_purchase_order

        order = find_purchase_order(connection, given.purchase_order)
        if order is None:
            raise ToolError(
                "not_found", f"there is no purchase order {given.purchase_order}", field="purchase_order"
            )
        page = ranked_cases(connection, CaseFilter(kinds=(given.kind,) if given.kind else ()), limit=5_000)
        for case in page.cases:
            if any(id_ == order.id for _, id_ in case.subjects) or order.number in case.title:
                return case.id
        raise ToolError("no_exception", f"no open exception is about {order.number}")
    position = given.position or 1
    found, total = _cases(connection, given, position)
    if not found:
        raise _nothing_open(connection, given)
    if position > total:
        raise ToolError("not_found", f"there are only {total} open exceptions", field="position")
    return found[position - 1].id


def _nothing_open(connection: Connection, given: ExplainException) -> ToolError:
    """The error that says which exceptions the item does have, where none fits the rest of the question."""
    asked = f"no open exception of kind {given.kind.replace('_', ' ')}" if given.kind else "no open exception"
    if given.item is None:
        return ToolError(
            "no_exception", f"{asked} fits that", remedy="ask for the open exceptions to see them all"
        )
    item = find_member(connection, "item", given.item, "item")
    others, total = _cases(connection, ExplainException(item=item.code), _NAMED_CASES)
    about = f"{label(item.name)} ({item.code})"
    where = f" at {given.warehouse}" if given.warehouse else ""
    if not others:
        return ToolError("no_exception", f"{asked} is about {about}{where}, and none of another kind either")
    titles = "; ".join(label(case.title) for case in others)
    more = f" and {total - len(others)} more" if total > len(others) else ""
    return ToolError("no_exception", f"{asked} is about {about}{where}. Open for it: {titles}{more}")


def explain_exception(given: ExplainException, context: ToolContext) -> ToolOutput:
    """Why a case is on the list: its evidence, its money, its best action, what causes it and what it causes."""
    with context.reading() as connection:
        detail = case_detail(connection, _choose(connection, given))
        if detail is None:
            raise ToolError("not_found", "there is no such exception", field="case")
        case = detail.case
        ids = [id_ for _, id_ in case.subjects]
        names = Names.read(connection, items=ids, suppliers=ids, locations=ids)
        proposable = _proposable(connection, case)
    subjects = {
        kind: {"id": str(id_), "code": names.code(id_), "name": names.name(id_)}
        for kind, id_ in case.subjects
    }
    evidence = [
        (label(str(one.get("label", ""))), _evidence_value(one), one.get("unit"))
        for one in evidence_for(case.evidence, context.rights)
    ]
    money = {
        "expected_loss": Fact(value=money_decimal(case.expected_loss), unit="money", label="Expected loss"),
        "residual_loss": Fact(
            value=money_decimal(case.residual_loss), unit="money", label="Loss that remains after acting"
        ),
        "action_cost": Fact(value=money_decimal(case.action_cost), unit="money", label="Cost of acting"),
        "net_benefit": Fact(value=money_decimal(case.net_benefit), unit="money", label="Worth acting"),
    }
    facts = (money if "see_cost" in context.rights else {}) | {
        "title": Fact(value=label(case.title), label="Exception"),
        "action": Fact(value=label(str(case.action["label"])) if case.action else None, label="Best action"),
        "deadline": Fact(value=case.deadline.date().isoformat(), label="By"),
        "probability": Fact(
            value=Decimal(str(round(case.probability, 4))), unit="percent", label="Probability"
        ),
        "effects": Fact(value=len(detail.effects), unit="count", label="Exceptions it causes"),
    }
    columns: list[tuple[str, str, str | None]] = [
        ("label", "Evidence", None),
        ("value", "Value", None),
        ("unit", "Unit", None),
    ]
    return ToolOutput(
        tables=(table(f"Evidence: {label(case.title)}", columns, evidence),),
        facts=facts,
        sources=(
            Source(
                kind="case",
                id=str(case.id),
                label=label(case.title),
                detail={"kind": case.kind, "status": case.status},
            ),
        ),
        notes=tuple(
            f"caused by: {label(detail.cause.title)}; the money stands there" for _ in [0] if detail.cause
        ),
        data={
            "case": str(case.id),
            "kind": case.kind,
            "title": label(case.title),
            "status": case.status,
            "deadline": case.deadline.date().isoformat(),
            "action": str(case.action["kind"]) if case.action else None,
            "subjects": subjects,
            "proposable": proposable,
            "proposal": str(case.proposal_id) if case.proposal_id else None,
        },
        as_of=context.today,
    )


def _proposable(connection: Connection, case: Case) -> dict[str, Any] | None:
    """The arguments with which `propose_purchase_order` proposes the case's best action, where that is a purchase."""
    commands = case.action.get("commands", ()) if case.action else ()
    payload = next((one["payload"] for one in commands if one.get("command") == "CreatePurchaseOrder"), None)
    if payload is None:
        return None
    items = [UUID(str(line["item_id"])) for line in payload["lines"]]
    supplier, location = UUID(str(payload["supplier_id"])), UUID(str(payload["location_id"]))
    names = Names.read(connection, items=items, suppliers=[supplier], locations=[location])
    return {
        "supplier": names.code(supplier),
        "warehouse": names.code(location),
        "lines": [
            {"item": names.code(item), "quantity": int(line["quantity"])}
            for item, line in zip(items, payload["lines"], strict=True)
        ],
        "case": str(case.id),
    }


def _evidence_value(one: Any) -> Any:
    value = one.get("value")
    if isinstance(value, str):
        try:
            return Decimal(value)
        except ArithmeticError:
            return label(value)
    return value


TOOLS: tuple[Tool[Any], ...] = (
    Tool(
        "list_exceptions",
        "List the open exceptions, ranked by the money that acting saves; filter by kind, item, supplier, warehouse, category.",
        ListExceptions,
        "read_records",
        "read",
        ROWS,
        list_exceptions,
    ),
    Tool(
        "explain_exception",
        "Explain one exception: evidence, expected loss, best action, cause and effects. By case id, subject, or position in the list.",
        ExplainException,
        "read_records",
        "read",
        ROWS,
        explain_exception,
    ),
)
