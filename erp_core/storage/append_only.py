"""The tables whose rows are only ever added. Triggers refuse every other change, on both databases."""

from __future__ import annotations

APPEND_ONLY = (
    "approval_policies",
    "audit_entries",
    "audit_leaves",
    "audit_checkpoints",
    "proposals",
    "proposal_decisions",
    "proposal_escalations",
    "delegations",
    "delegation_ends",
    "separation_rules",
    "duties",
    "reviews",
    "review_results",
    "executions",
    "execution_attempts",
    "stock_moves",
    "cost_entries",
    "autonomy_levels",
    "automation_limits",
    "automation_switch",
    "automation_uses",
    "decision_outcomes",
    "outcome_scopes",
    "go_lives",
    "go_live_reviews",
    "case_events",
    "supplier_documents",
    "supplier_prices",
)
