"""Returns to suppliers that are taken back: the opposite move, the value they left with, and no claim any more."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select, update

from erp_core.finance.costs import Costs, CostSource
from erp_core.gate.contract import Done, Event, NotFound, Task, Transaction
from erp_core.gate.statuses import require_step
from erp_core.inventory.ledger import Bucket, Ledger, Move
from erp_core.inventory.locks import lock_documents
from erp_core.inventory.lots.book import LotBook
from erp_core.inventory.lots.rules import Named
from erp_core.inventory.rules import NO_LOT, VIRTUAL
from erp_core.inventory.standing import StandingMoves
from erp_core.master.queries.reasons import Reasons
from erp_core.master.virtual import SUPPLIER
from erp_core.procurement.claims.crediting import covered_units
from erp_core.procurement.claims.rules import CLAIM_STEPS
from erp_core.procurement.model import vendor_claims, vendor_returns
from erp_core.procurement.ordering.purchase_orders import PurchaseOrders
from erp_core.returns.commands.vendor_wishes import ReverseVendorReturn
from erp_core.returns.errors import ClaimCredited, NotReturnable
from erp_core.storage.lookup import AnyRow

REASONS = "vendor_return_reversal"
_RETURN = select(
    vendor_returns,
    vendor_claims.c.id.label("claim_id"),
    vendor_claims.c.item_id,
    vendor_claims.c.expected,
).join(vendor_claims, vendor_claims.c.vendor_return_id == vendor_returns.c.id)
_CLAIM = select(vendor_claims.c.status, vendor_claims.c.version)


def reverse_vendor_return(task: Task[ReverseVendorReturn], tx: Transaction) -> Done:
    """Check that nobody credited it, then move, value and withdraw."""
    Reasons.of(tx).require(REASONS, task.command.reason_code)
    tx.flush()
    row = tx.connection.execute(
        _RETURN.where(vendor_returns.c.id == task.command.vendor_return_id)
    ).one_or_none()
    if row is None:
        raise NotFound(
            "there is no such return to a supplier", field="vendor_return_id", remedy="list the claims"
        )
    PurchaseOrders.of(tx).load([row.po_id])
    (claim,) = lock_documents(tx.connection, _CLAIM, vendor_claims.c.id, [row.claim_id])
    require_step(CLAIM_STEPS, claim.status, "withdrawn", "the claim")
    covered = covered_units(tx.connection, [row.claim_id]).get(row.claim_id, 0)
    if covered:
        raise ClaimCredited(
            f"a credit note covers {covered} units of it",
            field="vendor_return_id",
            remedy="reject the credit note first",
            covered=covered,
        )
    if task.occurred_on < row.returned_on:
        raise NotReturnable(
            f"the goods went back on {row.returned_on}",
            field="occurred_at",
            remedy=f"give a day from {row.returned_on} on",
        )
    _take_in(task, tx, row)
    withdrawn = {
        "status": "withdrawn",
        "credited": 0,
        "settled_on": task.occurred_on,
        "version": claim.version + 1,
        "audit_id": task.audit_id,
    }
    tx.connection.execute(update(vendor_claims).where(vendor_claims.c.id == row.claim_id).values(withdrawn))
    PurchaseOrders.of(tx).purchasing_on(row.returned_on)
    told = {"vendor_return_id": str(row.id), "claim_id": str(row.claim_id), "units": row.quantity}
    event = Event(
        "VendorReturnReversed", "vendor_return", row.id, 2, told | {"reason": task.command.reason_code}
    )
    return Done(told, (event,), before={"status": claim.status}, after=told | {"status": "withdrawn"})


def _take_in(task: Task[ReverseVendorReturn], tx: Transaction, row: AnyRow) -> None:
    costs, ledger, lots = Costs.of(tx), Ledger.of(tx), LotBook.of(tx)
    costs.load([row.item_id])
    parts = [(NO_LOT, row.quantity)] if row.lots is None else [(UUID(id_), n) for id_, n in row.lots]
    lots.read(lot_id for lot_id, _ in parts)
    known = {lot_id: lots.get(lot_id) for lot_id, _ in parts if lot_id != NO_LOT}
    lots.require_outside(
        [Named(row.item_id, lot.code, True, None, None, 1) for lot in known.values() if lot.serial]
    )
    left = StandingMoves(tx.connection, "disposition", [row.id])
    moves = []
    for lot_id, units in parts:
        held = lot_id in known and known[lot_id].state_on(task.occurred_on) == "quarantined"
        moves.append(
            Move(
                "reversal",
                Bucket.of(row.item_id, SUPPLIER, VIRTUAL, lot_id),
                Bucket.of(row.item_id, row.location_id, "quarantined" if held else row.state, lot_id),
                units,
                "vendor_return",
                row.id,
                task.occurred_at,
                task.audit_id,
                task.command.reason_code,
                left.take(row.id, row.item_id, lot_id, units),
            )
        )
    ledger.post(moves)
    ledger.announce()
    source = CostSource(
        "reversal",
        "vendor_return",
        row.id,
        task.occurred_on,
        task.audit_id,
        row.po_line_id,
        contra="stock_losses" if row.expected is None else "claims_receivable",
    )
    costs.receive(row.item_id, row.quantity, row.expected, source)
