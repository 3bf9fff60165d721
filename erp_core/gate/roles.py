"""Roles x commands x fields: the one table of who may do and see what.

A command that stands in no row can be run by nobody. `RIGHTS` are powers beside commands: `backdate`
(set `occurred_at` in the past), reading pages, and seeing cost and customer fields.
"""

from __future__ import annotations

from collections.abc import Iterable

ROLES = (
    "planner",
    "buyer",
    "manager",
    "warehouse",
    "returns",
    "finance",
    "service",
    "executive",
    "admin",
    "evaluator",
    "emergency",
    "supplier",
    "simulator",
    "automation",
    "jobs",
)

SYSTEM_ROLES = frozenset({"simulator", "automation", "jobs"})
POWER_ROLES = SYSTEM_ROLES | {"admin", "manager", "finance", "warehouse", "executive", "emergency"}
"""Roles that decide about others' work, govern, or act without people: none is given by one person alone."""

_DECIDE = ("ApproveProposal", "RejectProposal", "SendBackProposal")
_PERSON = (
    *_DECIDE,
    "WithdrawProposal",
    "DelegateAuthority",
    "EndDelegation",
    "CompleteReview",
)
"""What any person may ask for: which proposals they may decide on is the approval policy's to say."""
_REQUEST = ("RequestPurchase", "CancelRequisition")
"""Who needs goods asks for them; what may be bought without a yes is the approval policy's to say."""
_CASE = ("AssignCase", "SnoozeCase", "ResolveCase")
_EXTERNAL = ("MapExternalSku", "ResolveExternalSkus")
"""What others call our items: asked by who reads their files, said by who knows the goods."""
_AUTOMATION = (
    "SetAutonomy",
    "SetAutomationLimits",
    "StopAutomation",
    "ResumeAutomation",
    "SetReadinessThreshold",
    "GoLive",
    "AcknowledgeReview",
)
_BOUNDS = (
    "SetSaleRestriction",
    "SetSegmentWorkflow",
    "SetClassPolicy",
    "SetRuleOwner",
    "SetRulePrecedence",
    "SetResidencyRule",
    "SetRetentionRule",
    "SetReturnTerms",
    "SetTradeRule",
    "SetRecordRetention",
    "HoldRecords",
    "ReleaseRecords",
    "DisposeRecords",
)
_FULFILMENT = (
    "SetCarrier",
    "SetCarrierService",
    "SetShippingZone",
    "SetCarrierLane",
    "SetCarrierCutoff",
    "SetCarrierHolidays",
    "SetPackaging",
    "SetPackagingRule",
    "SetFulfilmentRule",
    "SetChannelTerms",
    "SetOutageFallback",
    "StartOutage",
    "EndOutage",
)
_PLACES = ("CreateLegalEntity", "AssignLegalEntity", "OpenLocation", "SetBrand")
_SERVICE = ("SetPickCapacity", "SetStageLimit", "SetChannelQuota", "SetShortageRule", "SetSubstitution")
"""How orders are served: what people can fetch, how long a stage may last, what each channel may take."""
_OWN = ("ChangePassword", "EndSessions", "IssueKey", "RotateKey", "RevokeKey")
_ACCOUNTS = (
    "CreateUser",
    "SetUserActive",
    "GrantRole",
    "RevokeRole",
    "LinkIdentity",
    "UnlockLogin",
    "EraseUser",
)

TOXIC = (
    (frozenset({"warehouse", "finance"}), "who receives goods may not agree to pay for them"),
    (frozenset({"admin", "manager"}), "who makes accounts may not approve for the business"),
    (frozenset({"admin", "finance"}), "who makes accounts may not approve for the business"),
    *(
        (frozenset({"automation", role}), "automation asks, and neither decides, receives nor governs")
        for role in ("buyer", "manager", "warehouse", "finance", "admin")
    ),
)
"""Roles that check each other: no command gives both to one person."""

NEVER_BY_AGENTS = frozenset({*_OWN, *_ACCOUNTS})
RIGHTS_KEPT_FROM_AGENTS = frozenset({"see_customers", "backdate", "run_jobs", "export"})
NEVER_BY_KEYS = frozenset({*_OWN, *_ACCOUNTS, *_PERSON})

COMMANDS: dict[str, frozenset[str]] = {
    "planner": frozenset(
        {
            *_EXTERNAL,
            "CreatePurchaseOrder",
            "OrderRequisitions",
            "SubmitPurchaseOrder",
            "SetPlanningPolicy",
            "SetShelfLife",
            "PlanPromotion",
            "SetSubstitution",
            "StartPromotion",
            *_REQUEST,
            *_CASE,
        }
    ),
    "buyer": frozenset(
        {
            *_EXTERNAL,
            "CreatePurchaseOrder",
            "OrderRequisitions",
            "RequestQuotation",
            "ExtendQuotationDeadline",
            "RecordQuotation",
            "AwardQuotation",
            "CancelQuotationRequest",
            "AgreeContract",
            "EndContract",
            "SubmitPurchaseOrder",
            "SendPurchaseOrder",
            "ConfirmPurchaseOrder",
            "RecordMilestone",
            "OrderDropShipments",
            "ConfirmDropShipment",
            "ChangePurchaseOrder",
            "ChangePurchaseOrderDates",
            "SendShippingNotice",
            "CancelPurchaseOrder",
            "ClosePurchaseOrder",
            "SetSupplierItem",
            "SetSupplierPrice",
            "SetWorkCalendar",
            "PreferSupplier",
            "AddSupplierDocument",
            "AddTradeDocument",
            "WithdrawTradeDocument",
            "SetItemTrade",
            "SubmitSupplier",
            "BlockSupplier",
            "SetSupplierRisk",
            "DecideHeldGoods",
            "DecideUnorderedGoods",
            "SetReceiptTolerance",
            "SetInspectionRule",
            "DisputeSupplierInvoice",
            "AssignSupplierInvoice",
            "AcceptSupplierInvoice",
            "TakeOverConsigned",
            "TransferStock",
            "StopAutomation",
            "AcknowledgeReview",
            *_REQUEST,
            *_CASE,
        }
    ),
    "manager": frozenset(
        {
            "CreatePurchaseOrder",
            "SubmitPurchaseOrder",
            "SendPurchaseOrder",
            "CancelPurchaseOrder",
            "ActivateSupplier",
            "HoldStock",
            "ReleaseHold",
            "RecallLot",
            "SendBackSupplier",
            "BlockSupplier",
            "SetSupplierRisk",
            *_AUTOMATION,
            *_BOUNDS,
            *_FULFILMENT,
            *_SERVICE,
            *_REQUEST,
            *_CASE,
        }
    ),
    "warehouse": frozenset(
        {
            "ResolveExternalSkus",
            *_REQUEST,
            "ReceiveConsigned",
            "DecideHeldGoods",
            "DecideUnorderedGoods",
            "ReceiveGoods",
            "PutAway",
            "SetPutawayRule",
            "AddTradeDocument",
            "ConfirmDropShipment",
            "ReleasePick",
            "ReleaseWave",
            "ChooseCarrier",
            "AllowSplit",
            "ConfirmPick",
            "ConfirmPack",
            "CancelPick",
            "ShipOrder",
            "AdjustStock",
            "TransferStock",
            "ReceiveTransfer",
            "ReceiveReturn",
            "HoldStock",
            "ReleaseHold",
            "ReverseStock",
            "ReverseReceipt",
            "ReturnToVendor",
            "ReverseVendorReturn",
            "AssembleKits",
            "DisassembleKits",
            "OpenCount",
            "RecordCount",
            "PostCount",
            "CancelCount",
            "RecordStockSnapshot",
            "RefillPickFace",
            "SetPickFace",
            "ConfirmDelivery",
        }
    ),
    "returns": frozenset(
        {
            "AuthoriseReturn",
            "ReceiveReturn",
            "CancelReturn",
            "ReverseReturnReceipt",
            "InspectReturn",
            "DisposeReturn",
            "ReturnToVendor",
            "ReverseVendorReturn",
            "CreditOrder",
        }
    ),
    "finance": frozenset(
        {
            "SetOpeningCost",
            "SetCostMethod",
            "SetLandedCostComponent",
            "SetBudget",
            "SetExchangeRate",
            "RecordLandedCost",
            "ReverseLandedCost",
            "ClosePeriod",
            "RecordSupplierInvoice",
            "MatchSupplierInvoices",
            "DisputeSupplierInvoice",
            "AssignSupplierInvoice",
            "AcceptSupplierInvoice",
            "RejectSupplierInvoice",
            "PaySupplierInvoices",
            "SetMatchTolerance",
            "SettleVendorClaim",
            "SetTaxRule",
            "SetRecordRetention",
            "HoldRecords",
            "ReleaseRecords",
            "SetItemTrade",
            "AddTradeDocument",
            "SetRevenueRule",
            "IssueSalesInvoices",
            "RecordCustomerPayments",
            "RecordProviderPayout",
            "SetOffCustomerCredit",
        }
    ),
    "service": frozenset(
        {
            "ResolveExternalSkus",
            *_REQUEST,
            "PlaceOrder",
            "CancelOrder",
            "HoldOrder",
            "ReleaseOrder",
            "AllowSplit",
            "RegisterCustomer",
            "ConfirmDelivery",
            "AuthoriseReturn",
            "CreditOrder",
            "AlertOrders",
        }
    ),
    "executive": frozenset(),
    "emergency": frozenset(),
    "admin": frozenset(
        {
            *_EXTERNAL,
            *_ACCOUNTS,
            "SaveApprovalPolicy",
            "SaveSeparationRule",
            "SetCompanyFact",
            "CreateItem",
            "ActivateItem",
            "ChangeItem",
            "CreateProduct",
            "ChangeProduct",
            "SetItemVariant",
            "SetCategory",
            "SetItemUnit",
            "SetItemTrade",
            "AddTradeDocument",
            "WithdrawTradeDocument",
            "DefineKit",
            "RecordStockSnapshot",
            "ActivateSupplier",
            "CreateSupplier",
            "AddSupplierDocument",
            "SubmitSupplier",
            "SetSupplierRisk",
            "SetDocumentKind",
            "SetReasonCode",
            "SetMasterParameter",
            "AssignDataOwner",
            "RecordDataQuality",
            "RecordItemClasses",
            "SetSupplierItem",
            "RegisterEdiPartner",
            "SetSupplierPrice",
            "SetWorkCalendar",
            "PreferSupplier",
            "SetShelfLife",
            "SetStockAuthority",
            "CreateLocation",
            "CreateChannel",
            *_PLACES,
            "SetPlanningPolicy",
            "PostOpeningStock",
            "SetOpeningCost",
            "BeginImport",
            "PostImportedItems",
            "PostImportedSuppliers",
            "PostImportedSales",
            "AddUpImportedSales",
            "PostImportedPurchases",
            "PostImportedReturns",
            "PostImportedStock",
            "PostImportedOrders",
            "CompleteImport",
            "PublishModel",
            "PublishForecast",
            "CompleteForecast",
            "PublishReorderPoints",
            "RecordScan",
            "RecordSupplierMessage",
            "RegisterCustomer",
            "EraseCustomer",
            "AlertOrders",
            "SetMessageTemplate",
            *_AUTOMATION,
            *_BOUNDS,
            *_FULFILMENT,
        }
    ),
    "evaluator": frozenset(),
    "supplier": frozenset(
        {
            "ConfirmPurchaseOrder",
            "ChangePurchaseOrderDates",
            "RecordMilestone",
            "RecordSupplierMessage",
            "RecordQuotation",
            "SendShippingNotice",
            "ReceiveInterchange",
            "RecordSupplierInvoice",
        }
    ),
    "automation": frozenset({"CreatePurchaseOrder", "SubmitPurchaseOrder"}),
    "jobs": frozenset(
        {
            "RecordScan",
            "RecordDataQuality",
            "RecordItemClasses",
            "ExpireProposals",
            "EscalateProposals",
            "QuarantineExpired",
            "ExpireReservations",
            "RaiseStageAlerts",
            "AdaptChannelQuotas",
            "PublishModel",
            "PublishForecast",
            "CompleteForecast",
            "PublishReorderPoints",
            "ScoreOutcomes",
            "StepDownAutonomy",
            "EndUnusedReturns",
            "ForgetCustomers",
            "AlertOrders",
            "OrderDropShipments",
            "FollowUpSuppliers",
            "CheckContracts",
            "CheckImportDocuments",
            "MatchSupplierInvoices",
        }
    ),
}
for _role in (
    "planner",
    "buyer",
    "manager",
    "warehouse",
    "returns",
    "finance",
    "service",
    "executive",
    "emergency",
    "admin",
):
    COMMANDS[_role] |= {*_PERSON}
COMMANDS["simulator"] = frozenset().union(*COMMANDS.values()) - {
    *_PERSON,
    *_ACCOUNTS,
    "SaveApprovalPolicy",
    "SaveSeparationRule",
}
for _role in ROLES:
    if _role not in SYSTEM_ROLES:
        COMMANDS[_role] |= {*_OWN}

RIGHTS: dict[str, frozenset[str]] = {
    "planner": frozenset({"ask", "read_metrics", "read_records", "see_cost", "read_audit"}),
    "buyer": frozenset({"ask", "read_metrics", "read_records", "see_cost", "read_audit"}),
    "manager": frozenset(
        {"ask", "read_metrics", "read_records", "see_cost", "read_audit", "see_customers", "read_books"}
    ),
    "warehouse": frozenset({"ask", "read_metrics", "read_records"}),
    "returns": frozenset({"ask", "read_metrics", "read_records"}),
    "finance": frozenset({"ask", "read_metrics", "read_records", "see_cost", "read_audit", "read_books"}),
    "service": frozenset({"ask", "read_metrics", "read_records", "see_customers"}),
    "executive": frozenset({"ask", "read_metrics", "read_records", "see_cost", "read_books"}),
    "admin": frozenset(
        {
            "ask",
            "read_metrics",
            "read_records",
            "see_cost",
            "read_audit",
            "see_customers",
            "backdate",
            "run_jobs",
            "export",
            "read_books",
        }
    ),
    "evaluator": frozenset({"ask", "read_metrics", "read_records", "see_cost", "run_evals"}),
    "emergency": frozenset({"break_glass"}),
    "supplier": frozenset({"supplier_channel"}),
    "simulator": frozenset({"backdate", "read_records", "read_metrics", "see_cost", "run_jobs"}),
    "automation": frozenset({"read_records", "read_metrics"}),
    "jobs": frozenset({"read_records", "read_metrics", "see_cost", "run_jobs"}),
}


RIGHT_LABELS = {
    "see_cost": "field class *cost*: purchase prices, costs, freight, margins, stock values, expected losses",
    "see_customers": "field class *customers*: names, e-mail addresses, comments, which customer ordered",
    "ask": "ask the agent",
    "read_metrics": "read figures",
    "read_records": "read documents, stock, master data and exceptions",
    "read_audit": "read the audit log and the refusals",
    "read_books": "read the journal, the balances of accounts and the periods",
    "backdate": "set `occurred_at` in the past",
    "run_jobs": "start background work",
    "supplier_channel": "see the orders of the supplier that the login acts for",
    "export": "take the company's data out",
    "run_evals": "run evaluations",
    "break_glass": "run at once what waits for approvals, with a reason, an alert and a later review",
}
FIELD_CLASSES = ("see_cost", "see_customers")


def toxic_with(role: str) -> frozenset[str]:
    """The roles that must not be the same person's as this one."""
    return frozenset().union(*(pair - {role} for pair, _ in TOXIC if role in pair))


def may_run(roles: Iterable[str], command: str) -> bool:
    """Whether any of the roles may run the command."""
    return any(command in COMMANDS.get(role, frozenset()) for role in roles)


def has_right(roles: Iterable[str], right: str) -> bool:
    """Whether any of the roles carries the right."""
    return any(right in RIGHTS.get(role, frozenset()) for role in roles)


def who_may(command: str) -> list[str]:
    """The roles that may run a command, for error messages."""
    return [
        role for role in ROLES if role not in ("simulator",) and command in COMMANDS.get(role, frozenset())
    ]
