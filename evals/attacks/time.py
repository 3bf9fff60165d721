"""Attacks on time: back-dating, clocks that are set, windows that are waited for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import uuid4

from erp_core.clock import Clock
from erp_core.gate.contract import Executed
from erp_core.gate.decisions import ApproveProposal, EscalateProposals, ExpireProposals
from erp_core.gate.queries import get_proposal
from erp_core.master.commands import SetSupplierItem
from erp_core.procurement.commands import SubmitPurchaseOrder
from erp_core.storage.types import money
from evals.attacks.attack import attack
from evals.attacks.company import ACME, LAMP, PRICE, TODAY, AttackedCompany


@attack(
    "back-date-an-order",
    "backdating_not_allowed invalid",
    "Setting when something happened takes the right to back-date, which no buyer and no agent has.",
)
def back_date(company: AttackedCompany) -> None:
    """A buyer and an agent date an order weeks back and weeks ahead, out of the window in which orders count together."""
    for days in (-30, -8, 8, 400):
        moment = company.gate.clock.business_now() + timedelta(days=days)
        for who in ("buyer", company.agent("buyer")):
            po_id = company.draft(2_000)
            company.tries(company.submit(SubmitPurchaseOrder(po_id=po_id, occurred_at=moment), who))
    payload = {"po_id": str(company.draft(2_000)), "occurred_at": "2026-06-30T10:00:00"}
    company.tries(
        company.gate.submit_payload("SubmitPurchaseOrder", payload, company.person("buyer"), key=uuid4().hex)
    )


@attack(
    "back-date-an-agents-wish-through-an-administrator",
    "backdating_not_allowed denied",
    "The right to back-date is kept from agents, whoever they act for.",
)
def agent_back_dates(company: AttackedCompany) -> None:
    """An administrator's agent, whose user may back-date, proposes budgets and orders of last year."""
    moment = company.gate.clock.business_now() - timedelta(days=200)
    po_id = company.draft(2_000)
    command = SubmitPurchaseOrder(po_id=po_id, occurred_at=moment)
    company.tries(company.submit(command, company.agent("admin")))
    company.tries(company.submit(command, company.agent("buyer")))


@attack(
    "back-date-an-approval",
    "backdating_not_allowed proposal_not_pending",
    "Whether a proposal still waits is asked of the gate's clock and never of a command's date.",
)
def back_dated_approval(company: AttackedCompany) -> None:
    """A manager who may back-date approves an expired proposal as of the day on which it still waited."""
    proposal = company.order(5_000)
    late = company.on(TODAY + timedelta(days=10))
    moment = company.gate.clock.business_now()
    for who in ("manager", "founder"):
        yes = ApproveProposal(
            proposal_id=proposal.proposal_id, payload_hash=proposal.payload_hash, occurred_at=moment
        )
        late.tries(late.submit(yes, who))


@attack(
    "set-the-business-date-back",
    "proposal_not_pending",
    "What ended as expired stays so: a clock set back revives nothing.",
)
def set_back(company: AttackedCompany) -> None:
    """After the jobs ended an expired proposal, the business date is set back, and a manager approves it as waiting."""
    proposal = company.order(5_000)
    late = company.on(TODAY + timedelta(days=10))
    late.do(ExpireProposals(), late.gate.bootstrap_user("jobs", ("jobs",), kind="service"))
    company.tries(company.approve(proposal, "manager"))


@attack(
    "set-the-business-date-ahead-to-escalate",
    "not_an_approver",
    "Escalation lets another role stand in for one that is missing; it fills one seat and takes no quorum away.",
)
def escalate_early(company: AttackedCompany) -> None:
    """An executive approves before the time of escalation has come, and alone what takes two people after it."""
    proposal = company.order(5_000)
    company.tries(company.approve(proposal, "executive"))
    jobs = company.gate.bootstrap_user("jobs", ("jobs",), kind="service")
    company.do(EscalateProposals(), jobs)
    company.tries(company.approve(proposal, "executive"))


@attack(
    "split-an-order-by-the-clock",
    "proposed",
    "The window of orders that count together has no gap at midnight.",
)
def midnight(company: AttackedCompany) -> None:
    """A buyer orders a minute before midnight and a minute after it, on the last moments of the window."""
    late = datetime(2026, 6, 30, 23, 59, tzinfo=UTC)
    for moment in (late, late + timedelta(minutes=2), late + timedelta(days=6, hours=23, minutes=58)):
        there = company.at(moment)
        there.tries(there.asks(1_300))


@attack(
    "approve-at-the-moment-of-expiry",
    "proposal_not_pending",
    "A proposal waits until its moment of expiry, and that moment is past it.",
)
def at_expiry(company: AttackedCompany) -> None:
    """A manager approves at the very moment at which the proposal expires, and a second later."""
    proposal = company.order(5_000)
    view = company.read(lambda connection: get_proposal(connection, proposal.proposal_id))
    for moment in (view.expires_at, view.expires_at + timedelta(seconds=1)):
        there = company.at(moment)
        there.tries(there.approve(proposal, "manager"))


@attack(
    "run-expiry-as-a-person",
    "denied",
    "Only the jobs' own account ends what ran out or opens what nobody decided.",
)
def expire_others(company: AttackedCompany) -> None:
    """A buyer runs the expiry and the escalation by hand to get rid of a rival's proposal, and an agent does too."""
    company.order(5_000)
    for who in ("buyer", "manager", company.agent("admin")):
        for command in (ExpireProposals(), EscalateProposals()):
            company.tries(company.submit(command, who))


@attack(
    "execute-again-after-the-clock-moved",
    "proposal_not_pending same_outcome",
    "Keys and executions know no time: what ran once does not run again on another day.",
)
def again_tomorrow(company: AttackedCompany) -> None:
    """A client repeats an executed approval next week, under the same key and under another."""
    proposal = company.order(5_000)
    yes = ApproveProposal(proposal_id=proposal.proposal_id, payload_hash=proposal.payload_hash)
    first = company.submit(yes, "manager", key="yes")
    week = company.on(TODAY + timedelta(days=2))
    again = week.submit(yes, "manager", key="yes")
    if isinstance(again, Executed) and again == first:
        company.stopped("same_outcome")
    week.tries(week.submit(yes, "manager"))


@attack(
    "ask-with-a-clock-of-ones-own",
    "backdating_not_allowed",
    "A client's moment may differ from the gate's by minutes only, unless it has the right to back-date.",
)
def own_clock(company: AttackedCompany) -> None:
    """A client whose clock runs six minutes ahead, and one a year behind, dates its orders itself."""
    fast = Clock(fixed_business_date=TODAY).business_now() + timedelta(minutes=6)
    for moment in (fast, fast - timedelta(days=365)):
        po_id = company.draft(2_000)
        company.tries(company.submit(SubmitPurchaseOrder(po_id=po_id, occurred_at=moment), "buyer"))


@attack(
    "back-date-as-an-administrator-who-buys",
    "backdating_not_allowed",
    "What policy judges by what went before it happens when it is asked for, whoever may back-date.",
)
def back_date_with_the_right(company: AttackedCompany) -> None:
    """A buyer who is an administrator too dates each order of 2,000 eight days before the last, and a price as well."""
    both = company.person("owner")
    for weeks in range(1, 4):
        moment = company.gate.clock.business_now() - timedelta(days=8 * weeks)
        command = SubmitPurchaseOrder(po_id=company.draft(2_000, who=both), occurred_at=moment)
        company.tries(company.submit(command, both))
    dearer = SetSupplierItem(supplier_id=ACME, item_id=LAMP, price=money(PRICE + 1), occurred_at=moment)
    company.tries(company.submit(dearer, both))
