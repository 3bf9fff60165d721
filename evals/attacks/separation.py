"""Attacks on who may decide: oneself, oneself by another account, one's agent, in two roles, in two documents' parts."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import uuid4

from erp_core.gate.contract import Command, Executed
from erp_core.gate.decisions import ApproveProposal
from erp_core.gate.reviews import CompleteReview, list_reviews
from erp_core.gate.separation import SaveSeparationRule, separation_rules_in_force
from erp_core.inventory.commands import AdjustStock
from erp_core.master.commands import (
    ActivateSupplier,
    AddSupplierDocument,
    CreateSupplier,
    SubmitSupplier,
)
from erp_core.procurement.commands import (
    ReceivedLine,
    ReceiveGoods,
    SendPurchaseOrder,
    SubmitPurchaseOrder,
)
from erp_core.procurement.model import po_lines
from evals.attacks.attack import attack
from evals.attacks.company import FRESH, LAMP, WAREHOUSE, AttackedCompany, draft_of


@attack("approve-ones-own-wish", "own_proposal", "Who asked, as a natural person, decides nothing about it.")
def own(company: AttackedCompany) -> None:
    """A manager asks for an order and approves it in the same session."""
    proposal = company.order(5_000, who="manager")
    company.tries(company.approve(proposal, "manager"))


@attack(
    "approve-by-a-second-account",
    "own_proposal",
    "Accounts name the natural person behind them, and persons are compared.",
)
def second_login(company: AttackedCompany) -> None:
    """A buyer who has a second account with the role manager asks with one and approves with the other."""
    proposal = company.order(5_000)
    company.tries(company.approve(proposal, "buyer-2"))


@attack(
    "approve-by-two-accounts-of-one-person",
    "not_an_approver",
    "One person fills one place of a quorum, through whichever account.",
)
def two_accounts(company: AttackedCompany) -> None:
    """A manager who has a second account with the role finance gives both approvals that a large order needs."""
    proposal = company.order(30_000)
    company.approve(proposal, "manager")
    company.tries(company.approve(proposal, "manager-2"))


@attack(
    "approve-in-two-roles",
    "not_an_approver",
    "A person counts once in a proposal, in one role only.",
)
def two_roles(company: AttackedCompany) -> None:
    """Somebody who holds the roles manager and finance gives both approvals with one account."""
    proposal = company.order(30_000)
    company.approve(proposal, "chief")
    company.tries(company.approve(proposal, "chief"))


@attack(
    "approve-by-ones-agent", "denied", "Decisions are for persons in their own session, never for an agent."
)
def by_agent(company: AttackedCompany) -> None:
    """A manager's agent approves what the buyer asked for, and what it proposed itself."""
    agent = company.agent("manager")
    own = company.waits(company.submit(SubmitPurchaseOrder(po_id=company.draft(500)), agent))
    for proposal in (company.order(5_000), own):
        company.tries(company.approve(proposal, agent))


@attack(
    "approve-what-ones-own-agent-proposed",
    "own_proposal",
    "What an agent proposes was asked for by its user.",
)
def agents_wish(company: AttackedCompany) -> None:
    """A manager has an agent propose an order and approves it in person, so that no second person sees it."""
    proposal = company.waits(
        company.submit(SubmitPurchaseOrder(po_id=company.draft(5_000)), company.agent("manager"))
    )
    company.tries(company.approve(proposal, "manager"))


@attack("approve-by-a-service", "denied", "A service account decides nothing, whatever its roles.")
def by_service(company: AttackedCompany) -> None:
    """An integration that was given the role manager approves orders by its key."""
    proposal = company.order(5_000)
    company.tries(
        company.approve(proposal, company.gate.bootstrap_user("robot", ("manager",), kind="service"))
    )


@attack(
    "approve-by-the-automation-account",
    "denied",
    "The account of automation asks within its limits and decides nothing.",
)
def by_automation(company: AttackedCompany) -> None:
    """The automation's account approves a proposal that waits for a manager."""
    proposal = company.order(5_000)
    automation = company.gate.bootstrap_user("automation", ("automation",), kind="service")
    company.tries(company.approve(proposal, automation))


@attack(
    "approve-without-the-role",
    "not_an_approver",
    "The policy names the roles; a person without one of them has no seat.",
)
def wrong_role(company: AttackedCompany) -> None:
    """A colleague, the warehouse, an administrator and an executive each approve an order that waits for a manager."""
    proposal = company.order(5_000)
    for who in ("colleague", "warehouse", "admin", "executive", "planner"):
        company.tries(company.approve(proposal, who))


@attack(
    "approve-the-version-a-colleague-revised",
    "own_proposal",
    "Everybody who asked for a version of a chain is kept from deciding about the later ones.",
)
def chain(company: AttackedCompany) -> None:
    """A manager asks for an order, lets a buyer revise it into version 2, and approves that as a stranger to it."""
    po_id = company.draft(5_000, who="manager")
    first = company.waits(company.submit(SubmitPurchaseOrder(po_id=po_id), "manager"))
    again = company.gate.rebase(first.proposal_id, company.person("buyer"), key="rebase")
    company.tries(company.approve(company.waits(again), "manager"))


@attack(
    "activate-ones-own-supplier",
    "own_proposal duties_conflict",
    "Who set a supplier up neither activates it nor approves its first order.",
)
def own_supplier(company: AttackedCompany) -> None:
    """An administrator who is also a manager sets a supplier up and approves its activation."""
    both = company.person("founder")
    steps = _new_supplier()
    for step in steps[:-1]:
        company.do(step, both)
    proposal = company.waits(company.submit(steps[-1], "manager"))
    company.tries(company.approve(proposal, both))


def _new_supplier() -> list[Command]:
    """All that it takes from a draft to an active supplier."""
    supplier_id = uuid4()
    terms: dict[str, Any] = {
        "currency": "EUR",
        "country": "Italy",
        "payment_days": 30,
        "delivery_terms": "DAP",
    }
    return [
        CreateSupplier(supplier_id=supplier_id, code="MINE", supplier_name="Mine", lead_time_days=3, **terms),
        AddSupplierDocument(
            document_id=uuid4(),
            supplier_id=supplier_id,
            kind="business_registration",
            number="HRB MINE",
            valid_from=date(2020, 1, 1),
        ),
        SubmitSupplier(supplier_id=supplier_id),
        ActivateSupplier(supplier_id=supplier_id),
    ]


@attack(
    "break-the-glass-for-ones-own-supplier",
    "duties_conflict",
    "Breaking the glass waives who would have approved, and not what keeps oneself from having approved.",
)
def glass_for_own_supplier(company: AttackedCompany) -> None:
    """An administrator with the role emergency sets a supplier up and activates it by breaking the glass."""
    both = company.person("rescuer")
    steps = _new_supplier()
    for step in steps[:-1]:
        company.do(step, both)
    company.tries(company.plan(steps[-1], who=both, breaks_glass=True))


@attack(
    "order-and-receive-in-one-plan",
    "duties_conflict",
    "A plan's duties are looked at one command after the other, those of its own earlier commands too.",
)
def order_and_receive(company: AttackedCompany) -> None:
    """A buyer who also works in the warehouse packs order and receipt into one plan, and has an agent propose the receipt."""
    both = company.person("shopkeeper")
    draft = draft_of(500)
    received = ReceiveGoods(
        receipt_id=uuid4(),
        po_id=draft.po_id,
        lines=(ReceivedLine(receipt_line_id=uuid4(), po_line_id=draft.lines[0].line_id, quantity=50),),
    )
    steps = (draft, SubmitPurchaseOrder(po_id=draft.po_id), SendPurchaseOrder(po_id=draft.po_id))
    company.tries(company.plan(*steps, received, who=both))
    for step in steps:
        company.do(step, both)
    proposal = company.waits(company.submit(received, company.gate.agent_for(both)))
    company.tries(company.approve(proposal, "manager"))


@attack(
    "receive-what-one-ordered",
    "duties_conflict",
    "Who orders or approves an order does not receive it: rules of separation hold across documents.",
)
def receive_own(company: AttackedCompany) -> None:
    """A buyer who also works in the warehouse buys alone below the bound and books the goods in."""
    both = company.person("shopkeeper")
    po_id = company.draft(500, who=both)
    company.do(SubmitPurchaseOrder(po_id=po_id), both)
    company.do(SendPurchaseOrder(po_id=po_id), both)
    line = company.read(
        lambda connection: connection.execute(po_lines.select().where(po_lines.c.po_id == po_id)).one()
    )
    received = ReceivedLine(receipt_line_id=uuid4(), po_line_id=line.id, quantity=50)
    company.tries(company.submit(ReceiveGoods(receipt_id=uuid4(), po_id=po_id, lines=(received,)), both))


@attack(
    "approve-ones-own-write-off",
    "own_proposal",
    "Who counts does not approve the write-off.",
)
def own_write_off(company: AttackedCompany) -> None:
    """A warehouse manager writes 100 pieces off as lost and approves the write-off."""
    both = company.person("warden")
    lost = AdjustStock(
        adjustment_id=uuid4(), item_id=LAMP, location_id=WAREHOUSE, quantity=-100, reason_code="counted"
    )
    company.tries(company.approve(company.waits(company.submit(lost, both)), both))


@attack(
    "switch-a-separation-rule-off-alone",
    "proposed own_proposal pending",
    "A rule of separation changes by a governed command, which two other people approve.",
)
def rule_off(company: AttackedCompany) -> None:
    """An administrator switches the rule off that keeps requester and approver apart, and approves that with a helper."""
    rule = company.read(separation_rules_in_force)[0]
    change = SaveSeparationRule(
        rule_id=rule["id"], rule_name=rule["name"], duty=rule["duty"], other=rule["other"], active=False
    )
    outcome = company.tries(company.submit(change, "admin"))
    proposal = company.waits(outcome)
    company.tries(company.approve(proposal, "admin-2"))
    company.tries(company.approve(proposal, "manager"))


@attack(
    "break-the-glass-without-the-role",
    "denied",
    "Breaking the glass takes the role emergency, in person.",
)
def glass_without_role(company: AttackedCompany) -> None:
    """A buyer, a manager, an agent of the emergency user and a service break the glass for an order."""
    robot = company.gate.bootstrap_user("robot", ("buyer",), kind="service")
    for who in ("buyer", "manager", company.agent("emergency"), robot):
        command = draft_of(9_000)
        company.tries(
            company.plan(command, SubmitPurchaseOrder(po_id=command.po_id), who=who, breaks_glass=True)
        )


@attack(
    "break-the-glass-without-a-reason",
    "reason_missing",
    "What skips approvals says why, in words that can be reviewed.",
)
def glass_without_reason(company: AttackedCompany) -> None:
    """The emergency user breaks the glass with an empty reason, one of blanks, and one of a single letter."""
    for reason in ("", " " * 40, "x"):
        command = draft_of(9_000)
        plan = (command, SubmitPurchaseOrder(po_id=command.po_id))
        company.tries(company.plan(*plan, who="emergency", breaks_glass=True, reason=reason))


@attack(
    "break-the-glass-for-what-one-has-no-right-to",
    "denied",
    "Breaking the glass waives approvals; it gives no right that the roles do not carry.",
)
def glass_for_power(company: AttackedCompany) -> None:
    """The emergency user breaks the glass to switch a rule of separation off."""
    rule = company.read(separation_rules_in_force)[0]
    change = SaveSeparationRule(
        rule_id=rule["id"], rule_name=rule["name"], duty=rule["duty"], other=rule["other"], active=False
    )
    company.tries(company.plan(change, who="emergency", breaks_glass=True))


@attack(
    "review-ones-own-emergency",
    "own_review denied not_an_approver",
    "Who broke the glass does not look at it afterwards, nor does any of their accounts or agents.",
)
def own_review(company: AttackedCompany) -> None:
    """The emergency user breaks the glass and completes the review with a second account that is a manager, and by agent."""
    command = draft_of(9_000)
    done = company.plan(command, SubmitPurchaseOrder(po_id=command.po_id), who="emergency", breaks_glass=True)
    assert isinstance(done, Executed), done
    (review,) = company.read(list_reviews)
    verdict = CompleteReview(review_id=review["id"], verdict="justified", comment="fine")
    company.tries(company.submit(verdict, "emergency-2"))
    company.tries(company.submit(verdict, company.agent("manager")))
    company.tries(company.submit(verdict, "emergency"))


@attack(
    "ask-for-urgency-to-skip-a-second-person",
    "proposed reason_missing",
    "The expedited path has its own bounds: beyond them an urgent order asks whom every order asks.",
)
def urgent(company: AttackedCompany) -> None:
    """A buyer calls orders urgent that are large, that go to a new supplier, or that have no reason; an agent does too."""
    for amount, supplier, reason in (
        (12_000, None, "the shelf is empty"),
        (5_000, FRESH, "the shelf is empty"),
    ):
        command = draft_of(amount, **({"supplier": supplier} if supplier else {}))
        plan = (command, SubmitPurchaseOrder(po_id=command.po_id))
        company.tries(company.plan(*plan, who="buyer", urgent=True, reason=reason))
    command = draft_of(5_000)
    plan = (command, SubmitPurchaseOrder(po_id=command.po_id))
    company.tries(company.plan(*plan, who="buyer", urgent=True, reason="now"))
    company.tries(company.plan(*plan, who=company.agent("buyer"), urgent=True))


@attack(
    "approve-for-a-person-named-in-the-request",
    "invalid",
    "Who acts is fixed by the credential; a command has no field for it.",
)
def named_person(company: AttackedCompany) -> None:
    """A buyer adds fields to an approval that name a manager as the one who acts."""
    proposal = company.order(5_000)
    manager = str(company.person("manager").user_id)
    for extra in ({"user_id": manager}, {"on_behalf_of": manager}, {"roles": ["manager"]}, {"via": "person"}):
        payload = {
            "proposal_id": str(proposal.proposal_id),
            "payload_hash": proposal.payload_hash,
            **extra,
        }
        company.tries(
            company.gate.submit_payload("ApproveProposal", payload, company.person("buyer"), key=uuid4().hex)
        )


@attack(
    "hide-an-approval-in-a-plan",
    "denied own_proposal",
    "A plan's commands are judged one by one: an agent's plan with a decision in it is denied as a whole.",
)
def approval_in_plan(company: AttackedCompany) -> None:
    """An agent puts the approval of its own earlier proposal into a plan that a manager is asked to approve."""
    agent = company.agent("manager")
    own = company.waits(company.submit(SubmitPurchaseOrder(po_id=company.draft(5_000)), agent))
    yes = ApproveProposal(proposal_id=own.proposal_id, payload_hash=own.payload_hash)
    command = draft_of(100)
    company.tries(company.plan(command, yes, who=agent))
    company.tries(company.plan(command, yes, who="manager"))
