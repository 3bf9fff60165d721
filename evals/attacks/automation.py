"""Attacks through automation: beyond its level and caps, with a model's words, and by its account."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from erp_core.gate.contract import Command, Proposed
from erp_core.gate.principals import Principal
from erp_core.planning.commands.autonomy import (
    ResumeAutomation,
    SetAutomationLimits,
    SetAutonomy,
    StopAutomation,
)
from erp_core.procurement.commands import SubmitPurchaseOrder
from erp_core.storage.types import money
from evals.attacks.attack import attack
from evals.attacks.company import AttackedCompany, draft_of

LIMITS: dict[str, Any] = {
    "order_amount": money(10**6),
    "category_day_amount": money(10**6),
    "day_orders": 1_000,
    "day_amount": money(10**6),
    "reason": "no limits at all",
}


def robot(company: AttackedCompany) -> Principal:
    """The account of automation."""
    return company.person("automation")


def buys(company: AttackedCompany, amount: int, who: Principal, **how: Any) -> None:
    """Draft and submit an order in one plan, as automation does."""
    command = draft_of(amount)
    company.tries(company.plan(command, SubmitPurchaseOrder(po_id=command.po_id), who=who, **how))


@attack(
    "buy-by-automation-without-a-level",
    "proposed",
    "Automation may do in a scope what its level lets it; where nobody gave it one it may propose at most.",
)
def no_level(company: AttackedCompany) -> None:
    """The account of automation buys in a company in which nobody ever let it act."""
    buys(company, 100, robot(company), evidence=({"kind": "rule", "id": "reorder"},))
    company.tries(company.submit(SubmitPurchaseOrder(po_id=company.draft(100)), robot(company)))


@attack(
    "buy-by-automation-while-it-is-stopped",
    "automation_stopped",
    "The kill switch stops automation at once; starting it again asks a manager.",
)
def stopped(company: AttackedCompany) -> None:
    """A manager stops automation, which goes on buying; somebody has it resumed alone."""
    company.do(StopAutomation(reason="odd orders"), "manager")
    buys(company, 100, robot(company), evidence=({"kind": "rule", "id": "reorder"},))


@attack(
    "buy-by-automation-on-a-models-word",
    "not_rule_made",
    "Only what stored rules recommend may run by itself: no model's evidence, no outside text.",
)
def models_word(company: AttackedCompany) -> None:
    """Automation is given orders whose evidence is a model's, a document's or a supplier's text, and tainted ones."""
    for kind in ("model", "document", "text", "case"):
        buys(company, 100, robot(company), evidence=({"kind": kind, "id": "x"},))
    buys(company, 100, robot(company), tainted=True)


@attack(
    "raise-automations-level-alone",
    "not_earned proposed pending denied",
    "Levels and limits change by governed commands, which a manager and finance agree to.",
)
def raise_level(company: AttackedCompany) -> None:
    """An administrator lets automation act everywhere without limits, with one accomplice, and an agent tries it too."""
    level = SetAutonomy(scope_kind="company", level="act", reason="trust me")
    changes: tuple[Command, ...] = (level, SetAutomationLimits(**LIMITS))
    for change in changes:
        outcome = company.tries(company.submit(change, "admin"))
        if isinstance(outcome, Proposed):
            company.tries(company.approve(outcome, "manager"))
        company.tries(company.submit(change, robot(company)))
        company.tries(company.submit(change, company.agent("admin")))


@attack(
    "resume-automation-alone",
    "proposed own_proposal denied",
    "Resuming asks a manager who did not ask for it.",
)
def resume(company: AttackedCompany) -> None:
    """The manager who wants automation back resumes it and approves that, and the automation's account tries."""
    company.do(StopAutomation(reason="odd orders"), "deputy")
    proposal = company.waits(company.tries(company.submit(ResumeAutomation(reason="all is well"), "manager")))
    company.tries(company.approve(proposal, "manager"))
    company.tries(company.submit(ResumeAutomation(reason="all is well"), robot(company)))


@attack(
    "act-as-automation-with-other-roles",
    "not_automation toxic_roles personal_data_in_proposal proposed",
    "The role automation is a service's alone: beside another role, or with a person, it may do nothing.",
)
def mixed(company: AttackedCompany) -> None:
    """An installer's mistake made accounts that hold automation and buyer; a service and a person buy with them."""
    for login in ("mixed-service", "mixed-person"):
        buys(company, 9_000, company.person(login), evidence=({"kind": "rule", "id": "reorder"},))


@attack(
    "run-other-commands-as-automation",
    "denied",
    "The account of automation drafts and submits orders and does nothing else.",
)
def other_commands(company: AttackedCompany) -> None:
    """The automation's account sends, cancels, changes prices and stock, stops and levels itself, and makes users."""
    who = robot(company)
    payloads: dict[str, dict[str, object]] = {
        "SendPurchaseOrder": {"po_id": str(uuid4())},
        "StopAutomation": {"reason": "none of your business"},
        "SetCompanyFact": {"key": "currency", "value": "CZK"},
        "ExpireProposals": {},
        "RevokeRole": {"user_id": str(company.person("manager").user_id), "role": "manager"},
        "WithdrawProposal": {"proposal_id": str(uuid4())},
    }
    for name, payload in payloads.items():
        company.tries(company.gate.submit_payload(name, payload, who, key=uuid4().hex))
