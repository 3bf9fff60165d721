"""The gate's own refusals, one class a case."""

from __future__ import annotations

from erp_core.gate.contract import DomainError


class KeyReused(DomainError):
    """The idempotency key was used before with another payload."""

    code = "key_reused"


class BackdatingNotAllowed(DomainError):
    """`occurred_at` lies further from now than the principal may set it."""

    code = "backdating_not_allowed"


class NoPolicyMatches(DomainError):
    """No approval policy covers the command with these facts, so it cannot run."""

    code = "no_policy_matches"


class TooManyOpenProposals(DomainError):
    """The agent's user has as many open proposals as allowed."""

    code = "too_many_open_proposals"


class ProposalNotPending(DomainError):
    """The proposal has come to its end; it takes no decision any more."""

    code = "proposal_not_pending"


class HashMismatch(DomainError):
    """The hash quoted with the decision is not the proposal's: something else was shown."""

    code = "hash_mismatch"


class OwnProposal(DomainError):
    """Who asked may not decide (separation of duties)."""

    code = "own_proposal"


class NotAnApprover(DomainError):
    """The principal has none of the roles that the policy asks for, or decided already."""

    code = "not_an_approver"


class PolicyChanged(DomainError):
    """The policy in force now asks for more than the approvals at hand."""

    code = "policy_changed"


class PolicyTie(DomainError):
    """Two active policies are equally specific for the same command."""

    code = "policy_tie"


class PersonalDataInProposal(DomainError):
    """A proposal may not carry names or addresses."""

    code = "personal_data_in_proposal"


class UnknownRole(DomainError):
    """A role that the role table does not have."""

    code = "unknown_role"
