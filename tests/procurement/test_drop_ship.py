"""Drop-ship lines create a supplier order, follow it, and leave with the supplier's parcel."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import pytest
from pydantic import ValidationError

from erp_core.gate.contract import Executed, Proposed
from erp_core.master.commands import CreateLocation
from erp_core.orders.commands import PlaceOrder
from erp_core.procurement.commands import (
    ConfirmDropShipment,
    ConfirmPurchaseOrder,
    DropShipped,
    LinePromise,
    OrderDropShipments,
    SendPurchaseOrder,
    SubmitPurchaseOrder,
)
from erp_core.procurement.commands.purchase_orders import CancelPurchaseOrder
from erp_core.procurement.ordering.drop_ship import DropShipment, drop_shipments_of
from erp_core.storage.engine import reading
from tests.master.market import active_supplier, agree, offered
from tests.shop import Shop


class DropShop:
    """A shop with a supplier that sends lamps to its customers."""

    def __init__(self, shop: Shop) -> None:
        self.shop, self.place, self.lamp = shop, uuid4(), shop.item("LAMP")
        self.supplier = active_supplier(shop)
        offered(shop, self.supplier, self.lamp, price=100_000, minimum_quantity=10)
        shop.run(
            CreateLocation(
                location_id=self.place,
                code="DROP",
                location_name="Straight from the maker",
                kind="drop_ship",
                supplier_id=self.supplier,
            )
        )

    def order(self, units: int, **fields: Any) -> PlaceOrder:
        return self.shop.place((self.lamp, units), place=self.place, **fields)

    def run(self) -> dict[str, Any]:
        return self.shop.run(OrderDropShipments())

    def of(self, order: PlaceOrder) -> DropShipment:
        with reading(self.shop.gate.engine) as connection:
            (found,) = drop_shipments_of(connection, [order.order_id])
        return found

    def sent(self, order: PlaceOrder) -> UUID:
        """Submit and send the supplier order of a customer's order."""
        po_id = self.of(order).po_id
        outcome = agree(self.shop, SubmitPurchaseOrder(po_id=po_id))
        assert isinstance(outcome, Executed), outcome
        self.shop.run(SendPurchaseOrder(po_id=po_id))
        return po_id


@pytest.fixture
def drop(fresh_shop: Shop) -> DropShop:
    return DropShop(fresh_shop)


def parcel(po_id: UUID, *lines: DropShipped) -> ConfirmDropShipment:
    return ConfirmDropShipment(po_id=po_id, receipt_id=uuid4(), shipment_id=uuid4(), lines=lines or None)


@pytest.mark.capability("S72")
def test_a_drop_ship_line_drafts_one_supplier_order_and_leaves_with_the_suppliers_parcel(
    drop: DropShop,
) -> None:
    shop = drop.shop
    older, newer = drop.order(3), drop.order(2)
    unpaid = drop.order(4, payment_status="pending")
    first = drop.run()
    assert (len(first["drafted"]), first["refused"]) == (2, []), "one for each paid order, below the minimum"
    assert drop.run()["drafted"] == [], "what is ordered is not ordered again"
    asked = drop.of(newer)
    assert (asked.quantity, asked.open_quantity, asked.status) == (2, 2, "draft")
    assert shop.status(newer) == "backordered"
    po_id = drop.sent(newer)
    promised = shop.now.date().replace(day=20)
    shop.run(
        ConfirmPurchaseOrder(
            po_id=po_id, lines=(LinePromise(po_line_id=asked.po_line_id, promised_on=promised),)
        )
    )
    assert (drop.of(newer).status, drop.of(newer).promised_on) == ("confirmed", promised)
    told = shop.run(parcel(po_id))
    assert told == {"purchase_order": "received", "order": "shipped", "units": 2}
    assert shop.status(older) == "backordered", "the parcel was the newer order's, whoever waits longer"
    assert shop.at(drop.lamp, drop.place).on_hand == 0
    assert drop.of(newer).open_quantity == 0
    shop.release(unpaid)
    assert len(drop.run()["drafted"]) == 1
    shop.assert_sound()


@pytest.mark.capability("S72")
def test_a_parcel_in_parts_and_one_that_is_none(drop: DropShop) -> None:
    shop = drop.shop
    order = drop.order(5)
    drop.run()
    po_id = drop.sent(order)
    line = drop.of(order).po_line_id
    assert shop.refused(parcel(po_id, DropShipped(po_line_id=line, quantity=6))).code == "not_drop_shipped"
    assert (
        shop.refused(parcel(po_id, DropShipped(po_line_id=uuid4(), quantity=1))).field == "lines.po_line_id"
    )
    assert shop.refused(parcel(uuid4())).field == "po_id"
    assert shop.at(drop.lamp, drop.place).on_hand == 0, "nothing of a refused parcel stays"
    assert shop.run(parcel(po_id, DropShipped(po_line_id=line, quantity=2)))["order"] == "partly_shipped"
    assert drop.run() == {"drafted": [], "refused": [], "cancelled": [], "stranded": []}
    shop.cancel(order)
    error = shop.refused(parcel(po_id))
    assert (error.code, error.details["waiting"]) == ("not_drop_shipped", 0)
    assert drop.run()["stranded"] == [str(po_id)], "the supplier still means to send three"
    shop.assert_sound()


@pytest.mark.capability("S72")
def test_a_draft_follows_its_order_when_that_is_cancelled_and_a_supplier_that_gave_up_is_not_asked_again(
    drop: DropShop,
) -> None:
    shop = drop.shop
    regretted, wanted = drop.order(1), drop.order(2)
    drop.run()
    shop.cancel(regretted)
    assert drop.run()["cancelled"] == [drop.of(regretted).number]
    assert drop.of(regretted).status == "cancelled"
    po_id = drop.sent(wanted)
    shop.run(CancelPurchaseOrder(po_id=po_id, reason_code="supplier_cannot_deliver"))
    assert drop.run()["drafted"] == []
    assert shop.status(wanted) == "backordered", "people decide what becomes of it"


@pytest.mark.capability("S72")
def test_a_supplier_order_waits_for_approval_like_any_other_and_a_drop_ship_place_has_a_supplier(
    drop: DropShop,
) -> None:
    order = drop.order(600)
    drop.run()
    (asked,) = drop.shop.submit(SubmitPurchaseOrder(po_id=drop.of(order).po_id))
    assert isinstance(asked, Proposed)
    assert drop.of(order).status == "submitted"
    with pytest.raises(ValidationError, match="who sends"):
        CreateLocation(location_id=uuid4(), code="X", location_name="X", kind="drop_ship")
    error = drop.shop.refused(
        CreateLocation(
            location_id=uuid4(), code="X", location_name="X", kind="drop_ship", supplier_id=uuid4()
        )
    )
    assert (error.code, error.field) == ("not_found", "supplier_id")
