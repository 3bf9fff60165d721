"""What people decide about proposals, as commands."""

from __future__ import annotations

from uuid import UUID

from pydantic import Field

from erp_core.gate.contract import Command


class _Decision(Command):
    by_people = True

    proposal_id: UUID
    payload_hash: str = Field(min_length=64, max_length=64, description="the hash that was shown")
    comment: str = Field(default="", max_length=2_000)

    @property
    def subject(self) -> tuple[str, UUID]:
        return ("proposal", self.proposal_id)


class ApproveProposal(_Decision):
    """Say yes to exactly what was shown; the last yes needed executes it."""


class RejectProposal(_Decision):
    """Say no, with a reason."""

    comment: str = Field(min_length=1, max_length=2_000)


class SendBackProposal(_Decision):
    """Ask for another version, with a comment."""

    comment: str = Field(min_length=1, max_length=2_000)


class WithdrawProposal(Command):
    """Take one's own proposal back."""

    proposal_id: UUID

    @property
    def subject(self) -> tuple[str, UUID]:
        return ("proposal", self.proposal_id)


class ExpireProposals(Command):
    """End the pending proposals whose time is over."""


class EscalateProposals(Command):
    """Open the pending proposals that nobody decided in time to the role that stands in."""
