"""Commands of sales orders."""

from __future__ import annotations

from functools import partial

from erp_core.gate.contract import Registration, Registry, each
from erp_core.inventory.events import (
    GoodsAvailable,
    ReservationsDue,
    ReservationsExpired,
    ReservationsHalted,
    ReservationsVoided,
)
from erp_core.orders.after_shipping import DueOf
from erp_core.orders.allocation import allocate_backorders, hold_expired_orders, lock_due_orders
from erp_core.orders.commands import (
    alert,
    documents,
    outage,
    payments,
    payouts,
    picking,
    recall,
    shares,
    shortages,
    splits,
    stages,
    waves,
)
from erp_core.orders.commands.alert import AlertOrders, SetMessageTemplate
from erp_core.orders.commands.cancel import CancelOrder, cancel_orders
from erp_core.orders.commands.customers import RegisterCustomer, register_customers
from erp_core.orders.commands.documents import ConfirmDelivery, IssueSalesInvoices
from erp_core.orders.commands.erase import EraseCustomer, erase_customer
from erp_core.orders.commands.forget import ForgetCustomers, forget_customers
from erp_core.orders.commands.hold import HoldOrder, hold_orders
from erp_core.orders.commands.outage import EndOutage, StartOutage
from erp_core.orders.commands.payments import PaymentLine, RecordCustomerPayments
from erp_core.orders.commands.payouts import RecordProviderPayout, SetOffCustomerCredit
from erp_core.orders.commands.picking import CancelPick, ConfirmPack, ConfirmPick, PickedLine, ReleasePick
from erp_core.orders.commands.place import OrderLine, PlaceOrder
from erp_core.orders.commands.placing import place_orders
from erp_core.orders.commands.recall import RecallLot
from erp_core.orders.commands.release import ReleaseOrder, release_orders
from erp_core.orders.commands.shares import AdaptChannelQuotas, SetChannelQuota
from erp_core.orders.commands.ship import ShipOrder, ShippedLine, ship_orders
from erp_core.orders.commands.shortages import SetShortageRule, SetSubstitution
from erp_core.orders.commands.splits import AllowSplit
from erp_core.orders.commands.stages import RaiseStageAlerts, SetStageLimit
from erp_core.orders.commands.waves import ChooseCarrier, ReleaseWave, SetPickCapacity
from erp_core.orders.events import LinesBackordered
from erp_core.orders.held_stock import put_back, wait_again
from erp_core.orders.shortages import follow_shortage_rules

__all__ = [
    "AdaptChannelQuotas",
    "AlertOrders",
    "AllowSplit",
    "CancelOrder",
    "CancelPick",
    "ChooseCarrier",
    "ConfirmDelivery",
    "ConfirmPack",
    "ConfirmPick",
    "EndOutage",
    "EraseCustomer",
    "ForgetCustomers",
    "HoldOrder",
    "IssueSalesInvoices",
    "OrderLine",
    "PaymentLine",
    "PickedLine",
    "PlaceOrder",
    "RaiseStageAlerts",
    "RecallLot",
    "RecordCustomerPayments",
    "RecordProviderPayout",
    "RegisterCustomer",
    "ReleaseOrder",
    "ReleasePick",
    "ReleaseWave",
    "SetChannelQuota",
    "SetMessageTemplate",
    "SetOffCustomerCredit",
    "SetPickCapacity",
    "SetShortageRule",
    "SetStageLimit",
    "SetSubstitution",
    "ShipOrder",
    "ShippedLine",
    "StartOutage",
    "register",
]


def register(registry: Registry, *, due: DueOf | None = None) -> None:
    """Add every command of sales orders, and let them follow the stock; `due` says what is to be refilled."""
    registry.register(Registration(RegisterCustomer, register_customers))
    registry.register(Registration(PlaceOrder, partial(place_orders, due=due)))
    registry.register(Registration(HoldOrder, hold_orders))
    registry.register(Registration(ReleaseOrder, release_orders))
    picking.register(registry)
    waves.register(registry)
    stages.register(registry)
    shares.register(registry)
    shortages.register(registry)
    splits.register(registry)
    recall.register(registry)
    alert.register(registry)
    outage.register(registry)
    documents.register(registry)
    payments.register(registry)
    payouts.register(registry)
    registry.register(Registration(ShipOrder, partial(ship_orders, due=due)))
    registry.register(Registration(CancelOrder, cancel_orders))
    registry.register(Registration(ForgetCustomers, each(forget_customers)))
    registry.register(Registration(EraseCustomer, each(erase_customer)))
    registry.subscribe(GoodsAvailable, allocate_backorders)
    registry.subscribe(LinesBackordered, follow_shortage_rules)
    registry.subscribe(ReservationsDue, lock_due_orders)
    registry.subscribe(ReservationsExpired, hold_expired_orders)
    registry.subscribe(ReservationsHalted, put_back)
    registry.subscribe(ReservationsVoided, wait_again)
