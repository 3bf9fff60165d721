"""Attacks by changing the rules: policies and roles that move while a proposal waits, ties, and rules for oneself."""

from __future__ import annotations

from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid4, uuid5

from erp_core.gate.authority import DelegateAuthority
from erp_core.gate.policies.commands import (
    PolicyApprover,
    PolicyCondition,
    SaveApprovalPolicy,
    default_commands,
)
from erp_core.gate.role_grants import GrantRole, RevokeRole
from erp_core.gate.users import CreateUser, SetUserActive
from erp_core.procurement.commands import SubmitPurchaseOrder
from erp_core.storage.types import money
from evals.attacks.attack import attack
from evals.attacks.company import AttackedCompany

TWO = (PolicyApprover(role="manager", people=1), PolicyApprover(role="finance", people=1))


def default(name: str, **changes: Any) -> SaveApprovalPolicy:
    """A default policy, changed."""
    policy_id = uuid5(NAMESPACE_URL, f"quartermaster:policy:{name}")
    (found,) = (one for one in default_commands() if one.policy_id == policy_id)
    return found.model_copy(update=changes)


def own(
    *approvers: PolicyApprover, low: int | None = None, among: tuple[Any, ...] = ()
) -> SaveApprovalPolicy:
    """A policy of one's own about purchases, more specific than the default ones."""
    conditions = [
        PolicyCondition(fact="via", among=("person",)),
        PolicyCondition(fact="cumulative_amount", low=low),
        PolicyCondition(fact="supplier", among=among or ("ACME",)),
        PolicyCondition(fact="urgent", among=(False,)),
        PolicyCondition(fact="supplier_new", among=(False,)),
    ]
    return SaveApprovalPolicy(
        policy_id=uuid4(),
        policy_name="mine",
        command="SubmitPurchaseOrder",
        conditions=tuple(conditions),
        approvers=approvers,
    )


def save(company: AttackedCompany, policy: SaveApprovalPolicy) -> None:
    """Put a policy in force as the company's people do."""
    company.agrees(company.submit(policy, "admin"), "manager", "finance")


@attack(
    "save-a-policy-that-asks-nobody",
    "proposed pending own_proposal",
    "A policy is saved by a governed command, under a policy of its own: a manager and finance agree first.",
)
def asks_nobody(company: AttackedCompany) -> None:
    """An administrator saves a policy by which purchases from one supplier need nobody, with one accomplice."""
    proposal = company.waits(company.tries(company.submit(own(low=0), "admin")))
    company.tries(company.approve(proposal, "admin-2"))
    company.tries(company.approve(proposal, "manager"))
    company.tries(company.asks(9_000))


@attack(
    "save-a-policy-as-somebody-without-the-right",
    "denied",
    "Only an administrator may ask for a change of policy, and no agent, key or service for them.",
)
def no_right(company: AttackedCompany) -> None:
    """A buyer, a manager and the automation's account save a policy that asks nobody."""
    for who in ("buyer", "manager", "automation"):
        company.tries(company.submit(own(low=0), who))


@attack(
    "loosen-the-policy-under-a-waiting-proposal",
    "pending",
    "What a proposal asked for when it was made it still asks for; a looser policy helps new ones only.",
)
def looser(company: AttackedCompany) -> None:
    """While an order waits for two people, the policy is loosened to one, who approves and expects it to run."""
    proposal = company.order(30_000)
    save(company, default("purchase from 25,000", approvers=(PolicyApprover(role="manager", people=1),)))
    company.tries(company.approve(proposal, "deputy"))


@attack(
    "approve-before-a-tighter-policy-is-noticed",
    "policy_changed",
    "At execution the policies in force are asked again; what they ask for beyond the approvals stops it.",
)
def tighter(company: AttackedCompany) -> None:
    """The company tightens a policy to two people; a manager quickly approves a proposal made under the old one."""
    proposal = company.order(5_000)
    save(company, default("purchase from 2,500", approvers=TWO))
    company.tries(company.approve(proposal, "deputy"))


@attack(
    "approve-when-no-policy-is-left",
    "no_policy_matches",
    "No policy that matches means refused, when a wish is made and when it runs.",
)
def deleted(company: AttackedCompany) -> None:
    """The policy that asks for approval is switched off, in the hope that what nothing governs runs."""
    proposal = company.order(5_000)
    save(company, default("purchase from 2,500", active=False))
    company.tries(company.approve(proposal, "deputy"))
    company.tries(company.asks(6_000))


@attack(
    "tie-two-policies",
    "policy_tie unknown_fact unknown_role unknown_command",
    "Two policies that are as specific and may hold at once are refused when the second is saved.",
)
def tie(company: AttackedCompany) -> None:
    """An administrator has a twin of the strict policy approved that asks nobody, to win where they tie; and broken ones."""
    strict = default("purchase from 2,500")
    twin = strict.model_copy(update={"policy_id": uuid4(), "policy_name": "twin", "approvers": ()})
    _save_and_try(company, twin)
    strange = PolicyCondition(fact="friend", among=(True,))
    for broken in (
        own(PolicyApprover(role="nobody", people=1), low=0),
        own(low=0).model_copy(update={"conditions": (strange,)}),
        own(low=0).model_copy(update={"command": "SubmitPurchaseOrders"}),
    ):
        _save_and_try(company, broken)
    company.waits(company.asks(5_000))


def _save_and_try(company: AttackedCompany, policy: SaveApprovalPolicy) -> None:
    proposal = company.waits(company.submit(policy, "admin"))
    company.approve(proposal, "manager")
    company.tries(company.approve(proposal, "finance"))


@attack(
    "forge-the-facts-a-policy-asks-about",
    "invalid",
    "Origin, roles and taint are facts of the gate's own; a command has no field for them.",
)
def forged_facts(company: AttackedCompany) -> None:
    """An agent adds via=person, roles, tainted=false, an amount and the one who asks to the payload of its command."""
    for extra in (
        {"via": "person"},
        {"roles": ["manager"]},
        {"tainted": False},
        {"amount": 1},
        {"cumulative_amount": 1},
        {"requested_by": str(company.person("manager").user_id)},
        {"supplier_new": False},
        {"urgent": True},
    ):
        payload = {"po_id": str(company.draft(5_000)), **extra}
        agent = company.agent("buyer")
        company.tries(company.gate.submit_payload("SubmitPurchaseOrder", payload, agent, key=uuid4().hex))


@attack(
    "approve-after-losing-the-role",
    "not_an_approver denied",
    "Roles are read when somebody decides; one that was taken away decides nothing.",
)
def demoted_approver(company: AttackedCompany) -> None:
    """A manager whose role was taken away this morning approves an order in a session that is still open."""
    session = company.person("deputy")
    company.do(RevokeRole(user_id=session.user_id, role="manager"), "admin")
    company.tries(company.approve(company.order(5_000), company.person("deputy")))


@attack(
    "count-an-approval-of-somebody-who-lost-the-role",
    "pending",
    "An approval stands while who gave it is active and still has the role.",
)
def demoted_after(company: AttackedCompany) -> None:
    """A manager approves as the first of two and loses the role before finance gives the second approval."""
    proposal = company.order(30_000)
    company.approve(proposal, "deputy")
    company.do(RevokeRole(user_id=company.person("deputy").user_id, role="manager"), "admin")
    company.tries(company.approve(proposal, "finance"))


@attack(
    "count-an-approval-of-somebody-who-left",
    "pending",
    "An approval stands while who gave it is active and still has the role.",
)
def left_after(company: AttackedCompany) -> None:
    """A manager approves as the first of two and is shut out before finance gives the second approval."""
    proposal = company.order(30_000)
    company.approve(proposal, "deputy")
    company.do(SetUserActive(user_id=company.person("deputy").user_id, active=False), "admin")
    company.tries(company.approve(proposal, "finance"))


@attack(
    "run-the-wish-of-somebody-who-left",
    "requester_lost_right",
    "What is executed runs in the name of who asked, who must still be there and still have the right.",
)
def requester_left(company: AttackedCompany) -> None:
    """A buyer leaves the company while an order waits, and another loses the role; both orders are approved."""
    gone, moved = company.order(5_000, who="colleague"), company.order(6_000)
    company.do(SetUserActive(user_id=company.person("colleague").user_id, active=False), "admin")
    company.tries(company.approve(gone, "manager"))
    company.do(RevokeRole(user_id=company.person("buyer").user_id, role="buyer"), "admin")
    company.tries(company.approve(moved, "manager"))


@attack(
    "give-oneself-the-role",
    "own_account proposed denied",
    "Roles that decide are given by one person and agreed to by another, never to oneself.",
)
def own_role(company: AttackedCompany) -> None:
    """An administrator gives themself the role manager, their second account, and has a buyer's agent try the same."""
    for who, user in (
        ("admin", "admin"),
        ("admin", "admin-2"),
        ("buyer", "buyer"),
        (company.agent("admin"), "buyer"),
    ):
        grant = GrantRole(user_id=company.person(user).user_id, role="manager")
        company.tries(company.submit(grant, who))


@attack(
    "make-an-accomplice-a-manager",
    "proposed personal_data_in_proposal",
    "A role that decides about others' work is never given by one person alone.",
)
def accomplice(company: AttackedCompany) -> None:
    """An administrator alone makes a friendly buyer a manager, and a new account that is one."""
    company.tries(
        company.submit(GrantRole(user_id=company.person("colleague").user_id, role="manager"), "admin")
    )
    puppet = CreateUser(user_id=uuid4(), login="puppet", person_name="Puppet", roles=("manager",))
    company.tries(company.submit(puppet, "admin"))


@attack(
    "wake-a-sleeping-manager",
    "proposed own_account",
    "Letting an account with power in again asks like giving the power.",
)
def wake(company: AttackedCompany) -> None:
    """An administrator lets the account of a manager who left in again, to be used by somebody else."""
    deputy = company.person("deputy").user_id
    company.do(SetUserActive(user_id=deputy, active=False), "admin")
    company.tries(company.submit(SetUserActive(user_id=deputy, active=True), "operator"))


@attack(
    "wake-the-other-half-of-two-roles-that-check-each-other",
    "toxic_roles",
    "Letting an account in again is judged with all that the person holds by then.",
)
def wake_the_other_half(company: AttackedCompany) -> None:
    """Somebody in finance has that account sleep, gets a second one as warehouse, and has the first woken again."""
    finance = company.person("treasurer")
    second = CreateUser(user_id=uuid4(), login="second", person_name="second", person_id=finance.person)
    company.do(second, "admin")
    company.do(SetUserActive(user_id=finance.user_id, active=False), "admin")
    grant = company.submit(GrantRole(user_id=second.user_id, role="warehouse"), "admin")
    company.agrees(grant, "manager")
    woken = company.waits(company.submit(SetUserActive(user_id=finance.user_id, active=True), "admin"))
    company.tries(company.approve(woken, "manager"))


@attack(
    "borrow-the-role-to-change-the-policy",
    "toxic_roles own_proposal not_an_approver",
    "Who makes accounts is lent neither role; lender and borrower are one person; a policy needs two others.",
)
def borrowed_for_policy(company: AttackedCompany) -> None:
    """An administrator borrows manager and finance and approves their own change of policy with them."""
    today = company.gate.clock.today()
    admin: UUID = company.person("admin").user_id
    for lender, role in (("manager", "manager"), ("finance", "finance")):
        lent = DelegateAuthority(
            delegation_id=uuid4(),
            to_user_id=admin,
            role=role,
            starts_on=today,
            ends_on=today,
            reason="on leave",
        )
        company.tries(company.submit(lent, lender))
    proposal = company.waits(company.submit(own(low=money(1)), "admin"))
    company.tries(company.approve(proposal, "admin"))
    company.tries(company.approve(proposal, "admin"))


@attack(
    "slip-under-a-policy-by-a-cheaper-twin",
    "proposed",
    "Orders to a supplier that nobody was asked about count together for a week.",
)
def cheaper_twin(company: AttackedCompany) -> None:
    """A buyer runs an order just below the bound, and then the same once more."""
    company.asks(2_490)
    company.tries(company.submit(SubmitPurchaseOrder(po_id=company.draft(2_490)), "buyer"))
