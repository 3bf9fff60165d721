"""The tables whose rows are only ever added. Triggers refuse every other change, on both databases."""

from __future__ import annotations

APPEND_ONLY = (
    "approval_policies",
    "audit_entries",
    "audit_leaves",
    "audit_checkpoints",
    "proposals",
    "proposal_decisions",
    "executions",
    "execution_attempts",
    "stock_moves",
    "cost_entries",
    "case_events",
)
