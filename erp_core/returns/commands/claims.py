"""What suppliers credit for goods that went back to them: only then the value is regained."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import select

from erp_core.finance.journal import Journal, JournalSource, own
from erp_core.gate.contract import DomainError, Done, Event, NotFound, Task, Transaction
from erp_core.gate.statuses import require_step
from erp_core.inventory.locks import lock_documents
from erp_core.procurement.claims.rules import CLAIM_STEPS
from erp_core.procurement.events import ClaimsCovered
from erp_core.procurement.model import vendor_claims
from erp_core.returns.book import Claim
from erp_core.returns.commands.wishes import SettleVendorClaim
from erp_core.returns.errors import ClaimNotOpen
from erp_core.returns.model import return_lines
from erp_core.storage.bulk import update_rows
from erp_core.storage.lookup import AnyRow

_CLAIMS = select(
    vendor_claims.c.id,
    vendor_claims.c.return_line_id,
    vendor_claims.c.po_line_id,
    vendor_claims.c.opened_on,
    vendor_claims.c.status,
    vendor_claims.c.expected,
    vendor_claims.c.version,
)


@dataclass(frozen=True, slots=True)
class Settlement:
    """What a supplier gives for a claim; zero: it refuses."""

    claim: AnyRow
    credited: int
    credit_note: str | None
    on: date
    audit_id: UUID

    @property
    def status(self) -> str:
        """What becomes of the claim."""
        return "credited" if self.credited else "refused"


def claim_opened(claim: Claim) -> Event:
    """What the world is told of a new claim."""
    data = {
        "supplier_id": None if claim.supplier_id is None else str(claim.supplier_id),
        "item_id": str(claim.item_id),
        "quantity": claim.quantity,
        "expected": claim.expected,
    }
    return Event("VendorClaimOpened", "vendor_claim", claim.id, claim.version, data)


def settle_claims(tasks: Sequence[Task[SettleVendorClaim]], tx: Transaction) -> Sequence[Done | DomainError]:
    """Close claims. What is credited counts as regained, what is missing of the cost as written off."""
    tx.flush()
    ids = {task.command.claim_id for task in tasks}
    known = {row.id: row for row in lock_documents(tx.connection, _CLAIMS, vendor_claims.c.id, ids)}
    outcomes: list[Done | DomainError] = []
    settled: dict[UUID, Settlement] = {}
    for task in tasks:
        try:
            outcomes.append(_settle(task, known, settled))
        except DomainError as error:
            outcomes.append(error)
    _write(tx, settled.values())
    return outcomes


def settle_covered_claims(event: ClaimsCovered, tx: Transaction) -> None:
    """Close the claims that credit notes cover, at what the notes give: nobody has to settle them beside."""
    ids = [one.claim_id for one in event.claims]
    known = {row.id: row for row in lock_documents(tx.connection, _CLAIMS, vendor_claims.c.id, ids)}
    _write(
        tx,
        [
            Settlement(claim, one.credited, one.credit_note, max(one.on, claim.opened_on), one.audit_id)
            for one in event.claims
            if (claim := known[one.claim_id]).status == "open"
        ],
    )


def _settle(
    task: Task[SettleVendorClaim], known: dict[UUID, AnyRow], settled: dict[UUID, Settlement]
) -> Done:
    command = task.command
    claim = known.get(command.claim_id)
    if claim is None:
        raise NotFound("there is no such claim", field="claim_id", remedy="list the open claims")
    if task.occurred_on < claim.opened_on:
        raise ClaimNotOpen(
            f"the claim was opened on {claim.opened_on}",
            field="occurred_at",
            remedy=f"give a day from {claim.opened_on} on",
        )
    new = Settlement(claim, command.credited, command.credit_note, task.occurred_on, task.audit_id)
    status = settled[claim.id].status if claim.id in settled else claim.status
    require_step(CLAIM_STEPS, status, new.status, "the claim")
    settled[claim.id] = new
    told = {"claim_id": str(claim.id), "status": new.status, "credited": command.credited}
    event = Event("VendorClaimSettled", "vendor_claim", claim.id, claim.version + 1, told)
    return Done(told, (event,), before={"status": claim.status, "expected": claim.expected}, after=told)


def _write(tx: Transaction, settled: Iterable[Settlement]) -> None:
    """The claims end: what is credited is to be taken, what is missing of the cost is lost."""
    journal, rows, lines = Journal.of(tx), list[dict[str, Any]](), list[dict[str, Any]]()
    for one in settled:
        claim = one.claim
        source = JournalSource("claim", "vendor_claim", claim.id, one.on, one.audit_id)
        expected, of = claim.expected or 0, claim.return_line_id or claim.po_line_id
        journal.post("supplier_credits", "claims_receivable", own(one.credited), source, credit_of=of)
        journal.post("stock_losses", "claims_receivable", own(expected - one.credited), source, credit_of=of)
        rows.append(
            {
                "id": claim.id,
                "status": one.status,
                "credited": one.credited,
                "credit_note": one.credit_note,
                "settled_on": one.on,
                "version": claim.version + 1,
                "audit_id": one.audit_id,
            }
        )
        if claim.return_line_id is not None:
            missing = None if claim.expected is None else max(claim.expected - one.credited, 0)
            lines.append({"id": claim.return_line_id, "recovered": one.credited, "written_off": missing})
    update_rows(tx.connection, vendor_claims, rows)
    update_rows(tx.connection, return_lines, lines)
