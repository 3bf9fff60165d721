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


class UnknownCommand(DomainError):
    """A policy speaks of a command that there is not."""

    code = "unknown_command"


class UnknownFact(DomainError):
    """A policy speaks of a fact that there is not, or in a way that fits no value of it."""

    code = "unknown_fact"


class DutiesConflict(DomainError):
    """A rule of separation keeps this duty from somebody who had another in the same document."""

    code = "duties_conflict"


class ProposalAltered(DomainError):
    """What is stored is not what was proposed: its hash no longer fits."""

    code = "proposal_altered"


class RequesterLostRight(DomainError):
    """Who asked is no longer active, or may no longer ask for this."""

    code = "requester_lost_right"


class NotRevisable(DomainError):
    """A new version can follow the newest version of a plan only, while it is neither executed nor turned down."""

    code = "not_revisable"


class CannotDelegate(DomainError):
    """One lends one's own right to decide only, to another person, for days to come."""

    code = "cannot_delegate"


class ReasonMissing(DomainError):
    """What is asked for as urgent or breaks the glass needs a reason."""

    code = "reason_missing"


class OwnReview(DomainError):
    """Who did it, or let it happen, may not be the one who looks at it later."""

    code = "own_review"


class ProposalOutdated(DomainError):
    """The plan names a command that is gone or has become another since it was proposed."""

    code = "proposal_outdated"
