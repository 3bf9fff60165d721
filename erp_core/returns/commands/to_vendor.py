"""Goods that go back to a supplier from stock: the return is the stock move, the cost and the claim."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import func, select

from erp_core.finance.costs import Costs, CostSource
from erp_core.gate.contract import DomainError, Done, Event, Task, Transaction
from erp_core.inventory.checks import Items, Places, check_items, check_places, load_known
from erp_core.inventory.ledger import Bucket, Ledger, Move
from erp_core.inventory.lots.book import LotBook
from erp_core.inventory.lots.rules import named_lots
from erp_core.inventory.rules import NO_LOT, VIRTUAL
from erp_core.master.commands.records import AlreadyExists
from erp_core.master.queries.reasons import Reasons
from erp_core.master.virtual import SUPPLIER
from erp_core.procurement.claims.reading import kept_in_doubt, went_back, went_back_defective
from erp_core.procurement.claims.rules import new_defects
from erp_core.procurement.model import drop_ship_lines, receipt_lines, receipts, vendor_returns
from erp_core.procurement.ordering.purchase_orders import Line, PurchaseOrder, PurchaseOrders
from erp_core.procurement.receiving.reversing import stands
from erp_core.returns.book import Claim, ReturnBook
from erp_core.returns.commands.claims import claim_opened
from erp_core.returns.commands.vendor_wishes import ReturnToVendor
from erp_core.returns.errors import LotOfAnotherOrder, NotReturnable, ReturnExceedsReceived
from erp_core.returns.undecided import quarantined_returns
from erp_core.returns.vendors import orders_of_lots
from erp_core.storage.lookup import fetch_in, there

REASONS = "vendor_return"
_FIRST_RECEIPT = (
    select(receipt_lines.c.po_line_id, func.min(receipts.c.received_on).label("day"))
    .join(receipts, receipts.c.id == receipt_lines.c.receipt_id)
    .where(stands())
    .group_by(receipt_lines.c.po_line_id)
)


def return_to_vendor(tasks: Sequence[Task[ReturnToVendor]], tx: Transaction) -> Sequence[Done | DomainError]:
    """Check each against what came and what lies there, then move, value and claim it."""
    work = _Work.begin(tx, [task.command for task in tasks])
    outcomes: list[Done | DomainError] = []
    for task in tasks:
        try:
            outcomes.append(work.send_back(task))
        except DomainError as error:
            outcomes.append(error)
    return outcomes


@dataclass(slots=True)
class _Work:
    tx: Transaction
    known: set[UUID]
    items: Items
    places: Places
    back: dict[UUID, int]
    defective: dict[UUID, int]
    in_doubt: dict[UUID, int]
    first_days: dict[UUID, Any]
    dropped: set[UUID]
    undecided: dict[Bucket, int]

    @classmethod
    def begin(cls, tx: Transaction, commands: Sequence[ReturnToVendor]) -> _Work:
        """Lock the orders, then read what all of them need: what went back is right until the transaction ends."""
        tx.flush()
        connection, orders, ledger = tx.connection, PurchaseOrders.of(tx), Ledger.of(tx)
        orders.load(one.po_id for one in commands)
        line_ids = {one.po_line_id for one in commands}
        found = [order for one in commands if (order := orders.find(one.po_id)) is not None]
        item_ids = {line.item_id for order in found for line in order.lines.values() if line.id in line_ids}
        items = check_items(tx, item_ids)
        places = check_places(
            tx,
            [
                place
                for one in commands
                if (place := one.location_id or _received_at(orders, one.po_id)) is not None
            ],
        )
        Costs.of(tx).load(item_ids)
        buckets = [
            Bucket.of(line.item_id, one.location_id or order.location_id, one.state)
            for one in commands
            if (order := orders.find(one.po_id)) is not None
            and (line := order.lines.get(one.po_line_id)) is not None
            and line.item_id not in items.tracking
        ]
        load_known(ledger, buckets, items, places)
        return cls(
            tx,
            there(connection, vendor_returns.c.id, [one.vendor_return_id for one in commands]),
            items,
            places,
            went_back(connection, line_ids),
            went_back_defective(connection, line_ids),
            kept_in_doubt(connection, line_ids),
            {
                row.po_line_id: row.day
                for row in fetch_in(connection, _FIRST_RECEIPT, receipt_lines.c.po_line_id, line_ids)
            },
            there(connection, drop_ship_lines.c.po_line_id, line_ids),
            quarantined_returns(connection, item_ids),
        )

    def send_back(self, task: Task[ReturnToVendor]) -> Done:
        """One return, or the error that refuses it: nothing is posted then."""
        command, tx = task.command, self.tx
        orders, ledger, costs = PurchaseOrders.of(tx), Ledger.of(tx), Costs.of(tx)
        order = orders.get(command.po_id)
        line = order.line(command.po_line_id, "po_line_id")
        place = command.location_id or order.location_id
        Reasons.of(tx).require(REASONS, command.reason_code)
        self.places.require(place)
        self.places.require_authority(place, task.principal)
        self._require_new(command)
        self._require_received(task, order, line)
        parts = self._parts(command, order, line, place)
        self._require_free(command, parts)
        costs.require({line.item_id: command.quantity})
        ledger.post([_move(task, bucket, units) for bucket, units in parts])
        source = CostSource(
            "adjustment",
            "vendor_return",
            command.vendor_return_id,
            task.occurred_on,
            task.audit_id,
            line.id,
            contra="claims_receivable",
        )
        claim = Claim(
            tx.new_id(),
            order.supplier_id,
            line.item_id,
            command.quantity,
            costs.issue(line.item_id, command.quantity, source),
            "open",
            task.occurred_on,
            1,
            task.audit_id,
            vendor_return_id=command.vendor_return_id,
            po_line_id=line.id,
        )
        ReturnBook.of(tx).sent_back(self._row(task, place, parts), claim)
        orders.purchasing_on(task.occurred_on)
        self.known.add(command.vendor_return_id)
        self.back[line.id] = self.back.get(line.id, 0) + command.quantity
        told = {
            "vendor_return_id": str(command.vendor_return_id),
            "claim_id": str(claim.id),
            "po_line_id": str(line.id),
            "units": command.quantity,
            "defect": command.defect,
            "reason": command.reason_code,
        }
        event = Event("GoodsReturnedToVendor", "vendor_return", command.vendor_return_id, 1, told)
        left = line.accepted_quantity - self.back[line.id]
        after = told | {"expected": claim.expected, "state": command.state, "left_of_line": left}
        return Done(
            told | {"expected": claim.expected},
            (event, claim_opened(claim)),
            before={"left_of_line": left + command.quantity},
            after=after,
        )

    def _require_new(self, command: ReturnToVendor) -> None:
        if command.vendor_return_id in self.known:
            raise AlreadyExists(
                "this return to the supplier is there already",
                field="vendor_return_id",
                remedy="make a new id for another",
            )

    def _require_received(self, task: Task[ReturnToVendor], order: PurchaseOrder, line: Line) -> None:
        command = task.command
        if line.id in self.dropped:
            raise NotReturnable(
                "the supplier sent these goods straight to a customer",
                field="po_line_id",
                remedy="let the customer return them: their vendor return claims them",
            )
        first = self.first_days.get(line.id)
        if first is not None and task.occurred_on < first:
            raise NotReturnable(
                f"the goods came on {first} and cannot go back before",
                field="occurred_at",
                remedy=f"give a day from {first} on",
            )
        left = max(line.accepted_quantity - self.back.get(line.id, 0), 0)
        if command.quantity > left:
            raise ReturnExceedsReceived(
                f"{left} units that line {line.line_no} of {order.number} brought may still go back",
                field="quantity",
                remedy="send back less; what is held on receipt goes back by DecideHeldGoods",
                accepted=line.accepted_quantity,
                went_back=self.back.get(line.id, 0),
                left=left,
            )

    def _parts(
        self, command: ReturnToVendor, order: PurchaseOrder, line: Line, place: UUID
    ) -> list[tuple[Bucket, int]]:
        tracking = self.items.tracking.get(line.item_id)
        named = named_lots(line.item_id, tracking, command.quantity, command, field="", arriving=False)
        if not named:
            return [(Bucket.of(line.item_id, place, command.state), command.quantity)]
        found = LotBook.of(self.tx).find(named, field="lot_code")
        brought = orders_of_lots(self.tx.connection, [lot.id for lot, _ in found])
        for lot, _ in found:
            theirs = lot.supplier_id == order.supplier_id
            if order.id not in brought[lot.id] if lot.id in brought else not theirs:
                raise LotOfAnotherOrder(
                    f"{lot.code} did not come with {order.number}",
                    field="serials" if lot.serial else "lot_code",
                    remedy="name the order that brought it; the lot's history shows which",
                    lot=lot.code,
                )
        return [(Bucket.of(line.item_id, place, command.state, lot.id), units) for lot, units in found]

    def _require_free(self, command: ReturnToVendor, parts: Sequence[tuple[Bucket, int]]) -> None:
        ledger = Ledger.of(self.tx)
        for bucket, units in parts:
            theirs = self.undecided.get(bucket, 0)
            if theirs and ledger.quantity(bucket) - theirs < units:
                raise NotReturnable(
                    f"{theirs} units that lie there wait with a customer's return",
                    field="quantity",
                    remedy="decide about the return: its vendor return claims them",
                    waiting=theirs,
                )

    def _row(
        self, task: Task[ReturnToVendor], place: UUID, parts: Sequence[tuple[Bucket, int]]
    ) -> dict[str, Any]:
        command = task.command
        counted = 0
        if command.defect is not None:
            before = self.defective.get(command.po_line_id, 0)
            counted = new_defects(command.quantity, before, self.in_doubt.get(command.po_line_id, 0))
            self.defective[command.po_line_id] = before + command.quantity
        lots = [[str(bucket.lot_id), units] for bucket, units in parts if bucket.lot_id != NO_LOT]
        return {
            "id": command.vendor_return_id,
            "po_id": command.po_id,
            "po_line_id": command.po_line_id,
            "location_id": place,
            "state": command.state,
            "quantity": command.quantity,
            "lots": lots or None,
            "reason_code": command.reason_code,
            "defect": command.defect,
            "new_defects": counted,
            "comment": command.comment,
            "returned_on": task.occurred_on,
            "occurred_at": task.occurred_at,
            "audit_id": task.audit_id,
        }


def _received_at(orders: PurchaseOrders, po_id: UUID) -> UUID | None:
    order = orders.find(po_id)
    return None if order is None else order.location_id


def _move(task: Task[ReturnToVendor], bucket: Bucket, units: int) -> Move:
    return Move(
        "disposition",
        bucket,
        Bucket.of(bucket.item_id, SUPPLIER, VIRTUAL, bucket.lot_id),
        units,
        "vendor_return",
        task.command.vendor_return_id,
        task.occurred_at,
        task.audit_id,
        task.command.reason_code,
    )
