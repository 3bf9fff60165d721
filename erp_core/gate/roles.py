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
    "supplier",
    "simulator",
    "automation",
    "jobs",
)

_DECIDE = ("ApproveProposal", "RejectProposal", "SendBackProposal")
_CASE = ("AssignCase", "SnoozeCase", "ResolveCase")

COMMANDS: dict[str, frozenset[str]] = {
    "planner": frozenset(
        {
            "CreatePurchaseOrder",
            "SubmitPurchaseOrder",
            "SetPlanningPolicy",
            "PlanPromotion",
            "WithdrawProposal",
            *_CASE,
        }
    ),
    "buyer": frozenset(
        {
            "CreatePurchaseOrder",
            "SubmitPurchaseOrder",
            "SendPurchaseOrder",
            "ConfirmPurchaseOrder",
            "ChangePurchaseOrderDates",
            "CancelPurchaseOrder",
            "ClosePurchaseOrder",
            "SetSupplierItem",
            "TransferStock",
            "WithdrawProposal",
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
            "WithdrawProposal",
            *_DECIDE,
            *_CASE,
        }
    ),
    "warehouse": frozenset(
        {
            "ReceiveGoods",
            "ShipOrder",
            "AdjustStock",
            "TransferStock",
            "ReceiveTransfer",
            "ReceiveReturn",
            "ReverseStock",
            *_DECIDE,
        }
    ),
    "returns": frozenset({"AuthoriseReturn", "ReceiveReturn", "InspectReturn", "DisposeReturn"}),
    "finance": frozenset({"SetOpeningCost", *_DECIDE}),
    "service": frozenset(
        {"PlaceOrder", "CancelOrder", "ReleaseOrder", "RegisterCustomer", "AuthoriseReturn"}
    ),
    "executive": frozenset(),
    "admin": frozenset(
        {
            "CreateUser",
            "SetUserActive",
            "SaveApprovalPolicy",
            "SetCompanyFact",
            "CreateItem",
            "ActivateItem",
            "ChangeItem",
            "SetItemUnit",
            "CreateSupplier",
            "SetSupplierItem",
            "CreateLocation",
            "CreateChannel",
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
        }
    ),
    "evaluator": frozenset(),
    "supplier": frozenset({"ConfirmPurchaseOrder", "RecordSupplierMessage"}),
    "automation": frozenset({"CreatePurchaseOrder", "SubmitPurchaseOrder"}),
    "jobs": frozenset(
        {
            "RecordScan",
            "ExpireProposals",
            "ExpireReservations",
            "PublishModel",
            "PublishForecast",
            "CompleteForecast",
            "PublishReorderPoints",
        }
    ),
}
COMMANDS["simulator"] = frozenset().union(*COMMANDS.values()) - {*_DECIDE, "SaveApprovalPolicy"}

RIGHTS: dict[str, frozenset[str]] = {
    "planner": frozenset({"ask", "read_metrics", "read_records", "see_cost", "read_audit"}),
    "buyer": frozenset({"ask", "read_metrics", "read_records", "see_cost", "read_audit"}),
    "manager": frozenset({"ask", "read_metrics", "read_records", "see_cost", "read_audit", "see_customers"}),
    "warehouse": frozenset({"ask", "read_metrics", "read_records"}),
    "returns": frozenset({"ask", "read_metrics", "read_records"}),
    "finance": frozenset({"ask", "read_metrics", "read_records", "see_cost", "read_audit"}),
    "service": frozenset({"ask", "read_metrics", "read_records", "see_customers"}),
    "executive": frozenset({"ask", "read_metrics", "read_records", "see_cost"}),
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
        }
    ),
    "evaluator": frozenset({"ask", "read_metrics", "read_records", "see_cost", "run_evals"}),
    "supplier": frozenset(),
    "simulator": frozenset({"backdate", "read_records", "read_metrics", "see_cost", "run_jobs"}),
    "automation": frozenset({"read_records", "read_metrics"}),
    "jobs": frozenset({"read_records", "read_metrics", "see_cost", "run_jobs"}),
}


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
