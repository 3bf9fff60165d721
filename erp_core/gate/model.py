"""Tables of the gate: who may act, what was proposed and decided, what happened."""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from erp_core.gate.autonomy import model as autonomy  # noqa: F401 its tables belong to the schema
from erp_core.gate.model_periods import closed_periods as closed_periods
from erp_core.gate.policies.facts import VIA
from erp_core.storage.base import among, metadata
from erp_core.storage.types import Id, Json, Money, UtcDateTime

REVIEW_KINDS = ("urgent", "break_glass", "override")
VERDICTS = ("justified", "not_justified")

company = Table(
    "company",
    metadata,
    Column("key", String(40), primary_key=True),
    Column("value", Text, nullable=False),
    comment="Facts of the installation: name, currency, fixed business date, seed of a demo company.",
)

users = Table(
    "users",
    metadata,
    Column("id", Id, primary_key=True),
    Column(
        "person_id",
        Id,
        nullable=False,
        index=True,
        comment="the natural person behind the account; several accounts of one person share it",
    ),
    Column("login", String(80), nullable=False, unique=True),
    Column("name", String(120), nullable=False),
    Column("kind", String(10), nullable=False, comment="person or service"),
    Column("password_hash", Text),
    Column("supplier_id", Id, comment="the supplier that a supplier's login acts for"),
    Column("subject", String(255), unique=True, comment="issuer and subject at the identity provider"),
    Column("active", Boolean, nullable=False),
    CheckConstraint("kind IN ('person', 'service')", name="kind"),
)

user_roles = Table(
    "user_roles",
    metadata,
    Column("user_id", Id, ForeignKey("users.id"), primary_key=True),
    Column("role", String(20), primary_key=True),
)

credentials = Table(
    "credentials",
    metadata,
    Column("token_hash", String(64), primary_key=True, comment="SHA-256; the token itself is never stored"),
    Column("id", Id, nullable=False, unique=True),
    Column("user_id", Id, ForeignKey("users.id"), nullable=False, index=True),
    Column("kind", String(10), nullable=False, comment="session, key or agent"),
    Column("name", String(80), comment="what a key is for"),
    Column("prefix", String(16), nullable=False, comment="the token's beginning, to recognise it by"),
    Column(
        "scope", Json, comment="a key's commands and rights, a session's roles; null leaves all of the user's"
    ),
    Column("run_id", Id, comment="the agent run an agent token is bound to"),
    Column("created_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    Column("last_used_at", UtcDateTime, nullable=False, comment="kept coarsely: not written at each request"),
    Column("revoked_at", UtcDateTime),
    CheckConstraint("kind IN ('session', 'key', 'agent')", name="kind"),
    comment="Technical: sessions and agent tokens come and go without a command; keys by command.",
)

login_attempts = Table(
    "login_attempts",
    metadata,
    Column("subject_hash", String(64), primary_key=True, comment="SHA-256 of a login or an address as tried"),
    Column("failures", Integer, nullable=False),
    Column("last_at", UtcDateTime, nullable=False),
    Column("locked_until", UtcDateTime),
    comment="Technical: failed log-ins, seen by every process.",
)

login_flows = Table(
    "login_flows",
    metadata,
    Column("state_hash", String(64), primary_key=True),
    Column("nonce", String(64), nullable=False),
    Column("verifier", String(128), nullable=False),
    Column("next", String(500), nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    comment="Technical: log-ins under way at the identity provider; each state is taken once.",
)

refusals = Table(
    "refusals",
    metadata,
    Column("window_start", UtcDateTime, primary_key=True),
    Column("kind", String(20), primary_key=True, comment="login, unauthenticated or denied"),
    Column("principal_id", Id, primary_key=True, comment="who; all zeros where nobody is logged in"),
    Column("place", String(120), primary_key=True, comment="the route refused"),
    Column("times", Integer, nullable=False),
    Column("last_at", UtcDateTime, nullable=False),
    comment="Technical: refusals counted by window, so that nobody can flood it.",
)

approval_policies = Table(
    "approval_policies",
    metadata,
    Column("id", Id, primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("name", String(80), nullable=False),
    Column("command", String(60), nullable=False),
    Column("conditions", Json, nullable=False),
    Column(
        "approvers", Json, nullable=False, comment='[{"role": "manager", "people": 1}]; empty runs at once'
    ),
    Column("in_order", Boolean, nullable=False, comment="a role decides only when those before it have"),
    Column("deadline_hours", Integer, nullable=False),
    Column("escalation", Json, comment='{"after_hours": 48, "role": "executive"}'),
    Column("review", Json, comment='{"role": "manager", "within_hours": 48}: looked at after it ran'),
    Column("active", Boolean, nullable=False),
    Column("recorded_at", UtcDateTime, nullable=False),
)

proposals = Table(
    "proposals",
    metadata,
    Column("id", Id, primary_key=True),
    Column("chain_id", Id, nullable=False, index=True),
    Column("version", Integer, nullable=False),
    Column("title", String(200), nullable=False),
    Column("reason", Text, nullable=False),
    Column("payload", Json, nullable=False, comment="the commands, in order"),
    Column("payload_hash", String(64), nullable=False),
    Column("read_set", Json, nullable=False),
    Column("evidence", Json, nullable=False),
    Column("facts", Json, nullable=False),
    Column(
        "policies", Json, nullable=False, comment='[{"id": …, "version": 1, "name": …}]: the rules that ask'
    ),
    Column("policy_name", String(80), nullable=False),
    Column("approvers", Json, nullable=False),
    Column("in_order", Boolean, nullable=False),
    Column("escalation", Json),
    Column("escalates_at", UtcDateTime),
    Column("review", Json),
    Column("compensation", Json, nullable=False, comment="how each command can be undone"),
    Column("amount", Money),
    Column("urgent", Boolean, nullable=False),
    Column("requested_by", Id, ForeignKey("users.id"), nullable=False),
    Column("via", String(10), nullable=False),
    Column("run_id", Id),
    Column("tainted", Boolean, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    UniqueConstraint("chain_id", "version"),
    CheckConstraint(among("via", VIA), name="via"),
)

proposal_states = Table(
    "proposal_states",
    metadata,
    Column("proposal_id", Id, ForeignKey("proposals.id"), primary_key=True),
    Column("status", String(12), nullable=False, index=True),
    Column("note", Text),
    Column("changed_at", UtcDateTime, nullable=False),
    CheckConstraint(
        "status IN ('pending','executed','rejected','sent_back','withdrawn','superseded','expired','stale')",
        name="status",
    ),
)

proposal_decisions = Table(
    "proposal_decisions",
    metadata,
    Column("id", Id, primary_key=True),
    Column("proposal_id", Id, ForeignKey("proposals.id"), nullable=False),
    Column("user_id", Id, ForeignKey("users.id"), nullable=False),
    Column("decision", String(10), nullable=False),
    Column("person_id", Id, nullable=False, comment="the natural person who decided"),
    Column(
        "authority_id", Id, nullable=False, comment="the person whose right was used: another's when lent"
    ),
    Column("role", String(20), nullable=False, comment="the role that the policy asks for"),
    Column("acting_as", String(20), nullable=False, comment="the role used: another's after an escalation"),
    Column("quoted_hash", String(64), nullable=False),
    Column("comment", Text, nullable=False),
    Column("decided_at", UtcDateTime, nullable=False),
    UniqueConstraint("proposal_id", "person_id"),
    UniqueConstraint("proposal_id", "authority_id"),
    CheckConstraint("decision IN ('approve', 'reject', 'send_back')", name="decision"),
)

proposal_escalations = Table(
    "proposal_escalations",
    metadata,
    Column("proposal_id", Id, ForeignKey("proposals.id"), primary_key=True),
    Column("role", String(20), nullable=False, comment="may stand in for a role that is missing"),
    Column("escalated_at", UtcDateTime, nullable=False),
    Column("audit_id", Id, nullable=False),
)

delegations = Table(
    "delegations",
    metadata,
    Column("id", Id, primary_key=True),
    Column("lender_id", Id, ForeignKey("users.id"), nullable=False, index=True),
    Column("borrower_id", Id, ForeignKey("users.id"), nullable=False, index=True),
    Column("role", String(20), nullable=False),
    Column("starts_on", Date, nullable=False),
    Column("ends_on", Date, nullable=False, comment="the last day"),
    Column("amount_below", Money, comment="None: no limit of its own"),
    Column("reason", Text, nullable=False),
    Column("audit_id", Id, nullable=False),
    CheckConstraint("starts_on <= ends_on", name="days"),
    CheckConstraint("lender_id <> borrower_id", name="to_another"),
)

delegation_ends = Table(
    "delegation_ends",
    metadata,
    Column("delegation_id", Id, ForeignKey("delegations.id"), primary_key=True),
    Column("ended_at", UtcDateTime, nullable=False),
    Column("audit_id", Id, nullable=False),
)

separation_rules = Table(
    "separation_rules",
    metadata,
    Column("id", Id, primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("name", String(120), nullable=False),
    Column("duty", String(40), nullable=False),
    Column("other", String(40), nullable=False),
    Column("active", Boolean, nullable=False),
    Column("audit_id", Id, nullable=False),
)

duties = Table(
    "duties",
    metadata,
    Column("subject_id", Id, primary_key=True, comment="the document that both duties are about"),
    Column("duty", String(40), primary_key=True),
    Column("person_id", Id, primary_key=True),
    Column("subject_kind", String(30), nullable=False),
    Column("audit_id", Id, nullable=False),
    comment="Who did what on which document, where a rule of separation may ask.",
)

reviews = Table(
    "reviews",
    metadata,
    Column("id", Id, primary_key=True),
    Column("kind", String(20), nullable=False),
    Column("audit_id", Id, nullable=False, comment="what is to be looked at"),
    Column("proposal_id", Id),
    Column("title", String(200), nullable=False),
    Column("reason", Text, nullable=False),
    Column("made_by", Id, ForeignKey("users.id"), nullable=False),
    Column("role", String(20), nullable=False),
    Column("opened_at", UtcDateTime, nullable=False),
    Column("due_at", UtcDateTime, nullable=False),
    CheckConstraint(among("kind", REVIEW_KINDS), name="kind"),
)

review_results = Table(
    "review_results",
    metadata,
    Column("review_id", Id, ForeignKey("reviews.id"), primary_key=True),
    Column("verdict", String(20), nullable=False),
    Column("comment", Text, nullable=False),
    Column("reviewed_by", Id, ForeignKey("users.id"), nullable=False),
    Column("reviewed_at", UtcDateTime, nullable=False),
    Column("audit_id", Id, nullable=False),
    CheckConstraint(among("verdict", VERDICTS), name="verdict"),
)

executions = Table(
    "executions",
    metadata,
    Column("proposal_id", Id, ForeignKey("proposals.id"), primary_key=True),
    Column("audit_id", Id, nullable=False),
    Column("results", Json, nullable=False),
    Column("executed_at", UtcDateTime, nullable=False),
)

execution_attempts = Table(
    "execution_attempts",
    metadata,
    Column("id", Id, primary_key=True),
    Column("proposal_id", Id, ForeignKey("proposals.id"), nullable=False, index=True),
    Column("user_id", Id, nullable=False),
    Column("error", Json, nullable=False),
    Column("attempted_at", UtcDateTime, nullable=False),
)

idempotency_keys = Table(
    "idempotency_keys",
    metadata,
    Column("principal_id", Id, primary_key=True),
    Column("key", String(120), primary_key=True),
    Column("payload_hash", String(64), nullable=False),
    Column("outcome", Json, nullable=False),
    Column("recorded_at", UtcDateTime, nullable=False),
    sqlite_with_rowid=False,
)

audit_entries = Table(
    "audit_entries",
    metadata,
    Column("id", Id, primary_key=True),
    Column("recorded_at", UtcDateTime, nullable=False, index=True),
    Column("occurred_at", UtcDateTime, nullable=False),
    Column("principal_kind", String(10), nullable=False),
    Column("principal_id", Id, nullable=False),
    Column("on_behalf_of", Id),
    Column("run_id", Id),
    Column("command", String(60), nullable=False),
    Column("outcome", String(10), nullable=False),
    Column("subject_kind", String(30)),
    Column("subject_id", Id, index=True),
    Column("rule", String(120), nullable=False),
    Column("proposal_id", Id),
    Column("payload", Json, nullable=False),
    Column("before", Json),
    Column("after", Json),
    Column("error", Json),
    Index(
        "ix_audit_entries_proposal_id",
        "proposal_id",
        sqlite_where=text("proposal_id IS NOT NULL"),
        postgresql_where=text("proposal_id IS NOT NULL"),
    ),
)

audit_leaves = Table(
    "audit_leaves",
    metadata,
    Column("leaf", Integer, primary_key=True, autoincrement=False),
    Column("audit_id", Id, nullable=False, unique=True),
    Column("leaf_hash", String(64), nullable=False),
    comment="Written by the sealer only: the position of each audit entry in the Merkle log.",
)

audit_checkpoints = Table(
    "audit_checkpoints",
    metadata,
    Column("size", Integer, primary_key=True, autoincrement=False),
    Column("log_id", Id, nullable=False, comment="drawn at the first seal; the same in every checkpoint"),
    Column("root", String(64), nullable=False),
    Column("frontier", Json, nullable=False, comment="roots of the full subtrees, left to right"),
    Column("signature", String(128), nullable=False),
    Column("sealed_at", UtcDateTime, nullable=False),
)

outbox = Table(
    "outbox",
    metadata,
    Column("id", Id, primary_key=True),
    Column("aggregate_kind", String(30), nullable=False),
    Column("aggregate_id", Id, nullable=False),
    Column("version", Integer, nullable=False),
    Column("kind", String(60), nullable=False),
    Column("data", Json, nullable=False),
    Column("audit_id", Id, nullable=False),
    Column("recorded_at", UtcDateTime, nullable=False),
    Column("relayed_at", UtcDateTime),
    UniqueConstraint("aggregate_kind", "aggregate_id", "version", "kind"),
    Index(
        "ix_outbox_unrelayed",
        "recorded_at",
        sqlite_where=text("relayed_at IS NULL"),
        postgresql_where=text("relayed_at IS NULL"),
    ),
)
