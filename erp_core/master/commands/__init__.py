"""Commands of the master data."""

from __future__ import annotations

from erp_core.clock import Clock
from erp_core.gate.contract import Registry
from erp_core.master.commands import (
    carrier_holidays,
    carriers,
    channels,
    classes,
    entities,
    external_skus,
    fallbacks,
    fulfilment,
    governance,
    item_trade,
    items,
    kits,
    landed_costs,
    ownership,
    places,
    planning_policies,
    products,
    quality,
    residency,
    restrictions,
    retention,
    supplier_items,
    supplier_risk,
    suppliers,
    taxes,
    trade,
    variants,
    work_calendars,
    workflows,
)
from erp_core.master.commands.carrier_holidays import SetCarrierHolidays
from erp_core.master.commands.carriers import (
    SetCarrier,
    SetCarrierCutoff,
    SetCarrierLane,
    SetCarrierService,
    SetShippingZone,
)
from erp_core.master.commands.channels import SetChannelTerms
from erp_core.master.commands.classes import RecordItemClasses, SetBrand, SetClassPolicy
from erp_core.master.commands.entities import AssignLegalEntity, CreateLegalEntity, OpenLocation
from erp_core.master.commands.external_skus import MapExternalSku, ResolveExternalSkus
from erp_core.master.commands.fallbacks import SetOutageFallback
from erp_core.master.commands.fulfilment import SetFulfilmentRule, SetPackaging, SetPackagingRule
from erp_core.master.commands.governance import (
    AddSupplierDocument,
    AssignDataOwner,
    SetDocumentKind,
    SetMasterParameter,
    SetReasonCode,
)
from erp_core.master.commands.item_trade import SetItemTrade
from erp_core.master.commands.items import ActivateItem, ChangeItem, CreateItem, SetItemUnit
from erp_core.master.commands.kits import DefineKit, KitComponent
from erp_core.master.commands.landed_costs import SetLandedCostComponent
from erp_core.master.commands.places import CreateChannel, CreateLocation
from erp_core.master.commands.planning_policies import SetPlanningPolicy
from erp_core.master.commands.prices import SetSupplierPrice
from erp_core.master.commands.products import ChangeProduct, CreateProduct, SetCategory
from erp_core.master.commands.quality import RecordDataQuality
from erp_core.master.commands.records import AlreadyExists, Today
from erp_core.master.commands.retention import HoldRecords, ReleaseRecords, SetRecordRetention
from erp_core.master.commands.supplier_items import PreferSupplier, SetSupplierItem
from erp_core.master.commands.supplier_risk import SetSupplierRisk
from erp_core.master.commands.suppliers import (
    ActivateSupplier,
    BlockSupplier,
    CreateSupplier,
    SendBackSupplier,
    SubmitSupplier,
)
from erp_core.master.commands.taxes import SetRevenueRule, SetTaxRule
from erp_core.master.commands.trade import AddTradeDocument, SetTradeRule, WithdrawTradeDocument
from erp_core.master.commands.variants import SetItemVariant
from erp_core.master.commands.work_calendars import SetWorkCalendar
from erp_core.master.commands.workflows import SetSegmentWorkflow

__all__ = [
    "ActivateItem",
    "ActivateSupplier",
    "AddSupplierDocument",
    "AddTradeDocument",
    "AlreadyExists",
    "AssignDataOwner",
    "AssignLegalEntity",
    "BlockSupplier",
    "ChangeItem",
    "ChangeProduct",
    "CreateChannel",
    "CreateItem",
    "CreateLegalEntity",
    "CreateLocation",
    "CreateProduct",
    "CreateSupplier",
    "DefineKit",
    "HoldRecords",
    "KitComponent",
    "MapExternalSku",
    "OpenLocation",
    "PreferSupplier",
    "RecordDataQuality",
    "RecordItemClasses",
    "ReleaseRecords",
    "ResolveExternalSkus",
    "SendBackSupplier",
    "SetBrand",
    "SetCarrier",
    "SetCarrierCutoff",
    "SetCarrierHolidays",
    "SetCarrierLane",
    "SetCarrierService",
    "SetCategory",
    "SetChannelTerms",
    "SetClassPolicy",
    "SetDocumentKind",
    "SetFulfilmentRule",
    "SetItemTrade",
    "SetItemUnit",
    "SetItemVariant",
    "SetLandedCostComponent",
    "SetMasterParameter",
    "SetOutageFallback",
    "SetPackaging",
    "SetPackagingRule",
    "SetPlanningPolicy",
    "SetReasonCode",
    "SetRecordRetention",
    "SetRevenueRule",
    "SetSegmentWorkflow",
    "SetShippingZone",
    "SetSupplierItem",
    "SetSupplierPrice",
    "SetSupplierRisk",
    "SetTaxRule",
    "SetTradeRule",
    "SetWorkCalendar",
    "SubmitSupplier",
    "WithdrawTradeDocument",
    "register",
]


def register(registry: Registry, *, today: Today = Clock().today) -> None:
    """Add every command of the master data; `today` gives the business date."""
    for noun in (
        items,
        kits,
        suppliers,
        supplier_risk,
        places,
        governance,
        quality,
        restrictions,
        ownership,
        residency,
    ):
        noun.register(registry)
    for noun in (
        carriers,
        carrier_holidays,
        fulfilment,
        channels,
        entities,
        external_skus,
        workflows,
        work_calendars,
        classes,
        landed_costs,
        fallbacks,
        planning_policies,
        products,
        variants,
        taxes,
        item_trade,
        trade,
        retention,
    ):
        noun.register(registry)
    supplier_items.register(registry, today)
