"""Decisions whose outcome is still unknown: proposals that ended, and what automation bought by itself."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, exists, func, select

from erp_core.exceptions.model import cases
from erp_core.gate.autonomy.model import automation_uses
from erp_core.gate.autonomy.permit import ROLE
from erp_core.gate.model import proposal_decisions, proposal_states, proposals, user_roles
from erp_core.planning.model import decision_outcomes
from erp_core.planning.outcomes.rules import SETTLING_DAYS, Origin
from erp_core.procurement.model import po_lines, purchase_orders
from erp_core.procurement.ordering.in_units import plans_in_base_units
from erp_core.storage.lookup import fetch_in

ENDED = ("executed", "rejected", "withdrawn", "expired")
AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Decision:
    """Something asked for that ended: what it was about, who made it, and how it ended.

    Origin and model version are those of the first version; `overridden` says that a later one asked for other
    quantities. `lines` are item, place and units; none where the decision was not about stock. `po_id` names the purchase order.
    """

    id: UUID
    decision: str
    status: str
    origin: Origin
    model_version: str | None
    overridden: bool
    case_kind: str | None
    decided_on: date
    lines: tuple[tuple[UUID, UUID, int], ...]
    supplier_id: UUID | None
    po_id: UUID | None


def unscored(connection: Connection, today: date) -> list[Decision]:
    """Ended decisions without an outcome, the oldest first; those of the last days are left for later.

    A decision counts from the last word that a person gave on it in business time, else from its end. Of the versions of a proposal only the last is a decision.
    """
    until = datetime.combine(today - timedelta(days=SETTLING_DAYS), time(), UTC)
    return [*_proposals(connection, until), *_acts(connection, until.date())]


_LATER = proposals.alias("later")
_CONTENT = select(
    proposals.c.chain_id,
    proposals.c.payload,
    proposals.c.evidence,
    proposals.c.via,
    exists()
    .where(user_roles.c.user_id == proposals.c.requested_by, user_roles.c.role == ROLE)
    .label("by_rule"),
)


_DECIDED = (
    select(proposal_decisions.c.proposal_id, func.max(proposal_decisions.c.decided_at).label("at"))
    .group_by(proposal_decisions.c.proposal_id)
    .subquery()
)


def _proposals(connection: Connection, until: datetime) -> Iterable[Decision]:
    ended_at = func.coalesce(_DECIDED.c.at, proposal_states.c.changed_at).label("ended_at")
    rows = connection.execute(
        _CONTENT.add_columns(proposals.c.id, proposals.c.version, proposal_states.c.status, ended_at)
        .join(proposal_states, proposal_states.c.proposal_id == proposals.c.id)
        .outerjoin(_DECIDED, _DECIDED.c.proposal_id == proposals.c.id)
        .where(
            proposal_states.c.status.in_(ENDED),
            ended_at < until,
            ~exists().where(decision_outcomes.c.decision_id == proposals.c.id),
            ~exists().where(
                _LATER.c.chain_id == proposals.c.chain_id, _LATER.c.version > proposals.c.version
            ),
        )
        .order_by(ended_at, proposals.c.id)
        .limit(AT_ONCE)
    ).all()
    stored = _stored_orders(connection, _submitted_alone(rows))
    changed = [row.chain_id for row in rows if row.version > 1]
    statement = _CONTENT.where(proposals.c.version == 1)
    first = {row.chain_id: row for row in fetch_in(connection, statement, proposals.c.chain_id, changed)}
    kinds = {
        row.id: row.kind
        for row in fetch_in(
            connection,
            select(cases.c.id, cases.c.kind),
            cases.c.id,
            {_case_of(row.evidence) for row in rows} - {None},
        )
    }
    made = [first.get(row.chain_id, row) for row in rows]
    plans = plans_in_base_units(connection, [row.payload for row in rows])
    as_made = plans_in_base_units(connection, [one.payload for one in made])
    for row, one, plan, before_it in zip(rows, made, plans, as_made, strict=True):
        lines, supplier_id, po_id = _asked_for(plan, stored)
        before = _asked_for(before_it, stored)[0]
        case_id = _case_of(row.evidence)
        yield Decision(
            row.id,
            "proposal",
            row.status,
            "rule" if one.by_rule else _origin(one.via),
            _model_of(one.evidence),
            sorted(before, key=str) != sorted(lines, key=str),
            kinds.get(case_id) if case_id is not None else None,
            row.ended_at.date(),
            lines,
            supplier_id,
            po_id,
        )


def _acts(connection: Connection, until: date) -> Iterable[Decision]:
    table = automation_uses
    rows = connection.execute(
        select(table.c.document_id, table.c.day, table.c.rule)
        .distinct()
        .where(table.c.day < until, ~exists().where(decision_outcomes.c.decision_id == table.c.document_id))
        .order_by(table.c.day, table.c.document_id)
        .limit(AT_ONCE)
    ).all()
    stored = _stored_orders(connection, [row.document_id for row in rows])
    for row in rows:
        lines, supplier_id = stored[row.document_id]
        yield Decision(
            row.document_id,
            "act",
            "executed",
            "rule",
            row.rule,
            False,
            None,
            row.day,
            lines,
            supplier_id,
            row.document_id,
        )


_Lines = tuple[tuple[UUID, UUID, int], ...]
_Order = tuple[_Lines, UUID]


def _stored_orders(connection: Connection, po_ids: Iterable[UUID]) -> dict[UUID, _Order]:
    rows = fetch_in(
        connection,
        select(
            po_lines.c.po_id,
            po_lines.c.item_id,
            purchase_orders.c.location_id,
            po_lines.c.quantity,
            purchase_orders.c.supplier_id,
        )
        .join(purchase_orders, purchase_orders.c.id == po_lines.c.po_id)
        .order_by(po_lines.c.po_id, po_lines.c.line_no),
        po_lines.c.po_id,
        po_ids,
    )
    found: dict[UUID, _Order] = {}
    for po_id, item_id, location_id, quantity, supplier_id in rows:
        lines, _ = found.get(po_id, ((), supplier_id))
        found[po_id] = ((*lines, (item_id, location_id, quantity)), supplier_id)
    return found


def _submitted_alone(rows: Iterable[Any]) -> set[UUID]:
    return {
        UUID(step["payload"]["po_id"])
        for row in rows
        for step in row.payload
        if step["command"] == "SubmitPurchaseOrder"
    }


def _asked_for(
    plan: Sequence[Mapping[str, Any]], stored: Mapping[UUID, _Order]
) -> tuple[_Lines, UUID | None, UUID | None]:
    """Lines, supplier and purchase order of a plan; of a draft that was there before, as it stands."""
    for step in plan:
        payload = step["payload"]
        if step["command"] == "CreatePurchaseOrder":
            place = UUID(payload["location_id"])
            return _lines(payload, place), UUID(payload["supplier_id"]), UUID(payload["po_id"])
        if step["command"] == "TransferStock":
            return _lines(payload, UUID(payload["to_location_id"])), None, None
        if step["command"] == "SubmitPurchaseOrder":
            po_id = UUID(payload["po_id"])
            if po_id in stored:
                return *stored[po_id], po_id
    return (), None, None


def _lines(payload: Mapping[str, Any], place: UUID) -> _Lines:
    return tuple((UUID(line["item_id"]), place, int(line["quantity"])) for line in payload["lines"])


def _origin(via: str) -> Origin:
    if via == "agent":
        return "agent"
    if via == "automation":
        return "rule"
    return "person" if via == "person" else "import"


def _case_of(evidence: Iterable[Mapping[str, Any]]) -> UUID | None:
    for one in evidence:
        if one.get("kind") == "case":
            try:
                return UUID(str(one.get("id")))
            except ValueError:
                return None
    return None


def _model_of(evidence: Iterable[Mapping[str, Any]]) -> str | None:
    """The model or rule version that the evidence names first."""
    for one in evidence:
        if one.get("kind") in ("model", "rule"):
            return str(one.get("label") or one.get("id"))[:160]
    return None
