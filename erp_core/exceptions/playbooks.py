"""Playbooks: what is done about a kind of exception, step by step, who owns it, who is asked next, and who decides."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class PlaybookStep:
    """Something to do. `command` is what does it, where the system does; its decision right is that command's policy."""

    what: str
    role: str
    command: str | None = None


@dataclass(frozen=True, slots=True)
class Playbook:
    """For a situation: the exceptions it is for, its owner, and whom it goes to after `escalate_hours` without an end.

    `decides` is the role whose yes the costly step needs; which amounts need it, the approval policies say.
    """

    name: str
    kinds: tuple[str, ...]
    owner: str
    escalates_to: str
    escalate_hours: int
    decides: str
    steps: tuple[PlaybookStep, ...]


PLAYBOOKS: Mapping[str, Playbook] = MappingProxyType(
    {
        one.name: one
        for one in (
            Playbook(
                "shortage",
                ("stockout_risk",),
                owner="planner",
                escalates_to="manager",
                escalate_hours=24,
                decides="manager",
                steps=(
                    PlaybookStep("see what may be moved from other places", "buyer", "TransferStock"),
                    PlaybookStep(
                        "order what is recommended, expedited where that pays",
                        "planner",
                        "SubmitPurchaseOrder",
                    ),
                    PlaybookStep("let service tell the customers who wait", "service", "AlertOrders"),
                ),
            ),
            Playbook(
                "delay",
                (
                    "po_overdue",
                    "supplier_delay_risk",
                    "confirmation_missing",
                    "milestone_missed",
                    "orders_delayed",
                ),
                owner="buyer",
                escalates_to="manager",
                escalate_hours=48,
                decides="manager",
                steps=(
                    PlaybookStep(
                        "get a day and a cause from the supplier", "buyer", "ChangePurchaseOrderDates"
                    ),
                    PlaybookStep("compare alternates and order from one", "buyer", "SubmitPurchaseOrder"),
                    PlaybookStep("move stock to where it is missed first", "buyer", "TransferStock"),
                    PlaybookStep("let service tell the customers who wait", "service", "AlertOrders"),
                    PlaybookStep("cancel what nothing came of", "buyer", "CancelPurchaseOrder"),
                ),
            ),
            Playbook(
                "substitution",
                ("stockout_risk", "po_overdue"),
                owner="planner",
                escalates_to="manager",
                escalate_hours=24,
                decides="manager",
                steps=(
                    PlaybookStep("find what may be sent in its place and is there", "planner"),
                    PlaybookStep("let the item be sent instead", "manager", "SetSubstitution"),
                ),
            ),
            Playbook(
                "cost change",
                ("confirmation_difference", "shipping_notice_difference"),
                owner="buyer",
                escalates_to="manager",
                escalate_hours=48,
                decides="manager",
                steps=(
                    PlaybookStep("insist on the price in force, with the record in hand", "buyer"),
                    PlaybookStep("compare other sources at landed cost", "buyer"),
                    PlaybookStep("change the order to what was agreed", "buyer", "ChangePurchaseOrder"),
                    PlaybookStep("record the new price from its day on", "buyer", "SetSupplierPrice"),
                ),
            ),
            Playbook(
                "contract pace",
                ("contract_behind", "contract_running_out"),
                owner="buyer",
                escalates_to="manager",
                escalate_hours=120,
                decides="manager",
                steps=(
                    PlaybookStep("see what was called off, what is left and what is planned", "buyer"),
                    PlaybookStep("order what is needed at its price", "buyer", "SubmitPurchaseOrder"),
                    PlaybookStep("have more agreed, from the day on which it ends", "buyer", "AgreeContract"),
                    PlaybookStep("end one that will not be used", "buyer", "EndContract"),
                ),
            ),
            Playbook(
                "invoice difference",
                ("invoice_mismatch",),
                owner="finance",
                escalates_to="manager",
                escalate_hours=72,
                decides="manager",
                steps=(
                    PlaybookStep("look at what the match found and what it proposes", "finance"),
                    PlaybookStep(
                        "ask the supplier for a credit note or a corrected invoice",
                        "finance",
                        "DisputeSupplierInvoice",
                    ),
                    PlaybookStep(
                        "match it again when goods or a credit note came", "finance", "MatchSupplierInvoices"
                    ),
                    PlaybookStep("pay it beyond the match", "finance", "AcceptSupplierInvoice"),
                    PlaybookStep("send it back", "finance", "RejectSupplierInvoice"),
                ),
            ),
        )
    }
)


def playbooks_for(kind: str) -> list[Playbook]:
    """The playbooks of a kind of exception; none where people are left to their judgement."""
    return [one for one in PLAYBOOKS.values() if kind in one.kinds]
