"""One catalogue of statuses, exception kinds and reason codes, over all contexts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import get_args

from pydantic import BaseModel
from sqlalchemy import Connection

from erp_core.exceptions.commands.cases import Resolution
from erp_core.exceptions.draft import KINDS as EXCEPTION_KINDS
from erp_core.exceptions.rules import CASE_STEPS
from erp_core.gate.rules import PROPOSAL_STEPS
from erp_core.gate.statuses import StatusGraph
from erp_core.inventory.counts.rules import COUNT_STATUSES
from erp_core.inventory.lots.rules import HOLD_STEPS, LOT_STEPS
from erp_core.inventory.rules import RESERVATION_STATUSES
from erp_core.master.queries.reasons import reason_catalogue
from erp_core.master.rules import ITEM_STATUSES, SUPPLIER_STATUSES
from erp_core.master.rules.reasons import KINDS
from erp_core.orders.rules import ORDER_STATUSES, PICK_STATUSES
from erp_core.procurement.claims.rules import CLAIM_STEPS
from erp_core.procurement.contracts.rules import CONTRACT_STEPS
from erp_core.procurement.invoices.rules import INVOICE_STEPS
from erp_core.procurement.quotations.rules import QUOTATION_STEPS
from erp_core.procurement.rules import PURCHASE_ORDER_STEPS, REQUISITION_STEPS
from erp_core.returns.rules import DISPOSITION_STEPS, RETURN_STEPS

STATUSES: Mapping[str, StatusGraph] = {
    "item": ITEM_STATUSES,
    "supplier": SUPPLIER_STATUSES,
    "sales order": ORDER_STATUSES,
    "lot": LOT_STEPS,
    "quality hold": HOLD_STEPS,
    "pick list": PICK_STATUSES,
    "reservation": RESERVATION_STATUSES,
    "stock count": COUNT_STATUSES,
    "requisition": REQUISITION_STEPS,
    "quotation request": QUOTATION_STEPS,
    "contract": CONTRACT_STEPS,
    "purchase order": PURCHASE_ORDER_STEPS,
    "supplier invoice": INVOICE_STEPS,
    "return": RETURN_STEPS,
    "disposition": DISPOSITION_STEPS,
    "vendor claim": CLAIM_STEPS,
    "exception": CASE_STEPS,
    "proposal": PROPOSAL_STEPS,
}


class Status(BaseModel):
    """A status of a document, and those that may follow it."""

    status: str
    leads_to: list[str]


class ReasonEntry(BaseModel):
    """A reason code; `effect` is what the system does differently for it."""

    code: str
    label: str
    effect: str | None
    active: bool


class ReasonKind(BaseModel):
    """What a kind of reason is for, with its codes."""

    kind: str
    about: str
    codes: list[ReasonEntry]


class Catalogue(BaseModel):
    """All statuses by document, the kinds of exception, and all reason codes by kind."""

    statuses: dict[str, list[Status]]
    exception_kinds: list[str]
    resolutions: list[str]
    reasons: list[ReasonKind]


def catalogue(connection: Connection) -> Catalogue:
    """The catalogue in force."""
    known = reason_catalogue(connection)
    return Catalogue(
        statuses={
            document: [Status(status=status, leads_to=sorted(steps)) for status, steps in graph.items()]
            for document, graph in STATUSES.items()
        },
        exception_kinds=list(EXCEPTION_KINDS),
        resolutions=sorted(get_args(Resolution)),
        reasons=[
            ReasonKind(
                kind=kind,
                about=about,
                codes=[
                    ReasonEntry(code=one.code, label=one.label, effect=one.effect, active=one.active)
                    for one in known
                    if one.kind == kind
                ],
            )
            for kind, about in KINDS.items()
        ],
    )


def as_markdown(found: Catalogue) -> str:
    """The catalogue as a page of the documentation."""
    return "\n".join(_lines(found)) + "\n"


def _lines(found: Catalogue) -> Iterator[str]:
    yield "# Statuses, exception kinds and reason codes"
    yield ""
    yield "Made with `quartermaster catalogue --markdown` from a new company. A step that is not listed is refused; a command that needs a reason"
    yield "takes a code of the catalogue, and free text alone is refused. `SetReasonCode` adds, renames and switches codes off."
    yield ""
    yield "## Statuses"
    for document, statuses in found.statuses.items():
        yield ""
        yield from _table(
            (f"{document}", "leads to"), [(one.status, ", ".join(one.leads_to) or "–") for one in statuses]
        )
    yield ""
    yield "## Exceptions"
    yield ""
    yield f"Kinds: {', '.join(f'`{one}`' for one in found.exception_kinds)}."
    yield f"Resolutions: {', '.join(f'`{one}`' for one in found.resolutions)}."
    yield ""
    yield "## Reason codes"
    for kind in found.reasons:
        yield ""
        yield f"**{kind.about}** (`{kind.kind}`)"
        yield ""
        yield from _table(
            ("code", "label", "effect"),
            [(f"`{one.code}`", one.label, one.effect or "–") for one in kind.codes if one.active],
        )


def _table(names: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(names)} |"
    yield f"|{'---|' * len(names)}"
    for row in rows:
        yield f"| {' | '.join(row)} |"
