"""What suppliers credit for goods that went back to them: only then the value is regained."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select

from erp_core.finance.journal import Journal, JournalSource, own
from erp_core.gate.contract import DomainError, Done, Event, NotFound, Task, Transaction
from erp_core.gate.statuses import require_step
from erp_core.inventory.locks import lock_documents
from erp_core.procurement.claims.rules import CLAIM_STEPS
from erp_core.procurement.model import vendor_claims
from erp_core.returns.commands.wishes import SettleVendorClaim
from erp_core.returns.model import return_lines
from erp_core.storage.bulk import update_rows
from erp_core.storage.lookup import AnyRow

_CLAIMS = select(
    vendor_claims.c.id,
    vendor_claims.c.return_line_id,
    vendor_claims.c.status,
    vendor_claims.c.expected,
    vendor_claims.c.version,
)


def settle_claims(tasks: Sequence[Task[SettleVendorClaim]], tx: Transaction) -> Sequence[Done | DomainError]:
    """Close claims. What is credited counts as regained, what is missing of the cost as written off."""
    tx.flush()
    ids = {task.command.claim_id for task in tasks}
    known = {row.id: row for row in lock_documents(tx.connection, _CLAIMS, vendor_claims.c.id, ids)}
    outcomes: list[Done | DomainError] = []
    settled: dict[UUID, Task[SettleVendorClaim]] = {}
    for task in tasks:
        try:
            outcomes.append(_settle(task, known, settled))
            _post(Journal.of(tx), known[task.command.claim_id], task)
        except DomainError as error:
            outcomes.append(error)
    update_rows(tx.connection, vendor_claims, [_claim(known[id_], task) for id_, task in settled.items()])
    update_rows(tx.connection, return_lines, [_line(known[id_], task) for id_, task in settled.items()])
    return outcomes


def _settle(
    task: Task[SettleVendorClaim], known: dict[UUID, AnyRow], settled: dict[UUID, Task[SettleVendorClaim]]
) -> Done:
    command = task.command
    claim = known.get(command.claim_id)
    if claim is None:
        raise NotFound("there is no such claim", field="claim_id", remedy="list the open claims")
    status = _status(settled[claim.id]) if claim.id in settled else claim.status
    require_step(CLAIM_STEPS, status, _status(task), "the claim")
    settled[claim.id] = task
    told = {"claim_id": str(claim.id), "status": _status(task), "credited": command.credited}
    event = Event("VendorClaimSettled", "vendor_claim", claim.id, claim.version + 1, told)
    return Done(told, (event,), before={"status": claim.status, "expected": claim.expected}, after=told)


def _post(journal: Journal, claim: AnyRow, task: Task[SettleVendorClaim]) -> None:
    """The claim ends: what is credited is to be taken, what is missing of the cost is lost."""
    source = JournalSource("claim", "vendor_claim", claim.id, task.occurred_on, task.audit_id)
    credited, expected = task.command.credited, claim.expected or 0
    of = claim.return_line_id
    journal.post("supplier_credits", "claims_receivable", own(credited), source, credit_of=of)
    journal.post("stock_losses", "claims_receivable", own(expected - credited), source, credit_of=of)


def _status(task: Task[SettleVendorClaim]) -> str:
    return "credited" if task.command.credited else "refused"


def _claim(claim: AnyRow, task: Task[SettleVendorClaim]) -> dict[str, object]:
    return {
        "id": claim.id,
        "status": _status(task),
        "credited": task.command.credited,
        "credit_note": task.command.credit_note,
        "settled_on": task.occurred_on,
        "version": claim.version + 1,
        "audit_id": task.audit_id,
    }


def _line(claim: AnyRow, task: Task[SettleVendorClaim]) -> dict[str, object]:
    credited = task.command.credited
    missing = None if claim.expected is None else max(claim.expected - credited, 0)
    return {"id": claim.return_line_id, "recovered": credited, "written_off": missing}
