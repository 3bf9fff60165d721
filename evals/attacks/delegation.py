"""Attacks with lent rights: loops, limits, days, and one person who becomes two."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from erp_core.finance.commands import SetBudget
from erp_core.gate.authority import DelegateAuthority, EndDelegation
from erp_core.gate.contract import Outcome
from erp_core.gate.users import SetUserActive
from erp_core.storage.types import money
from evals.attacks.attack import attack
from evals.attacks.company import AttackedCompany


def lend(
    company: AttackedCompany,
    lender: str,
    borrower: str,
    role: str = "manager",
    *,
    days: tuple[int, int] = (0, 5),
    below: int | None = None,
) -> tuple[UUID, Outcome]:
    """Lend a role for days from today."""
    today = company.gate.clock.today()
    command = DelegateAuthority(
        delegation_id=uuid4(),
        to_user_id=company.person(borrower).user_id,
        role=role,
        starts_on=today + timedelta(days=days[0]),
        ends_on=today + timedelta(days=days[1]),
        amount_below=below,
        reason="on leave",
    )
    return command.delegation_id, company.submit(command, lender)


@attack(
    "lend-a-right-to-ones-own-second-account",
    "cannot_delegate",
    "A right is lent to another natural person.",
)
def to_oneself(company: AttackedCompany) -> None:
    """A manager lends the role to their own second account, to be there twice."""
    company.tries(lend(company, "manager", "manager-2")[1])
    company.tries(lend(company, "manager", "manager")[1])


@attack("lend-a-borrowed-right-on", "cannot_delegate", "Only who holds a role of their own lends it.")
def lend_on(company: AttackedCompany) -> None:
    """A buyer who borrows the role manager lends it on to a friend, so that nobody can trace whose it was."""
    lend(company, "manager", "buyer")
    company.tries(lend(company, "buyer", "colleague")[1])


@attack(
    "lend-in-a-loop",
    "not_an_approver",
    "A lender and who decides for them are one person in a proposal.",
)
def loop(company: AttackedCompany) -> None:
    """Two who hold manager and finance lend each other their roles, so that either could give both approvals."""
    lend(company, "manager", "finance", "manager")
    lend(company, "finance", "manager", "finance")
    proposal = company.order(30_000)
    company.approve(proposal, "manager")
    company.tries(company.approve(proposal, "manager"))
    other = company.order(30_000)
    company.approve(other, "finance")
    company.tries(company.approve(other, "finance"))


@attack(
    "approve-the-lenders-own-wish",
    "not_an_approver",
    "What the lender asked for, who borrowed from them does not decide.",
)
def lenders_wish(company: AttackedCompany) -> None:
    """A manager asks for an order and lets a planner approve it with the role lent for that."""
    lend(company, "manager", "planner")
    company.tries(company.approve(company.order(5_000, who="manager"), "planner"))


@attack(
    "approve-ones-own-wish-with-a-borrowed-right",
    "own_proposal",
    "Who asked decides nothing, by whosever right.",
)
def borrowers_wish(company: AttackedCompany) -> None:
    """A buyer borrows the role manager and approves their own order with it."""
    lend(company, "manager", "buyer")
    company.tries(company.approve(company.order(5_000), "buyer"))


@attack(
    "approve-once-as-lender-and-once-as-borrower",
    "not_an_approver",
    "Lender and borrower count as one person of a quorum.",
)
def both(company: AttackedCompany) -> None:
    """Finance lends its role to a manager's friend, who approves as finance; finance approves too, as a manager's stand-in."""
    lend(company, "chief", "planner", "finance")
    proposal = company.order(30_000)
    company.approve(proposal, "planner")
    company.tries(company.approve(proposal, "chief"))


@attack(
    "use-a-right-lent-for-other-days",
    "not_an_approver cannot_delegate",
    "A lent right holds on its days and on no other; days that are over cannot be lent.",
)
def other_days(company: AttackedCompany) -> None:
    """A planner approves with a right that is lent from tomorrow, and with one that a manager back-dates for them."""
    company.tries(lend(company, "manager", "planner", days=(-9, -1))[1])
    lend(company, "manager", "planner", days=(1, 5))
    company.tries(company.approve(company.order(5_000), "planner"))


@attack(
    "use-a-right-after-its-last-day",
    "not_an_approver",
    "A lent right ends with its last day.",
)
def past_days(company: AttackedCompany) -> None:
    """A planner whose right ended yesterday approves an order today."""
    lend(company, "manager", "planner", days=(0, 1))
    later = company.on(company.gate.clock.today() + timedelta(days=2))
    company.tries(later.approve(later.order(5_000), "planner"))


@attack(
    "use-a-right-that-was-taken-back",
    "not_an_approver",
    "A right that was taken back decides no more, at once.",
)
def taken_back(company: AttackedCompany) -> None:
    """A planner approves after the manager took the lent right back."""
    delegation_id, _ = lend(company, "manager", "planner")
    company.do(EndDelegation(delegation_id=delegation_id), "manager")
    company.tries(company.approve(company.order(5_000), "planner"))


@attack(
    "count-an-approval-whose-right-was-taken-back",
    "pending",
    "At the last approval every earlier one is looked at again: one whose right is gone counts no more.",
)
def taken_back_after(company: AttackedCompany) -> None:
    """A planner approves with a lent right as the first of two; the manager takes it back before the second approval."""
    delegation_id, _ = lend(company, "manager", "planner")
    proposal = company.order(30_000)
    company.approve(proposal, "planner")
    company.do(EndDelegation(delegation_id=delegation_id), "manager")
    company.tries(company.approve(proposal, "finance"))


@attack(
    "use-a-right-beyond-its-limit",
    "not_an_approver",
    "A limit is half-open, and covers nothing whose amount is unknown.",
)
def limit(company: AttackedCompany) -> None:
    """A planner with a right lent below 5,000 approves an order of exactly 5,000, and a change that has no amount."""
    lend(company, "manager", "planner", below=money(5_000))
    company.tries(company.approve(company.order(5_000), "planner"))
    month = company.gate.clock.today().replace(day=1)
    budget = company.submit(SetBudget(category="Lamp", month=month, amount=money(1)), "finance")
    company.tries(company.approve(company.waits(budget), "planner"))


@attack(
    "use-a-right-of-a-lender-who-left",
    "not_an_approver",
    "A right lives in its lender: when they leave or lose the role, nobody decides with it.",
)
def lender_left(company: AttackedCompany) -> None:
    """A planner approves with the right of a manager whose account was closed."""
    lend(company, "deputy", "planner")
    company.do(SetUserActive(user_id=company.person("deputy").user_id, active=False), "admin")
    company.tries(company.approve(company.order(5_000), "planner"))


@attack(
    "lend-a-right-to-an-agent-or-service",
    "denied cannot_delegate",
    "Rights to decide are lent by persons to persons.",
)
def to_a_machine(company: AttackedCompany) -> None:
    """A manager's agent lends the role, and the manager lends it to the account of automation."""
    today = company.gate.clock.today()
    told: dict[str, Any] = {"role": "manager", "starts_on": today, "ends_on": today, "reason": "no time"}
    for who, to in (
        (company.agent("manager"), company.person("planner").user_id),
        (company.person("manager"), company.person("automation").user_id),
    ):
        company.tries(company.submit(DelegateAuthority(delegation_id=uuid4(), to_user_id=to, **told), who))


@attack(
    "take-a-right-nobody-lent",
    "cannot_delegate not_found",
    "A right is lent by who holds it, and taken back by the two it concerns.",
)
def nobody_lent(company: AttackedCompany) -> None:
    """A buyer lends themself and a friend the role manager, and ends the deputy's delegation to be the only stand-in."""
    company.tries(lend(company, "buyer", "colleague", "manager")[1])
    delegation_id, _ = lend(company, "manager", "deputy")
    company.tries(company.submit(EndDelegation(delegation_id=delegation_id), "buyer"))


@attack(
    "lend-a-right-to-who-is-checked-by-it",
    "toxic_roles",
    "Two roles that check each other never meet in one person, lent ones neither.",
)
def to_who_is_checked(company: AttackedCompany) -> None:
    """Finance lends its role to the warehouse, which receives the goods, and a manager theirs to the administrator."""
    company.tries(lend(company, "finance", "warehouse", "finance")[1])
    company.tries(lend(company, "manager", "admin")[1])
