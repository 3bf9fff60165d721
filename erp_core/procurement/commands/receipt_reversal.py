"""Taking a receipt of goods back: the opposite of all that it posted, once, on the day of the reversal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, func, select, update

from erp_core.exceptions.book import Noted, raise_cases
from erp_core.finance.costs import Costs, CostSource
from erp_core.finance.journal import Journal, Worth
from erp_core.finance.model import cost_entries
from erp_core.gate.contract import (
    Command,
    DomainError,
    Done,
    Duty,
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
from erp_core.inventory.ledger import Bucket, InsufficientStock, Ledger, Move
from erp_core.inventory.model import stock_moves
from erp_core.inventory.rules import OWN, VIRTUAL
from erp_core.master.queries.reasons import Reasons
from erp_core.master.values import Comment, ReasonCode
from erp_core.master.virtual import SUPPLIER
from erp_core.procurement.commands.shortfalls import read_announced, shortfalls
from erp_core.procurement.model import receipt_lines, receipts
from erp_core.procurement.model.receiving import receipt_reversals, unordered_goods
from erp_core.procurement.ordering.inbound import with_promises
from erp_core.procurement.ordering.purchase_orders import Line, PurchaseOrder, PurchaseOrders
from erp_core.procurement.receiving.reversing import (
    Came,
    ReceiptNotReversible,
    require_nothing_rests_on_it,
    status_without,
    strange_goods,
    take_back,
    was_announced,
    what_came,
)
from erp_core.procurement.receiving.rules import variance_case, variance_key
from erp_core.procurement.receiving.short import short_key
from erp_core.procurement.receiving.substitutes import UNORDERED_CASE
from erp_core.storage.lookup import AnyRow, fetch_in, there

REASONS = "receipt_reversal"


class ReverseReceipt(Command):
    """Take a wrong receipt back, all of it and once. Governed.

    The goods leave from where they were received, or from where they were put away since, at the value they came with;
    the supplier is owed nothing for them, and the order awaits them again. The receipt itself stays as it was written.
    Refused where goods were moved on, decided about or billed, or carry landed cost: the error says what to do first.
    """

    po_id: UUID
    receipt_id: UUID
    reason_code: ReasonCode
    comment: Comment | None = None

    @property
    def subject(self) -> tuple[str, UUID]:
        """The purchase order."""
        return ("purchase_order", self.po_id)


class ReceiptReversed(DomainError):
    """The receipt was reversed before."""

    code = "already_reversed"


def reverse_receipt(task: Task[ReverseReceipt], tx: Transaction) -> Done:
    """Check that nothing rests on the receipt, then move, value and write the opposite."""
    command, orders = task.command, PurchaseOrders.of(tx)
    Reasons.of(tx).require(REASONS, command.reason_code)
    orders.load([command.po_id])
    order = orders.get(command.po_id)
    tx.flush()
    receipt = _receipt(tx.connection, command)
    _require_reversible(task, tx, order, receipt)
    came, strange = what_came(tx.connection, receipt.id), strange_goods(tx.connection, receipt.id)
    require_nothing_rests_on_it(tx.connection, order, receipt, came, [row.id for row in strange])
    lines = [order.lines[line_id] for line_id in came]
    Costs.of(tx).load({line.item_id for line in lines})
    rows = _moves_of(tx.connection, receipt)
    units = sum(one.kept for one in came.values()) + sum(row.quantity for row in strange)
    if sum(row.quantity for row in rows) != units:
        raise ReceiptNotReversible(
            "its moves are not in the ledger any more",
            field="receipt_id",
            remedy="adjust the stock instead: the months of its moves were taken out",
        )
    Ledger.of(tx).post(list(_opposite(task, tx, rows)))
    _value_back(task, tx, order, receipt, came)
    before = order.status
    for line in lines:
        take_back(order, line, came[line.id], receipt.received_on)
    status = status_without(order, was_announced(tx.connection, order.id))
    if status != before:
        order.step_to(status)
    tx.connection.execute(
        update(unordered_goods).where(unordered_goods.c.receipt_id == receipt.id).values(held_quantity=0)
    )
    row = command.model_dump(include={"receipt_id", "reason_code", "comment"})
    orders.insert(receipt_reversals, row | {"reversed_on": task.occurred_on, "audit_id": task.audit_id})
    orders.changed(order, task.audit_id, lines)
    for day in (receipt.received_on, task.occurred_on):
        orders.purchasing_on(day)
    orders.flush()
    _settle(task, tx, order, lines, strange)
    counts = {
        "units": units,
        "accepted": sum(one.accepted for one in came.values()),
        "held": sum(one.held for one in came.values()),
        "rejected": sum(one.rejected for one in came.values()),
    }
    told = {"receipt_id": str(receipt.id), "status": order.status} | counts
    event = Event(
        "ReceiptReversed", "purchase_order", order.id, order.version, told | {"reason": command.reason_code}
    )
    return Done(
        told,
        (event,),
        before={"status": before},
        after={"status": order.status, "total": order.total} | counts,
    )


def _receipt(connection: Connection, command: ReverseReceipt) -> AnyRow:
    table = receipts.c
    row = connection.execute(
        select(receipts).where(table.id == command.receipt_id, table.po_id == command.po_id)
    ).one_or_none()
    if row is None:
        raise NotFound(
            "the purchase order has no such receipt",
            field="receipt_id",
            remedy="give the id of one of its receipts; consigned goods are taken over or sent back by their own commands",
        )
    return row


def _require_reversible(
    task: Task[ReverseReceipt], tx: Transaction, order: PurchaseOrder, receipt: AnyRow
) -> None:
    if there(tx.connection, receipt_reversals.c.receipt_id, [receipt.id]):
        raise ReceiptReversed(
            f"receipt {receipt.id} was reversed before",
            field="receipt_id",
            remedy="receive the goods anew if they came after all",
        )
    if receipt.import_id is not None:
        raise ReceiptNotReversible(
            "the receipt is imported history: it moved no stock here",
            field="receipt_id",
            remedy="correct it where it was imported from",
        )
    if order.status in ("closed", "cancelled"):
        raise ReceiptNotReversible(
            f"purchase order {order.number} is {order.status}: nothing would be awaited again",
            field="po_id",
            remedy="send the goods back to the supplier, or adjust the stock",
        )
    if task.occurred_on < receipt.received_on:
        raise ReceiptNotReversible(
            f"the goods came on {receipt.received_on} and cannot be taken back before",
            field="occurred_at",
            remedy=f"give a day from {receipt.received_on} on",
        )


def _moves_of(connection: Connection, receipt: AnyRow) -> list[AnyRow]:
    table = stock_moves.c
    statement = select(stock_moves).where(
        table.occurred_on == receipt.received_on,
        table.document_id == receipt.po_id,
        table.audit_id == receipt.audit_id,
        table.event == "receipt",
        table.from_location_id == SUPPLIER,
        table.owner == OWN,
    )
    return list(connection.execute(statement.order_by(table.id.desc())).all())


def _opposite(task: Task[ReverseReceipt], tx: Transaction, rows: Sequence[AnyRow]) -> Iterator[Move]:
    """The moves back. Units of an item, or of a lot, are alike: those in the bucket they were received into go first."""
    ledger, taken = Ledger.of(tx), dict[Bucket, int]()
    ledger.load({_into(row) for row in rows})
    for row in rows:
        bucket, left = _into(row), row.quantity
        places: list[tuple[Bucket, int]] = [(bucket, left)]
        if ledger.quantity(bucket) - taken.get(bucket, 0) < left:
            places += _put_away(tx.connection, row)
        for place, most in places:
            units = min(left, most, ledger.quantity(place) - taken.get(place, 0))
            if units > 0:
                taken[place] = taken.get(place, 0) + units
                left -= units
                yield Move(
                    "reversal",
                    place,
                    Bucket.of(row.item_id, SUPPLIER, VIRTUAL, row.lot_id),
                    units,
                    "purchase_order",
                    task.command.po_id,
                    task.occurred_at,
                    task.audit_id,
                    task.command.reason_code,
                    row.id,
                )
        if left:
            raise _moved_on(ledger, bucket, row.quantity, row.quantity - left)


def _into(row: AnyRow) -> Bucket:
    return Bucket.of(row.item_id, row.to_location_id, row.to_state, row.lot_id)


def _put_away(connection: Connection, row: AnyRow) -> list[tuple[Bucket, int]]:
    """Where units of what the move brought were put away since, the last first, and how many."""
    table = stock_moves.c
    found = connection.execute(
        select(table.to_location_id, table.quantity)
        .where(
            table.occurred_on >= row.occurred_on,
            table.occurred_at >= row.occurred_at,
            table.document_kind == "putaway",
            table.item_id == row.item_id,
            table.lot_id == row.lot_id,
            table.from_location_id == row.to_location_id,
            table.from_state == row.to_state,
        )
        .order_by(table.occurred_at.desc(), table.id.desc())
    )
    return [(Bucket.of(row.item_id, place, row.to_state, row.lot_id), int(units)) for place, units in found]


def _moved_on(ledger: Ledger, bucket: Bucket, wanted: int, held: int) -> InsufficientStock:
    error = ledger.shortage(bucket, wanted, held)
    return InsufficientStock(
        error.message,
        field="receipt_id",
        remedy="goods of it were promised, sold or moved on: free or bring them back first, send back what is left to the"
        " supplier, or adjust the stock",
        **error.details,
    )


def _value_back(
    task: Task[ReverseReceipt],
    tx: Transaction,
    order: PurchaseOrder,
    receipt: AnyRow,
    came: Mapping[UUID, Came],
) -> None:
    """Take the accepted units out of the valuation, and off what is received and not invoiced at the order's price."""
    costs, journal = Costs.of(tx), Journal.of(tx)
    values = _values(tx.connection, order, receipt, came)
    for line_id, one in came.items():
        line = order.lines[line_id]
        if not one.accepted:
            continue
        said: dict[str, Any] = {
            "event": "reversal",
            "document_kind": "purchase_order",
            "document_id": order.id,
            "occurred_on": task.occurred_on,
            "audit_id": task.audit_id,
            "line_id": line.id,
        }
        amount = one.accepted * line.unit_price
        if line_id in values:
            paid = Worth(order.currency, amount, values[line_id])
            owed = CostSource(**said, contra="goods_received_not_invoiced", exact=True)
            costs.take_back(line.item_id, one.accepted, owed, paid, receipt.audit_id)
            continue
        # It had no cost when it came: that was an expense, and its stock was valued by hand later, if at all.
        paid = journal.worth(order.currency, amount, receipt.received_on)
        journal.post(
            "goods_received_not_invoiced",
            "unvalued_purchases",
            paid,
            CostSource(**said),
            debit_of=line.id,
            exact=True,
        )
        costs.issue(line.item_id, one.accepted, CostSource(**said, contra="opening_balance"))


def _values(
    connection: Connection, order: PurchaseOrder, receipt: AnyRow, came: Mapping[UUID, Came]
) -> dict[UUID, int]:
    """The value that each line's units came with, in company currency; lines that came unvalued are left out."""
    table = cost_entries.c
    statement = (
        select(table.line_id, func.sum(table.value).label("value"))
        .where(
            table.occurred_on == receipt.received_on,
            table.document_id == order.id,
            table.audit_id == receipt.audit_id,
            table.event == "receipt",
        )
        .group_by(table.line_id)
    )
    items = {order.lines[line_id].item_id for line_id in came}
    return {row.line_id: int(row.value) for row in fetch_in(connection, statement, table.item_id, items)}


def _settle(
    task: Task[ReverseReceipt],
    tx: Transaction,
    order: PurchaseOrder,
    lines: Sequence[Line],
    strange: Sequence[AnyRow],
) -> None:
    """Close the cases of what is not there any more, and count anew what notices announced."""
    announced = read_announced(tx.connection, [line.id for line in lines])
    arrived = {id_ for id_, one in announced.items() if one.arrived}
    short, known = shortfalls(
        tx, order, [(line, 0) for line in lines if line.id in arrived], announced, task.occurred_at
    )
    drafts = [variance_case(order, line, task.occurred_at) for line in lines]
    noted = Noted("the receipt is reversed", task.occurred_at, task.audit_id)
    raise_cases(
        tx,
        [*(draft for draft in drafts if draft is not None), *short],
        noted,
        settled=[
            *(variance_key(line) for line in lines),
            *(short_key(line) for line in lines if line.id in announced),
            *known,
            *((UNORDERED_CASE, str(row.id)) for row in strange),
        ],
    )


def reversal_facts(command: ReverseReceipt, preceding: Sequence[Command], connection: Connection) -> Facts:
    """What the policy weighs: the units that leave again."""
    receipt = _receipt(connection, command)
    came = connection.scalar(
        select(func.sum(receipt_lines.c.accepted_quantity + receipt_lines.c.held_quantity)).where(
            receipt_lines.c.receipt_id == receipt.id
        )
    )
    strange = connection.scalar(
        select(func.sum(unordered_goods.c.quantity)).where(unordered_goods.c.receipt_id == receipt.id)
    )
    return {"units": int(came or 0) + int(strange or 0), "reason": command.reason_code}


def register(registry: Registry) -> None:
    """Add the command. Who takes a receipt back has a part in receiving; who received does not agree to it."""
    registry.register(
        Registration(
            ReverseReceipt,
            with_promises(each(reverse_receipt)),
            governed=True,
            facts=facts_each(reversal_facts),
            duties=lambda command: [Duty("purchase_order", command.po_id, "receiver")],
            approver_duties=lambda command: [
                Duty("purchase_order", command.po_id, "receipt_reversal_approver")
            ],
            compensation="ReceiveGoods again",
        )
    )
