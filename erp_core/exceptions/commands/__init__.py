"""Commands of the inbox and their registration."""

from __future__ import annotations

from erp_core.exceptions.commands.cases import (
    AssignCase,
    ResolveCase,
    SnoozeCase,
    assign_case,
    mark_proposed,
    on_proposal_closed,
    on_proposal_opened,
    resolve_case,
    snooze_case,
)
from erp_core.exceptions.commands.scans import MalformedScan, RecordScan, Withheld, record_scan
from erp_core.gate.contract import Registration, Registry, each
from erp_core.gate.events import ProposalClosed, ProposalOpened

__all__ = [
    "AssignCase",
    "MalformedScan",
    "RecordScan",
    "ResolveCase",
    "SnoozeCase",
    "Withheld",
    "mark_proposed",
    "register",
]


def register(registry: Registry) -> None:
    """Register the commands, and let cases follow the proposals that answer them."""
    registry.register(Registration(RecordScan, each(record_scan)))
    registry.register(Registration(AssignCase, each(assign_case)))
    registry.register(Registration(SnoozeCase, each(snooze_case)))
    registry.register(Registration(ResolveCase, each(resolve_case)))
    registry.subscribe(ProposalOpened, on_proposal_opened)
    registry.subscribe(ProposalClosed, on_proposal_closed)
