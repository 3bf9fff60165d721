"""From events to commands: ids, numbers and moments. Knows the gate's commands and nothing of the simulation."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from uuid import UUID

from erp_core.gate.contract import Command
from erp_core.inventory.commands import ReceiveTransfer, StockLine, TransferStock
from erp_core.orders.commands import CancelOrder, OrderLine, PlaceOrder, ReleaseOrder, ShipOrder, ShippedLine
from erp_core.planning.commands import PlanPromotion
from erp_core.procurement.commands import (
    CancelPurchaseOrder,
    ChangePurchaseOrderDates,
    ClosePurchaseOrder,
    ConfirmPurchaseOrder,
    CreatePurchaseOrder,
    DecideHeldGoods,
    LinePromise,
    LineRepromise,
    PurchaseOrderLine,
    ReceivedLine,
    ReceiveGoods,
    RecordSupplierMessage,
    SendPurchaseOrder,
    SubmitPurchaseOrder,
)
from erp_core.returns.commands import (
    AuthorisedLine,
    AuthoriseReturn,
    DisposedLine,
    DisposeReturn,
    InspectedLine,
    InspectReturn,
    ReceiveReturn,
)
from erp_core.storage.ids import SeededIds
from evals.worlds.buying import purchase_number
from evals.worlds.engine import Premise
from evals.worlds.events import Event, PlacedLine
from evals.worlds.masterdata import MasterIds
from evals.worlds.papers import BY, Papers

WHO = {
    "SetSupplierItem": "buyer",
    "PlanPromotion": "planner",
    "CreatePurchaseOrder": "buyer",
    "SubmitPurchaseOrder": "buyer",
    "SendPurchaseOrder": "buyer",
    "ConfirmPurchaseOrder": "buyer",
    "ChangePurchaseOrderDates": "buyer",
    "CancelPurchaseOrder": "buyer",
    "ClosePurchaseOrder": "buyer",
    "RecordSupplierMessage": "buyer",
    "ReceiveGoods": "warehouse",
    "DecideHeldGoods": "buyer",
    "TransferStock": "warehouse",
    "ReceiveTransfer": "warehouse",
    "ShipOrder": "warehouse",
    "PlaceOrder": "service",
    "ReleaseOrder": "service",
    "CancelOrder": "service",
    "AuthoriseReturn": "returns",
    "ReceiveReturn": "returns",
    "InspectReturn": "returns",
    "DisposeReturn": "returns",
    **BY,
}
"""Who in the company does what; approvals are the manager's."""


class Commands:
    """Makes the command of an event. Documents get their ids when they first appear."""

    def __init__(self, premise: Premise, master: MasterIds, ids: SeededIds) -> None:
        self._premise = premise
        self._master = master
        self._ids = ids
        self._midnight = datetime.combine(premise.world.start, time(), tzinfo=UTC)
        self._orders: dict[int, tuple[UUID, list[UUID]]] = {}
        self._purchases: dict[int, tuple[UUID, list[UUID]]] = {}
        self._suppliers: dict[int, int] = {}
        self._returns: dict[int, tuple[UUID, list[UUID]]] = {}
        self._transfers: dict[int, UUID] = {}
        self._make: dict[str, Callable[[Event, datetime], Command]] = {
            kind: getattr(self, "_" + _snake(kind)) for kind in WHO if kind not in BY
        }
        self._make |= Papers(premise, master, self._purchases).make

    def __call__(self, event: Event) -> Command:
        """The event as a command, with `occurred_at` set."""
        moment = self.moment(event)
        self._ids.at(moment)
        return self._make[event.kind](event, moment)

    def moment(self, event: Event) -> datetime:
        """When the event happened, in UTC."""
        return self._midnight + timedelta(seconds=event.moment)

    def _day(self, index: int) -> date:
        return self._premise.world.day(index)

    def _place_order(self, event: Event, moment: datetime) -> Command:
        placed, number, ids, master = event.data, event.document[1], self._ids, self._master
        lines: list[PlacedLine] = placed.lines
        order_id, line_ids = ids(), [ids() for _ in lines]
        self._orders[number] = (order_id, line_ids)
        return PlaceOrder(
            occurred_at=moment,
            order_id=order_id,
            external_ref=f"{self._premise.catalogue.channels[placed.channel].code}-{number + 1:06d}",
            number=f"SO-{number + 1:06d}",
            channel_id=master.channels[placed.channel],
            customer_id=None if placed.customer is None else master.customers[placed.customer],
            customer_country=placed.country,
            promised_on=None if placed.ship_now else self._day(placed.promised),
            payment_status=placed.payment,
            ship_now=placed.ship_now,
            shipment_id=ids() if placed.ship_now else None,
            lines=tuple(
                OrderLine(
                    line_id=line_id,
                    item_id=master.items[line.item],
                    quantity=line.units,
                    unit_price=line.price,
                    list_price=line.list_price,
                    location_id=master.locations[line.location],
                )
                for line_id, line in zip(line_ids, lines, strict=True)
            ),
        )

    def _release_order(self, event: Event, moment: datetime) -> Command:
        order_id, _ = self._orders[event.document[1]]
        return ReleaseOrder(occurred_at=moment, order_id=order_id, promised_on=self._day(event.data))

    def _ship_order(self, event: Event, moment: datetime) -> Command:
        order_id, line_ids = self._orders[event.document[1]]
        return ShipOrder(
            occurred_at=moment,
            order_id=order_id,
            shipment_id=self._ids(),
            freight_cost=event.data.freight,
            location_id=self._master.locations[event.data.location],
            lines=tuple(
                ShippedLine(line_id=line_ids[line], quantity=units) for line, units in event.data.lines
            ),
        )

    def _cancel_order(self, event: Event, moment: datetime) -> Command:
        order_id, _ = self._orders[event.document[1]]
        return CancelOrder(occurred_at=moment, order_id=order_id, reason_code=event.data)

    def _create_purchase_order(self, event: Event, moment: datetime) -> Command:
        purchase, number = event.data, event.document[1]
        po_id, line_ids = self._ids(), [self._ids() for _ in purchase.lines]
        self._purchases[number], self._suppliers[number] = (po_id, line_ids), purchase.supplier
        return CreatePurchaseOrder(
            occurred_at=moment,
            po_id=po_id,
            number=purchase_number(number),
            supplier_id=self._master.suppliers[purchase.supplier],
            location_id=self._master.locations[purchase.location],
            freight_cost=purchase.freight,
            expedite_cost=purchase.expedite,
            reason=purchase.reason,
            lines=tuple(
                PurchaseOrderLine(
                    line_id=line_id,
                    item_id=self._master.items[line.item],
                    quantity=line.units,
                    unit_price=line.price,
                    need_by=self._day(line.need_by),
                )
                for line_id, line in zip(line_ids, purchase.lines, strict=True)
            ),
        )

    def _submit_purchase_order(self, event: Event, moment: datetime) -> Command:
        return SubmitPurchaseOrder(occurred_at=moment, po_id=self._purchases[event.document[1]][0])

    def _send_purchase_order(self, event: Event, moment: datetime) -> Command:
        return SendPurchaseOrder(occurred_at=moment, po_id=self._purchases[event.document[1]][0])

    def _cancel_purchase_order(self, event: Event, moment: datetime) -> Command:
        return CancelPurchaseOrder(
            occurred_at=moment, po_id=self._purchases[event.document[1]][0], reason_code=event.data
        )

    def _close_purchase_order(self, event: Event, moment: datetime) -> Command:
        return ClosePurchaseOrder(
            occurred_at=moment, po_id=self._purchases[event.document[1]][0], reason_code=event.data
        )

    def _confirm_purchase_order(self, event: Event, moment: datetime) -> Command:
        po_id, line_ids = self._purchases[event.document[1]]
        promises = tuple(
            LinePromise(po_line_id=line_ids[line], promised_on=self._day(day))
            for line, day in event.data.lines
        )
        return ConfirmPurchaseOrder(occurred_at=moment, po_id=po_id, lines=promises)

    def _change_purchase_order_dates(self, event: Event, moment: datetime) -> Command:
        po_id, line_ids = self._purchases[event.document[1]]
        promises = tuple(
            LineRepromise(po_line_id=line_ids[line], promised_on=self._day(day), cause=event.data.cause)
            for line, day in event.data.lines
        )
        return ChangePurchaseOrderDates(occurred_at=moment, po_id=po_id, lines=promises)

    def _receive_goods(self, event: Event, moment: datetime) -> Command:
        po_id, line_ids = self._purchases[event.document[1]]
        return ReceiveGoods(
            occurred_at=moment,
            receipt_id=self._ids(),
            po_id=po_id,
            lines=tuple(
                ReceivedLine(
                    receipt_line_id=self._ids(),
                    po_line_id=line_ids[line],
                    quantity=units,
                    rejected_quantity=rejected,
                )
                for line, units, rejected in event.data.lines
            ),
        )

    def _decide_held_goods(self, event: Event, moment: datetime) -> Command:
        po_id, line_ids = self._purchases[event.document[1]]
        return DecideHeldGoods(
            occurred_at=moment,
            decision_id=self._ids(),
            po_id=po_id,
            po_line_id=line_ids[event.data.line],
            decision=event.data.decision,
            quantity=event.data.units,
        )

    def _record_supplier_message(self, event: Event, moment: datetime) -> Command:
        number = event.document[1]
        return RecordSupplierMessage(
            occurred_at=moment,
            message_id=self._ids(),
            supplier_id=self._master.suppliers[self._suppliers[number]],
            po_id=self._purchases[number][0],
            body=event.data.body,
        )

    def _authorise_return(self, event: Event, moment: datetime) -> Command:
        data, number = event.data, event.document[1]
        return_id, line_ids = self._ids(), [self._ids() for _ in data.lines]
        self._returns[number] = (return_id, line_ids)
        order_id, order_lines = self._orders[data.order]
        return AuthoriseReturn(
            occurred_at=moment,
            return_id=return_id,
            number=f"RMA-{number + 1:05d}",
            order_id=order_id,
            location_id=self._master.locations[data.location],
            comment=data.comment,
            lines=tuple(
                AuthorisedLine(
                    return_line_id=line_id,
                    order_line_id=order_lines[line],
                    quantity=units,
                    reason_code=reason,
                )
                for line_id, (line, units, reason) in zip(line_ids, data.lines, strict=True)
            ),
        )

    def _receive_return(self, event: Event, moment: datetime) -> Command:
        return ReceiveReturn(occurred_at=moment, return_id=self._returns[event.document[1]][0])

    def _inspect_return(self, event: Event, moment: datetime) -> Command:
        return_id, line_ids = self._returns[event.document[1]]
        lines = tuple(
            InspectedLine(return_line_id=line_id, condition=condition)
            for line_id, condition in zip(line_ids, event.data.words, strict=True)
        )
        return InspectReturn(occurred_at=moment, return_id=return_id, lines=lines)

    def _dispose_return(self, event: Event, moment: datetime) -> Command:
        return_id, line_ids = self._returns[event.document[1]]
        lines = tuple(
            DisposedLine(return_line_id=line_id, disposition=disposition)
            for line_id, disposition in zip(line_ids, event.data.words, strict=True)
        )
        return DisposeReturn(occurred_at=moment, return_id=return_id, lines=lines)

    def _transfer_stock(self, event: Event, moment: datetime) -> Command:
        data, locations = event.data, self._master.locations
        transfer_id = self._transfers[event.document[1]] = self._ids()
        return TransferStock(
            occurred_at=moment,
            transfer_id=transfer_id,
            from_location_id=locations[data.source],
            to_location_id=locations[data.target],
            lines=tuple(
                StockLine(item_id=self._master.items[item], quantity=units) for item, units in data.lines
            ),
        )

    def _receive_transfer(self, event: Event, moment: datetime) -> Command:
        return ReceiveTransfer(occurred_at=moment, transfer_id=self._transfers[event.document[1]])

    def _set_supplier_item(self, event: Event, moment: datetime) -> Command:
        _, item, rank, price = event.data
        return self._master.supplier_item(self._premise.catalogue, item, rank, moment, price=price)

    def _plan_promotion(self, event: Event, moment: datetime) -> Command:
        one, channel = event.data
        return PlanPromotion(
            occurred_at=moment,
            promotion_id=self._ids(),
            item_id=self._master.items[one.item],
            channel_id=self._master.channels[channel],
            starts_on=self._day(one.start),
            ends_on=self._day(one.stop),
            discount=Decimal(str(one.discount)),
            title=one.name[:120],
        )


def _snake(name: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name).lstrip("_")
