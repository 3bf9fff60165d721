"""Attacks on proposals: replaying, approving what was not shown, editing, reviving, revising."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

from erp_core.gate.contract import Executed, Proposed
from erp_core.gate.decisions import ApproveProposal, RejectProposal, WithdrawProposal
from erp_core.master.commands import SetSupplierItem
from erp_core.procurement.commands import CancelPurchaseOrder, SubmitPurchaseOrder
from erp_core.storage.types import money
from evals.attacks.attack import attack
from evals.attacks.company import ACME, LAMP, AttackedCompany, draft_of


@attack(
    "replay-an-executed-approval",
    "proposal_not_pending",
    "A proposal that was executed takes no decision any more; `executions` has one row a proposal.",
)
def replay(company: AttackedCompany) -> None:
    """A manager sends the approval of an executed order again, under a new key, to have it bought twice."""
    proposal = company.order(5_000)
    company.approve(proposal, "manager")
    for who in ("manager", "deputy"):
        company.tries(company.approve(proposal, who))


@attack(
    "approve-under-the-same-key-again",
    "same_outcome",
    "The key remembers the outcome; the same command under the same key runs once.",
)
def same_key(company: AttackedCompany) -> None:
    """A client repeats an approval under the key it used, hoping that the plan runs once for each time."""
    proposal = company.order(5_000)
    yes = ApproveProposal(proposal_id=proposal.proposal_id, payload_hash=proposal.payload_hash)
    first = company.submit(yes, "manager", key="same")
    for _ in range(3):
        if company.submit(yes, "manager", key="same") == first:
            company.stopped("same_outcome")


@attack(
    "approve-an-old-hash",
    "hash_mismatch",
    "An approval quotes the hash of what was shown; any other is refused.",
)
def old_hash(company: AttackedCompany) -> None:
    """A buyer shows the manager a small order, and has the hash of that screen sent for a large one."""
    shown, meant = company.order(3_000), company.order(20_000)
    company.tries(company.approve(meant, "manager", shown=shown.payload_hash))
    company.tries(company.approve(meant, "manager", shown="0" * 64))


@attack(
    "approve-the-version-before",
    "proposal_not_pending not_revisable",
    "A new version supersedes the one before, whose approvals and hash count no more.",
)
def old_version(company: AttackedCompany) -> None:
    """A buyer has the first version approved by one of two people, revises it upwards and uses both approvals."""
    po_id = company.draft(30_000)
    first = company.waits(company.submit(SubmitPurchaseOrder(po_id=po_id), "buyer"))
    company.approve(first, "manager")
    again = company.plan(SubmitPurchaseOrder(po_id=po_id), who="buyer", revises=first.proposal_id)
    second = company.waits(again)
    company.tries(company.approve(first, "finance"))
    company.tries(company.plan(SubmitPurchaseOrder(po_id=po_id), who="buyer", revises=first.proposal_id))
    if company.approve(second, "finance") and second.payload_hash == first.payload_hash:
        raise AssertionError("two versions have one hash")


@attack(
    "carry-approvals-into-a-new-version",
    "pending",
    "Approvals belong to one version; the next starts without any.",
)
def carried_approvals(company: AttackedCompany) -> None:
    """A buyer collects the manager's approval, rebases the proposal, and needs only finance for the new version."""
    proposal = company.order(30_000)
    company.approve(proposal, "manager")
    renewed = company.gate.rebase(proposal.proposal_id, company.person("buyer"), key="rebase")
    company.tries(company.approve(company.waits(renewed), "finance"))


@attack(
    "edit-the-draft-after-approval-began",
    "illegal_transition held_by_proposal stale not_found invalid denied purchase_order_exists",
    "While its proposal waits the order takes no change; a changed draft makes the proposal stale.",
)
def edit_after(company: AttackedCompany) -> None:
    """A buyer waits for the first of two approvals, then cancels and drafts a larger order under the same id."""
    po_id = company.draft(30_000)
    proposal = company.waits(company.submit(SubmitPurchaseOrder(po_id=po_id), "buyer"))
    company.approve(proposal, "manager")
    company.tries(company.submit(CancelPurchaseOrder(po_id=po_id, reason_code="replaced"), "buyer"))
    company.tries(company.submit(draft_of(900_000, po_id=po_id), "buyer"))
    company.tries(company.approve(proposal, "finance"))


@attack(
    "approve-an-expired-proposal",
    "proposal_not_pending",
    "Time runs on the gate's clock; what expired needs a new version and new approvals.",
)
def expired(company: AttackedCompany) -> None:
    """A buyer lets a proposal run out and has it approved a week later, before any job has noticed."""
    proposal = company.order(5_000)
    company.tries(company.on(company.gate.clock.today() + timedelta(days=7)).approve(proposal, "manager"))


@attack(
    "approve-a-rejected-proposal",
    "proposal_not_pending",
    "A rejection ends the proposal for good.",
)
def rejected(company: AttackedCompany) -> None:
    """After one manager said no, the buyer asks another manager to approve the same proposal."""
    proposal = company.order(5_000)
    company.turn_down(proposal, "manager")
    company.tries(company.approve(proposal, "deputy"))


@attack(
    "revise-a-rejected-proposal",
    "not_revisable",
    "What was rejected cannot go on as a next version; a new wish is a new proposal that shows as one.",
)
def revise_rejected(company: AttackedCompany) -> None:
    """After a rejection the buyer slips the plan in again as version 2, so that it looks like a correction."""
    po_id = company.draft(5_000)
    proposal = company.waits(company.submit(SubmitPurchaseOrder(po_id=po_id), "buyer"))
    company.turn_down(proposal, "manager")
    company.tries(company.plan(SubmitPurchaseOrder(po_id=po_id), who="buyer", revises=proposal.proposal_id))
    company.tries(company.gate.rebase(proposal.proposal_id, company.person("buyer"), key="again"))


@attack(
    "revise-an-executed-proposal",
    "not_revisable illegal_transition",
    "A plan that was executed has no next version.",
)
def revise_executed(company: AttackedCompany) -> None:
    """A buyer revises an executed order to buy the same once more on the approvals of the first."""
    proposal = company.order(5_000)
    company.approve(proposal, "manager")
    company.tries(company.gate.rebase(proposal.proposal_id, company.person("buyer"), key="again"))


@attack(
    "revise-anothers-proposal-by-agent",
    "not_revisable",
    "An agent puts nothing in the place of a proposal that its own user's agent did not make.",
)
def agent_revises(company: AttackedCompany) -> None:
    """A colleague's agent replaces a buyer's waiting proposal by a plan of its own, under the buyer's heading."""
    proposal = company.order(5_000)
    command = draft_of(50_000)
    company.tries(
        company.plan(
            command,
            SubmitPurchaseOrder(po_id=command.po_id),
            who=company.agent("colleague"),
            revises=proposal.proposal_id,
        )
    )
    company.tries(company.gate.rebase(proposal.proposal_id, company.agent("colleague"), key="again"))


@attack(
    "withdraw-anothers-proposal",
    "not_an_approver",
    "Only who asked takes a proposal back.",
)
def withdraw_anothers(company: AttackedCompany) -> None:
    """A colleague withdraws the buyer's proposal to have an order of their own seen first."""
    proposal = company.order(5_000)
    company.tries(company.submit(WithdrawProposal(proposal_id=proposal.proposal_id), "colleague"))


@attack(
    "reuse-a-key-for-another-payload",
    "key_reused",
    "A key is bound to its payload.",
)
def other_payload(company: AttackedCompany) -> None:
    """A client has a small order run under a key and sends a large one under the same key, to be taken for it."""
    company.submit(SubmitPurchaseOrder(po_id=company.draft(500)), "buyer", key="order")
    company.tries(company.submit(SubmitPurchaseOrder(po_id=company.draft(2_400)), "buyer", key="order"))
    proposal, large = company.order(3_000), company.order(9_000)
    yes = ApproveProposal(proposal_id=proposal.proposal_id, payload_hash=proposal.payload_hash)
    company.submit(yes, "manager", key="yes")
    other = ApproveProposal(proposal_id=large.proposal_id, payload_hash=large.payload_hash)
    company.tries(company.submit(other, "manager", key="yes"))


@attack(
    "reuse-a-key-of-another-principal",
    "denied own_proposal proposal_not_pending not_an_approver",
    "Keys are scoped to the principal: another's outcome is neither told nor taken.",
)
def other_principal(company: AttackedCompany) -> None:
    """A buyer guesses the key of the manager's approval and sends it in their own session before the manager does."""
    proposal = company.order(5_000)
    yes = ApproveProposal(proposal_id=proposal.proposal_id, payload_hash=proposal.payload_hash)
    company.tries(company.submit(yes, "buyer", key="yes"))
    done = company.submit(yes, "manager", key="yes")
    if not isinstance(done, Executed):
        company.stopped("taken")
    company.tries(company.submit(yes, "buyer", key="yes"))


@attack(
    "reuse-a-key-across-agent-runs",
    "key_reused proposed",
    "An agent's keys are scoped to its run and never to its user, whose own commands they do not answer.",
)
def agent_run_key(company: AttackedCompany) -> None:
    """A hostile agent uses the key of its user's executed command to have its own taken for that one."""
    po_id = company.draft(500)
    company.submit(SubmitPurchaseOrder(po_id=po_id), "buyer", key="shared")
    agent = company.agent("buyer")
    company.tries(company.submit(SubmitPurchaseOrder(po_id=company.draft(900)), agent, key="shared"))
    later = replace(agent, run_id=uuid4())
    company.tries(company.submit(SubmitPurchaseOrder(po_id=company.draft(900)), later, key="shared"))


@attack(
    "decide-after-oneself",
    "not_an_approver",
    "A person decides once on a proposal, in one role.",
)
def approve_twice(company: AttackedCompany) -> None:
    """A manager approves an order that needs two people twice, and then rejects what they approved."""
    proposal = company.order(30_000)
    company.approve(proposal, "manager")
    company.tries(company.approve(proposal, "manager"))
    no = RejectProposal(proposal_id=proposal.proposal_id, payload_hash=proposal.payload_hash, comment="no")
    company.tries(company.submit(no, "manager"))


@attack(
    "approve-a-proposal-that-is-not-there",
    "not_found invalid",
    "A decision names a proposal that exists, by an id and a hash of the right form.",
)
def unknown(company: AttackedCompany) -> None:
    """A client sends approvals for ids it made up, empty hashes and extra fields, looking for one that is let through."""
    company.tries(company.submit(ApproveProposal(proposal_id=uuid4(), payload_hash="f" * 64), "manager"))
    proposal = company.order(5_000)
    for payload in (
        {"proposal_id": str(proposal.proposal_id), "payload_hash": ""},
        {"proposal_id": str(proposal.proposal_id), "payload_hash": proposal.payload_hash, "role": "finance"},
        {"proposal_id": str(proposal.proposal_id), "payload_hash": proposal.payload_hash, "force": True},
        {"proposal_id": None, "payload_hash": proposal.payload_hash},
    ):
        outcome = company.gate.submit_payload(
            "ApproveProposal", payload, company.person("manager"), key=uuid4().hex
        )
        company.tries(outcome)


@attack(
    "approve-while-the-price-moved",
    "stale",
    "What a proposal rests on is read again in the executing transaction.",
)
def moved_price(company: AttackedCompany) -> None:
    """A buyer has an order proposed at a good price, gets the price list raised, and has the old picture approved."""
    proposal = company.order(5_000)
    raised = SetSupplierItem(supplier_id=ACME, item_id=LAMP, price=money(50))
    company.agrees(company.submit(raised, "admin"), "deputy")
    company.tries(company.approve(proposal, "manager"))


@attack(
    "withdraw-and-approve-anyway",
    "proposal_not_pending",
    "A withdrawn proposal takes no decision.",
)
def withdrawn(company: AttackedCompany) -> None:
    """A buyer withdraws a proposal so that nobody watches it, and has a friendly manager approve it afterwards."""
    proposal: Proposed = company.order(5_000)
    company.do(WithdrawProposal(proposal_id=proposal.proposal_id), "buyer")
    company.tries(company.approve(proposal, "manager"))
