"""Taking a landed cost back: each part that was booked is booked the other way round."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Connection, select

from erp_core.finance.costs import Costs, CostSource
from erp_core.finance.journal import Journal, JournalSource, own
from erp_core.finance.layer_book import Arrival
from erp_core.gate.contract import (
    Command,
    DomainError,
    Done,
    Event,
    Facts,
    NotFound,
    Registration,
    Registry,
    Task,
    Transaction,
    each,
    facts_each,
)
from erp_core.master.queries.reasons import Reasons
from erp_core.master.values import ReasonCode
from erp_core.orders.late_costs import charge_sold, take_back_late_costs
from erp_core.procurement.model import po_lines, receipts
from erp_core.procurement.model.landed import landed_charges, landed_reversals, landed_shares
from erp_core.storage.bulk import insert_rows
from erp_core.storage.locks import lock_names
from erp_core.storage.lookup import AnyRow

REVERSAL_REASONS = "landed_cost_reversal"


class ReverseLandedCost(Command):
    """Take a recorded landed cost back, all of it and once. Governed.

    The margin gets back exactly what was booked on it. What raised the value of stock leaves it as far as the units are still
    there; what was sold since gets its part back on the day of the reversal. The parts add up to the charge.
    """

    charge_id: UUID
    reversal_id: UUID
    reason_code: ReasonCode

    @property
    def subject(self) -> tuple[str, UUID]:
        """The charge."""
        return ("landed_charge", self.charge_id)


class AlreadyTakenBack(DomainError):
    """The charge was reversed before."""

    code = "already_reversed"


@dataclass(frozen=True, slots=True)
class Raised:
    """How a part that raised the value of stock is taken back: from units still there, and for units that left."""

    from_stock: int
    gone_units: int
    for_gone: int


def taken_back(units: int, to_stock: int, whole: int, left: int, value: int) -> Raised:
    """Split what raised the value of stock, of a share of `whole` over `units`, by what is `left`, worth `value`.

    The units it was for follow from the share itself. What is taken from stock never exceeds its value.
    """
    there = -(-to_stock * units // whole) if whole else 0
    still = min(left, there)
    from_stock = min(to_stock * still // there, value) if there else 0
    return Raised(from_stock, there - still, to_stock - from_stock)


def reverse_landed_cost(task: Task[ReverseLandedCost], tx: Transaction) -> Done:
    """Book every part of the charge back."""
    command = task.command
    Reasons.of(tx).require(REVERSAL_REASONS, command.reason_code)
    tx.flush()
    lock_names(tx.connection, [f"landed cost {command.charge_id}"])
    charge = _charge(tx.connection, command.charge_id)
    table = landed_reversals.c
    if tx.connection.scalar(select(table.id).where(table.charge_id == charge.id)) is not None:
        raise AlreadyTakenBack(
            f"charge {charge.id} was taken back before",
            field="charge_id",
            remedy="record a new charge if it is owed after all",
        )
    share = landed_shares.c
    rows = tx.connection.execute(
        select(landed_shares, po_lines.c.item_id)
        .join(po_lines, po_lines.c.id == share.po_line_id)
        .where(share.charge_id == charge.id)
        .order_by(po_lines.c.line_no)
    ).all()
    costs = Costs.of(tx)
    costs.load(row.item_id for row in rows)
    left = {row.item_id: costs.mixed_quantity(row.item_id) for row in rows}
    source = {
        "booked_on": task.occurred_on,
        "document_kind": "landed_reversal",
        "document_id": command.reversal_id,
        "audit_id": task.audit_id,
    }
    from_sold = take_back_late_costs(tx, "landed_charge", charge.id, source)
    from_stock = 0
    for row in rows:
        whole = row.to_stock + row.to_sold + row.to_other
        arrival = Arrival(row.po_line_id, charge.came_with)
        own_units = costs.own_quantity(row.item_id, arrival)
        there = min(own_units + left[row.item_id], row.units)
        worth = costs.worth_of(row.item_id, arrival, there)
        back = taken_back(row.units, row.to_stock, whole, there, worth)
        left[row.item_id] -= max(there - own_units, 0)
        booked_as = CostSource(
            "landed_cost",
            "landed_reversal",
            command.reversal_id,
            task.occurred_on,
            task.audit_id,
            row.po_line_id,
        )
        costs.revalue(row.item_id, -back.from_stock, booked_as, arrival, there)
        from_stock += back.from_stock
        if back.gone_units and back.for_gone:
            _, sold = charge_sold(
                tx,
                row.item_id,
                since=charge.booked_on,
                units=back.gone_units,
                amount=-back.for_gone,
                source=source,
            )
            from_sold -= sold
    parts = {
        "to_stock": from_stock,
        "to_sold": from_sold,
        "to_other": charge.amount - from_stock - from_sold,
    }
    posted = JournalSource(
        "landed_cost", "landed_reversal", command.reversal_id, task.occurred_on, task.audit_id
    )
    journal = Journal.of(tx)
    journal.post("landed_cost_accrued", "cost_of_goods_sold", own(parts["to_sold"]), posted)
    journal.post("landed_cost_accrued", "stock_losses", own(parts["to_other"]), posted)
    head = {"id": command.reversal_id, "charge_id": charge.id, "reason": command.reason_code}
    written = {"reversed_on": task.occurred_on, "audit_id": task.audit_id}
    insert_rows(tx.connection, landed_reversals, [head | parts | written])
    event = Event("LandedCostReversed", "landed_charge", charge.id, 2, {"reason": command.reason_code})
    return Done({"charge_id": str(charge.id), **parts}, (event,), after=parts)


def _charge(connection: Connection, charge_id: UUID) -> AnyRow:
    row = connection.execute(
        select(landed_charges, receipts.c.audit_id.label("came_with"))
        .outerjoin(receipts, receipts.c.id == landed_charges.c.receipt_id)
        .where(landed_charges.c.id == charge_id)
    ).one_or_none()
    if row is None:
        raise NotFound(
            f"there is no landed cost {charge_id}",
            field="charge_id",
            remedy="give the id it was recorded with",
        )
    return row


def reversal_facts(command: ReverseLandedCost, preceding: Sequence[Command], connection: Connection) -> Facts:
    """The amount that is taken back."""
    return {"amount": int(_charge(connection, command.charge_id).amount)}


def register(registry: Registry) -> None:
    """Add the command."""
    registry.register(
        Registration(
            ReverseLandedCost,
            each(reverse_landed_cost),
            governed=True,
            facts=facts_each(reversal_facts),
            compensation="RecordLandedCost again",
        )
    )
