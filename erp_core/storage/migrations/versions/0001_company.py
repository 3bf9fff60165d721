"""The company's tables and the calendar."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import sqlalchemy as sa
from alembic import op

from erp_core.storage.types import Id, Json, UtcDateTime

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

FIRST, LAST = date(2005, 1, 1), date(2035, 12, 31)


def upgrade() -> None:
    op.create_table(
        "approval_policies",
        sa.Column("id", Id(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("command", sa.String(length=60), nullable=False),
        sa.Column("conditions", Json(), nullable=False),
        sa.Column(
            "approvers",
            Json(),
            nullable=False,
            comment='[{"role": "manager", "people": 1}]; empty runs at once',
        ),
        sa.Column(
            "in_order", sa.Boolean(), nullable=False, comment="a role decides only when those before it have"
        ),
        sa.Column("deadline_hours", sa.Integer(), nullable=False),
        sa.Column("escalation", Json(), nullable=True, comment='{"after_hours": 48, "role": "executive"}'),
        sa.Column(
            "review",
            Json(),
            nullable=True,
            comment='{"role": "manager", "within_hours": 48}: looked at after it ran',
        ),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("recorded_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", "version", name=op.f("pk_approval_policies")),
    )
    op.create_table(
        "audit_checkpoints",
        sa.Column("size", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column(
            "log_id", Id(), nullable=False, comment="drawn at the first seal; the same in every checkpoint"
        ),
        sa.Column("root", sa.String(length=64), nullable=False),
        sa.Column("frontier", Json(), nullable=False, comment="roots of the full subtrees, left to right"),
        sa.Column("signature", sa.String(length=128), nullable=False),
        sa.Column("sealed_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("size", name=op.f("pk_audit_checkpoints")),
    )
    op.create_table(
        "audit_entries",
        sa.Column("id", Id(), nullable=False),
        sa.Column("recorded_at", UtcDateTime(), nullable=False),
        sa.Column("occurred_at", UtcDateTime(), nullable=False),
        sa.Column("principal_kind", sa.String(length=10), nullable=False),
        sa.Column("principal_id", Id(), nullable=False),
        sa.Column("on_behalf_of", Id(), nullable=True),
        sa.Column("run_id", Id(), nullable=True),
        sa.Column("command", sa.String(length=60), nullable=False),
        sa.Column("outcome", sa.String(length=10), nullable=False),
        sa.Column("subject_kind", sa.String(length=30), nullable=True),
        sa.Column("subject_id", Id(), nullable=True),
        sa.Column("rule", sa.String(length=120), nullable=False),
        sa.Column("proposal_id", Id(), nullable=True),
        sa.Column("payload", Json(), nullable=False),
        sa.Column("before", Json(), nullable=True),
        sa.Column("after", Json(), nullable=True),
        sa.Column("error", Json(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_entries")),
    )
    op.create_index(
        "ix_audit_entries_proposal_id",
        "audit_entries",
        ["proposal_id"],
        unique=False,
        sqlite_where=sa.text("proposal_id IS NOT NULL"),
        postgresql_where=sa.text("proposal_id IS NOT NULL"),
    )
    op.create_index(op.f("ix_audit_entries_recorded_at"), "audit_entries", ["recorded_at"], unique=False)
    op.create_index(op.f("ix_audit_entries_subject_id"), "audit_entries", ["subject_id"], unique=False)
    op.create_table(
        "audit_leaves",
        sa.Column("leaf", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("audit_id", Id(), nullable=False),
        sa.Column("leaf_hash", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("leaf", name=op.f("pk_audit_leaves")),
        sa.UniqueConstraint("audit_id", name=op.f("uq_audit_leaves_audit_id")),
        comment="Written by the sealer only: the position of each audit entry in the Merkle log.",
    )
    op.create_table(
        "automation_limits",
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("order_amount", sa.BigInteger(), nullable=False),
        sa.Column("category_day_amount", sa.BigInteger(), nullable=False),
        sa.Column("day_orders", sa.Integer(), nullable=False),
        sa.Column("day_amount", sa.BigInteger(), nullable=False),
        sa.Column(
            "minimum_decided", sa.Integer(), nullable=False, comment="recommendations before a scope may act"
        ),
        sa.Column("accepted_percent", sa.Integer(), nullable=False),
        sa.Column("minimum_judged", sa.Integer(), nullable=False, comment="outcomes before a scope may act"),
        sa.Column("good_percent", sa.Integer(), nullable=False),
        sa.Column("since", UtcDateTime(), nullable=False),
        sa.Column("audit_id", Id(), nullable=False),
        sa.CheckConstraint(
            "minimum_decided >= 1 AND minimum_judged >= 1", name=op.f("ck_automation_limits_minimum_numbers")
        ),
        sa.CheckConstraint(
            "order_amount >= 0 AND category_day_amount >= 0 AND day_orders >= 0 AND day_amount >= 0",
            name=op.f("ck_automation_limits_caps"),
        ),
        sa.PrimaryKeyConstraint("version", name=op.f("pk_automation_limits")),
    )
    op.create_table(
        "automation_switch",
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("stopped", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("since", UtcDateTime(), nullable=False),
        sa.Column("audit_id", Id(), nullable=False),
        sa.PrimaryKeyConstraint("version", name=op.f("pk_automation_switch")),
    )
    op.create_table(
        "automation_uses",
        sa.Column("document_id", Id(), nullable=False),
        sa.Column("category", sa.String(length=80), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column(
            "rule", sa.String(length=80), nullable=False, comment="which stored rule, and as of which day"
        ),
        sa.Column("audit_id", Id(), nullable=False),
        sa.CheckConstraint("amount >= 0", name=op.f("ck_automation_uses_amount")),
        sa.PrimaryKeyConstraint("document_id", "category", name=op.f("pk_automation_uses")),
        comment="What automation bought by itself, by category: the caps of a day are counted over these rows.",
    )
    op.create_index("ix_automation_uses_day", "automation_uses", ["day"], unique=False)
    op.create_table(
        "autonomy_levels",
        sa.Column("scope_kind", sa.String(length=16), nullable=False),
        sa.Column(
            "scope",
            sa.String(length=80),
            nullable=False,
            comment="category, or a code; empty for the company",
        ),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("level", sa.String(length=10), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("since", UtcDateTime(), nullable=False),
        sa.Column("audit_id", Id(), nullable=False),
        sa.CheckConstraint("(scope_kind = 'company') = (scope = '')", name=op.f("ck_autonomy_levels_scope")),
        sa.CheckConstraint(
            "level = 'see' OR level = 'alert' OR level = 'recommend' OR level = 'propose' OR level = 'act'",
            name=op.f("ck_autonomy_levels_level"),
        ),
        sa.CheckConstraint(
            "scope_kind = 'company' OR scope_kind = 'category' OR scope_kind = 'supplier_group' OR scope_kind = 'supplier' OR scope_kind = 'warehouse' OR scope_kind = 'channel'",
            name=op.f("ck_autonomy_levels_scope_kind"),
        ),
        sa.PrimaryKeyConstraint("scope_kind", "scope", "version", name=op.f("pk_autonomy_levels")),
    )
    op.create_table(
        "budgets",
        sa.Column("category", sa.String(length=60), nullable=False),
        sa.Column("month", sa.Date(), nullable=False, comment="its first day"),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("audit_id", Id(), nullable=False),
        sa.PrimaryKeyConstraint("category", "month", name=op.f("pk_budgets")),
    )
    op.create_table(
        "calendar",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("week", sa.Date(), nullable=False, comment="Monday of the ISO week"),
        sa.Column("month", sa.String(length=7), nullable=False, comment="2026-06"),
        sa.Column("quarter", sa.String(length=7), nullable=False, comment="2026-Q2"),
        sa.Column("year", sa.String(length=4), nullable=False),
        sa.PrimaryKeyConstraint("day", name=op.f("pk_calendar")),
    )
    op.create_table(
        "carriers",
        sa.Column("id", Id(), nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("audit_id", Id(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_carriers")),
        sa.UniqueConstraint("code", name=op.f("uq_carriers_code")),
    )
    op.create_table(
        "cases",
        sa.Column("id", Id(), nullable=False),
        sa.Column("kind", sa.String(length=30), nullable=False),
        sa.Column(
            "subject_key",
            sa.String(length=160),
            nullable=False,
            comment="what makes a case the same at the next scan",
        ),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("status", sa.String(length=10), nullable=False),
        sa.Column("probability", sa.Float(), nullable=False),
        sa.Column("deadline", UtcDateTime(), nullable=False),
        sa.Column("expected_loss", sa.BigInteger(), nullable=False),
        sa.Column("residual_loss", sa.BigInteger(), nullable=False),
        sa.Column("action_cost", sa.BigInteger(), nullable=False),
        sa.Column(
            "net_benefit", sa.BigInteger(), nullable=False, comment="expected - residual - cost: the rank"
        ),
        sa.Column("evidence", Json(), nullable=False),
        sa.Column("action", Json(), nullable=True, comment="the best action, ready to propose"),
        sa.Column("caused_by", Id(), nullable=True, comment="the root case that carries the money"),
        sa.Column("owner_id", Id(), nullable=True),
        sa.Column("proposal_id", Id(), nullable=True),
        sa.Column(
            "resolution",
            sa.String(length=30),
            nullable=True,
            comment="code; what was written about it stands in case_events",
        ),
        sa.Column(
            "dismissed", sa.Boolean(), nullable=False, comment="closed by a person while still detected"
        ),
        sa.Column("snoozed_until", UtcDateTime(), nullable=True),
        sa.Column("opened_at", UtcDateTime(), nullable=False),
        sa.Column("changed_at", UtcDateTime(), nullable=False),
        sa.Column("closed_at", UtcDateTime(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("audit_id", Id(), nullable=False),
        sa.CheckConstraint(
            "status = 'open' OR status = 'assigned' OR status = 'proposed' OR status = 'snoozed' OR status = 'resolved' OR status = 'expired'",
            name=op.f("ck_cases_status"),
        ),
        sa.CheckConstraint("probability >= 0 AND probability <= 1", name=op.f("ck_cases_probability")),
        sa.ForeignKeyConstraint(["caused_by"], ["cases.id"], name=op.f("fk_cases_caused_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cases")),
    )
    op.create_index(op.f("ix_cases_kind"), "cases", ["kind"], unique=False)
    op.create_index("ix_cases_kind_subject_key", "cases", ["kind", "subject_key"], unique=False)
    op.create_index(op.f("ix_cases_net_benefit"), "cases", ["net_benefit"], unique=False)
    op.create_index(op.f("ix_cases_status"), "cases", ["status"], unique=False)
    op.create_table(
        "class_policies",
        sa.Column("class", sa.String(length=20), nullable=False),
        sa.Column("rank", sa.Integer(), nullable=False, comment="1 is asked first"),
        sa.Column("service_level", sa.Float(), nullable=True),
        sa.Column("review_days", sa.Integer(), nullable=True),
        sa.Column("count_days", sa.Integer(), nullable=True, comment="the longest time between two counts"),
        sa.Column("audit_id", Id(), nullable=False),
        sa.CheckConstraint(
            "class = 'new' OR class = 'seasonal' OR class = 'fast' OR class = 'private_label' OR class = 'imported' OR class = 'A' OR class = 'B' OR class = 'C'",
            name=op.f("ck_class_policies_class"),
        ),
        sa.CheckConstraint("rank >= 1", name=op.f("ck_class_policies_rank")),
        sa.CheckConstraint("review_days >= 1 AND count_days >= 1", name=op.f("ck_class_policies_days")),
        sa.CheckConstraint(
            "service_level > 0.5 AND service_level < 1", name=op.f("ck_class_policies_service_level")
        ),
        sa.PrimaryKeyConstraint("class", name=op.f("pk_class_policies")),
        comment="Policies that replace those a company starts with.",
    )
    op.create_table(
        "closed_periods",
        sa.Column("month", sa.Date(), nullable=False, comment="its first day"),
        sa.Column("closed_on", sa.Date(), nullable=False),
        sa.Column("figures", Json(), nullable=False, comment="what it was closed with"),
        sa.Column("audit_id", Id(), nullable=False),
        sa.CheckConstraint("closed_on > month", name=op.f("ck_closed_periods_over")),
        sa.PrimaryKeyConstraint("month", name=op.f("pk_closed_periods")),
    )
    op.create_table(
        "company",
        sa.Column("key", sa.String(length=40), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_company")),
        comment="Facts of the installation: name, currency, fixed business date, seed of a demo company.",
    )
    op.create_table(
        "customers",
        sa.Column("id", Id(), nullable=False),
        sa.Column("code", sa.String(length=60), nullable=False),
        sa.Column("country", sa.String(length=60), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=True),
        sa.Column("email", sa.String(length=160), nullable=True),
        sa.Column("tax_id", sa.String(length=20), nullable=True, comment="of a business, checked"),
        sa.Column(
            "erase_after",
            sa.Date(),
            nullable=True,
            comment="asked to be forgotten; done when nothing keeps the records any more",
        ),
        sa.Column("audit_id", Id(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_customers")),
        sa.UniqueConstraint("code", name=op.f("uq_customers_code")),
    )
    op.create_table(
        "data_feeds",
        sa.Column(
            "kind", sa.String(length=20), nullable=False, comment="sales, stock, cost, purchasing, returns"
        ),
        sa.Column("first_on", sa.Date(), nullable=False),
        sa.Column("last_on", sa.Date(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("kind", name=op.f("pk_data_feeds")),
        comment="Which kinds of fact the company has at all: without a stock feed no stock metric has a value.",
    )
    op.create_table(
        "data_owners",
        sa.Column("domain", sa.String(length=30), nullable=False),
        sa.Column("record_id", Id(), nullable=False, comment="all zeros for the whole domain"),
        sa.Column("user_id", Id(), nullable=False),
        sa.Column("audit_id", Id(), nullable=False),
        sa.PrimaryKeyConstraint("domain", "record_id", name=op.f("pk_data_owners")),
    )
    op.create_table(
        "data_quality",
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("record_id", Id(), nullable=False),
        sa.Column("score", sa.Integer(), nullable=False),
        sa.Column("problems", Json(), nullable=False, comment="named deductions"),
        sa.Column("scored_on", sa.Date(), nullable=False, comment="the day since which this is so"),
        sa.Column("audit_id", Id(), nullable=False),
        sa.CheckConstraint("score >= 0 AND score <= 100", name=op.f("ck_data_quality_score")),
        sa.PrimaryKeyConstraint("kind", "record_id", name=op.f("pk_data_quality")),
    )
    op.create_index("ix_data_quality_kind_score", "data_quality", ["kind", "score"], unique=False)
    op.create_table(
        "decision_outcomes",
        sa.Column(
            "decision_id", Id(), nullable=False, comment="a proposal, or the document of an act without one"
        ),
        sa.Column("decision", sa.String(length=8), nullable=False),
        sa.Column("status", sa.String(length=10), nullable=False),
        sa.Column("origin", sa.String(length=8), nullable=False),
        sa.Column("model_version", sa.String(length=160), nullable=True),
        sa.Column(
            "overridden", sa.Boolean(), nullable=False, comment="a person changed a quantity between versions"
        ),
        sa.Column("case_kind", sa.String(length=30), nullable=True),
        sa.Column("decided_on", sa.Date(), nullable=False),
        sa.Column(
            "cutoff_on", sa.Date(), nullable=False, comment="nothing that happened after this day counts"
        ),
        sa.Column("stockout_days", sa.Integer(), nullable=True),
        sa.Column("excess_units", sa.BigInteger(), nullable=True, comment="of the units asked for"),
        sa.Column(
            "arrived_percent", sa.Integer(), nullable=True, comment="of the units ordered, by the cut-off"
        ),
        sa.Column(
            "days_late",
            sa.Integer(),
            nullable=True,
            comment="of the last line against its first promise; NULL while open",
        ),
        sa.Column(
            "cost_change", sa.Integer(), nullable=True, comment="against the prices in force, in 1/100 %"
        ),
        sa.Column("verdict", sa.String(length=8), nullable=True, comment="NULL without data"),
        sa.Column("scored_at", UtcDateTime(), nullable=False),
        sa.Column("audit_id", Id(), nullable=False),
        sa.CheckConstraint(
            "decision = 'proposal' OR decision = 'act'", name=op.f("ck_decision_outcomes_decision")
        ),
        sa.CheckConstraint(
            "origin = 'person' OR origin = 'agent' OR origin = 'rule' OR origin = 'import'",
            name=op.f("ck_decision_outcomes_origin"),
        ),
        sa.CheckConstraint(
            "status = 'executed' OR status = 'rejected' OR status = 'withdrawn' OR status = 'expired'",
            name=op.f("ck_decision_outcomes_status"),
        ),
        sa.CheckConstraint(
            "verdict = 'good' OR verdict = 'neutral' OR verdict = 'bad'",
            name=op.f("ck_decision_outcomes_verdict"),
        ),
        sa.CheckConstraint("cutoff_on >= decided_on", name=op.f("ck_decision_outcomes_cutoff")),
        sa.PrimaryKeyConstraint("decision_id", name=op.f("pk_decision_outcomes")),
        comment="What came of each decision, measured once when its horizon had passed.",
    )
    op.create_index(op.f("ix_decision_outcomes_origin"), "decision_outcomes", ["origin"], unique=False)
    op.create_table(
        "demand_daily",
        sa.Column("item_id", Id(), nullable=False),
        sa.Column("location_id", Id(), nullable=False),
        sa.Column("channel_id", Id(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("import_id", Id(), nullable=False, comment="the zero id for live orders"),
        sa.Column(
            "units",
            sa.BigInteger(),
            nullable=False,
            comment="ordered, less cancelled by the customer, by order day",
        ),
        sa.Column("net_sales", sa.BigInteger(), nullable=False),
        sa.Column(
            "list_sales",
            sa.BigInteger(),
            nullable=False,
            comment="the same units at list price: the gap is markdown",
        ),
        sa.Column("lines", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint(
            "item_id", "location_id", "channel_id", "day", "import_id", name=op.f("pk_demand_daily")
        ),
        comment="Demand projection kept in the posting transaction; what models read.",
        sqlite_with_rowid=False,
    )
    op.create_table(
        "document_kinds",
        sa.Column("kind", sa.String(length=30), nullable=False),
        sa.Column("label", sa.String(length=80), nullable=False),
        sa.Column("required_for", Json(), nullable=False, comment="supplier segments that must have one"),
        sa.Column("blocks_orders", sa.Boolean(), nullable=False),
        sa.Column("warn_days", sa.Integer(), nullable=False),
        sa.Column("audit_id", Id(), nullable=False),
        sa.PrimaryKeyConstraint("kind", name=op.f("pk_document_kinds")),
        comment="Kinds of compliance document that replace or add to those a company starts with.",
    )
    op.create_table(
        "document_series",
        sa.Column("seller_id", Id(), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("last", sa.BigInteger(), nullable=False, comment="the last number given"),
        sa.CheckConstraint("kind = 'invoice' OR kind = 'credit_note'", name=op.f("ck_document_series_kind")),
        sa.PrimaryKeyConstraint("seller_id", "kind", name=op.f("pk_document_series")),
        comment="Numbers are given in the transaction that writes the document, so that none is left out.",
    )
    op.create_table(
        "duties",
        sa.Column("subject_id", Id(), nullable=False, comment="the document that both duties are about"),
        sa.Column("duty", sa.String(length=40), nullable=False),
        sa.Column("person_id", Id(), nullable=False),
        sa.Column("subject_kind", sa.String(length=30), nullable=False),
        sa.Column("audit_id", Id(), nullable=False),
        sa.PrimaryKeyConstraint("subject_id", "duty", "person_id", name=op.f("pk_duties")),
        comment="Who did what on which document, where a rule of separation may ask.",
    )
    op.create_table(
        "cost_methods",
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("method", sa.String(length=10), nullable=False),
        sa.Column("change_id", Id(), nullable=False),
        sa.Column("audit_id", Id(), nullable=False),
        sa.CheckConstraint("method = 'average' OR method = 'fifo'", name=op.f("ck_cost_methods_method")),
        sa.PrimaryKeyConstraint("valid_from", name=op.f("pk_cost_methods")),
        sa.UniqueConstraint("change_id", name=op.f("uq_cost_methods_change_id")),
    )
    op.create_table(
        "exchange_rates",
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("rate", sa.BigInteger(), nullable=False, comment="company currency for one unit, in 10^-8"),
        sa.Column("audit_id", Id(), nullable=False),
        sa.CheckConstraint("rate > 0", name=op.f("ck_exchange_rates_rate")),
        sa.PrimaryKeyConstraint("currency", "valid_from", name=op.f("pk_exchange_rates")),
    )
    op.create_table(
        "go_live_reviews",
        sa.Column("process", sa.String(length=20), nullable=False),
        sa.Column("site", sa.String(length=40), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("user_id", Id(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("audit_id", Id(), nullable=False),
        sa.PrimaryKeyConstraint("process", "site", "day", name=op.f("pk_go_live_reviews")),
    )
    op.create_table(
        "go_lives",
        sa.Column("process", sa.String(length=20), nullable=False),
        sa.Column("site", sa.String(length=40), nullable=False),
        sa.Column(
            "override_reason",
            sa.Text(),
            nullable=True,
            comment="why it went live before its checks were green",
        ),
        sa.Column("figures", Json(), nullable=False, comment="the checks as they stood"),
        sa.Column("since", UtcDateTime(), nullable=False),
        sa.Column("audit_id", Id(), nullable=False),
        sa.PrimaryKeyConstraint("process", "site", name=op.f("pk_go_lives")),
    )
    op.create_table(
        "idempotency_keys",
        sa.Column("principal_id", Id(), nullable=False),
        sa.Column("key", sa.String(length=120), nullable=False),
        sa.Column("payload_hash", sa.String(length=64), nullable=False),
        sa.Column("outcome", Json(), nullable=False),
        sa.Column("recorded_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("principal_id", "key", name=op.f("pk_idempotency_keys")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "import_visibility",
        sa.Column("import_id", Id(), nullable=False),
        sa.Column("complete", sa.Boolean(), nullable=False),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("import_id", name=op.f("pk_import_visibility")),
        comment="Rows that carry an import_id are seen by readers only when that import is complete.",
    )
    op.create_table(
        "imports",
        sa.Column("id", Id(), nullable=False),
        sa.Column(
            "source",
            sa.String(length=30),
            nullable=False,
            comment="online-retail, scms, items, suppliers, ...",
        ),
        sa.Column("file_name", sa.String(length=200), nullable=False),
        sa.Column("file_sha256", sa.String(length=64), nullable=False, comment="of the content, unpacked"),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.Column("status", sa.String(length=12), nullable=False),
        sa.Column("rows_read", sa.Integer(), nullable=False),
        sa.Column("rows_accepted", sa.Integer(), nullable=False),
        sa.Column("rows_set_aside", sa.Integer(), nullable=False),
        sa.Column("rows_refused", sa.Integer(), nullable=False),
        sa.Column("chunks", sa.Integer(), nullable=False),
        sa.Column("counts", Json(), nullable=False, comment="rows by rule: set_aside and noted"),
        sa.Column("feeds", Json(), nullable=False, comment="first and last day of each kind of fact"),
        sa.Column("requested_by", Id(), nullable=False),
        sa.Column("started_at", UtcDateTime(), nullable=False),
        sa.Column("finished_at", UtcDateTime(), nullable=True),
        sa.CheckConstraint(
            "status = 'staging' OR rows_read = rows_accepted + rows_set_aside + rows_refused",
            name=op.f("ck_imports_rows_add_up"),
        ),
        sa.CheckConstraint(
            "status IN ('staging', 'posting', 'complete', 'rejected')", name=op.f("ck_imports_status")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_imports")),
        sa.UniqueConstraint(
            "source", "file_sha256", "as_of", name=op.f("uq_imports_source_file_sha256_as_of")
        ),
    )
    op.create_table(
        "inspection_rules",
        sa.Column("scope", sa.String(length=90), nullable=False, comment="as of receipt tolerances"),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column(
            "required",
            sa.Integer(),
            nullable=False,
            comment="whether goods are looked at before they are put away",
        ),
        sa.Column("audit_id", Id(), nullable=False),
        sa.PrimaryKeyConstraint("scope", "version", name=op.f("pk_inspection_rules")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "categories",
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("parent", sa.String(length=80), nullable=True, comment="NULL at the top"),
        sa.Column("audit_id", Id(), nullable=False),
        sa.CheckConstraint("parent <> name", name=op.f("ck_categories_not_within_itself")),
        sa.ForeignKeyConstraint(["parent"], ["categories.name"], name=op.f("fk_categories_parent")),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_categories")),
        comment="Where a category lies. One that is not named here is at the top.",
    )
    op.create_index(op.f("ix_categories_parent"), "categories", ["parent"], unique=False)
    op.create_table(
        "products",
        sa.Column("id", Id(), nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("category", sa.String(length=80), nullable=False, comment="that of all its variants"),
        sa.Column("axes", Json(), nullable=False, comment="what its variants differ in, in order"),
        sa.Column("audit_id", Id(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_products")),
        sa.UniqueConstraint("code", name=op.f("uq_products_code")),
        comment="Products, also called styles: their variants are items.",
    )
    op.create_index(op.f("ix_products_category"), "products", ["category"], unique=False)
    op.create_table(
        "items",
        sa.Column("id", Id(), nullable=False),
        sa.Column("sku", sa.String(length=60), nullable=False),
        sa.Column(
            "sku_key", sa.String(length=60), nullable=True, comment="the SKU without separators and case"
        ),
        sa.Column("gtin", sa.String(length=14), nullable=True),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("category", sa.String(length=80), nullable=False),
        sa.Column("brand", sa.String(length=80), nullable=False),
        sa.Column("abc_class", sa.String(length=1), nullable=True),
        sa.Column("base_unit", sa.String(length=20), nullable=False),
        sa.Column(
            "standard_cost", sa.BigInteger(), nullable=True, comment="per base unit; unknown is NULL, never 0"
        ),
        sa.Column("list_price", sa.BigInteger(), nullable=True),
        sa.Column("status", sa.String(length=12), nullable=False),
        sa.Column("introduced_on", sa.Date(), nullable=True),
        sa.Column("lot_tracked", sa.Boolean(), nullable=False, comment="every unit belongs to a lot"),
        sa.Column("serial_tracked", sa.Boolean(), nullable=False, comment="every unit has a number"),
        sa.Column("expiry_tracked", sa.Boolean(), nullable=False, comment="every lot has a last day"),
        sa.Column(
            "kit",
            sa.String(length=10),
            nullable=True,
            comment="sold as a set: from its parts, or assembled ahead; NULL for a plain item",
        ),
        sa.Column("product_id", Id(), nullable=True, comment="what it is a variant of; NULL for none"),
        sa.Column("variant", Json(), nullable=True, comment="its values by axis of the product"),
        sa.Column(
            "variant_key",
            sa.String(length=600),
            nullable=True,
            comment="all its values in normal form; NULL while one is missing",
        ),
        sa.Column("audit_id", Id(), nullable=False),
        sa.CheckConstraint("abc_class IN ('A', 'B', 'C')", name=op.f("ck_items_abc_class")),
        sa.CheckConstraint("kit IN ('parts', 'assembled')", name=op.f("ck_items_kit")),
        sa.CheckConstraint("status IN ('draft', 'active', 'discontinued')", name=op.f("ck_items_status")),
        sa.CheckConstraint(
            "lot_tracked OR serial_tracked OR NOT expiry_tracked", name=op.f("ck_items_expiry_of_a_lot")
        ),
        sa.CheckConstraint(
            "product_id IS NOT NULL OR variant_key IS NULL", name=op.f("ck_items_variant_of_a_product")
        ),
        sa.CheckConstraint(
            "product_id IS NULL OR variant_key IS NOT NULL OR status = 'draft'",
            name=op.f("ck_items_variant_complete"),
        ),
        sa.ForeignKeyConstraint(["product_id"], ["products.id"], name=op.f("fk_items_product_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_items")),
        sa.UniqueConstraint("product_id", "variant_key", name=op.f("uq_items_product_id_variant_key")),
        sa.UniqueConstraint("sku", name=op.f("uq_items_sku")),
    )
    op.create_index(op.f("ix_items_category"), "items", ["category"], unique=False)
    op.create_index(op.f("ix_items_gtin"), "items", ["gtin"], unique=False)
    op.create_index(op.f("ix_items_sku_key"), "items", ["sku_key"], unique=False)
    op.create_table(
        "journal_entries",
        sa.Column("id", Id(), nullable=False),
        sa.Column("occurred_on", sa.Date(), nullable=False),
        sa.Column("event", sa.String(length=30), nullable=False),
        sa.Column("document_kind", sa.String(length=20), nullable=False),
        sa.Column("document_id", Id(), nullable=False),
        sa.Column("debit", sa.String(length=30), nullable=False),
        sa.Column(
            "debit_of",
            Id(),
            nullable=True,
            comment="the open item that is debited: an order line, an order, an invoice, …",
        ),
        sa.Column("credit", sa.String(length=30), nullable=False),
        sa.Column("credit_of", Id(), nullable=True, comment="the open item that is credited"),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column(
            "amount", sa.BigInteger(), nullable=False, comment="in the currency; 0 for an exchange difference"
        ),
        sa.Column("value", sa.BigInteger(), nullable=False, comment="in company currency"),
        sa.Column("audit_id", Id(), nullable=False),
        sa.CheckConstraint(
            "amount >= 0 AND value >= 0 AND amount + value > 0", name=op.f("ck_journal_entries_amounts")
        ),
        sa.CheckConstraint("debit <> credit", name=op.f("ck_journal_entries_two_accounts")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_journal_entries")),
    )
    op.create_index(
        "ix_journal_entries_credit_of",
        "journal_entries",
        ["credit_of"],
        unique=False,
        sqlite_where=sa.text("credit_of IS NOT NULL"),
        postgresql_where=sa.text("credit_of IS NOT NULL"),
    )
    op.create_index(
        "ix_journal_entries_debit_of",
        "journal_entries",
        ["debit_of"],
        unique=False,
        sqlite_where=sa.text("debit_of IS NOT NULL"),
        postgresql_where=sa.text("debit_of IS NOT NULL"),
    )
    op.create_index(op.f("ix_journal_entries_document_id"), "journal_entries", ["document_id"], unique=False)
    op.create_index(op.f("ix_journal_entries_occurred_on"), "journal_entries", ["occurred_on"], unique=False)
    op.create_table(
        "landed_cost_components",
        sa.Column("code", sa.String(length=30), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column(
            "basis",
            sa.String(length=10),
            nullable=False,
            comment="what its amount is shared by among the goods",
        ),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("audit_id", Id(), nullable=False),
        sa.CheckConstraint(
            "basis = 'value' OR basis = 'quantity' OR basis = 'weight' OR basis = 'volume'",
            name=op.f("ck_landed_cost_components_basis"),
        ),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_landed_cost_components")),
        comment="Components that replace or add to those a company starts with.",
    )
    op.create_table(
        "legal_entities",
        sa.Column("id", Id(), nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("country", sa.String(length=60), nullable=False),
        sa.Column("audit_id", Id(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_legal_entities")),
        sa.UniqueConstraint("code", name=op.f("uq_legal_entities_code")),
        comment="The companies in law that own places and sell through channels.",
    )
    op.create_table(
        "legal_holds",
        sa.Column("id", Id(), nullable=False),
        sa.Column("record_class", sa.String(length=30), nullable=True, comment="NULL: of every class"),
        sa.Column(
            "record_id",
            Id(),
            nullable=True,
            comment="one record, or the customer whose records they are; NULL: all",
        ),
        sa.Column(
            "from_day", sa.Date(), nullable=True, comment="records of this day and later; NULL: of any"
        ),
        sa.Column("to_day", sa.Date(), nullable=True, comment="records before this day; NULL: of any"),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("held_on", sa.Date(), nullable=False),
        sa.Column("audit_id", Id(), nullable=False),
        sa.CheckConstraint("to_day > from_day", name=op.f("ck_legal_holds_period")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_legal_holds")),
    )
    op.create_table(
        "login_attempts",
        sa.Column(
            "subject_hash",
            sa.String(length=64),
            nullable=False,
            comment="SHA-256 of a login or an address as tried",
        ),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("last_at", UtcDateTime(), nullable=False),
        sa.Column("locked_until", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("subject_hash", name=op.f("pk_login_attempts")),
        comment="Technical: failed log-ins, seen by every process.",
    )
    op.create_table(
        "login_flows",
        sa.Column("state_hash", sa.String(length=64), nullable=False),
        sa.Column("nonce", sa.String(length=64), nullable=False),
        sa.Column("verifier", sa.String(length=128), nullable=False),
        sa.Column("next", sa.String(length=500), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("state_hash", name=op.f("pk_login_flows")),
        comment="Technical: log-ins under way at the identity provider; each state is taken once.",
    )
    op.create_table(
        "master_parameters",
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("value", sa.Integer(), nullable=False),
        sa.Column("audit_id", Id(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_master_parameters")),
        comment="Thresholds and deductions that replace those a company starts with.",
    )
    op.create_table(
        "match_tolerances",
        sa.Column(
            "scope", sa.String(length=80), nullable=False, comment="company, category:NAME or supplier:ID"
        ),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("quantity_over", sa.Integer(), nullable=False),
        sa.Column("price_over", sa.Integer(), nullable=False),
        sa.Column("overcharge", sa.BigInteger(), nullable=False),
        sa.Column("price_under", sa.Integer(), nullable=False),
        sa.Column("freight_over", sa.Integer(), nullable=False),
        sa.Column("total_off", sa.BigInteger(), nullable=False),
        sa.Column("prepayment", sa.Integer(), nullable=False),
        sa.Column("duplicate_days", sa.Integer(), nullable=False),
        sa.Column("active", sa.Integer(), nullable=False),
        sa.Column("audit_id", Id(), nullable=False),
        sa.PrimaryKeyConstraint("scope", "version", name=op.f("pk_match_tolerances")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "message_templates",
        sa.Column("template", sa.String(length=10), nullable=False),
        sa.Column(
            "country",
            sa.String(length=60),
            nullable=False,
            comment="of the customer, casefolded; empty for every",
        ),
        sa.Column("subject", sa.String(length=200), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("audit_id", Id(), nullable=False),
        sa.CheckConstraint(
            "template = 'delay' OR template = 'shortage' OR template = 'resolved' OR template = 'shipped'",
            name=op.f("ck_message_templates_template"),
        ),
        sa.PrimaryKeyConstraint("template", "country", name=op.f("pk_message_templates")),
        comment="Texts that replace those a company starts with.",
    )
    op.create_table(
        "model_versions",
        sa.Column("id", Id(), nullable=False),
        sa.Column(
            "name", sa.String(length=40), nullable=False, comment="demand, demand_anomaly, supplier_delay"
        ),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(length=10), nullable=False),
        sa.Column("as_of", sa.Date(), nullable=False, comment="nothing known after this day was used"),
        sa.Column("trained_at", UtcDateTime(), nullable=False),
        sa.Column("artifact", sa.Text(), nullable=False, comment="file under the home folder, relative"),
        sa.Column("artifact_sha256", sa.String(length=64), nullable=False),
        sa.Column("card", Json(), nullable=False),
        sa.Column("audit_id", Id(), nullable=False),
        sa.CheckConstraint(
            "status = 'active' OR status = 'retired' OR status = 'rejected'",
            name=op.f("ck_model_versions_status"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_model_versions")),
    )
    op.create_index(op.f("ix_model_versions_name"), "model_versions", ["name"], unique=False)
    op.create_table(
        "outbox",
        sa.Column("id", Id(), nullable=False),
        sa.Column("aggregate_kind", sa.String(length=30), nullable=False),
        sa.Column("aggregate_id", Id(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=60), nullable=False),
        sa.Column("data", Json(), nullable=False),
        sa.Column("audit_id", Id(), nullable=False),
        sa.Column("recorded_at", UtcDateTime(), nullable=False),
        sa.Column("relayed_at", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox")),
        sa.UniqueConstraint(
            "aggregate_kind",
            "aggregate_id",
            "version",
            "kind",
            name=op.f("uq_outbox_aggregate_kind_aggregate_id_version_kind"),
        ),
    )
    op.create_index(
        "ix_outbox_unrelayed",
        "outbox",
        ["recorded_at"],
        unique=False,
        sqlite_where=sa.text("relayed_at IS NULL"),
        postgresql_where=sa.text("relayed_at IS NULL"),
    )
    op.create_table(
        "packagings",
        sa.Column("id", Id(), nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("length_mm", sa.Integer(), nullable=True),
        sa.Column("width_mm", sa.Integer(), nullable=True),
        sa.Column("height_mm", sa.Integer(), nullable=True),
        sa.Column("tare_grams", sa.Integer(), nullable=False),
        sa.Column("most_grams", sa.Integer(), nullable=True, comment="what it carries; NULL without limit"),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("audit_id", Id(), nullable=False),
        sa.CheckConstraint(
            "length_mm >= 1 AND width_mm >= 1 AND height_mm >= 1", name=op.f("ck_packagings_size")
        ),
        sa.CheckConstraint("tare_grams >= 0 AND most_grams >= 1", name=op.f("ck_packagings_grams")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_packagings")),
        sa.UniqueConstraint("code", name=op.f("uq_packagings_code")),
    )
    op.create_table(
        "past_sales_daily",
        sa.Column("item_id", Id(), nullable=False),
        sa.Column("ordered_on", sa.Date(), nullable=False),
        sa.Column("shipped_on", sa.Date(), nullable=False, comment="the order day where nothing shipped"),
        sa.Column("location_id", Id(), nullable=False),
        sa.Column("channel_id", Id(), nullable=False),
        sa.Column("customer_country", sa.String(length=60), nullable=False),
        sa.Column("import_id", Id(), nullable=False),
        sa.Column("ordered_units", sa.BigInteger(), nullable=False),
        sa.Column("cancelled_units", sa.BigInteger(), nullable=False),
        sa.Column("shipped_units", sa.BigInteger(), nullable=False),
        sa.Column("net_sales", sa.BigInteger(), nullable=False, comment="of what shipped"),
        sa.Column("markdown", sa.BigInteger(), nullable=False, comment="of what shipped"),
        sa.PrimaryKeyConstraint(
            "item_id",
            "ordered_on",
            "shipped_on",
            "location_id",
            "channel_id",
            "customer_country",
            "import_id",
            name=op.f("pk_past_sales_daily"),
        ),
        comment="Sums of imported order lines, which do not change; figures read them instead of the lines.",
        sqlite_with_rowid=False,
    )
    op.create_table(
        "readiness_thresholds",
        sa.Column("process", sa.String(length=20), nullable=False),
        sa.Column(
            "site", sa.String(length=40), nullable=False, comment="a location's code; empty for every site"
        ),
        sa.Column("check", sa.String(length=30), nullable=False),
        sa.Column("least", sa.Integer(), nullable=False, comment="percent"),
        sa.Column(
            "least_number", sa.Integer(), nullable=False, comment="of counts, documents or cases behind it"
        ),
        sa.Column("audit_id", Id(), nullable=False),
        sa.CheckConstraint(
            "least >= 0 AND least <= 100 AND least_number >= 1", name=op.f("ck_readiness_thresholds_figures")
        ),
        sa.PrimaryKeyConstraint("process", "site", "check", name=op.f("pk_readiness_thresholds")),
    )
    op.create_table(
        "reason_codes",
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("code", sa.String(length=30), nullable=False),
        sa.Column("label", sa.String(length=80), nullable=False),
        sa.Column("effect", sa.String(length=20), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("audit_id", Id(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "code", name=op.f("pk_reason_codes")),
        comment="Reason codes that replace or add to those a company starts with.",
    )
    op.create_table(
        "receipt_tolerances",
        sa.Column(
            "scope",
            sa.String(length=90),
            nullable=False,
            comment="company, supplier, item, or an item of a supplier",
        ),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column(
            "over", sa.Integer(), nullable=False, comment="hundredths of a percent of the ordered quantity"
        ),
        sa.Column("active", sa.Integer(), nullable=False),
        sa.Column("audit_id", Id(), nullable=False),
        sa.CheckConstraint("over >= 0", name=op.f("ck_receipt_tolerances_over")),
        sa.PrimaryKeyConstraint("scope", "version", name=op.f("pk_receipt_tolerances")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "record_retention",
        sa.Column("record_class", sa.String(length=30), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False, comment="records from this day on are kept by it"),
        sa.Column("years", sa.Integer(), nullable=False),
        sa.Column("basis", sa.String(length=10), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("audit_id", Id(), nullable=False),
        sa.CheckConstraint("basis = 'date' OR basis = 'year_end'", name=op.f("ck_record_retention_basis")),
        sa.CheckConstraint("years >= 1", name=op.f("ck_record_retention_years")),
        sa.PrimaryKeyConstraint("record_class", "version", name=op.f("pk_record_retention")),
    )
    op.create_table(
        "refusals",
        sa.Column("window_start", UtcDateTime(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False, comment="login, unauthenticated or denied"),
        sa.Column("principal_id", Id(), nullable=False, comment="who; all zeros where nobody is logged in"),
        sa.Column("place", sa.String(length=120), nullable=False, comment="the route refused"),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.Column("last_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("window_start", "kind", "principal_id", "place", name=op.f("pk_refusals")),
        comment="Technical: refusals counted by window, so that nobody can flood it.",
    )
    op.create_table(
        "residency_rules",
        sa.Column(
            "country",
            sa.String(length=60),
            nullable=False,
            comment="of the customer; empty for every country",
        ),
        sa.Column(
            "channel",
            sa.String(length=10),
            nullable=False,
            comment="how data leaves: export, events or model",
        ),
        sa.Column("destinations", Json(), nullable=False, comment="where it may go; none: nowhere"),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("audit_id", Id(), nullable=False),
        sa.CheckConstraint(
            "channel = 'export' OR channel = 'events' OR channel = 'model'",
            name=op.f("ck_residency_rules_channel"),
        ),
        sa.PrimaryKeyConstraint("country", "channel", name=op.f("pk_residency_rules")),
    )
    op.create_table(
        "retention_rules",
        sa.Column(
            "country",
            sa.String(length=60),
            nullable=False,
            comment="of the customer; empty for every country",
        ),
        sa.Column("days", sa.Integer(), nullable=False, comment="after the customer's last order"),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("audit_id", Id(), nullable=False),
        sa.CheckConstraint("days >= 1", name=op.f("ck_retention_rules_days")),
        sa.PrimaryKeyConstraint("country", name=op.f("pk_retention_rules")),
    )
    op.create_table(
        "rule_owners",
        sa.Column("rule", sa.String(length=20), nullable=False),
        sa.Column("item_id", Id(), nullable=False, comment="the zero id for every item"),
        sa.Column("location_id", Id(), nullable=False, comment="the zero id for every location"),
        sa.Column("source", sa.String(length=40), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("audit_id", Id(), nullable=False),
        sa.CheckConstraint(
            "rule = 'reorder_point' OR rule = 'planning_policy'", name=op.f("ck_rule_owners_rule")
        ),
        sa.PrimaryKeyConstraint("rule", "item_id", "location_id", name=op.f("pk_rule_owners")),
        comment="Which system owns a planning rule. Without a row, the one that set it first.",
    )
    op.create_table(
        "rule_precedence",
        sa.Column("rule", sa.String(length=20), nullable=False),
        sa.Column("winner", sa.String(length=40), nullable=False),
        sa.Column("loser", sa.String(length=40), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("audit_id", Id(), nullable=False),
        sa.CheckConstraint("winner <> loser", name=op.f("ck_rule_precedence_sides")),
        sa.PrimaryKeyConstraint("rule", "winner", "loser", name=op.f("pk_rule_precedence")),
        comment="Which source may write over which other one's planning rule.",
    )
    op.create_table(
        "segment_workflows",
        sa.Column("segment", sa.String(length=20), nullable=False),
        sa.Column(
            "confirm_days",
            sa.Integer(),
            nullable=True,
            comment="from sent to confirmed; NULL where no confirmation is required",
        ),
        sa.Column("every_line", sa.Boolean(), nullable=False, comment="a confirmation names every line"),
        sa.Column("milestones", Json(), nullable=False, comment="(name, days after sent) pairs"),
        sa.Column(
            "supplier_steps", Json(), nullable=False, comment="what the supplier does in its own channel"
        ),
        sa.Column("audit_id", Id(), nullable=False),
        sa.CheckConstraint(
            "segment = 'strategic' OR segment = 'long_tail' OR segment = 'imported' OR segment = 'domestic'",
            name=op.f("ck_segment_workflows_segment"),
        ),
        sa.CheckConstraint("confirm_days >= 0", name=op.f("ck_segment_workflows_confirm_days")),
        sa.PrimaryKeyConstraint("segment", name=op.f("pk_segment_workflows")),
        comment="Workflows that replace those a company starts with.",
    )
    op.create_table(
        "separation_rules",
        sa.Column("id", Id(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("duty", sa.String(length=40), nullable=False),
        sa.Column("other", sa.String(length=40), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("audit_id", Id(), nullable=False),
        sa.PrimaryKeyConstraint("id", "version", name=op.f("pk_separation_rules")),
    )
    op.create_table(
        "shipping_zones",
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("audit_id", Id(), nullable=False),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_shipping_zones")),
    )
    op.create_table(
        "shortage_rules",
        sa.Column("channel_id", Id(), nullable=False, comment="the zero id for every channel"),
        sa.Column("step", sa.Integer(), nullable=False),
        sa.Column("action", sa.String(length=12), nullable=False),
        sa.Column("audit_id", Id(), nullable=False),
        sa.CheckConstraint(
            "action = 'substitute' OR action = 'reallocate' OR action = 'partial' OR action = 'procure' OR action = 'wait'",
            name=op.f("ck_shortage_rules_action"),
        ),
        sa.PrimaryKeyConstraint("channel_id", "step", name=op.f("pk_shortage_rules")),
        comment="What is done, in order, when stock is short for an order of the channel.",
    )
    op.create_table(
        "stage_limits",
        sa.Column("channel_id", Id(), nullable=False, comment="the zero id for every channel"),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("minutes", sa.Integer(), nullable=False, comment="an order may stay in the status so long"),
        sa.Column(
            "warn_minutes", sa.Integer(), nullable=False, comment="before the end, when people are alerted"
        ),
        sa.Column("audit_id", Id(), nullable=False),
        sa.CheckConstraint(
            "status = 'on_hold' OR status = 'payment_review' OR status = 'reserved' OR status = 'backordered' OR status = 'pick_released' OR status = 'picked' OR status = 'packed' OR status = 'partly_shipped' OR status = 'shipped' OR status = 'returned' OR status = 'inspected' OR status = 'restocked' OR status = 'credited' OR status = 'cancelled'",
            name=op.f("ck_stage_limits_status"),
        ),
        sa.CheckConstraint(
            "minutes >= 1 AND warn_minutes >= 0 AND warn_minutes <= minutes",
            name=op.f("ck_stage_limits_minutes"),
        ),
        sa.PrimaryKeyConstraint("channel_id", "status", name=op.f("pk_stage_limits")),
    )
    op.create_table(
        "stock_carried",
        sa.Column("item_id", Id(), nullable=False),
        sa.Column("location_id", Id(), nullable=False),
        sa.Column("state", sa.String(length=14), nullable=False),
        sa.Column("lot_id", Id(), nullable=False),
        sa.Column("owner", sa.String(length=20), nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint(
            "item_id", "location_id", "state", "lot_id", "owner", name=op.f("pk_stock_carried")
        ),
        comment="What the moves of retired months add up to: a balance is this and the moves that are there.",
        sqlite_with_rowid=False,
    )
    op.create_table(
        "stock_daily",
        sa.Column("item_id", Id(), nullable=False),
        sa.Column("location_id", Id(), nullable=False),
        sa.Column("state", sa.String(length=14), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("change", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("item_id", "location_id", "state", "day", name=op.f("pk_stock_daily")),
        comment="Net change per day of the company's own stock; its running sum is the stock at the end of any past day.",
        sqlite_with_rowid=False,
    )
    op.create_table(
        "stock_monthly",
        sa.Column("item_id", Id(), nullable=False),
        sa.Column("location_id", Id(), nullable=False),
        sa.Column("state", sa.String(length=14), nullable=False),
        sa.Column("month", sa.Date(), nullable=False, comment="its first day"),
        sa.Column("change", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("item_id", "location_id", "state", "month", name=op.f("pk_stock_monthly")),
        comment="The daily changes by month: the stock of a past day reads whole months and the days of the last.",
        sqlite_with_rowid=False,
    )
    op.create_table(
        "stock_retirements",
        sa.Column("month", sa.Date(), nullable=False, comment="its first day"),
        sa.Column("moves", sa.BigInteger(), nullable=False),
        sa.Column("retired_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("month", name=op.f("pk_stock_retirements")),
        comment="Months whose moves were taken out of the ledger by the owner of the database.",
        sqlite_with_rowid=False,
    )
    op.create_table(
        "suppliers",
        sa.Column("id", Id(), nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=160), nullable=False),
        sa.Column("country", sa.String(length=60), nullable=True),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("payment_days", sa.Integer(), nullable=True),
        sa.Column("delivery_terms", sa.String(length=20), nullable=True),
        sa.Column("minimum_order", sa.BigInteger(), nullable=False),
        sa.Column("lead_time_days", sa.Integer(), nullable=True),
        sa.Column("segment", sa.String(length=20), nullable=False),
        sa.Column("risk_class", sa.String(length=10), nullable=False),
        sa.Column("status", sa.String(length=12), nullable=False),
        sa.Column(
            "internal",
            sa.Boolean(),
            nullable=False,
            comment="a warehouse of our own that supplies: no supplier, so left out of supplier performance",
        ),
        sa.Column(
            "tax_id_hash", sa.String(length=64), nullable=True, comment="SHA-256; the id itself is not kept"
        ),
        sa.Column(
            "tax_id_last",
            sa.String(length=4),
            nullable=True,
            comment="its last characters, to tell ids apart",
        ),
        sa.Column(
            "bank_hash",
            sa.String(length=64),
            nullable=True,
            comment="SHA-256 of the account; the account itself is not kept",
        ),
        sa.Column("bank_last", sa.String(length=4), nullable=True),
        sa.Column("created_by", Id(), nullable=False),
        sa.Column("audit_id", Id(), nullable=False),
        sa.CheckConstraint("risk_class IN ('low', 'medium', 'high')", name=op.f("ck_suppliers_risk_class")),
        sa.CheckConstraint(
            "segment IN ('strategic', 'long_tail', 'imported', 'domestic')", name=op.f("ck_suppliers_segment")
        ),
        sa.CheckConstraint(
            "status = 'draft' OR status = 'submitted' OR status = 'active' OR status = 'blocked'",
            name=op.f("ck_suppliers_status"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_suppliers")),
        sa.UniqueConstraint("code", name=op.f("uq_suppliers_code")),
    )
    op.create_table(
        "trade_documents",
        sa.Column("id", Id(), nullable=False),
        sa.Column("kind", sa.String(length=30), nullable=False),
        sa.Column("number", sa.String(length=60), nullable=False),
        sa.Column("issuer", sa.String(length=120), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column(
            "valid_to",
            sa.Date(),
            nullable=True,
            comment="the first day it is no longer valid; NULL without end",
        ),
        sa.Column("file_sha256", sa.String(length=64), nullable=False),
        sa.Column("subject_kind", sa.String(length=20), nullable=False),
        sa.Column("subject_id", Id(), nullable=False),
        sa.Column("withdrawn_on", sa.Date(), nullable=True, comment="from this day it counts no more"),
        sa.Column("withdrawn_because", sa.Text(), nullable=True),
        sa.Column(
            "disposed_on",
            sa.Date(),
            nullable=True,
            comment="number, issuer and file are blanked since this day",
        ),
        sa.Column("audit_id", Id(), nullable=False),
        sa.CheckConstraint(
            "(withdrawn_on IS NULL) = (withdrawn_because IS NULL)", name=op.f("ck_trade_documents_withdrawn")
        ),
        sa.CheckConstraint("valid_to > valid_from", name=op.f("ck_trade_documents_period")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_trade_documents")),
        comment="Papers of import, export and licence, on an item, an order, a purchase order, a notice or a parcel.",
    )
    op.create_index(op.f("ix_trade_documents_subject_id"), "trade_documents", ["subject_id"], unique=False)
    op.create_table(
        "users",
        sa.Column("id", Id(), nullable=False),
        sa.Column(
            "person_id",
            Id(),
            nullable=False,
            comment="the natural person behind the account; several accounts of one person share it",
        ),
        sa.Column("login", sa.String(length=80), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False, comment="person or service"),
        sa.Column("password_hash", sa.Text(), nullable=True),
        sa.Column(
            "supplier_id", Id(), nullable=True, comment="the supplier that a supplier's login acts for"
        ),
        sa.Column(
            "subject",
            sa.String(length=255),
            nullable=True,
            comment="issuer and subject at the identity provider",
        ),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.CheckConstraint("kind IN ('person', 'service')", name=op.f("ck_users_kind")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_users")),
        sa.UniqueConstraint("login", name=op.f("uq_users_login")),
        sa.UniqueConstraint("subject", name=op.f("uq_users_subject")),
    )
    op.create_index(op.f("ix_users_person_id"), "users", ["person_id"], unique=False)
    op.create_table(
        "withheld_detections",
        sa.Column("kind", sa.String(length=30), nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column("subjects", sa.Integer(), nullable=False),
        sa.Column("scanned_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "reason", name=op.f("pk_withheld_detections")),
        comment="What the last scan could not judge, and why.",
    )
    op.create_table(
        "work_calendars",
        sa.Column("party_kind", sa.String(length=10), nullable=False),
        sa.Column("party_id", Id(), nullable=False),
        sa.Column("weekdays", Json(), nullable=False, comment="the weekdays that are worked; Monday is 0"),
        sa.Column(
            "closed",
            Json(),
            nullable=False,
            comment="the days that are not, by day with the name of the holiday",
        ),
        sa.Column("audit_id", Id(), nullable=False),
        sa.CheckConstraint(
            "party_kind = 'supplier' OR party_kind = 'location'", name=op.f("ck_work_calendars_party_kind")
        ),
        sa.PrimaryKeyConstraint("party_kind", "party_id", name=op.f("pk_work_calendars")),
    )
    op.create_table(
        "brands",
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("private_label", sa.Boolean(), nullable=False),
        sa.Column("legal_entity_id", Id(), nullable=True),
        sa.Column("audit_id", Id(), nullable=False),
        sa.ForeignKeyConstraint(
            ["legal_entity_id"], ["legal_entities.id"], name=op.f("fk_brands_legal_entity_id")
        ),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_brands")),
        comment="What is known of a brand beside its name, which items carry.",
    )
    op.create_table(
        "carrier_holidays",
        sa.Column("carrier_id", Id(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("audit_id", Id(), nullable=False),
        sa.ForeignKeyConstraint(["carrier_id"], ["carriers.id"], name=op.f("fk_carrier_holidays_carrier_id")),
        sa.PrimaryKeyConstraint("carrier_id", "day", name=op.f("pk_carrier_holidays")),
        comment="Days on which a carrier neither picks up nor delivers.",
    )
    op.create_table(
        "carrier_services",
        sa.Column("id", Id(), nullable=False),
        sa.Column("carrier_id", Id(), nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("speed", sa.String(length=10), nullable=False),
        sa.Column(
            "most_grams", sa.Integer(), nullable=True, comment="the heaviest parcel; NULL without limit"
        ),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("audit_id", Id(), nullable=False),
        sa.CheckConstraint(
            "speed = 'economy' OR speed = 'standard' OR speed = 'express' OR speed = 'overnight'",
            name=op.f("ck_carrier_services_speed"),
        ),
        sa.CheckConstraint("most_grams >= 1", name=op.f("ck_carrier_services_most_grams")),
        sa.ForeignKeyConstraint(["carrier_id"], ["carriers.id"], name=op.f("fk_carrier_services_carrier_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_carrier_services")),
        sa.UniqueConstraint("code", name=op.f("uq_carrier_services_code")),
    )
    op.create_index(op.f("ix_carrier_services_carrier_id"), "carrier_services", ["carrier_id"], unique=False)
    op.create_table(
        "case_events",
        sa.Column("id", Id(), nullable=False),
        sa.Column("case_id", Id(), nullable=False),
        sa.Column("status", sa.String(length=10), nullable=False),
        sa.Column("user_id", Id(), nullable=True),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("occurred_at", UtcDateTime(), nullable=False),
        sa.Column("audit_id", Id(), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_case_events_case_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_case_events")),
    )
    op.create_index(op.f("ix_case_events_case_id"), "case_events", ["case_id"], unique=False)
    op.create_table(
        "case_subjects",
        sa.Column("case_id", Id(), nullable=False),
        sa.Column(
            "subject_kind",
            sa.String(length=20),
            nullable=False,
            comment="item, location, supplier, po_line, order, ...",
        ),
        sa.Column("subject_id", Id(), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_case_subjects_case_id")),
        sa.PrimaryKeyConstraint("case_id", "subject_kind", "subject_id", name=op.f("pk_case_subjects")),
    )
    op.create_index(op.f("ix_case_subjects_subject_id"), "case_subjects", ["subject_id"], unique=False)
    op.create_table(
        "channels",
        sa.Column("id", Id(), nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("legal_entity_id", Id(), nullable=True),
        sa.Column(
            "service_level",
            sa.Float(),
            nullable=True,
            comment="share of units to ship by the promised day; NULL without a target",
        ),
        sa.Column(
            "dispatch_hours",
            sa.Integer(),
            nullable=True,
            comment="from accepted to shipped; NULL without a target",
        ),
        sa.Column(
            "buffer_units",
            sa.BigInteger(),
            server_default=sa.text("0"),
            nullable=False,
            comment="of each item and place, never published",
        ),
        sa.Column(
            "buffer_percent",
            sa.Integer(),
            server_default=sa.text("0"),
            nullable=False,
            comment="of what is available",
        ),
        sa.Column("audit_id", Id(), nullable=False),
        sa.CheckConstraint(
            "kind IN ('web', 'marketplace', 'store', 'wholesale', 'b2b', 'subscription')",
            name=op.f("ck_channels_kind"),
        ),
        sa.CheckConstraint(
            "buffer_percent >= 0 AND buffer_percent <= 100", name=op.f("ck_channels_buffer_percent")
        ),
        sa.CheckConstraint("buffer_units >= 0", name=op.f("ck_channels_buffer_units")),
        sa.CheckConstraint("dispatch_hours >= 1", name=op.f("ck_channels_dispatch_hours")),
        sa.CheckConstraint(
            "service_level > 0.5 AND service_level < 1", name=op.f("ck_channels_service_level")
        ),
        sa.ForeignKeyConstraint(
            ["legal_entity_id"], ["legal_entities.id"], name=op.f("fk_channels_legal_entity_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_channels")),
        sa.UniqueConstraint("code", name=op.f("uq_channels_code")),
    )
    op.create_index(op.f("ix_channels_legal_entity_id"), "channels", ["legal_entity_id"], unique=False)
    op.create_table(
        "cost_balances",
        sa.Column("item_id", Id(), nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("quantity > 0 OR value = 0", name=op.f("ck_cost_balances_nothing_has_no_value")),
        sa.CheckConstraint("quantity >= 0", name=op.f("ck_cost_balances_quantity_not_below_zero")),
        sa.ForeignKeyConstraint(["item_id"], ["items.id"], name=op.f("fk_cost_balances_item_id")),
        sa.PrimaryKeyConstraint("item_id", name=op.f("pk_cost_balances")),
    )
    op.create_table(
        "cost_entries",
        sa.Column("id", Id(), nullable=False),
        sa.Column("item_id", Id(), nullable=False),
        sa.Column("occurred_on", sa.Date(), nullable=False),
        sa.Column("event", sa.String(length=20), nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False, comment="signed: + into stock, - out of it"),
        sa.Column("value", sa.BigInteger(), nullable=False, comment="signed, same direction"),
        sa.Column("document_kind", sa.String(length=20), nullable=False),
        sa.Column("document_id", Id(), nullable=False),
        sa.Column("line_id", Id(), nullable=True),
        sa.Column("audit_id", Id(), nullable=False),
        sa.CheckConstraint(
            "event = 'opening' OR event = 'receipt' OR event = 'shipment' OR event = 'return' OR event = 'write_off' OR event = 'adjustment' OR event = 'reversal' OR event = 'kitting' OR event = 'landed_cost'",
            name=op.f("ck_cost_entries_event"),
        ),
        sa.ForeignKeyConstraint(["item_id"], ["items.id"], name=op.f("fk_cost_entries_item_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cost_entries")),
    )
    op.create_index(
        "ix_cost_entries_item_id_occurred_on", "cost_entries", ["item_id", "occurred_on"], unique=False
    )
    op.create_table(
        "cost_layers",
        sa.Column("id", Id(), nullable=False),
        sa.Column("item_id", Id(), nullable=False),
        sa.Column("came_on", sa.Date(), nullable=False),
        sa.Column(
            "number",
            sa.BigInteger(),
            nullable=False,
            comment="orders the layers of a day that are there together",
        ),
        sa.Column("quantity", sa.BigInteger(), nullable=False, comment="what is left"),
        sa.Column("value", sa.BigInteger(), nullable=False, comment="what that is worth"),
        sa.Column("document_kind", sa.String(length=20), nullable=False),
        sa.Column("document_id", Id(), nullable=False),
        sa.Column("line_id", Id(), nullable=True),
        sa.Column("audit_id", Id(), nullable=False, comment="what made the layer"),
        sa.CheckConstraint("quantity > 0 OR value = 0", name=op.f("ck_cost_layers_nothing_has_no_value")),
        sa.CheckConstraint("quantity >= 0 AND value >= 0", name=op.f("ck_cost_layers_not_below_zero")),
        sa.ForeignKeyConstraint(["item_id"], ["items.id"], name=op.f("fk_cost_layers_item_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cost_layers")),
    )
    op.create_index(
        "ix_cost_layers_open",
        "cost_layers",
        ["item_id", "came_on", "number"],
        unique=False,
        sqlite_where=sa.text("quantity > 0"),
        postgresql_where=sa.text("quantity > 0"),
    )
    op.create_table(
        "cost_layer_entries",
        sa.Column("id", Id(), nullable=False),
        sa.Column("layer_id", Id(), nullable=False),
        sa.Column("item_id", Id(), nullable=False),
        sa.Column("occurred_on", sa.Date(), nullable=False),
        sa.Column(
            "quantity", sa.BigInteger(), nullable=False, comment="signed: + into the layer, - out of it"
        ),
        sa.Column("value", sa.BigInteger(), nullable=False, comment="signed, same direction"),
        sa.Column(
            "entry_id",
            Id(),
            nullable=True,
            comment="the cost entry it is a part of; NULL at a change of method",
        ),
        sa.Column("audit_id", Id(), nullable=False),
        sa.ForeignKeyConstraint(["item_id"], ["items.id"], name=op.f("fk_cost_layer_entries_item_id")),
        sa.ForeignKeyConstraint(
            ["layer_id"], ["cost_layers.id"], name=op.f("fk_cost_layer_entries_layer_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cost_layer_entries")),
    )
    op.create_index(
        "ix_cost_layer_entries_item_id_occurred_on",
        "cost_layer_entries",
        ["item_id", "occurred_on"],
        unique=False,
    )
    op.create_table(
        "credentials",
        sa.Column(
            "token_hash",
            sa.String(length=64),
            nullable=False,
            comment="SHA-256; the token itself is never stored",
        ),
        sa.Column("id", Id(), nullable=False),
        sa.Column("user_id", Id(), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False, comment="session, key or agent"),
        sa.Column("name", sa.String(length=80), nullable=True, comment="what a key is for"),
        sa.Column(
            "prefix",
            sa.String(length=16),
            nullable=False,
            comment="the token's beginning, to recognise it by",
        ),
        sa.Column(
            "scope",
            Json(),
            nullable=True,
            comment="a key's commands and rights, a session's roles; null leaves all of the user's",
        ),
        sa.Column("run_id", Id(), nullable=True, comment="the agent run an agent token is bound to"),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.Column(
            "last_used_at",
            UtcDateTime(),
            nullable=False,
            comment="kept coarsely: not written at each request",
        ),
        sa.Column("revoked_at", UtcDateTime(), nullable=True),
        sa.CheckConstraint("kind IN ('session', 'key', 'agent')", name=op.f("ck_credentials_kind")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_credentials_user_id")),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_credentials")),
        sa.UniqueConstraint("id", name=op.f("uq_credentials_id")),
        comment="Technical: sessions and agent tokens come and go without a command; keys by command.",
    )
    op.create_index(op.f("ix_credentials_user_id"), "credentials", ["user_id"], unique=False)
    op.create_table(
        "delegations",
        sa.Column("id", Id(), nullable=False),
        sa.Column("lender_id", Id(), nullable=False),
        sa.Column("borrower_id", Id(), nullable=False),
        sa.Column("role", sa.String(length=20), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=False, comment="the last day"),
        sa.Column("amount_below", sa.BigInteger(), nullable=True, comment="None: no limit of its own"),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("audit_id", Id(), nullable=False),
        sa.CheckConstraint("lender_id <> borrower_id", name=op.f("ck_delegations_to_another")),
        sa.CheckConstraint("starts_on <= ends_on", name=op.f("ck_delegations_days")),
        sa.ForeignKeyConstraint(["borrower_id"], ["users.id"], name=op.f("fk_delegations_borrower_id")),
        sa.ForeignKeyConstraint(["lender_id"], ["users.id"], name=op.f("fk_delegations_lender_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_delegations")),
    )
    op.create_index(op.f("ix_delegations_borrower_id"), "delegations", ["borrower_id"], unique=False)
    op.create_index(op.f("ix_delegations_lender_id"), "delegations", ["lender_id"], unique=False)
    op.create_table(
        "edi_interchanges",
        sa.Column("id", Id(), nullable=False),
        sa.Column("supplier_id", Id(), nullable=False),
        sa.Column("reference", sa.String(length=35), nullable=False, comment="the sender's; taken once"),
        sa.Column("sha256", sa.String(length=64), nullable=False, comment="of the text, which is not kept"),
        sa.Column("received_at", UtcDateTime(), nullable=False),
        sa.Column("result", Json(), nullable=False, comment="what each message came to"),
        sa.Column("audit_id", Id(), nullable=False),
        sa.ForeignKeyConstraint(
            ["supplier_id"], ["suppliers.id"], name=op.f("fk_edi_interchanges_supplier_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_edi_interchanges")),
        sa.UniqueConstraint(
            "supplier_id", "reference", name=op.f("uq_edi_interchanges_supplier_id_reference")
        ),
    )
    op.create_table(
        "edi_partners",
        sa.Column("supplier_id", Id(), nullable=False),
        sa.Column("identification", sa.String(length=35), nullable=False, comment="as the sender in UNB"),
        sa.Column(
            "qualifier",
            sa.String(length=4),
            nullable=False,
            comment="what the identification is, 14 for a GLN",
        ),
        sa.Column("audit_id", Id(), nullable=False),
        sa.ForeignKeyConstraint(["supplier_id"], ["suppliers.id"], name=op.f("fk_edi_partners_supplier_id")),
        sa.PrimaryKeyConstraint("supplier_id", name=op.f("pk_edi_partners")),
        sa.UniqueConstraint(
            "identification", "qualifier", name=op.f("uq_edi_partners_identification_qualifier")
        ),
    )
    op.create_table(
        "forecast_versions",
        sa.Column("id", Id(), nullable=False),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.Column("start_on", sa.Date(), nullable=False),
        sa.Column("horizon_days", sa.Integer(), nullable=False),
        sa.Column("levels", Json(), nullable=False, comment="quantile levels as text"),
        sa.Column(
            "purpose", sa.String(length=10), nullable=False, comment="live, or backtest for accuracy figures"
        ),
        sa.Column("complete", sa.Integer(), nullable=False),
        sa.Column("model_version_id", Id(), nullable=True),
        sa.Column("published_at", UtcDateTime(), nullable=False),
        sa.Column("audit_id", Id(), nullable=False),
        sa.ForeignKeyConstraint(
            ["model_version_id"], ["model_versions.id"], name=op.f("fk_forecast_versions_model_version_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_forecast_versions")),
    )
    op.create_index(op.f("ix_forecast_versions_as_of"), "forecast_versions", ["as_of"], unique=False)
    op.create_table(
        "import_chunks",
        sa.Column("import_id", Id(), nullable=False),
        sa.Column("chunk", sa.Integer(), nullable=False),
        sa.Column(
            "kind",
            sa.String(length=30),
            nullable=False,
            comment="what it holds, and so which command posts it",
        ),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("payload", sa.Text(), nullable=False, comment="the staged rows; emptied once posted"),
        sa.Column("payload_sha256", sa.String(length=64), nullable=False),
        sa.Column("audit_id", Id(), nullable=True, comment="the audit entry that posted it; NULL until then"),
        sa.ForeignKeyConstraint(["import_id"], ["imports.id"], name=op.f("fk_import_chunks_import_id")),
        sa.PrimaryKeyConstraint("import_id", "chunk", name=op.f("pk_import_chunks")),
    )
    op.create_table(
        "import_refusals",
        sa.Column("import_id", Id(), nullable=False),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.Column("field", sa.String(length=60), nullable=False),
        sa.Column("rule", sa.String(length=60), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("remedy", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["import_id"], ["imports.id"], name=op.f("fk_import_refusals_import_id")),
        sa.PrimaryKeyConstraint("import_id", "line", "field", name=op.f("pk_import_refusals")),
    )
    op.create_table(
        "item_classes",
        sa.Column("item_id", Id(), nullable=False),
        sa.Column("classes", Json(), nullable=False, comment="every class the item belongs to, in order"),
        sa.Column("abc", sa.String(length=1), nullable=True),
        sa.Column("net_sales", sa.BigInteger(), nullable=False, comment="in the days looked at"),
        sa.Column("units", sa.BigInteger(), nullable=False),
        sa.Column("classified_on", sa.Date(), nullable=False, comment="the day since which this is so"),
        sa.Column("audit_id", Id(), nullable=False),
        sa.CheckConstraint("abc IN ('A', 'B', 'C')", name=op.f("ck_item_classes_abc")),
        sa.ForeignKeyConstraint(["item_id"], ["items.id"], name=op.f("fk_item_classes_item_id")),
        sa.PrimaryKeyConstraint("item_id", name=op.f("pk_item_classes")),
    )
    op.create_table(
        "item_trade",
        sa.Column("item_id", Id(), nullable=False),
        sa.Column("tax_class", sa.String(length=30), nullable=False),
        sa.Column(
            "hs_code", sa.String(length=10), nullable=True, comment="of the Harmonized System: 6 to 10 digits"
        ),
        sa.Column("origin_country", sa.String(length=2), nullable=True),
        sa.Column("trade_classes", Json(), nullable=False, comment="what rules on documents may ask for"),
        sa.Column("minimum_age", sa.Integer(), nullable=True),
        sa.Column("audit_id", Id(), nullable=False),
        sa.CheckConstraint("minimum_age >= 1", name=op.f("ck_item_trade_minimum_age")),
        sa.ForeignKeyConstraint(["item_id"], ["items.id"], name=op.f("fk_item_trade_item_id")),
        sa.PrimaryKeyConstraint("item_id", name=op.f("pk_item_trade")),
        comment="What tax and customs ask of an item; one without a row is of the standard tax class.",
    )
    op.create_table(
        "item_units",
        sa.Column("item_id", Id(), nullable=False),
        sa.Column("unit", sa.String(length=20), nullable=False),
        sa.Column("factor", sa.BigInteger(), nullable=False, comment="base units in one of this unit"),
        sa.Column("weight_grams", sa.Integer(), nullable=True, comment="of one, packed; unknown is NULL"),
        sa.Column("length_mm", sa.Integer(), nullable=True),
        sa.Column("width_mm", sa.Integer(), nullable=True),
        sa.Column("height_mm", sa.Integer(), nullable=True),
        sa.CheckConstraint("factor >= 1", name=op.f("ck_item_units_factor")),
        sa.CheckConstraint(
            "weight_grams >= 1 AND length_mm >= 1 AND width_mm >= 1 AND height_mm >= 1",
            name=op.f("ck_item_units_size"),
        ),
        sa.ForeignKeyConstraint(["item_id"], ["items.id"], name=op.f("fk_item_units_item_id")),
        sa.PrimaryKeyConstraint("item_id", "unit", name=op.f("pk_item_units")),
    )
    op.create_table(
        "kit_components",
        sa.Column("kit_item_id", Id(), nullable=False),
        sa.Column("component_item_id", Id(), nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False, comment="base units in one kit"),
        sa.Column("audit_id", Id(), nullable=False),
        sa.CheckConstraint(
            "kit_item_id <> component_item_id", name=op.f("ck_kit_components_no_kit_of_itself")
        ),
        sa.CheckConstraint("quantity >= 1", name=op.f("ck_kit_components_quantity")),
        sa.ForeignKeyConstraint(
            ["component_item_id"], ["items.id"], name=op.f("fk_kit_components_component_item_id")
        ),
        sa.ForeignKeyConstraint(["kit_item_id"], ["items.id"], name=op.f("fk_kit_components_kit_item_id")),
        sa.PrimaryKeyConstraint("kit_item_id", "component_item_id", name=op.f("pk_kit_components")),
        sqlite_with_rowid=False,
    )
    op.create_index(
        op.f("ix_kit_components_component_item_id"), "kit_components", ["component_item_id"], unique=False
    )
    op.create_table(
        "legal_hold_ends",
        sa.Column("hold_id", Id(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("ended_on", sa.Date(), nullable=False),
        sa.Column("audit_id", Id(), nullable=False),
        sa.ForeignKeyConstraint(["hold_id"], ["legal_holds.id"], name=op.f("fk_legal_hold_ends_hold_id")),
        sa.PrimaryKeyConstraint("hold_id", name=op.f("pk_legal_hold_ends")),
    )
    op.create_table(
        "locations",
        sa.Column("id", Id(), nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("country", sa.String(length=60), nullable=True),
        sa.Column("legal_entity_id", Id(), nullable=True),
        sa.Column(
            "within_id", Id(), nullable=True, comment="the site of a zone, the zone of a bin; NULL for a site"
        ),
        sa.Column("supplier_id", Id(), nullable=True, comment="who sends from there to customers"),
        sa.Column("fallback_id", Id(), nullable=True, comment="takes its orders during an outage"),
        sa.Column(
            "outage_percent",
            sa.Integer(),
            server_default=sa.text("0"),
            nullable=False,
            comment="of its last known stock that channels are told during an outage",
        ),
        sa.Column("rerouted_to", Id(), nullable=True, comment="during an outage; else NULL"),
        sa.Column("physical", sa.Boolean(), nullable=False),
        sa.Column("audit_id", Id(), nullable=False),
        sa.CheckConstraint(
            "(kind = 'drop_ship') = (supplier_id IS NOT NULL)", name=op.f("ck_locations_drop_ship")
        ),
        sa.CheckConstraint(
            "kind IN ('warehouse', 'store', 'third_party', 'supplier', 'customer', 'loss', 'kit_assembly', 'showroom', 'hub', 'drop_ship', 'quarantine', 'non_pickable', 'forward_pick', 'reserve')",
            name=op.f("ck_locations_kind"),
        ),
        sa.CheckConstraint(
            "fallback_id <> id AND rerouted_to <> id", name=op.f("ck_locations_another_place")
        ),
        sa.CheckConstraint(
            "outage_percent >= 0 AND outage_percent <= 100", name=op.f("ck_locations_outage_percent")
        ),
        sa.CheckConstraint("within_id <> id", name=op.f("ck_locations_within_another")),
        sa.ForeignKeyConstraint(["fallback_id"], ["locations.id"], name=op.f("fk_locations_fallback_id")),
        sa.ForeignKeyConstraint(
            ["legal_entity_id"], ["legal_entities.id"], name=op.f("fk_locations_legal_entity_id")
        ),
        sa.ForeignKeyConstraint(["rerouted_to"], ["locations.id"], name=op.f("fk_locations_rerouted_to")),
        sa.ForeignKeyConstraint(["supplier_id"], ["suppliers.id"], name=op.f("fk_locations_supplier_id")),
        sa.ForeignKeyConstraint(["within_id"], ["locations.id"], name=op.f("fk_locations_within_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_locations")),
        sa.UniqueConstraint("code", name=op.f("uq_locations_code")),
    )
    op.create_index(op.f("ix_locations_legal_entity_id"), "locations", ["legal_entity_id"], unique=False)
    op.create_index(op.f("ix_locations_within_id"), "locations", ["within_id"], unique=False)
    op.create_table(
        "lots",
        sa.Column("id", Id(), nullable=False),
        sa.Column("item_id", Id(), nullable=False),
        sa.Column(
            "code", sa.String(length=40), nullable=False, comment="the maker's lot code or serial number"
        ),
        sa.Column("serial", sa.Boolean(), nullable=False, comment="one numbered unit"),
        sa.Column("batch_id", Id(), nullable=True, comment="the lot that a numbered unit is of"),
        sa.Column("expires_on", sa.Date(), nullable=True, comment="the last day it may be used"),
        sa.Column("received_on", sa.Date(), nullable=False, comment="the day it first came in"),
        sa.Column("supplier_id", Id(), nullable=True, comment="who it first came from"),
        sa.Column("source_kind", sa.String(length=20), nullable=False, comment="what it first came in with"),
        sa.Column("source_id", Id(), nullable=False),
        sa.Column("status", sa.String(length=10), nullable=False),
        sa.Column("audit_id", Id(), nullable=False),
        sa.CheckConstraint(
            "status = 'released' OR status = 'held' OR status = 'recalled'", name=op.f("ck_lots_status")
        ),
        sa.CheckConstraint("serial OR batch_id IS NULL", name=op.f("ck_lots_batch_of_a_serial")),
        sa.ForeignKeyConstraint(["batch_id"], ["lots.id"], name=op.f("fk_lots_batch_id")),
        sa.ForeignKeyConstraint(["item_id"], ["items.id"], name=op.f("fk_lots_item_id")),
        sa.ForeignKeyConstraint(["supplier_id"], ["suppliers.id"], name=op.f("fk_lots_supplier_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lots")),
        sa.UniqueConstraint("item_id", "serial", "code", name=op.f("uq_lots_item_id_serial_code")),
        comment="Lots of items, and numbered units: a serial number is a lot of one.",
    )
    op.create_index(op.f("ix_lots_batch_id"), "lots", ["batch_id"], unique=False)
    op.create_table(
        "outcome_scopes",
        sa.Column("decision_id", Id(), nullable=False),
        sa.Column("scope_kind", sa.String(length=16), nullable=False),
        sa.Column("scope", sa.String(length=80), nullable=False),
        sa.ForeignKeyConstraint(
            ["decision_id"], ["decision_outcomes.decision_id"], name=op.f("fk_outcome_scopes_decision_id")
        ),
        sa.PrimaryKeyConstraint("decision_id", "scope_kind", "scope", name=op.f("pk_outcome_scopes")),
    )
    op.create_index("ix_outcome_scopes_scope", "outcome_scopes", ["scope_kind", "scope"], unique=False)
    op.create_table(
        "packaging_rules",
        sa.Column("id", Id(), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("rank", sa.Integer(), nullable=False, comment="1 is asked first"),
        sa.Column("item_id", Id(), nullable=True),
        sa.Column("category", sa.String(length=80), nullable=True),
        sa.Column("packaging_id", Id(), nullable=False),
        sa.Column("alone", sa.Boolean(), nullable=False, comment="shares its parcel with no other item"),
        sa.Column("most_units", sa.BigInteger(), nullable=True, comment="of the item in one parcel"),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("audit_id", Id(), nullable=False),
        sa.CheckConstraint("item_id IS NULL OR category IS NULL", name=op.f("ck_packaging_rules_product")),
        sa.CheckConstraint("most_units >= 1", name=op.f("ck_packaging_rules_most_units")),
        sa.CheckConstraint("rank >= 1", name=op.f("ck_packaging_rules_rank")),
        sa.ForeignKeyConstraint(["item_id"], ["items.id"], name=op.f("fk_packaging_rules_item_id")),
        sa.ForeignKeyConstraint(
            ["packaging_id"], ["packagings.id"], name=op.f("fk_packaging_rules_packaging_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_packaging_rules")),
        comment="Which packaging an item leaves in; without item and category, every item.",
    )
    op.create_table(
        "proposals",
        sa.Column("id", Id(), nullable=False),
        sa.Column("chain_id", Id(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("payload", Json(), nullable=False, comment="the commands, in order"),
        sa.Column("payload_hash", sa.String(length=64), nullable=False),
        sa.Column("read_set", Json(), nullable=False),
        sa.Column("evidence", Json(), nullable=False),
        sa.Column("facts", Json(), nullable=False),
        sa.Column(
            "policies",
            Json(),
            nullable=False,
            comment='[{"id": …, "version": 1, "name": …}]: the rules that ask',
        ),
        sa.Column("policy_name", sa.String(length=80), nullable=False),
        sa.Column("approvers", Json(), nullable=False),
        sa.Column("in_order", sa.Boolean(), nullable=False),
        sa.Column("escalation", Json(), nullable=True),
        sa.Column("escalates_at", UtcDateTime(), nullable=True),
        sa.Column("review", Json(), nullable=True),
        sa.Column("compensation", Json(), nullable=False, comment="how each command can be undone"),
        sa.Column("amount", sa.BigInteger(), nullable=True),
        sa.Column("urgent", sa.Boolean(), nullable=False),
        sa.Column("requested_by", Id(), nullable=False),
        sa.Column("via", sa.String(length=10), nullable=False),
        sa.Column("run_id", Id(), nullable=True),
        sa.Column("tainted", sa.Boolean(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint(
            "via = 'person' OR via = 'service' OR via = 'agent' OR via = 'import' OR via = 'automation'",
            name=op.f("ck_proposals_via"),
        ),
        sa.ForeignKeyConstraint(["requested_by"], ["users.id"], name=op.f("fk_proposals_requested_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_proposals")),
        sa.UniqueConstraint("chain_id", "version", name=op.f("uq_proposals_chain_id_version")),
    )
    op.create_index(op.f("ix_proposals_chain_id"), "proposals", ["chain_id"], unique=False)
    op.create_table(
        "reviews",
        sa.Column("id", Id(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("audit_id", Id(), nullable=False, comment="what is to be looked at"),
        sa.Column("proposal_id", Id(), nullable=True),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("made_by", Id(), nullable=False),
        sa.Column("role", sa.String(length=20), nullable=False),
        sa.Column("opened_at", UtcDateTime(), nullable=False),
        sa.Column("due_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint(
            "kind = 'urgent' OR kind = 'break_glass' OR kind = 'override'", name=op.f("ck_reviews_kind")
        ),
        sa.ForeignKeyConstraint(["made_by"], ["users.id"], name=op.f("fk_reviews_made_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reviews")),
    )
    op.create_table(
        "substitution_rules",
        sa.Column("item_id", Id(), nullable=False),
        sa.Column("substitute_id", Id(), nullable=False),
        sa.Column("channel_id", Id(), nullable=False, comment="the zero id for every channel"),
        sa.Column("rank", sa.Integer(), nullable=False, comment="1 is tried first"),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("audit_id", Id(), nullable=False),
        sa.CheckConstraint("item_id <> substitute_id", name=op.f("ck_substitution_rules_another_item")),
        sa.CheckConstraint("rank >= 1", name=op.f("ck_substitution_rules_rank")),
        sa.ForeignKeyConstraint(["item_id"], ["items.id"], name=op.f("fk_substitution_rules_item_id")),
        sa.ForeignKeyConstraint(
            ["substitute_id"], ["items.id"], name=op.f("fk_substitution_rules_substitute_id")
        ),
        sa.PrimaryKeyConstraint("item_id", "substitute_id", "channel_id", name=op.f("pk_substitution_rules")),
        comment="What may be sent for what, unit for unit at the price that was agreed.",
    )
    op.create_table(
        "supplier_contracts",
        sa.Column("id", Id(), nullable=False),
        sa.Column("number", sa.String(length=40), nullable=False),
        sa.Column("supplier_id", Id(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=False, comment="it runs up to and not on this day"),
        sa.Column(
            "agreed_value",
            sa.BigInteger(),
            nullable=True,
            comment="what may be called off in all; none where quantities are agreed",
        ),
        sa.Column("status", sa.String(length=10), nullable=False),
        sa.Column(
            "ended_on",
            sa.Date(),
            nullable=True,
            comment="the day from which it holds no more, where it was ended early",
        ),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("agreed_by", Id(), nullable=False),
        sa.Column("agreed_on", sa.Date(), nullable=False),
        sa.Column("proposal_id", Id(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("audit_id", Id(), nullable=False),
        sa.CheckConstraint(
            "(status = 'ended') = (ended_on IS NOT NULL)", name=op.f("ck_supplier_contracts_ended")
        ),
        sa.CheckConstraint(
            "status = 'agreed' OR status = 'ended'", name=op.f("ck_supplier_contracts_status")
        ),
        sa.CheckConstraint("valid_to > valid_from", name=op.f("ck_supplier_contracts_period")),
        sa.ForeignKeyConstraint(
            ["supplier_id"], ["suppliers.id"], name=op.f("fk_supplier_contracts_supplier_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_supplier_contracts")),
        sa.UniqueConstraint("number", name=op.f("uq_supplier_contracts_number")),
    )
    op.create_index(
        op.f("ix_supplier_contracts_supplier_id"), "supplier_contracts", ["supplier_id"], unique=False
    )
    op.create_table(
        "supplier_documents",
        sa.Column("id", Id(), nullable=False),
        sa.Column("supplier_id", Id(), nullable=False),
        sa.Column("kind", sa.String(length=30), nullable=False),
        sa.Column("number", sa.String(length=60), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column(
            "valid_to",
            sa.Date(),
            nullable=True,
            comment="the first day it is no longer valid; NULL without end",
        ),
        sa.Column("file_sha256", sa.String(length=64), nullable=True),
        sa.Column("reference", sa.String(length=200), nullable=True),
        sa.Column("audit_id", Id(), nullable=False),
        sa.CheckConstraint("valid_to > valid_from", name=op.f("ck_supplier_documents_period")),
        sa.ForeignKeyConstraint(
            ["supplier_id"], ["suppliers.id"], name=op.f("fk_supplier_documents_supplier_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_supplier_documents")),
    )
    op.create_index(
        op.f("ix_supplier_documents_supplier_id"), "supplier_documents", ["supplier_id"], unique=False
    )
    op.create_table(
        "supplier_invoices",
        sa.Column("id", Id(), nullable=False),
        sa.Column("supplier_id", Id(), nullable=False),
        sa.Column("number", sa.String(length=40), nullable=False, comment="as the supplier wrote it"),
        sa.Column(
            "number_key",
            sa.String(length=40),
            nullable=False,
            comment="without case, signs and leading zeros",
        ),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("credits_id", Id(), nullable=True, comment="the invoice that a credit note is about"),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("tax", sa.BigInteger(), nullable=False),
        sa.Column("total", sa.BigInteger(), nullable=False, comment="what it asks for, as written on it"),
        sa.Column("invoiced_on", sa.Date(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("recorded_on", sa.Date(), nullable=False),
        sa.Column("status", sa.String(length=10), nullable=False),
        sa.Column("held_since", sa.Date(), nullable=True, comment="of the hold or dispute that stands"),
        sa.Column("round", sa.Integer(), nullable=False, comment="how often it was matched"),
        sa.Column("owner_role", sa.String(length=20), nullable=True, comment="who is to resolve it"),
        sa.Column("owner_id", Id(), nullable=True),
        sa.Column("reason_code", sa.String(length=30), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("audit_id", Id(), nullable=False),
        sa.CheckConstraint(
            "(kind = 'credit_note') = (credits_id IS NOT NULL)", name=op.f("ck_supplier_invoices_credits")
        ),
        sa.CheckConstraint(
            "(status = 'held' OR status = 'disputed') = (held_since IS NOT NULL)",
            name=op.f("ck_supplier_invoices_held_since"),
        ),
        sa.CheckConstraint(
            "kind = 'invoice' OR kind = 'credit_note'", name=op.f("ck_supplier_invoices_kind")
        ),
        sa.CheckConstraint(
            "status = 'held' OR status = 'disputed' OR status = 'matched' OR status = 'paid' OR status = 'rejected'",
            name=op.f("ck_supplier_invoices_status"),
        ),
        sa.CheckConstraint("total >= 0 AND tax >= 0", name=op.f("ck_supplier_invoices_amounts")),
        sa.ForeignKeyConstraint(
            ["credits_id"], ["supplier_invoices.id"], name=op.f("fk_supplier_invoices_credits_id")
        ),
        sa.ForeignKeyConstraint(
            ["supplier_id"], ["suppliers.id"], name=op.f("fk_supplier_invoices_supplier_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_supplier_invoices")),
    )
    op.create_index(
        "ix_supplier_invoices_number_once",
        "supplier_invoices",
        ["supplier_id", "number_key"],
        unique=True,
        sqlite_where=sa.text("status <> 'rejected'"),
        postgresql_where=sa.text("status <> 'rejected'"),
    )
    op.create_index("ix_supplier_invoices_status", "supplier_invoices", ["status"], unique=False)
    op.create_index(
        "ix_supplier_invoices_supplier_id_total", "supplier_invoices", ["supplier_id", "total"], unique=False
    )
    op.create_table(
        "supplier_items",
        sa.Column("supplier_id", Id(), nullable=False),
        sa.Column("item_id", Id(), nullable=False),
        sa.Column("supplier_sku", sa.String(length=60), nullable=True),
        sa.Column("minimum_quantity", sa.BigInteger(), nullable=False),
        sa.Column("order_multiple", sa.BigInteger(), nullable=False),
        sa.Column("lead_time_days", sa.Integer(), nullable=True),
        sa.Column("rank", sa.Integer(), nullable=False, comment="1 is the preferred supplier"),
        sa.Column("audit_id", Id(), nullable=False),
        sa.CheckConstraint(
            "minimum_quantity >= 1 AND order_multiple >= 1", name=op.f("ck_supplier_items_quantities")
        ),
        sa.CheckConstraint("rank >= 1", name=op.f("ck_supplier_items_rank")),
        sa.ForeignKeyConstraint(["item_id"], ["items.id"], name=op.f("fk_supplier_items_item_id")),
        sa.ForeignKeyConstraint(
            ["supplier_id"], ["suppliers.id"], name=op.f("fk_supplier_items_supplier_id")
        ),
        sa.PrimaryKeyConstraint("supplier_id", "item_id", name=op.f("pk_supplier_items")),
    )
    op.create_index(op.f("ix_supplier_items_item_id"), "supplier_items", ["item_id"], unique=False)
    op.create_index(
        "uq_supplier_items_preferred",
        "supplier_items",
        ["item_id"],
        unique=True,
        sqlite_where=sa.text("rank = 1"),
        postgresql_where=sa.text("rank = 1"),
    )
    op.create_table(
        "supplier_prices",
        sa.Column("supplier_id", Id(), nullable=False),
        sa.Column("item_id", Id(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False, comment="a later version corrects an earlier one"),
        sa.Column(
            "valid_to",
            sa.Date(),
            nullable=True,
            comment="the first day it no longer counts; NULL until another price begins",
        ),
        sa.Column("price", sa.BigInteger(), nullable=False, comment="per base unit"),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("breaks", Json(), nullable=False, comment="(from quantity, price) pairs"),
        sa.Column("contract_reference", sa.String(length=60), nullable=True),
        sa.Column("audit_id", Id(), nullable=False),
        sa.CheckConstraint("price >= 0", name=op.f("ck_supplier_prices_price")),
        sa.CheckConstraint("valid_to >= valid_from", name=op.f("ck_supplier_prices_period")),
        sa.ForeignKeyConstraint(["item_id"], ["items.id"], name=op.f("fk_supplier_prices_item_id")),
        sa.ForeignKeyConstraint(
            ["supplier_id"], ["suppliers.id"], name=op.f("fk_supplier_prices_supplier_id")
        ),
        sa.PrimaryKeyConstraint(
            "supplier_id", "item_id", "valid_from", "version", name=op.f("pk_supplier_prices")
        ),
    )
    op.create_index(op.f("ix_supplier_prices_item_id"), "supplier_prices", ["item_id"], unique=False)
    op.create_table(
        "user_roles",
        sa.Column("user_id", Id(), nullable=False),
        sa.Column("role", sa.String(length=20), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_user_roles_user_id")),
        sa.PrimaryKeyConstraint("user_id", "role", name=op.f("pk_user_roles")),
    )
    op.create_table(
        "zone_countries",
        sa.Column(
            "country_key", sa.String(length=60), nullable=False, comment="casefolded; empty for all others"
        ),
        sa.Column("country", sa.String(length=60), nullable=False),
        sa.Column("zone", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(["zone"], ["shipping_zones.code"], name=op.f("fk_zone_countries_zone")),
        sa.PrimaryKeyConstraint("country_key", name=op.f("pk_zone_countries")),
        comment="A country lies in one zone at most.",
    )
    op.create_index(op.f("ix_zone_countries_zone"), "zone_countries", ["zone"], unique=False)
    op.create_table(
        "carrier_cutoffs",
        sa.Column("location_id", Id(), nullable=False),
        sa.Column("service_id", Id(), nullable=False),
        sa.Column("weekday", sa.Integer(), nullable=False, comment="0 is Monday"),
        sa.Column("minute", sa.Integer(), nullable=False, comment="of the day, on the clock of the place"),
        sa.Column("time_zone", sa.String(length=40), nullable=False),
        sa.Column("audit_id", Id(), nullable=False),
        sa.CheckConstraint("minute >= 0 AND minute < 1440", name=op.f("ck_carrier_cutoffs_minute")),
        sa.CheckConstraint("weekday >= 0 AND weekday <= 6", name=op.f("ck_carrier_cutoffs_weekday")),
        sa.ForeignKeyConstraint(
            ["location_id"], ["locations.id"], name=op.f("fk_carrier_cutoffs_location_id")
        ),
        sa.ForeignKeyConstraint(
            ["service_id"], ["carrier_services.id"], name=op.f("fk_carrier_cutoffs_service_id")
        ),
        sa.PrimaryKeyConstraint("location_id", "service_id", "weekday", name=op.f("pk_carrier_cutoffs")),
        comment="What is packed before the cutoff leaves on that day.",
    )
    op.create_table(
        "carrier_lanes",
        sa.Column("service_id", Id(), nullable=False),
        sa.Column("zone", sa.String(length=40), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column(
            "transit_days", sa.Integer(), nullable=False, comment="calendar days from pickup to delivery"
        ),
        sa.Column("rates", Json(), nullable=False, comment="(from grams, price of a parcel) pairs"),
        sa.Column("active", sa.Boolean(), nullable=False, comment="False: from this day on it is not served"),
        sa.Column("audit_id", Id(), nullable=False),
        sa.CheckConstraint("transit_days >= 0", name=op.f("ck_carrier_lanes_transit_days")),
        sa.ForeignKeyConstraint(
            ["service_id"], ["carrier_services.id"], name=op.f("fk_carrier_lanes_service_id")
        ),
        sa.ForeignKeyConstraint(["zone"], ["shipping_zones.code"], name=op.f("fk_carrier_lanes_zone")),
        sa.PrimaryKeyConstraint("service_id", "zone", "valid_from", name=op.f("pk_carrier_lanes")),
    )
    op.create_table(
        "channel_locations",
        sa.Column("channel_id", Id(), nullable=False),
        sa.Column("location_id", Id(), nullable=False),
        sa.Column("rank", sa.Integer(), nullable=False, comment="1 is preferred"),
        sa.Column("audit_id", Id(), nullable=False),
        sa.CheckConstraint("rank >= 1", name=op.f("ck_channel_locations_rank")),
        sa.ForeignKeyConstraint(
            ["channel_id"], ["channels.id"], name=op.f("fk_channel_locations_channel_id")
        ),
        sa.ForeignKeyConstraint(
            ["location_id"], ["locations.id"], name=op.f("fk_channel_locations_location_id")
        ),
        sa.PrimaryKeyConstraint("channel_id", "location_id", name=op.f("pk_channel_locations")),
        comment="Places that may serve a channel; a channel without any is served from all.",
    )
    op.create_index(
        op.f("ix_channel_locations_location_id"), "channel_locations", ["location_id"], unique=False
    )
    op.create_table(
        "channel_quotas",
        sa.Column("channel_id", Id(), nullable=False),
        sa.Column("item_id", Id(), nullable=False, comment="the zero id for every item"),
        sa.Column("location_id", Id(), nullable=False, comment="the zero id for every place"),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column(
            "valid_to",
            sa.Date(),
            nullable=True,
            comment="the day after its last; NULL: until the next begins",
        ),
        sa.Column(
            "kept_units",
            sa.BigInteger(),
            nullable=False,
            comment="of each place, that no other channel may take",
        ),
        sa.Column(
            "most_percent",
            sa.Integer(),
            nullable=False,
            comment="of a place's sellable stock the channel may hold",
        ),
        sa.Column("low_percent", sa.Integer(), nullable=False, comment="adapting never goes below"),
        sa.Column(
            "high_percent", sa.Integer(), nullable=False, comment="nor above; equal: it does not adapt"
        ),
        sa.Column(
            "oversell_units",
            sa.BigInteger(),
            nullable=True,
            comment="it may owe so many of an item without stock; NULL: any",
        ),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column(
            "adapted_on",
            sa.Date(),
            nullable=True,
            comment="the day since which the share is what it is, by demand",
        ),
        sa.Column("audit_id", Id(), nullable=False),
        sa.CheckConstraint("kept_units >= 0 AND oversell_units >= 0", name=op.f("ck_channel_quotas_units")),
        sa.CheckConstraint(
            "low_percent >= 0 AND low_percent <= most_percent AND most_percent <= high_percent AND high_percent <= 100",
            name=op.f("ck_channel_quotas_percents"),
        ),
        sa.CheckConstraint("valid_to >= valid_from", name=op.f("ck_channel_quotas_period")),
        sa.ForeignKeyConstraint(["channel_id"], ["channels.id"], name=op.f("fk_channel_quotas_channel_id")),
        sa.PrimaryKeyConstraint(
            "channel_id", "item_id", "location_id", "valid_from", name=op.f("pk_channel_quotas")
        ),
    )
    op.create_table(
        "contract_lines",
        sa.Column("contract_id", Id(), nullable=False),
        sa.Column("item_id", Id(), nullable=False),
        sa.Column("price", sa.BigInteger(), nullable=False),
        sa.Column("breaks", Json(), nullable=False, comment="(from quantity, price) pairs"),
        sa.Column(
            "agreed_quantity",
            sa.BigInteger(),
            nullable=True,
            comment="what may be called off; none where a value is agreed",
        ),
        sa.CheckConstraint("agreed_quantity > 0", name=op.f("ck_contract_lines_quantity")),
        sa.ForeignKeyConstraint(
            ["contract_id"], ["supplier_contracts.id"], name=op.f("fk_contract_lines_contract_id")
        ),
        sa.ForeignKeyConstraint(["item_id"], ["items.id"], name=op.f("fk_contract_lines_item_id")),
        sa.PrimaryKeyConstraint("contract_id", "item_id", name=op.f("pk_contract_lines")),
    )
    op.create_index("ix_contract_lines_item_id", "contract_lines", ["item_id"], unique=False)
    op.create_table(
        "delegation_ends",
        sa.Column("delegation_id", Id(), nullable=False),
        sa.Column("ended_at", UtcDateTime(), nullable=False),
        sa.Column("audit_id", Id(), nullable=False),
        sa.ForeignKeyConstraint(
            ["delegation_id"], ["delegations.id"], name=op.f("fk_delegation_ends_delegation_id")
        ),
        sa.PrimaryKeyConstraint("delegation_id", name=op.f("pk_delegation_ends")),
    )
    op.create_table(
        "execution_attempts",
        sa.Column("id", Id(), nullable=False),
        sa.Column("proposal_id", Id(), nullable=False),
        sa.Column("user_id", Id(), nullable=False),
        sa.Column("error", Json(), nullable=False),
        sa.Column("attempted_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["proposal_id"], ["proposals.id"], name=op.f("fk_execution_attempts_proposal_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_execution_attempts")),
    )
    op.create_index(
        op.f("ix_execution_attempts_proposal_id"), "execution_attempts", ["proposal_id"], unique=False
    )
    op.create_table(
        "executions",
        sa.Column("proposal_id", Id(), nullable=False),
        sa.Column("audit_id", Id(), nullable=False),
        sa.Column("results", Json(), nullable=False),
        sa.Column("executed_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["proposal_id"], ["proposals.id"], name=op.f("fk_executions_proposal_id")),
        sa.PrimaryKeyConstraint("proposal_id", name=op.f("pk_executions")),
    )
    op.create_table(
        "forecast_series",
        sa.Column("version_id", Id(), nullable=False),
        sa.Column("item_id", Id(), nullable=False),
        sa.Column("location_id", Id(), nullable=False),
        sa.Column("mean", sa.LargeBinary(), nullable=False, comment="float32 by day, little endian"),
        sa.Column("quantiles", sa.LargeBinary(), nullable=False, comment="float32, levels x days"),
        sa.ForeignKeyConstraint(["item_id"], ["items.id"], name=op.f("fk_forecast_series_item_id")),
        sa.ForeignKeyConstraint(
            ["location_id"], ["locations.id"], name=op.f("fk_forecast_series_location_id")
        ),
        sa.ForeignKeyConstraint(
            ["version_id"], ["forecast_versions.id"], name=op.f("fk_forecast_series_version_id")
        ),
        sa.PrimaryKeyConstraint("version_id", "item_id", "location_id", name=op.f("pk_forecast_series")),
    )
    op.create_table(
        "forecast_weeks",
        sa.Column("version_id", Id(), nullable=False),
        sa.Column("item_id", Id(), nullable=False),
        sa.Column("location_id", Id(), nullable=False),
        sa.Column(
            "week", sa.Date(), nullable=False, comment="Monday; only days inside the horizon are counted"
        ),
        sa.Column("mean_units", sa.Float(), nullable=False),
        sa.Column(
            "baseline_units",
            sa.Float(),
            nullable=False,
            comment="the seasonal naive forecast, for comparison",
        ),
        sa.Column("actual_units", sa.BigInteger(), nullable=True, comment="filled for backtests only"),
        sa.ForeignKeyConstraint(
            ["version_id"], ["forecast_versions.id"], name=op.f("fk_forecast_weeks_version_id")
        ),
        sa.PrimaryKeyConstraint(
            "version_id", "item_id", "location_id", "week", name=op.f("pk_forecast_weeks")
        ),
    )
    op.create_index("ix_forecast_weeks_item_id", "forecast_weeks", ["item_id"], unique=False)
    op.create_table(
        "fulfilment_rules",
        sa.Column("id", Id(), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("rank", sa.Integer(), nullable=False, comment="1 is asked first"),
        sa.Column("channel_id", Id(), nullable=True),
        sa.Column("category", sa.String(length=80), nullable=True),
        sa.Column("zone", sa.String(length=40), nullable=True),
        sa.Column(
            "most_priority",
            sa.Integer(),
            nullable=True,
            comment="holds for channels of this priority or a higher one",
        ),
        sa.Column(
            "margin_below",
            sa.Integer(),
            nullable=True,
            comment="of the order, in hundredths of a percent; exclusive",
        ),
        sa.Column("value_from", sa.BigInteger(), nullable=True),
        sa.Column("value_below", sa.BigInteger(), nullable=True, comment="exclusive"),
        sa.Column(
            "locations",
            Json(),
            nullable=True,
            comment="ids of places that may ship, the first preferred; NULL says nothing",
        ),
        sa.Column("speeds", Json(), nullable=True, comment="permitted; NULL says nothing"),
        sa.Column(
            "services",
            Json(),
            nullable=True,
            comment="ids of permitted services, the first preferred; NULL says nothing",
        ),
        sa.Column("most_parcels", sa.Integer(), nullable=True, comment="NULL says nothing"),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("audit_id", Id(), nullable=False),
        sa.CheckConstraint("most_parcels >= 1", name=op.f("ck_fulfilment_rules_most_parcels")),
        sa.CheckConstraint("rank >= 1", name=op.f("ck_fulfilment_rules_rank")),
        sa.ForeignKeyConstraint(["channel_id"], ["channels.id"], name=op.f("fk_fulfilment_rules_channel_id")),
        sa.ForeignKeyConstraint(["zone"], ["shipping_zones.code"], name=op.f("fk_fulfilment_rules_zone")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_fulfilment_rules")),
    )
    op.create_table(
        "invoice_findings",
        sa.Column("invoice_id", Id(), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=20), nullable=False),
        sa.Column("expected", sa.BigInteger(), nullable=False, comment="units or money, as the code says"),
        sa.Column("actual", sa.BigInteger(), nullable=False),
        sa.Column("allowed", sa.BigInteger(), nullable=False),
        sa.Column("po_line_id", Id(), nullable=True),
        sa.Column("po_id", Id(), nullable=True),
        sa.Column("other_id", Id(), nullable=True, comment="the invoice that it may double"),
        sa.CheckConstraint(
            "code = 'quantity' OR code = 'price_high' OR code = 'price_low' OR code = 'freight' OR code = 'prepayment' OR code = 'deduction' OR code = 'total' OR code = 'currency' OR code = 'duplicate' OR code = 'credit_quantity' OR code = 'credit_value'",
            name=op.f("ck_invoice_findings_code"),
        ),
        sa.ForeignKeyConstraint(
            ["invoice_id"], ["supplier_invoices.id"], name=op.f("fk_invoice_findings_invoice_id")
        ),
        sa.PrimaryKeyConstraint("invoice_id", "round", "position", name=op.f("pk_invoice_findings")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "invoice_steps",
        sa.Column("invoice_id", Id(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(length=10), nullable=False),
        sa.Column(
            "booked",
            sa.Integer(),
            nullable=False,
            comment="1 when it became payable, -1 when it ceased to be",
        ),
        sa.Column("happened_on", sa.Date(), nullable=False),
        sa.Column("happened_at", UtcDateTime(), nullable=False),
        sa.Column("user_id", Id(), nullable=False),
        sa.Column("reason_code", sa.String(length=30), nullable=True),
        sa.Column("audit_id", Id(), nullable=False),
        sa.CheckConstraint("booked BETWEEN -1 AND 1", name=op.f("ck_invoice_steps_booked")),
        sa.ForeignKeyConstraint(
            ["invoice_id"], ["supplier_invoices.id"], name=op.f("fk_invoice_steps_invoice_id")
        ),
        sa.PrimaryKeyConstraint("invoice_id", "version", name=op.f("pk_invoice_steps")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "orders",
        sa.Column("id", Id(), nullable=False),
        sa.Column("number", sa.String(length=40), nullable=False),
        sa.Column("external_ref", sa.String(length=60), nullable=False),
        sa.Column("channel_id", Id(), nullable=False),
        sa.Column("customer_id", Id(), nullable=True),
        sa.Column("customer_country", sa.String(length=60), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column(
            "status_since",
            UtcDateTime(),
            nullable=True,
            comment="when it took this status; NULL for imported history",
        ),
        sa.Column("ordered_at", UtcDateTime(), nullable=False),
        sa.Column("ordered_on", sa.Date(), nullable=False),
        sa.Column("known_on", sa.Date(), nullable=False),
        sa.Column(
            "speed",
            sa.String(length=10),
            nullable=True,
            comment="what the customer asked for; NULL: as the rules choose",
        ),
        sa.Column("promised_on", sa.Date(), nullable=True),
        sa.Column("shipped_on", sa.Date(), nullable=True, comment="of the last shipment"),
        sa.Column("hold_reason", sa.String(length=30), nullable=True, comment="why it is on hold"),
        sa.Column("cancel_reason", sa.String(length=40), nullable=True),
        sa.Column("freight_cost", sa.BigInteger(), nullable=False, comment="what shipping cost the company"),
        sa.Column("shipments", sa.Integer(), nullable=False),
        sa.Column(
            "parcels_allowed",
            sa.Integer(),
            nullable=True,
            comment="agreed beyond what rules allow; NULL: as the rules say",
        ),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("import_id", Id(), nullable=True),
        sa.Column("audit_id", Id(), nullable=False),
        sa.CheckConstraint(
            "status = 'reserved' OR status = 'shipped' OR status = 'backordered' OR status = 'on_hold' OR status = 'payment_review' OR status = 'pick_released' OR status = 'picked' OR status = 'packed' OR status = 'partly_shipped' OR status = 'returned' OR status = 'inspected' OR status = 'restocked' OR status = 'credited' OR status = 'cancelled'",
            name=op.f("ck_orders_status"),
        ),
        sa.ForeignKeyConstraint(["channel_id"], ["channels.id"], name=op.f("fk_orders_channel_id")),
        sa.ForeignKeyConstraint(["customer_id"], ["customers.id"], name=op.f("fk_orders_customer_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_orders")),
        sa.UniqueConstraint("channel_id", "external_ref", name=op.f("uq_orders_channel_id_external_ref")),
        sa.UniqueConstraint("number", name=op.f("uq_orders_number")),
    )
    op.create_index(
        "ix_orders_customer_id",
        "orders",
        ["customer_id"],
        unique=False,
        sqlite_where=sa.text("customer_id IS NOT NULL"),
        postgresql_where=sa.text("customer_id IS NOT NULL"),
    )
    op.create_index(op.f("ix_orders_import_id"), "orders", ["import_id"], unique=False)
    op.create_index(op.f("ix_orders_ordered_on"), "orders", ["ordered_on"], unique=False)
    op.create_index(op.f("ix_orders_status"), "orders", ["status"], unique=False)
    op.create_table(
        "outages",
        sa.Column("id", Id(), nullable=False),
        sa.Column("location_id", Id(), nullable=False),
        sa.Column("reason", sa.String(length=30), nullable=False),
        sa.Column("started_at", UtcDateTime(), nullable=False),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
        sa.Column("audit_id", Id(), nullable=False),
        sa.ForeignKeyConstraint(["location_id"], ["locations.id"], name=op.f("fk_outages_location_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outages")),
    )
    op.create_index(
        "uq_outages_open",
        "outages",
        ["location_id"],
        unique=True,
        sqlite_where=sa.text("ended_at IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_table(
        "pick_capacities",
        sa.Column("location_id", Id(), nullable=False),
        sa.Column(
            "open_units", sa.BigInteger(), nullable=False, comment="the most units on open pick lists at once"
        ),
        sa.Column("lead_minutes", sa.Integer(), nullable=False, comment="from release to packed"),
        sa.Column("audit_id", Id(), nullable=False),
        sa.CheckConstraint("lead_minutes >= 0", name=op.f("ck_pick_capacities_lead_minutes")),
        sa.CheckConstraint("open_units >= 1", name=op.f("ck_pick_capacities_open_units")),
        sa.ForeignKeyConstraint(
            ["location_id"], ["locations.id"], name=op.f("fk_pick_capacities_location_id")
        ),
        sa.PrimaryKeyConstraint("location_id", name=op.f("pk_pick_capacities")),
        comment="What the people of a place can fetch and pack.",
    )
    op.create_table(
        "pick_faces",
        sa.Column("item_id", Id(), nullable=False),
        sa.Column("location_id", Id(), nullable=False, comment="where it is picked"),
        sa.Column("reserve_id", Id(), nullable=False, comment="where the rest of it lies"),
        sa.Column("minimum", sa.BigInteger(), nullable=False, comment="below it the face is refilled"),
        sa.Column("maximum", sa.BigInteger(), nullable=False, comment="what the face holds"),
        sa.Column("audit_id", Id(), nullable=False),
        sa.CheckConstraint("location_id <> reserve_id", name=op.f("ck_pick_faces_two_places")),
        sa.CheckConstraint("minimum >= 1 AND maximum >= minimum", name=op.f("ck_pick_faces_levels")),
        sa.ForeignKeyConstraint(["item_id"], ["items.id"], name=op.f("fk_pick_faces_item_id")),
        sa.ForeignKeyConstraint(["location_id"], ["locations.id"], name=op.f("fk_pick_faces_location_id")),
        sa.ForeignKeyConstraint(["reserve_id"], ["locations.id"], name=op.f("fk_pick_faces_reserve_id")),
        sa.PrimaryKeyConstraint("item_id", "location_id", name=op.f("pk_pick_faces")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "planning_policies",
        sa.Column("item_id", Id(), nullable=False),
        sa.Column("location_id", Id(), nullable=False),
        sa.Column("channel_id", Id(), nullable=False, comment="the zero id for every channel"),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column(
            "valid_to",
            sa.Date(),
            nullable=True,
            comment="the day after its last; NULL: until the next begins",
        ),
        sa.Column("service_level", sa.Float(), nullable=False),
        sa.Column("review_days", sa.Integer(), nullable=False),
        sa.Column("source", sa.String(length=40), nullable=False, comment="the system that set it"),
        sa.Column(
            "source_reason", sa.String(length=80), nullable=False, comment="why it was that one's to set"
        ),
        sa.Column("audit_id", Id(), nullable=False),
        sa.CheckConstraint("review_days >= 1", name=op.f("ck_planning_policies_review_days")),
        sa.CheckConstraint(
            "service_level > 0.5 AND service_level < 1", name=op.f("ck_planning_policies_service_level")
        ),
        sa.CheckConstraint("valid_to >= valid_from", name=op.f("ck_planning_policies_period")),
        sa.ForeignKeyConstraint(["item_id"], ["items.id"], name=op.f("fk_planning_policies_item_id")),
        sa.ForeignKeyConstraint(
            ["location_id"], ["locations.id"], name=op.f("fk_planning_policies_location_id")
        ),
        sa.PrimaryKeyConstraint(
            "item_id", "location_id", "channel_id", "valid_from", name=op.f("pk_planning_policies")
        ),
    )
    op.create_table(
        "promotions",
        sa.Column("id", Id(), nullable=False),
        sa.Column("item_id", Id(), nullable=False),
        sa.Column("channel_id", Id(), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=False),
        sa.Column("discount", sa.Float(), nullable=False, comment="share of the list price"),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("known_on", sa.Date(), nullable=False),
        sa.Column("audit_id", Id(), nullable=False),
        sa.CheckConstraint("discount >= 0 AND discount < 1", name=op.f("ck_promotions_discount")),
        sa.CheckConstraint("ends_on >= starts_on", name=op.f("ck_promotions_dates")),
        sa.ForeignKeyConstraint(["channel_id"], ["channels.id"], name=op.f("fk_promotions_channel_id")),
        sa.ForeignKeyConstraint(["item_id"], ["items.id"], name=op.f("fk_promotions_item_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_promotions")),
    )
    op.create_index(op.f("ix_promotions_item_id"), "promotions", ["item_id"], unique=False)
    op.create_table(
        "proposal_decisions",
        sa.Column("id", Id(), nullable=False),
        sa.Column("proposal_id", Id(), nullable=False),
        sa.Column("user_id", Id(), nullable=False),
        sa.Column("decision", sa.String(length=10), nullable=False),
        sa.Column("person_id", Id(), nullable=False, comment="the natural person who decided"),
        sa.Column(
            "authority_id",
            Id(),
            nullable=False,
            comment="the person whose right was used: another's when lent",
        ),
        sa.Column("role", sa.String(length=20), nullable=False, comment="the role that the policy asks for"),
        sa.Column(
            "acting_as",
            sa.String(length=20),
            nullable=False,
            comment="the role used: another's after an escalation",
        ),
        sa.Column("quoted_hash", sa.String(length=64), nullable=False),
        sa.Column("comment", sa.Text(), nullable=False),
        sa.Column("decided_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint(
            "decision IN ('approve', 'reject', 'send_back')", name=op.f("ck_proposal_decisions_decision")
        ),
        sa.ForeignKeyConstraint(
            ["proposal_id"], ["proposals.id"], name=op.f("fk_proposal_decisions_proposal_id")
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_proposal_decisions_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_proposal_decisions")),
        sa.UniqueConstraint(
            "proposal_id", "authority_id", name=op.f("uq_proposal_decisions_proposal_id_authority_id")
        ),
        sa.UniqueConstraint(
            "proposal_id", "person_id", name=op.f("uq_proposal_decisions_proposal_id_person_id")
        ),
    )
    op.create_table(
        "proposal_escalations",
        sa.Column("proposal_id", Id(), nullable=False),
        sa.Column(
            "role", sa.String(length=20), nullable=False, comment="may stand in for a role that is missing"
        ),
        sa.Column("escalated_at", UtcDateTime(), nullable=False),
        sa.Column("audit_id", Id(), nullable=False),
        sa.ForeignKeyConstraint(
            ["proposal_id"], ["proposals.id"], name=op.f("fk_proposal_escalations_proposal_id")
        ),
        sa.PrimaryKeyConstraint("proposal_id", name=op.f("pk_proposal_escalations")),
    )
    op.create_table(
        "proposal_states",
        sa.Column("proposal_id", Id(), nullable=False),
        sa.Column("status", sa.String(length=12), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("changed_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint(
            "status IN ('pending','executed','rejected','sent_back','withdrawn','superseded','expired','stale')",
            name=op.f("ck_proposal_states_status"),
        ),
        sa.ForeignKeyConstraint(
            ["proposal_id"], ["proposals.id"], name=op.f("fk_proposal_states_proposal_id")
        ),
        sa.PrimaryKeyConstraint("proposal_id", name=op.f("pk_proposal_states")),
    )
    op.create_index(op.f("ix_proposal_states_status"), "proposal_states", ["status"], unique=False)
    op.create_table(
        "purchase_orders",
        sa.Column("id", Id(), nullable=False),
        sa.Column("number", sa.String(length=40), nullable=False),
        sa.Column("supplier_id", Id(), nullable=False),
        sa.Column("location_id", Id(), nullable=False),
        sa.Column("buyer_id", Id(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column(
            "total",
            sa.BigInteger(),
            nullable=False,
            comment="goods, freight and expedite: what the order commits",
        ),
        sa.Column("freight_cost", sa.BigInteger(), nullable=False),
        sa.Column("expedite_cost", sa.BigInteger(), nullable=False),
        sa.Column("created_on", sa.Date(), nullable=False),
        sa.Column("submitted_at", UtcDateTime(), nullable=True),
        sa.Column("approved_at", UtcDateTime(), nullable=True),
        sa.Column("sent_on", sa.Date(), nullable=True),
        sa.Column("known_on", sa.Date(), nullable=False),
        sa.Column("proposal_id", Id(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column(
            "slip_days",
            sa.Integer(),
            server_default="0",
            nullable=False,
            comment="days that its milestones are late",
        ),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("import_id", Id(), nullable=True),
        sa.Column("audit_id", Id(), nullable=False),
        sa.CheckConstraint(
            "status = 'draft' OR status = 'submitted' OR status = 'approved' OR status = 'sent' OR status = 'confirmed' OR status = 'shipped' OR status = 'partly_received' OR status = 'received' OR status = 'closed' OR status = 'cancelled'",
            name=op.f("ck_purchase_orders_status"),
        ),
        sa.ForeignKeyConstraint(
            ["location_id"], ["locations.id"], name=op.f("fk_purchase_orders_location_id")
        ),
        sa.ForeignKeyConstraint(
            ["supplier_id"], ["suppliers.id"], name=op.f("fk_purchase_orders_supplier_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_purchase_orders")),
        sa.UniqueConstraint("number", name=op.f("uq_purchase_orders_number")),
    )
    op.create_index(op.f("ix_purchase_orders_import_id"), "purchase_orders", ["import_id"], unique=False)
    op.create_index(op.f("ix_purchase_orders_status"), "purchase_orders", ["status"], unique=False)
    op.create_index(op.f("ix_purchase_orders_supplier_id"), "purchase_orders", ["supplier_id"], unique=False)
    op.create_table(
        "putaway_rules",
        sa.Column("id", Id(), nullable=False),
        sa.Column("site_id", Id(), nullable=False, comment="where it arrives"),
        sa.Column("location_id", Id(), nullable=False, comment="where it is kept"),
        sa.Column(
            "priority", sa.Integer(), nullable=False, comment="the lowest that fits and has room is taken"
        ),
        sa.Column("item_id", Id(), nullable=True, comment="NULL: every item"),
        sa.Column("category", sa.String(length=80), nullable=True, comment="NULL: every category"),
        sa.Column("abc_class", sa.String(length=1), nullable=True, comment="NULL: every class"),
        sa.Column(
            "expires_within_days",
            sa.Integer(),
            nullable=True,
            comment="only lots with a last day so near; NULL: all",
        ),
        sa.Column(
            "capacity",
            sa.BigInteger(),
            nullable=True,
            comment="units of all items that fit; NULL: without bound",
        ),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("audit_id", Id(), nullable=False),
        sa.CheckConstraint("capacity >= 1", name=op.f("ck_putaway_rules_capacity")),
        sa.CheckConstraint("expires_within_days >= 0", name=op.f("ck_putaway_rules_expires_within_days")),
        sa.CheckConstraint("site_id <> location_id", name=op.f("ck_putaway_rules_two_places")),
        sa.ForeignKeyConstraint(["item_id"], ["items.id"], name=op.f("fk_putaway_rules_item_id")),
        sa.ForeignKeyConstraint(["location_id"], ["locations.id"], name=op.f("fk_putaway_rules_location_id")),
        sa.ForeignKeyConstraint(["site_id"], ["locations.id"], name=op.f("fk_putaway_rules_site_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_putaway_rules")),
        comment="Where goods go after they were received; a pick face below its minimum goes before every rule.",
    )
    op.create_index(op.f("ix_putaway_rules_site_id"), "putaway_rules", ["site_id"], unique=False)
    op.create_table(
        "quality_holds",
        sa.Column("id", Id(), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("item_id", Id(), nullable=False),
        sa.Column("lot_id", Id(), nullable=False, comment="the zero id where the item has no lots"),
        sa.Column("location_id", Id(), nullable=True, comment="NULL: the whole lot, wherever it is"),
        sa.Column("reason", sa.String(length=30), nullable=False),
        sa.Column("comment", sa.String(length=300), nullable=True),
        sa.Column("status", sa.String(length=10), nullable=False),
        sa.Column("opened_at", UtcDateTime(), nullable=False),
        sa.Column("decided_at", UtcDateTime(), nullable=True),
        sa.Column("audit_id", Id(), nullable=False),
        sa.CheckConstraint("kind IN ('quality', 'recall', 'expiry')", name=op.f("ck_quality_holds_kind")),
        sa.CheckConstraint(
            "status IN ('open', 'released', 'rejected')", name=op.f("ck_quality_holds_status")
        ),
        sa.ForeignKeyConstraint(["item_id"], ["items.id"], name=op.f("fk_quality_holds_item_id")),
        sa.ForeignKeyConstraint(["location_id"], ["locations.id"], name=op.f("fk_quality_holds_location_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_quality_holds")),
    )
    op.create_index(op.f("ix_quality_holds_item_id"), "quality_holds", ["item_id"], unique=False)
    op.create_index("ix_quality_holds_lot_id", "quality_holds", ["lot_id"], unique=False)
    op.create_table(
        "quotation_requests",
        sa.Column("id", Id(), nullable=False),
        sa.Column("number", sa.String(length=40), nullable=False),
        sa.Column("location_id", Id(), nullable=False),
        sa.Column(
            "deadline_on", sa.Date(), nullable=False, comment="the last day on which quotations are taken"
        ),
        sa.Column("status", sa.String(length=14), nullable=False),
        sa.Column(
            "requisition_ids", Json(), nullable=False, comment="the requisitions that its lines come from"
        ),
        sa.Column("requested_by", Id(), nullable=False),
        sa.Column("requested_on", sa.Date(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("audit_id", Id(), nullable=False),
        sa.CheckConstraint(
            "status = 'open' OR status = 'partly_awarded' OR status = 'awarded' OR status = 'cancelled'",
            name=op.f("ck_quotation_requests_status"),
        ),
        sa.ForeignKeyConstraint(
            ["location_id"], ["locations.id"], name=op.f("fk_quotation_requests_location_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_quotation_requests")),
        sa.UniqueConstraint("number", name=op.f("uq_quotation_requests_number")),
    )
    op.create_index(op.f("ix_quotation_requests_status"), "quotation_requests", ["status"], unique=False)
    op.create_table(
        "reorder_points",
        sa.Column("item_id", Id(), nullable=False),
        sa.Column("location_id", Id(), nullable=False),
        sa.Column("safety_stock", sa.BigInteger(), nullable=False),
        sa.Column("reorder_point", sa.BigInteger(), nullable=False),
        sa.Column("order_up_to", sa.BigInteger(), nullable=False),
        sa.Column("demand_mean", sa.Float(), nullable=False, comment="units a day over the lead time"),
        sa.Column("demand_std", sa.Float(), nullable=False),
        sa.Column("lead_time_mean", sa.Float(), nullable=False, comment="days"),
        sa.Column("lead_time_std", sa.Float(), nullable=False),
        sa.Column("service_level", sa.Float(), nullable=False),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.Column("source", sa.String(length=40), nullable=False, comment="the system that set it"),
        sa.Column(
            "source_reason", sa.String(length=80), nullable=False, comment="why it was that one's to set"
        ),
        sa.Column("audit_id", Id(), nullable=False),
        sa.ForeignKeyConstraint(["item_id"], ["items.id"], name=op.f("fk_reorder_points_item_id")),
        sa.ForeignKeyConstraint(
            ["location_id"], ["locations.id"], name=op.f("fk_reorder_points_location_id")
        ),
        sa.PrimaryKeyConstraint("item_id", "location_id", name=op.f("pk_reorder_points")),
    )
    op.create_table(
        "reservations",
        sa.Column("id", Id(), nullable=False),
        sa.Column("document_kind", sa.String(length=20), nullable=False),
        sa.Column("document_id", Id(), nullable=False),
        sa.Column("line_id", Id(), nullable=False),
        sa.Column("item_id", Id(), nullable=False),
        sa.Column("location_id", Id(), nullable=False),
        sa.Column("lot_id", Id(), nullable=False, comment="the zero id where the item has no lots"),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.String(length=10), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=True),
        sa.Column("audit_id", Id(), nullable=False),
        sa.CheckConstraint(
            "status = 'pending' OR status = 'posted' OR status = 'voided' OR status = 'expired' OR status = 'picked'",
            name=op.f("ck_reservations_status"),
        ),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_reservations_quantity")),
        sa.ForeignKeyConstraint(["item_id"], ["items.id"], name=op.f("fk_reservations_item_id")),
        sa.ForeignKeyConstraint(["location_id"], ["locations.id"], name=op.f("fk_reservations_location_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reservations")),
    )
    op.create_index(op.f("ix_reservations_document_id"), "reservations", ["document_id"], unique=False)
    op.create_index(op.f("ix_reservations_line_id"), "reservations", ["line_id"], unique=False)
    op.create_index(
        "ix_reservations_lot_id",
        "reservations",
        ["lot_id"],
        unique=False,
        sqlite_where=sa.text("lot_id <> '00000000000000000000000000000000'"),
        postgresql_where=sa.text("lot_id <> '00000000000000000000000000000000'"),
    )
    op.create_table(
        "return_terms",
        sa.Column("id", Id(), nullable=False),
        sa.Column("channel_id", Id(), nullable=True, comment="NULL: every channel"),
        sa.Column("category", sa.String(length=80), nullable=True, comment="NULL: every category"),
        sa.Column("window_days", sa.Integer(), nullable=False),
        sa.Column("fault_window_days", sa.Integer(), nullable=False),
        sa.Column("reasons", Json(), nullable=True, comment="codes accepted beside faults; NULL: every one"),
        sa.Column("resale", sa.String(length=10), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("audit_id", Id(), nullable=False),
        sa.CheckConstraint(
            "resale = 'always' OR resale = 'unopened' OR resale = 'never'",
            name=op.f("ck_return_terms_resale"),
        ),
        sa.ForeignKeyConstraint(["channel_id"], ["channels.id"], name=op.f("fk_return_terms_channel_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_return_terms")),
    )
    op.create_table(
        "revenue_rules",
        sa.Column("id", Id(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("channel_id", Id(), nullable=True),
        sa.Column("customer_country", sa.String(length=2), nullable=True),
        sa.Column("recognise_at", sa.String(length=10), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column(
            "valid_to", sa.Date(), nullable=True, comment="the first day it no longer holds; NULL without end"
        ),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("audit_id", Id(), nullable=False),
        sa.CheckConstraint(
            "recognise_at = 'shipment' OR recognise_at = 'delivery'",
            name=op.f("ck_revenue_rules_recognise_at"),
        ),
        sa.CheckConstraint("valid_to > valid_from", name=op.f("ck_revenue_rules_period")),
        sa.ForeignKeyConstraint(["channel_id"], ["channels.id"], name=op.f("fk_revenue_rules_channel_id")),
        sa.PrimaryKeyConstraint("id", "version", name=op.f("pk_revenue_rules")),
    )
    op.create_table(
        "review_results",
        sa.Column("review_id", Id(), nullable=False),
        sa.Column("verdict", sa.String(length=20), nullable=False),
        sa.Column("comment", sa.Text(), nullable=False),
        sa.Column("reviewed_by", Id(), nullable=False),
        sa.Column("reviewed_at", UtcDateTime(), nullable=False),
        sa.Column("audit_id", Id(), nullable=False),
        sa.CheckConstraint(
            "verdict = 'justified' OR verdict = 'not_justified'", name=op.f("ck_review_results_verdict")
        ),
        sa.ForeignKeyConstraint(["review_id"], ["reviews.id"], name=op.f("fk_review_results_review_id")),
        sa.ForeignKeyConstraint(["reviewed_by"], ["users.id"], name=op.f("fk_review_results_reviewed_by")),
        sa.PrimaryKeyConstraint("review_id", name=op.f("pk_review_results")),
    )
    op.create_table(
        "sale_restrictions",
        sa.Column("id", Id(), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("item_id", Id(), nullable=True),
        sa.Column("category", sa.String(length=80), nullable=True),
        sa.Column("channel_id", Id(), nullable=True),
        sa.Column("country", sa.String(length=60), nullable=True),
        sa.Column("location_id", Id(), nullable=True),
        sa.Column(
            "most_per_order", sa.BigInteger(), nullable=True, comment="without any most it is forbidden"
        ),
        sa.Column("most_per_day", sa.BigInteger(), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("audit_id", Id(), nullable=False),
        sa.CheckConstraint(
            "(item_id IS NULL) <> (category IS NULL)", name=op.f("ck_sale_restrictions_product")
        ),
        sa.CheckConstraint(
            "most_per_order >= 1 AND most_per_day >= 1", name=op.f("ck_sale_restrictions_most")
        ),
        sa.ForeignKeyConstraint(
            ["channel_id"], ["channels.id"], name=op.f("fk_sale_restrictions_channel_id")
        ),
        sa.ForeignKeyConstraint(["item_id"], ["items.id"], name=op.f("fk_sale_restrictions_item_id")),
        sa.ForeignKeyConstraint(
            ["location_id"], ["locations.id"], name=op.f("fk_sale_restrictions_location_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sale_restrictions")),
        comment="Which products may not be sold, or only so many of, by channel, country of the customer and location.",
    )
    op.create_table(
        "external_skus",
        sa.Column(
            "party_id",
            Id(),
            nullable=False,
            comment="a channel, a supplier, or a third party's warehouse",
        ),
        sa.Column(
            "code_key",
            sa.String(length=60),
            nullable=False,
            comment="the code, casefolded: one item for each",
        ),
        sa.Column("party", sa.String(length=10), nullable=False),
        sa.Column("code", sa.String(length=60), nullable=False),
        sa.Column("item_id", Id(), nullable=False),
        sa.Column("audit_id", Id(), nullable=False),
        sa.CheckConstraint(
            "party = 'channel' OR party = 'supplier' OR party = 'location'",
            name=op.f("ck_external_skus_party"),
        ),
        sa.ForeignKeyConstraint(["item_id"], ["items.id"], name=op.f("fk_external_skus_item_id")),
        sa.PrimaryKeyConstraint("party_id", "code_key", name=op.f("pk_external_skus")),
        comment="The SKUs of channels, suppliers and third parties, each for one of our items.",
    )
    op.create_index(op.f("ix_external_skus_item_id"), "external_skus", ["item_id"], unique=False)
    op.create_table(
        "shelf_life_rules",
        sa.Column("channel_id", Id(), nullable=False),
        sa.Column("item_id", Id(), nullable=False, comment="the zero id for every item"),
        sa.Column(
            "minimum_days",
            sa.Integer(),
            nullable=False,
            comment="left before the last day when it is promised",
        ),
        sa.Column("audit_id", Id(), nullable=False),
        sa.CheckConstraint("minimum_days >= 0", name=op.f("ck_shelf_life_rules_minimum_days")),
        sa.ForeignKeyConstraint(["channel_id"], ["channels.id"], name=op.f("fk_shelf_life_rules_channel_id")),
        sa.PrimaryKeyConstraint("channel_id", "item_id", name=op.f("pk_shelf_life_rules")),
    )
    op.create_table(
        "stock_authorities",
        sa.Column("location_id", Id(), nullable=False),
        sa.Column("owner", sa.String(length=20), nullable=False),
        sa.Column(
            "system", sa.String(length=40), nullable=False, comment="whose count of this stock is believed"
        ),
        sa.Column("audit_id", Id(), nullable=False),
        sa.CheckConstraint("owner = 'own' OR owner = 'consigned'", name=op.f("ck_stock_authorities_owner")),
        sa.ForeignKeyConstraint(
            ["location_id"], ["locations.id"], name=op.f("fk_stock_authorities_location_id")
        ),
        sa.PrimaryKeyConstraint("location_id", "owner", name=op.f("pk_stock_authorities")),
        comment="Which system is right about the stock of an owner at a location. Without a row, this ledger.",
    )
    op.create_table(
        "stock_balances",
        sa.Column("item_id", Id(), nullable=False),
        sa.Column("location_id", Id(), nullable=False),
        sa.Column("state", sa.String(length=14), nullable=False),
        sa.Column("lot_id", Id(), nullable=False),
        sa.Column("owner", sa.String(length=20), nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("owner = 'own' OR owner = 'consigned'", name=op.f("ck_stock_balances_owner")),
        sa.CheckConstraint("quantity >= 0", name=op.f("ck_stock_balances_quantity_not_below_zero")),
        sa.ForeignKeyConstraint(["item_id"], ["items.id"], name=op.f("fk_stock_balances_item_id")),
        sa.ForeignKeyConstraint(
            ["location_id"], ["locations.id"], name=op.f("fk_stock_balances_location_id")
        ),
        sa.PrimaryKeyConstraint(
            "item_id", "location_id", "state", "lot_id", "owner", name=op.f("pk_stock_balances")
        ),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_stock_balances_location_id"), "stock_balances", ["location_id"], unique=False)
    op.create_index(
        "ix_stock_balances_lot_id",
        "stock_balances",
        ["lot_id"],
        unique=False,
        sqlite_where=sa.text("lot_id <> '00000000000000000000000000000000'"),
        postgresql_where=sa.text("lot_id <> '00000000000000000000000000000000'"),
    )
    op.create_table(
        "stock_counts",
        sa.Column("id", Id(), nullable=False),
        sa.Column("location_id", Id(), nullable=False),
        sa.Column("status", sa.String(length=10), nullable=False),
        sa.Column(
            "blind", sa.Boolean(), nullable=False, comment="whoever counts is not shown what is expected"
        ),
        sa.Column("opened_on", sa.Date(), nullable=False),
        sa.Column("counted_at", UtcDateTime(), nullable=True, comment="the last time it was counted"),
        sa.Column("posted_on", sa.Date(), nullable=True),
        sa.Column("counts", sa.Integer(), nullable=False, comment="how often it was counted"),
        sa.Column("audit_id", Id(), nullable=False),
        sa.CheckConstraint(
            "status = 'open' OR status = 'counted' OR status = 'posted' OR status = 'cancelled'",
            name=op.f("ck_stock_counts_status"),
        ),
        sa.ForeignKeyConstraint(["location_id"], ["locations.id"], name=op.f("fk_stock_counts_location_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stock_counts")),
    )
    op.create_index(op.f("ix_stock_counts_location_id"), "stock_counts", ["location_id"], unique=False)
    op.create_table(
        "stock_moves",
        sa.Column("occurred_on", sa.Date(), nullable=False),
        sa.Column("id", Id(), nullable=False),
        sa.Column("event", sa.String(length=20), nullable=False),
        sa.Column("item_id", Id(), nullable=False),
        sa.Column("lot_id", Id(), nullable=False, comment="the zero id where the item has no lots"),
        sa.Column("owner", sa.String(length=20), nullable=False),
        sa.Column("from_location_id", Id(), nullable=False),
        sa.Column(
            "from_state", sa.String(length=14), nullable=False, comment="'virtual' outside the company"
        ),
        sa.Column("to_location_id", Id(), nullable=False),
        sa.Column("to_state", sa.String(length=14), nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("document_kind", sa.String(length=20), nullable=False),
        sa.Column("document_id", Id(), nullable=False),
        sa.Column("reason", sa.String(length=40), nullable=True),
        sa.Column("reverses_id", Id(), nullable=True),
        sa.Column("occurred_at", UtcDateTime(), nullable=False),
        sa.Column("recorded_at", UtcDateTime(), nullable=False),
        sa.Column("audit_id", Id(), nullable=False),
        sa.CheckConstraint(
            "event = 'reservation' OR event = 'shipment' OR event = 'release' OR event = 'receipt' OR event = 'return' OR event = 'disposition' OR event = 'transfer' OR event = 'adjustment' OR event = 'count' OR event = 'kitting' OR event = 'opening' OR event = 'hold' OR event = 'ownership' OR event = 'pick' OR event = 'reversal'",
            name=op.f("ck_stock_moves_event"),
        ),
        sa.CheckConstraint(
            "from_state = 'available' OR from_state = 'reserved' OR from_state = 'picked' OR from_state = 'received_held' OR from_state = 'quarantined' OR from_state = 'return_pending' OR from_state = 'refurbishing' OR from_state = 'damaged' OR from_state = 'in_transit' OR from_state = 'virtual'",
            name=op.f("ck_stock_moves_from_state"),
        ),
        sa.CheckConstraint(
            "to_state = 'virtual' OR to_state = 'available' OR to_state = 'reserved' OR to_state = 'picked' OR to_state = 'received_held' OR to_state = 'quarantined' OR to_state = 'return_pending' OR to_state = 'refurbishing' OR to_state = 'damaged' OR to_state = 'in_transit'",
            name=op.f("ck_stock_moves_to_state"),
        ),
        sa.CheckConstraint(
            "from_location_id <> to_location_id OR from_state <> to_state",
            name=op.f("ck_stock_moves_goes_somewhere"),
        ),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_stock_moves_quantity")),
        sa.ForeignKeyConstraint(
            ["from_location_id"], ["locations.id"], name=op.f("fk_stock_moves_from_location_id")
        ),
        sa.ForeignKeyConstraint(["item_id"], ["items.id"], name=op.f("fk_stock_moves_item_id")),
        sa.ForeignKeyConstraint(
            ["to_location_id"], ["locations.id"], name=op.f("fk_stock_moves_to_location_id")
        ),
        sa.PrimaryKeyConstraint("occurred_on", "id", name=op.f("pk_stock_moves")),
        postgresql_partition_by="RANGE (occurred_on)",
    )
    op.create_index(op.f("ix_stock_moves_document_id"), "stock_moves", ["document_id"], unique=False)
    op.create_index(
        "ix_stock_moves_item_id_occurred_on", "stock_moves", ["item_id", "occurred_on"], unique=False
    )
    op.create_index(
        "ix_stock_moves_lot_id",
        "stock_moves",
        ["lot_id"],
        unique=False,
        sqlite_where=sa.text("lot_id <> '00000000000000000000000000000000'"),
        postgresql_where=sa.text("lot_id <> '00000000000000000000000000000000'"),
    )
    op.create_table(
        "stock_snapshots",
        sa.Column("id", Id(), nullable=False),
        sa.Column("location_id", Id(), nullable=False),
        sa.Column("source", sa.String(length=60), nullable=False, comment="who reported it"),
        sa.Column("as_of", sa.Date(), nullable=False, comment="the end of this day"),
        sa.Column("audit_id", Id(), nullable=False),
        sa.ForeignKeyConstraint(
            ["location_id"], ["locations.id"], name=op.f("fk_stock_snapshots_location_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stock_snapshots")),
    )
    op.create_index(
        "ix_stock_snapshots_location_id_as_of", "stock_snapshots", ["location_id", "as_of"], unique=False
    )
    op.create_table(
        "supplier_payments",
        sa.Column("payment_id", Id(), nullable=False),
        sa.Column("invoice_id", Id(), nullable=False),
        sa.Column("supplier_id", Id(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False, comment="below zero for a credit note"),
        sa.Column("paid_on", sa.Date(), nullable=False),
        sa.Column("audit_id", Id(), nullable=False),
        sa.ForeignKeyConstraint(
            ["invoice_id"], ["supplier_invoices.id"], name=op.f("fk_supplier_payments_invoice_id")
        ),
        sa.ForeignKeyConstraint(
            ["supplier_id"], ["suppliers.id"], name=op.f("fk_supplier_payments_supplier_id")
        ),
        sa.PrimaryKeyConstraint("payment_id", "invoice_id", name=op.f("pk_supplier_payments")),
        sa.UniqueConstraint("invoice_id", name=op.f("uq_supplier_payments_invoice_id")),
        sqlite_with_rowid=False,
    )
    op.create_index(
        op.f("ix_supplier_payments_supplier_id"), "supplier_payments", ["supplier_id"], unique=False
    )
    op.create_table(
        "tax_rules",
        sa.Column("id", Id(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("channel_id", Id(), nullable=True),
        sa.Column(
            "business", sa.Boolean(), nullable=True, comment="whether the customer has a tax id; NULL: either"
        ),
        sa.Column(
            "customer_countries", Json(), nullable=True, comment="codes of two letters; NULL: every country"
        ),
        sa.Column("tax_class", sa.String(length=30), nullable=True),
        sa.Column("seller_country", sa.String(length=2), nullable=True),
        sa.Column("treatment", sa.String(length=30), nullable=False),
        sa.Column("rate", sa.Integer(), nullable=False, comment="in millionths"),
        sa.Column(
            "reason",
            sa.String(length=200),
            nullable=True,
            comment="why no tax is charged, as documents say it",
        ),
        sa.Column("rounding", sa.String(length=10), nullable=False),
        sa.Column("rounding_unit", sa.BigInteger(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column(
            "valid_to", sa.Date(), nullable=True, comment="the first day it no longer holds; NULL without end"
        ),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("audit_id", Id(), nullable=False),
        sa.CheckConstraint("(treatment = 'taxed') = (rate > 0)", name=op.f("ck_tax_rules_rate_of_taxed")),
        sa.CheckConstraint(
            "(treatment = 'taxed') = (reason IS NULL)", name=op.f("ck_tax_rules_reason_of_untaxed")
        ),
        sa.CheckConstraint("rounding = 'line' OR rounding = 'document'", name=op.f("ck_tax_rules_rounding")),
        sa.CheckConstraint(
            "treatment = 'taxed' OR treatment = 'zero_rated' OR treatment = 'exempt' OR treatment = 'reverse_charge' OR treatment = 'collected_by_marketplace' OR treatment = 'out_of_scope'",
            name=op.f("ck_tax_rules_treatment"),
        ),
        sa.CheckConstraint("rounding_unit >= 1", name=op.f("ck_tax_rules_rounding_unit")),
        sa.CheckConstraint("valid_to > valid_from", name=op.f("ck_tax_rules_period")),
        sa.ForeignKeyConstraint(["channel_id"], ["channels.id"], name=op.f("fk_tax_rules_channel_id")),
        sa.PrimaryKeyConstraint("id", "version", name=op.f("pk_tax_rules")),
        comment="The newest version of a rule counts; documents keep the one they were written by.",
    )
    op.create_table(
        "trade_rules",
        sa.Column("id", Id(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("direction", sa.String(length=10), nullable=False),
        sa.Column("trade_class", sa.String(length=30), nullable=True, comment="of the item"),
        sa.Column(
            "hs_prefix", sa.String(length=10), nullable=True, comment="what the item's HS code begins with"
        ),
        sa.Column(
            "country",
            sa.String(length=2),
            nullable=True,
            comment="of the customer, or where an import comes from",
        ),
        sa.Column("channel_id", Id(), nullable=True),
        sa.Column("document_kinds", Json(), nullable=False, comment="every one is needed; none: forbidden"),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column(
            "valid_to", sa.Date(), nullable=True, comment="the first day it no longer holds; NULL without end"
        ),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("audit_id", Id(), nullable=False),
        sa.CheckConstraint(
            "direction = 'sale' OR channel_id IS NULL", name=op.f("ck_trade_rules_channel_of_sales")
        ),
        sa.CheckConstraint(
            "direction = 'sale' OR direction = 'import'", name=op.f("ck_trade_rules_direction")
        ),
        sa.CheckConstraint(
            "trade_class IS NOT NULL OR hs_prefix IS NOT NULL", name=op.f("ck_trade_rules_goods")
        ),
        sa.CheckConstraint("valid_to > valid_from", name=op.f("ck_trade_rules_period")),
        sa.ForeignKeyConstraint(["channel_id"], ["channels.id"], name=op.f("fk_trade_rules_channel_id")),
        sa.PrimaryKeyConstraint("id", "version", name=op.f("pk_trade_rules")),
    )
    op.create_table(
        "confirmation_chases",
        sa.Column("po_id", Id(), nullable=False),
        sa.Column("chase_no", sa.Integer(), nullable=False),
        sa.Column("chased_on", sa.Date(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False, comment="the day by which the confirmation was due"),
        sa.Column("audit_id", Id(), nullable=False),
        sa.ForeignKeyConstraint(["po_id"], ["purchase_orders.id"], name=op.f("fk_confirmation_chases_po_id")),
        sa.PrimaryKeyConstraint("po_id", "chase_no", name=op.f("pk_confirmation_chases")),
    )
    op.create_table(
        "customer_credits",
        sa.Column("id", Id(), nullable=False),
        sa.Column("number", sa.String(length=40), nullable=False),
        sa.Column("order_id", Id(), nullable=False),
        sa.Column("reason", sa.String(length=40), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False, comment="without tax"),
        sa.Column("credited_on", sa.Date(), nullable=False),
        sa.Column("occurred_at", UtcDateTime(), nullable=False),
        sa.Column("audit_id", Id(), nullable=False),
        sa.CheckConstraint("amount > 0", name=op.f("ck_customer_credits_amount")),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_customer_credits_order_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_customer_credits")),
        sa.UniqueConstraint("number", name=op.f("uq_customer_credits_number")),
        comment="Money given back for which no goods come back: goodwill, late delivery, a price promise.",
    )
    op.create_index(
        op.f("ix_customer_credits_credited_on"), "customer_credits", ["credited_on"], unique=False
    )
    op.create_index(
        op.f("ix_customer_credits_occurred_at"), "customer_credits", ["occurred_at"], unique=False
    )
    op.create_index(op.f("ix_customer_credits_order_id"), "customer_credits", ["order_id"], unique=False)
    op.create_table(
        "customer_messages",
        sa.Column("id", Id(), nullable=False),
        sa.Column("order_id", Id(), nullable=False),
        sa.Column("template", sa.String(length=10), nullable=False),
        sa.Column("lines", Json(), nullable=False, comment="(line, units, expected on) of what it is about"),
        sa.Column("subject", sa.String(length=200), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("sent_on", sa.Date(), nullable=False),
        sa.Column("audit_id", Id(), nullable=False),
        sa.CheckConstraint(
            "template = 'delay' OR template = 'shortage' OR template = 'resolved' OR template = 'shipped'",
            name=op.f("ck_customer_messages_template"),
        ),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_customer_messages_order_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_customer_messages")),
        comment="What was handed to the outbox for customers; names and addresses are in none of it.",
    )
    op.create_index(op.f("ix_customer_messages_order_id"), "customer_messages", ["order_id"], unique=False)
    op.create_table(
        "order_kits",
        sa.Column(
            "id", Id(), nullable=False, comment="the line as it was ordered; order lines are its components"
        ),
        sa.Column("order_id", Id(), nullable=False),
        sa.Column("line_no", sa.Integer(), nullable=False),
        sa.Column("kit_item_id", Id(), nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column(
            "unit_price",
            sa.BigInteger(),
            nullable=False,
            comment="of one kit; the prices of its lines add up to it",
        ),
        sa.Column("list_price", sa.BigInteger(), nullable=False),
        sa.Column("audit_id", Id(), nullable=False),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_order_kits_quantity")),
        sa.ForeignKeyConstraint(["kit_item_id"], ["items.id"], name=op.f("fk_order_kits_kit_item_id")),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_order_kits_order_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_order_kits")),
    )
    op.create_index(op.f("ix_order_kits_kit_item_id"), "order_kits", ["kit_item_id"], unique=False)
    op.create_index(op.f("ix_order_kits_order_id"), "order_kits", ["order_id"], unique=False)
    op.create_table(
        "order_lines",
        sa.Column("id", Id(), nullable=False),
        sa.Column("order_id", Id(), nullable=False),
        sa.Column("line_no", sa.Integer(), nullable=False),
        sa.Column("item_id", Id(), nullable=False),
        sa.Column("location_id", Id(), nullable=False),
        sa.Column(
            "location_reason",
            sa.String(length=20),
            nullable=True,
            comment="why this location was chosen; NULL when the order named it",
        ),
        sa.Column("channel_id", Id(), nullable=False),
        sa.Column("customer_country", sa.String(length=60), nullable=False),
        sa.Column("ordered_on", sa.Date(), nullable=False),
        sa.Column("promised_on", sa.Date(), nullable=True),
        sa.Column(
            "expected_on",
            sa.Date(),
            nullable=True,
            comment="when its missing units can be sent; NULL while nobody knows",
        ),
        sa.Column("substitutes_id", Id(), nullable=True, comment="the line in whose place it stands"),
        sa.Column("shipped_on", sa.Date(), nullable=True, comment="of the line's last shipment"),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("reserved_quantity", sa.BigInteger(), nullable=False, comment="stock is held for them"),
        sa.Column(
            "picked_quantity",
            sa.BigInteger(),
            server_default=sa.text("0"),
            nullable=False,
            comment="of those reserved",
        ),
        sa.Column("shipped_quantity", sa.BigInteger(), nullable=False),
        sa.Column(
            "shipped_by_promise",
            sa.BigInteger(),
            nullable=False,
            comment="of it, shipped no later than promised",
        ),
        sa.Column("cancelled_quantity", sa.BigInteger(), nullable=False),
        sa.Column("unit_price", sa.BigInteger(), nullable=False, comment="charged, net of markdown and tax"),
        sa.Column("list_price", sa.BigInteger(), nullable=False, comment="before markdown"),
        sa.Column(
            "cost", sa.BigInteger(), nullable=True, comment="landed cost of what shipped; NULL while unknown"
        ),
        sa.Column("import_id", Id(), nullable=True),
        sa.Column(
            "kit_line_id", Id(), nullable=True, comment="the kit of the order that this line is a part of"
        ),
        sa.Column("per_kit", sa.BigInteger(), nullable=True, comment="units of this line in one kit"),
        sa.CheckConstraint(
            "(kit_line_id IS NULL) = (per_kit IS NULL)", name=op.f("ck_order_lines_part_of_a_kit")
        ),
        sa.CheckConstraint(
            "picked_quantity >= 0 AND picked_quantity <= reserved_quantity",
            name=op.f("ck_order_lines_picked_within_reserved"),
        ),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_order_lines_quantity")),
        sa.CheckConstraint(
            "reserved_quantity >= 0 AND shipped_quantity >= 0 AND cancelled_quantity >= 0 AND reserved_quantity + shipped_quantity + cancelled_quantity <= quantity",
            name=op.f("ck_order_lines_parts_within_quantity"),
        ),
        sa.ForeignKeyConstraint(["item_id"], ["items.id"], name=op.f("fk_order_lines_item_id")),
        sa.ForeignKeyConstraint(["location_id"], ["locations.id"], name=op.f("fk_order_lines_location_id")),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_order_lines_order_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_order_lines")),
        sa.UniqueConstraint("order_id", "line_no", name=op.f("uq_order_lines_order_id_line_no")),
    )
    op.create_index(
        "ix_order_lines_item_id_ordered_on", "order_lines", ["item_id", "ordered_on"], unique=False
    )
    op.create_index("ix_order_lines_ordered_on", "order_lines", ["ordered_on"], unique=False)
    op.create_index(
        "ix_order_lines_unfilled",
        "order_lines",
        ["item_id", "location_id"],
        unique=False,
        sqlite_where=sa.text("quantity > reserved_quantity + shipped_quantity + cancelled_quantity"),
        postgresql_where=sa.text("quantity > reserved_quantity + shipped_quantity + cancelled_quantity"),
    )
    op.create_table(
        "pick_lists",
        sa.Column("id", Id(), nullable=False),
        sa.Column("order_id", Id(), nullable=False),
        sa.Column("location_id", Id(), nullable=False),
        sa.Column("wave_id", Id(), nullable=True, comment="released together; NULL when released alone"),
        sa.Column("status", sa.String(length=10), nullable=False),
        sa.Column("released_at", UtcDateTime(), nullable=False),
        sa.Column("status_since", UtcDateTime(), nullable=False),
        sa.Column("service_id", Id(), nullable=True, comment="NULL while no carrier is chosen"),
        sa.Column(
            "service_reason",
            sa.String(length=200),
            nullable=True,
            comment="the rule that chose it, or the reason of who did",
        ),
        sa.Column(
            "service_override", sa.Boolean(), nullable=False, comment="chosen by a person against the rule"
        ),
        sa.Column(
            "freight_price", sa.BigInteger(), nullable=True, comment="of the service; NULL while unknown"
        ),
        sa.Column(
            "cutoff_at", UtcDateTime(), nullable=True, comment="packed before it, it leaves on that day"
        ),
        sa.Column("arrives_on", sa.Date(), nullable=True),
        sa.Column("audit_id", Id(), nullable=False),
        sa.CheckConstraint(
            "status = 'released' OR status = 'picked' OR status = 'packed' OR status = 'shipped' OR status = 'cancelled'",
            name=op.f("ck_pick_lists_status"),
        ),
        sa.ForeignKeyConstraint(["location_id"], ["locations.id"], name=op.f("fk_pick_lists_location_id")),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_pick_lists_order_id")),
        sa.ForeignKeyConstraint(
            ["service_id"], ["carrier_services.id"], name=op.f("fk_pick_lists_service_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pick_lists")),
        comment="What of an order is fetched at one place for one parcel; one at a time.",
    )
    op.create_index(op.f("ix_pick_lists_order_id"), "pick_lists", ["order_id"], unique=False)
    op.create_index(op.f("ix_pick_lists_wave_id"), "pick_lists", ["wave_id"], unique=False)
    op.create_index(
        "uq_pick_lists_open",
        "pick_lists",
        ["order_id", "location_id"],
        unique=True,
        sqlite_where=sa.text("status = 'released' OR status = 'picked' OR status = 'packed'"),
        postgresql_where=sa.text("status = 'released' OR status = 'picked' OR status = 'packed'"),
    )
    op.create_table(
        "po_lines",
        sa.Column("id", Id(), nullable=False),
        sa.Column("po_id", Id(), nullable=False),
        sa.Column("line_no", sa.Integer(), nullable=False),
        sa.Column("item_id", Id(), nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("unit_price", sa.BigInteger(), nullable=False),
        sa.Column(
            "reference_price",
            sa.BigInteger(),
            nullable=False,
            comment="contract or standard price in force when ordered",
        ),
        sa.Column(
            "contract_id", Id(), nullable=True, comment="the blanket contract that it draws on, at its price"
        ),
        sa.Column("need_by", sa.Date(), nullable=True),
        sa.Column(
            "first_promised_on", sa.Date(), nullable=True, comment="the first date the supplier confirmed"
        ),
        sa.Column("promised_on", sa.Date(), nullable=True, comment="the latest date"),
        sa.Column(
            "expected_on",
            sa.Date(),
            nullable=True,
            comment="the day we expect it, as milestones and notices tell",
        ),
        sa.Column(
            "confirmed_quantity",
            sa.BigInteger(),
            nullable=True,
            comment="what the supplier confirmed; none while it did not",
        ),
        sa.Column(
            "confirmed_price", sa.BigInteger(), nullable=True, comment="the price the supplier confirmed"
        ),
        sa.Column(
            "asked_again_on",
            sa.Date(),
            nullable=True,
            comment="the line changed: it is to be confirmed again",
        ),
        sa.Column("accepted_quantity", sa.BigInteger(), nullable=False),
        sa.Column(
            "accepted_by_promise",
            sa.BigInteger(),
            nullable=False,
            comment="of it, by the first promised date",
        ),
        sa.Column(
            "held_quantity",
            sa.BigInteger(),
            nullable=False,
            comment="over-receipt: physically there, not sellable",
        ),
        sa.Column(
            "inspection_quantity",
            sa.BigInteger(),
            server_default="0",
            nullable=False,
            comment="of the held units, those that wait for inspection",
        ),
        sa.Column(
            "quarantined_quantity",
            sa.BigInteger(),
            server_default="0",
            nullable=False,
            comment="of the held units, those that are in doubt",
        ),
        sa.Column("rejected_quantity", sa.BigInteger(), nullable=False),
        sa.Column("cancelled_quantity", sa.BigInteger(), nullable=False),
        sa.Column(
            "tolerated_quantity",
            sa.BigInteger(),
            server_default="0",
            nullable=False,
            comment="of the quantity, what came beyond the order and was tolerated",
        ),
        sa.Column("completed_on", sa.Date(), nullable=True, comment="the day the line was fully accepted"),
        sa.Column("delay_cause", sa.String(length=30), nullable=True),
        sa.Column("import_id", Id(), nullable=True),
        sa.CheckConstraint(
            "accepted_by_promise <= accepted_quantity", name=op.f("ck_po_lines_by_promise_within_accepted")
        ),
        sa.CheckConstraint(
            "accepted_quantity >= 0 AND held_quantity >= 0 AND rejected_quantity >= 0 AND cancelled_quantity >= 0 AND accepted_quantity + cancelled_quantity <= quantity",
            name=op.f("ck_po_lines_parts_within_quantity"),
        ),
        sa.CheckConstraint("confirmed_quantity >= 0", name=op.f("ck_po_lines_confirmed_quantity")),
        sa.CheckConstraint(
            "inspection_quantity >= 0 AND quarantined_quantity >= 0 AND inspection_quantity + quarantined_quantity <= held_quantity",
            name=op.f("ck_po_lines_waiting_within_held"),
        ),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_po_lines_quantity")),
        sa.ForeignKeyConstraint(
            ["contract_id"], ["supplier_contracts.id"], name=op.f("fk_po_lines_contract_id")
        ),
        sa.ForeignKeyConstraint(["item_id"], ["items.id"], name=op.f("fk_po_lines_item_id")),
        sa.ForeignKeyConstraint(["po_id"], ["purchase_orders.id"], name=op.f("fk_po_lines_po_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_po_lines")),
        sa.UniqueConstraint("po_id", "line_no", name=op.f("uq_po_lines_po_id_line_no")),
    )
    op.create_index(op.f("ix_po_lines_contract_id"), "po_lines", ["contract_id"], unique=False)
    op.create_index(op.f("ix_po_lines_item_id"), "po_lines", ["item_id"], unique=False)
    op.create_index(op.f("ix_po_lines_po_id"), "po_lines", ["po_id"], unique=False)
    op.create_table(
        "po_milestones",
        sa.Column("po_id", Id(), nullable=False),
        sa.Column("milestone", sa.String(length=30), nullable=False),
        sa.Column("reached_on", sa.Date(), nullable=False),
        sa.Column("audit_id", Id(), nullable=False),
        sa.ForeignKeyConstraint(["po_id"], ["purchase_orders.id"], name=op.f("fk_po_milestones_po_id")),
        sa.PrimaryKeyConstraint("po_id", "milestone", name=op.f("pk_po_milestones")),
    )
    op.create_table(
        "po_revisions",
        sa.Column("po_id", Id(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False, comment="1 is the first change"),
        sa.Column("changed_on", sa.Date(), nullable=False),
        sa.Column("author_id", Id(), nullable=False, comment="who asked for the change"),
        sa.Column("reason_code", sa.String(length=30), nullable=False),
        sa.Column("comment", sa.Text(), nullable=True),
        sa.Column("changes", Json(), nullable=False, comment="by line number: each field before and after"),
        sa.Column("total_before", sa.BigInteger(), nullable=False),
        sa.Column("total_after", sa.BigInteger(), nullable=False),
        sa.Column(
            "proposal_id",
            Id(),
            nullable=True,
            comment="the proposal that was approved; none where nobody had to be asked",
        ),
        sa.Column("audit_id", Id(), nullable=False),
        sa.ForeignKeyConstraint(["po_id"], ["purchase_orders.id"], name=op.f("fk_po_revisions_po_id")),
        sa.PrimaryKeyConstraint("po_id", "revision", name=op.f("pk_po_revisions")),
    )
    op.create_table(
        "promotion_starts",
        sa.Column("promotion_id", Id(), nullable=False),
        sa.Column("started_on", sa.Date(), nullable=False),
        sa.Column("needed_units", sa.BigInteger(), nullable=False),
        sa.Column("covered_units", sa.BigInteger(), nullable=False),
        sa.Column(
            "override_reason",
            sa.Text(),
            nullable=True,
            comment="why it started although stock was short; NULL when it was not",
        ),
        sa.Column("audit_id", Id(), nullable=False),
        sa.ForeignKeyConstraint(
            ["promotion_id"], ["promotions.id"], name=op.f("fk_promotion_starts_promotion_id")
        ),
        sa.PrimaryKeyConstraint("promotion_id", name=op.f("pk_promotion_starts")),
    )
    op.create_table(
        "quotation_invitations",
        sa.Column("request_id", Id(), nullable=False),
        sa.Column("supplier_id", Id(), nullable=False),
        sa.Column("audit_id", Id(), nullable=False),
        sa.ForeignKeyConstraint(
            ["request_id"], ["quotation_requests.id"], name=op.f("fk_quotation_invitations_request_id")
        ),
        sa.ForeignKeyConstraint(
            ["supplier_id"], ["suppliers.id"], name=op.f("fk_quotation_invitations_supplier_id")
        ),
        sa.PrimaryKeyConstraint("request_id", "supplier_id", name=op.f("pk_quotation_invitations")),
    )
    op.create_index(
        op.f("ix_quotation_invitations_supplier_id"), "quotation_invitations", ["supplier_id"], unique=False
    )
    op.create_table(
        "quotation_request_lines",
        sa.Column("id", Id(), nullable=False),
        sa.Column("request_id", Id(), nullable=False),
        sa.Column("line_no", sa.Integer(), nullable=False),
        sa.Column("item_id", Id(), nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("need_by", sa.Date(), nullable=True),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_quotation_request_lines_quantity")),
        sa.ForeignKeyConstraint(["item_id"], ["items.id"], name=op.f("fk_quotation_request_lines_item_id")),
        sa.ForeignKeyConstraint(
            ["request_id"], ["quotation_requests.id"], name=op.f("fk_quotation_request_lines_request_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_quotation_request_lines")),
        sa.UniqueConstraint(
            "request_id", "line_no", name=op.f("uq_quotation_request_lines_request_id_line_no")
        ),
    )
    op.create_index(
        op.f("ix_quotation_request_lines_request_id"), "quotation_request_lines", ["request_id"], unique=False
    )
    op.create_table(
        "quotations",
        sa.Column("id", Id(), nullable=False),
        sa.Column("request_id", Id(), nullable=False),
        sa.Column("supplier_id", Id(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False, comment="the supplier's last one counts"),
        sa.Column("reference", sa.String(length=60), nullable=True, comment="the supplier's number of it"),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column(
            "valid_until",
            sa.Date(),
            nullable=True,
            comment="the last day on which it holds; none where the supplier declines",
        ),
        sa.Column(
            "note",
            sa.Text(),
            nullable=True,
            comment="untrusted text: rendered as data, never shown to a language model",
        ),
        sa.Column("received_on", sa.Date(), nullable=False),
        sa.Column("recorded_by", Id(), nullable=False),
        sa.Column("audit_id", Id(), nullable=False),
        sa.ForeignKeyConstraint(
            ["request_id"], ["quotation_requests.id"], name=op.f("fk_quotations_request_id")
        ),
        sa.ForeignKeyConstraint(["supplier_id"], ["suppliers.id"], name=op.f("fk_quotations_supplier_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_quotations")),
        sa.UniqueConstraint(
            "request_id",
            "supplier_id",
            "revision",
            name=op.f("uq_quotations_request_id_supplier_id_revision"),
        ),
    )
    op.create_table(
        "receipts",
        sa.Column("id", Id(), nullable=False),
        sa.Column("po_id", Id(), nullable=False),
        sa.Column("location_id", Id(), nullable=False),
        sa.Column("received_on", sa.Date(), nullable=False),
        sa.Column("known_on", sa.Date(), nullable=False),
        sa.Column("import_id", Id(), nullable=True),
        sa.Column("audit_id", Id(), nullable=False),
        sa.ForeignKeyConstraint(["location_id"], ["locations.id"], name=op.f("fk_receipts_location_id")),
        sa.ForeignKeyConstraint(["po_id"], ["purchase_orders.id"], name=op.f("fk_receipts_po_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_receipts")),
    )
    op.create_index(op.f("ix_receipts_audit_id"), "receipts", ["audit_id"], unique=False)
    op.create_index(op.f("ix_receipts_po_id"), "receipts", ["po_id"], unique=False)
    op.create_index(op.f("ix_receipts_received_on"), "receipts", ["received_on"], unique=False)
    op.create_table(
        "requisitions",
        sa.Column("id", Id(), nullable=False),
        sa.Column("number", sa.String(length=40), nullable=False),
        sa.Column("item_id", Id(), nullable=False),
        sa.Column("location_id", Id(), nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("need_by", sa.Date(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("requested_by", Id(), nullable=False),
        sa.Column("requested_on", sa.Date(), nullable=False),
        sa.Column("status", sa.String(length=10), nullable=False),
        sa.Column("po_id", Id(), nullable=True, comment="the order that it became part of"),
        sa.Column(
            "proposal_id",
            Id(),
            nullable=True,
            comment="the proposal that was approved; none where nobody had to be asked",
        ),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("audit_id", Id(), nullable=False),
        sa.CheckConstraint(
            "(status = 'ordered') = (po_id IS NOT NULL)", name=op.f("ck_requisitions_ordered_with_order")
        ),
        sa.CheckConstraint(
            "status = 'approved' OR status = 'ordered' OR status = 'cancelled'",
            name=op.f("ck_requisitions_status"),
        ),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_requisitions_quantity")),
        sa.ForeignKeyConstraint(["item_id"], ["items.id"], name=op.f("fk_requisitions_item_id")),
        sa.ForeignKeyConstraint(["location_id"], ["locations.id"], name=op.f("fk_requisitions_location_id")),
        sa.ForeignKeyConstraint(["po_id"], ["purchase_orders.id"], name=op.f("fk_requisitions_po_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_requisitions")),
        sa.UniqueConstraint("number", name=op.f("uq_requisitions_number")),
    )
    op.create_index(op.f("ix_requisitions_status"), "requisitions", ["status"], unique=False)
    op.create_table(
        "returns",
        sa.Column("id", Id(), nullable=False),
        sa.Column("number", sa.String(length=40), nullable=False),
        sa.Column(
            "order_id", Id(), nullable=True, comment="NULL where the sale is older than the imported history"
        ),
        sa.Column("channel_id", Id(), nullable=False),
        sa.Column("customer_country", sa.String(length=60), nullable=False),
        sa.Column("status", sa.String(length=12), nullable=False),
        sa.Column("returned_on", sa.Date(), nullable=False),
        sa.Column("known_on", sa.Date(), nullable=False),
        sa.Column(
            "override_reason",
            sa.String(length=40),
            nullable=True,
            comment="why it may come back against the terms",
        ),
        sa.Column(
            "risk_score",
            sa.Integer(),
            nullable=True,
            comment="points for what looks like abuse; NULL for imported history",
        ),
        sa.Column(
            "risk_reasons", Json(), nullable=True, comment="code, points and sentence of each rule that held"
        ),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("import_id", Id(), nullable=True),
        sa.Column("audit_id", Id(), nullable=False),
        sa.CheckConstraint(
            "status = 'authorised' OR status = 'received' OR status = 'inspected' OR status = 'disposed' OR status = 'cancelled' OR status = 'expired'",
            name=op.f("ck_returns_status"),
        ),
        sa.ForeignKeyConstraint(["channel_id"], ["channels.id"], name=op.f("fk_returns_channel_id")),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_returns_order_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_returns")),
        sa.UniqueConstraint("number", name=op.f("uq_returns_number")),
    )
    op.create_index(op.f("ix_returns_import_id"), "returns", ["import_id"], unique=False)
    op.create_index(op.f("ix_returns_returned_on"), "returns", ["returned_on"], unique=False)
    op.create_index(op.f("ix_returns_status"), "returns", ["status"], unique=False)
    op.create_table(
        "sales_documents",
        sa.Column("id", Id(), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column(
            "seller_id", Id(), nullable=False, comment="the legal entity; the zero id for the company itself"
        ),
        sa.Column(
            "sequence", sa.BigInteger(), nullable=False, comment="within seller and kind, without a gap"
        ),
        sa.Column("number", sa.String(length=60), nullable=False),
        sa.Column("order_id", Id(), nullable=False),
        sa.Column("shipment_id", Id(), nullable=True, comment="what an invoice is for"),
        sa.Column("return_id", Id(), nullable=True, comment="what a credit note is for"),
        sa.Column("credit_id", Id(), nullable=True, comment="what it is for where nothing comes back"),
        sa.Column("issued_on", sa.Date(), nullable=False),
        sa.Column("supplied_on", sa.Date(), nullable=False, comment="the day that decides about tax"),
        sa.Column("customer_country", sa.String(length=60), nullable=False),
        sa.Column(
            "customer_tax_id", sa.String(length=20), nullable=True, comment="where reverse charge asks for it"
        ),
        sa.Column("recognise_at", sa.String(length=10), nullable=False),
        sa.Column("net", sa.BigInteger(), nullable=False),
        sa.Column("tax", sa.BigInteger(), nullable=False),
        sa.Column("audit_id", Id(), nullable=False),
        sa.CheckConstraint(
            "(kind = 'invoice') = (shipment_id IS NOT NULL) AND (kind = 'credit_note') = (return_id IS NOT NULL OR credit_id IS NOT NULL) AND (return_id IS NULL OR credit_id IS NULL)",
            name=op.f("ck_sales_documents_what_for"),
        ),
        sa.CheckConstraint("kind = 'invoice' OR kind = 'credit_note'", name=op.f("ck_sales_documents_kind")),
        sa.CheckConstraint(
            "recognise_at = 'shipment' OR recognise_at = 'delivery'",
            name=op.f("ck_sales_documents_recognise_at"),
        ),
        sa.CheckConstraint("net >= 0 AND tax >= 0", name=op.f("ck_sales_documents_amounts")),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_sales_documents_order_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sales_documents")),
        sa.UniqueConstraint("number", name=op.f("uq_sales_documents_number")),
        sa.UniqueConstraint(
            "seller_id", "kind", "sequence", name=op.f("uq_sales_documents_seller_id_kind_sequence")
        ),
        sa.UniqueConstraint("shipment_id", name=op.f("uq_sales_documents_shipment_id")),
    )
    op.create_index(op.f("ix_sales_documents_issued_on"), "sales_documents", ["issued_on"], unique=False)
    op.create_index(op.f("ix_sales_documents_order_id"), "sales_documents", ["order_id"], unique=False)
    op.create_table(
        "shipments",
        sa.Column("id", Id(), nullable=False),
        sa.Column("order_id", Id(), nullable=False),
        sa.Column("location_id", Id(), nullable=False),
        sa.Column(
            "pick_id",
            Id(),
            nullable=True,
            comment="the pick list it was packed from; NULL when shipped without one",
        ),
        sa.Column("shipped_on", sa.Date(), nullable=False),
        sa.Column("freight_cost", sa.BigInteger(), nullable=False),
        sa.Column("audit_id", Id(), nullable=False),
        sa.ForeignKeyConstraint(["location_id"], ["locations.id"], name=op.f("fk_shipments_location_id")),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_shipments_order_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_shipments")),
    )
    op.create_index(op.f("ix_shipments_order_id"), "shipments", ["order_id"], unique=False)
    op.create_table(
        "shipping_notices",
        sa.Column("id", Id(), nullable=False),
        sa.Column("po_id", Id(), nullable=False),
        sa.Column("supplier_id", Id(), nullable=False),
        sa.Column(
            "reference",
            sa.String(length=40),
            nullable=False,
            comment="the supplier's number of the notice, once for each order",
        ),
        sa.Column("shipped_on", sa.Date(), nullable=False),
        sa.Column("expected_on", sa.Date(), nullable=False),
        sa.Column("cartons", sa.Integer(), nullable=False),
        sa.Column("audit_id", Id(), nullable=False),
        sa.ForeignKeyConstraint(["po_id"], ["purchase_orders.id"], name=op.f("fk_shipping_notices_po_id")),
        sa.ForeignKeyConstraint(
            ["supplier_id"], ["suppliers.id"], name=op.f("fk_shipping_notices_supplier_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_shipping_notices")),
        sa.UniqueConstraint(
            "supplier_id", "reference", "po_id", name=op.f("uq_shipping_notices_supplier_id_reference_po_id")
        ),
    )
    op.create_index(op.f("ix_shipping_notices_po_id"), "shipping_notices", ["po_id"], unique=False)
    op.create_table(
        "stage_alerts",
        sa.Column("order_id", Id(), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("since", UtcDateTime(), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("due_at", UtcDateTime(), nullable=False),
        sa.Column("raised_at", UtcDateTime(), nullable=False),
        sa.Column("audit_id", Id(), nullable=False),
        sa.CheckConstraint("kind IN ('at_risk', 'breached')", name=op.f("ck_stage_alerts_kind")),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_stage_alerts_order_id")),
        sa.PrimaryKeyConstraint("order_id", "status", "since", "kind", name=op.f("pk_stage_alerts")),
        comment="Each stay of an order in a status is alerted once before its limit and once after it.",
    )
    op.create_table(
        "stock_count_lines",
        sa.Column("count_id", Id(), nullable=False),
        sa.Column("item_id", Id(), nullable=False),
        sa.Column("location_id", Id(), nullable=False),
        sa.Column("open", sa.Boolean(), nullable=False, comment="its count is neither posted nor cancelled"),
        sa.Column(
            "expected",
            sa.BigInteger(),
            nullable=True,
            comment="available and reserved units when it was counted",
        ),
        sa.Column("counted", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "(counted IS NULL) = (expected IS NULL)",
            name=op.f("ck_stock_count_lines_counted_against_expected"),
        ),
        sa.CheckConstraint("counted >= 0", name=op.f("ck_stock_count_lines_counted_not_below_zero")),
        sa.ForeignKeyConstraint(
            ["count_id"], ["stock_counts.id"], name=op.f("fk_stock_count_lines_count_id")
        ),
        sa.ForeignKeyConstraint(["item_id"], ["items.id"], name=op.f("fk_stock_count_lines_item_id")),
        sa.PrimaryKeyConstraint("count_id", "item_id", name=op.f("pk_stock_count_lines")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_stock_count_lines_item_id"), "stock_count_lines", ["item_id"], unique=False)
    op.create_index(
        "uq_stock_count_lines_open",
        "stock_count_lines",
        ["item_id", "location_id"],
        unique=True,
        sqlite_where=sa.text("open"),
        postgresql_where=sa.text("open"),
    )
    op.create_table(
        "stock_count_lots",
        sa.Column("count_id", Id(), nullable=False),
        sa.Column("item_id", Id(), nullable=False),
        sa.Column("lot_id", Id(), nullable=False),
        sa.Column(
            "expected",
            sa.BigInteger(),
            nullable=False,
            comment="available and reserved units when it was counted",
        ),
        sa.Column("counted", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("counted >= 0", name=op.f("ck_stock_count_lots_counted_not_below_zero")),
        sa.ForeignKeyConstraint(["count_id"], ["stock_counts.id"], name=op.f("fk_stock_count_lots_count_id")),
        sa.ForeignKeyConstraint(["lot_id"], ["lots.id"], name=op.f("fk_stock_count_lots_lot_id")),
        sa.PrimaryKeyConstraint("count_id", "item_id", "lot_id", name=op.f("pk_stock_count_lots")),
        comment="What was found of each lot of the items that are tracked.",
        sqlite_with_rowid=False,
    )
    op.create_table(
        "stock_snapshot_lines",
        sa.Column("snapshot_id", Id(), nullable=False),
        sa.Column("item_id", Id(), nullable=False),
        sa.Column("reported", sa.BigInteger(), nullable=False, comment="units physically there, as reported"),
        sa.CheckConstraint("reported >= 0", name=op.f("ck_stock_snapshot_lines_reported_not_below_zero")),
        sa.ForeignKeyConstraint(["item_id"], ["items.id"], name=op.f("fk_stock_snapshot_lines_item_id")),
        sa.ForeignKeyConstraint(
            ["snapshot_id"], ["stock_snapshots.id"], name=op.f("fk_stock_snapshot_lines_snapshot_id")
        ),
        sa.PrimaryKeyConstraint("snapshot_id", "item_id", name=op.f("pk_stock_snapshot_lines")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "supplier_invoice_charges",
        sa.Column("invoice_id", Id(), nullable=False),
        sa.Column("po_id", Id(), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "kind = 'freight' OR kind = 'prepayment' OR kind = 'deduction'",
            name=op.f("ck_supplier_invoice_charges_kind"),
        ),
        sa.CheckConstraint("amount > 0", name=op.f("ck_supplier_invoice_charges_amount")),
        sa.ForeignKeyConstraint(
            ["invoice_id"], ["supplier_invoices.id"], name=op.f("fk_supplier_invoice_charges_invoice_id")
        ),
        sa.ForeignKeyConstraint(
            ["po_id"], ["purchase_orders.id"], name=op.f("fk_supplier_invoice_charges_po_id")
        ),
        sa.PrimaryKeyConstraint("invoice_id", "po_id", "kind", name=op.f("pk_supplier_invoice_charges")),
        sqlite_with_rowid=False,
    )
    op.create_index(
        op.f("ix_supplier_invoice_charges_po_id"), "supplier_invoice_charges", ["po_id"], unique=False
    )
    op.create_table(
        "supplier_messages",
        sa.Column("id", Id(), nullable=False),
        sa.Column("supplier_id", Id(), nullable=False),
        sa.Column("po_id", Id(), nullable=True),
        sa.Column("received_at", UtcDateTime(), nullable=False),
        sa.Column(
            "body",
            sa.Text(),
            nullable=False,
            comment="untrusted text: rendered as data, never shown to a language model",
        ),
        sa.Column("audit_id", Id(), nullable=False),
        sa.ForeignKeyConstraint(["po_id"], ["purchase_orders.id"], name=op.f("fk_supplier_messages_po_id")),
        sa.ForeignKeyConstraint(
            ["supplier_id"], ["suppliers.id"], name=op.f("fk_supplier_messages_supplier_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_supplier_messages")),
    )
    op.create_index("ix_supplier_messages_po_id", "supplier_messages", ["po_id"], unique=False)
    op.create_table(
        "customer_credit_lines",
        sa.Column("credit_id", Id(), nullable=False),
        sa.Column("line_no", sa.Integer(), nullable=False),
        sa.Column("order_line_id", Id(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False, comment="without tax"),
        sa.Column(
            "paid", sa.BigInteger(), nullable=False, comment="for what was shipped of the line by then"
        ),
        sa.Column(
            "refunded",
            sa.BigInteger(),
            nullable=False,
            comment="of it by returns by then, those authorised included",
        ),
        sa.Column("credited_before", sa.BigInteger(), nullable=False, comment="of it by earlier credits"),
        sa.CheckConstraint(
            "amount > 0 AND refunded >= 0 AND credited_before >= 0",
            name=op.f("ck_customer_credit_lines_amounts"),
        ),
        sa.CheckConstraint(
            "refunded + credited_before + amount <= paid", name=op.f("ck_customer_credit_lines_within_paid")
        ),
        sa.ForeignKeyConstraint(
            ["credit_id"], ["customer_credits.id"], name=op.f("fk_customer_credit_lines_credit_id")
        ),
        sa.ForeignKeyConstraint(
            ["order_line_id"], ["order_lines.id"], name=op.f("fk_customer_credit_lines_order_line_id")
        ),
        sa.PrimaryKeyConstraint("credit_id", "line_no", name=op.f("pk_customer_credit_lines")),
        sa.UniqueConstraint(
            "order_line_id",
            "credited_before",
            name=op.f("uq_customer_credit_lines_order_line_id_credited_before"),
        ),
        comment="Each credit of a line follows the one before: two at the same moment cannot both stand on it.",
    )
    op.create_table(
        "deliveries",
        sa.Column("shipment_id", Id(), nullable=False),
        sa.Column("delivered_on", sa.Date(), nullable=False),
        sa.Column("audit_id", Id(), nullable=False),
        sa.ForeignKeyConstraint(["shipment_id"], ["shipments.id"], name=op.f("fk_deliveries_shipment_id")),
        sa.PrimaryKeyConstraint("shipment_id", name=op.f("pk_deliveries")),
    )
    op.create_table(
        "drop_ship_lines",
        sa.Column("po_line_id", Id(), nullable=False),
        sa.Column("order_line_id", Id(), nullable=False),
        sa.Column("audit_id", Id(), nullable=False),
        sa.ForeignKeyConstraint(
            ["order_line_id"], ["order_lines.id"], name=op.f("fk_drop_ship_lines_order_line_id")
        ),
        sa.ForeignKeyConstraint(["po_line_id"], ["po_lines.id"], name=op.f("fk_drop_ship_lines_po_line_id")),
        sa.PrimaryKeyConstraint("po_line_id", name=op.f("pk_drop_ship_lines")),
        comment="Which purchase order line the supplier sends to the customer of which order line.",
    )
    op.create_index(
        op.f("ix_drop_ship_lines_order_line_id"), "drop_ship_lines", ["order_line_id"], unique=False
    )
    op.create_table(
        "gross_prices",
        sa.Column("order_line_id", Id(), nullable=False),
        sa.Column("unit_price", sa.BigInteger(), nullable=False, comment="as the customer saw it, with tax"),
        sa.Column("audit_id", Id(), nullable=False),
        sa.ForeignKeyConstraint(
            ["order_line_id"], ["order_lines.id"], name=op.f("fk_gross_prices_order_line_id")
        ),
        sa.PrimaryKeyConstraint("order_line_id", name=op.f("pk_gross_prices")),
        comment="Prices of orders that were sold with tax; the lines keep what is left without it.",
    )
    op.create_table(
        "held_decisions",
        sa.Column("id", Id(), nullable=False),
        sa.Column("po_line_id", Id(), nullable=False),
        sa.Column("decision", sa.String(length=10), nullable=False),
        sa.Column("held_for", sa.String(length=10), server_default="beyond", nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("decided_on", sa.Date(), nullable=False),
        sa.Column("audit_id", Id(), nullable=False),
        sa.CheckConstraint(
            "decision = 'accept' OR decision = 'return' OR decision = 'correct' OR decision = 'quarantine'",
            name=op.f("ck_held_decisions_decision"),
        ),
        sa.CheckConstraint(
            "held_for = 'beyond' OR held_for = 'inspection' OR held_for = 'quarantine'",
            name=op.f("ck_held_decisions_held_for"),
        ),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_held_decisions_quantity")),
        sa.ForeignKeyConstraint(["po_line_id"], ["po_lines.id"], name=op.f("fk_held_decisions_po_line_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_held_decisions")),
    )
    op.create_index(op.f("ix_held_decisions_po_line_id"), "held_decisions", ["po_line_id"], unique=False)
    op.create_table(
        "landed_charges",
        sa.Column("id", Id(), nullable=False),
        sa.Column("po_id", Id(), nullable=False),
        sa.Column("receipt_id", Id(), nullable=True, comment="NULL: all receipts of the order so far"),
        sa.Column("component", sa.String(length=30), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("booked_on", sa.Date(), nullable=False),
        sa.Column("audit_id", Id(), nullable=False),
        sa.CheckConstraint("amount > 0", name=op.f("ck_landed_charges_amount")),
        sa.ForeignKeyConstraint(["po_id"], ["purchase_orders.id"], name=op.f("fk_landed_charges_po_id")),
        sa.ForeignKeyConstraint(["receipt_id"], ["receipts.id"], name=op.f("fk_landed_charges_receipt_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_landed_charges")),
    )
    op.create_index(op.f("ix_landed_charges_po_id"), "landed_charges", ["po_id"], unique=False)
    op.create_table(
        "late_costs",
        sa.Column("id", Id(), nullable=False),
        sa.Column("order_line_id", Id(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("booked_on", sa.Date(), nullable=False),
        sa.Column("document_kind", sa.String(length=20), nullable=False),
        sa.Column("document_id", Id(), nullable=False),
        sa.Column("audit_id", Id(), nullable=False),
        sa.ForeignKeyConstraint(
            ["order_line_id"], ["order_lines.id"], name=op.f("fk_late_costs_order_line_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_late_costs")),
        comment="Cost of goods that became known after they were sold.",
    )
    op.create_index(op.f("ix_late_costs_booked_on"), "late_costs", ["booked_on"], unique=False)
    op.create_index(op.f("ix_late_costs_order_line_id"), "late_costs", ["order_line_id"], unique=False)
    op.create_table(
        "order_alerts",
        sa.Column("id", Id(), nullable=False),
        sa.Column("order_id", Id(), nullable=False),
        sa.Column("line_id", Id(), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("units", sa.BigInteger(), nullable=False, comment="that wait, when it was raised"),
        sa.Column("promised_on", sa.Date(), nullable=True),
        sa.Column("expected_on", sa.Date(), nullable=True, comment="NULL while nobody knows"),
        sa.Column("raised_on", sa.Date(), nullable=False),
        sa.Column(
            "ended_on", sa.Date(), nullable=True, comment="since when it is no longer so; NULL while it is"
        ),
        sa.Column("audit_id", Id(), nullable=False),
        sa.CheckConstraint("kind = 'delay' OR kind = 'shortage'", name=op.f("ck_order_alerts_kind")),
        sa.CheckConstraint("units > 0", name=op.f("ck_order_alerts_units")),
        sa.ForeignKeyConstraint(["line_id"], ["order_lines.id"], name=op.f("fk_order_alerts_line_id")),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_order_alerts_order_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_order_alerts")),
        comment="A line has one open alert at most: what service knows of it now.",
    )
    op.create_index(op.f("ix_order_alerts_order_id"), "order_alerts", ["order_id"], unique=False)
    op.create_index(
        "uq_order_alerts_open",
        "order_alerts",
        ["line_id"],
        unique=True,
        sqlite_where=sa.text("ended_on IS NULL"),
        postgresql_where=sa.text("ended_on IS NULL"),
    )
    op.create_table(
        "pick_lines",
        sa.Column("pick_id", Id(), nullable=False),
        sa.Column("order_line_id", Id(), nullable=False),
        sa.Column(
            "quantity", sa.BigInteger(), nullable=False, comment="to fetch; once picked, what was found"
        ),
        sa.CheckConstraint("quantity >= 0", name=op.f("ck_pick_lines_quantity")),
        sa.ForeignKeyConstraint(
            ["order_line_id"], ["order_lines.id"], name=op.f("fk_pick_lines_order_line_id")
        ),
        sa.ForeignKeyConstraint(["pick_id"], ["pick_lists.id"], name=op.f("fk_pick_lines_pick_id")),
        sa.PrimaryKeyConstraint("pick_id", "order_line_id", name=op.f("pk_pick_lines")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "promise_changes",
        sa.Column("id", Id(), nullable=False),
        sa.Column("order_id", Id(), nullable=False),
        sa.Column("line_id", Id(), nullable=False),
        sa.Column("expected_before", sa.Date(), nullable=True),
        sa.Column("expected_after", sa.Date(), nullable=True),
        sa.Column("cause_kind", sa.String(length=20), nullable=False),
        sa.Column("cause_id", Id(), nullable=False),
        sa.Column("occurred_at", UtcDateTime(), nullable=False),
        sa.Column("audit_id", Id(), nullable=False),
        sa.ForeignKeyConstraint(["line_id"], ["order_lines.id"], name=op.f("fk_promise_changes_line_id")),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_promise_changes_order_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_promise_changes")),
        comment="Which lines are expected on another day, because of what.",
    )
    op.create_index(op.f("ix_promise_changes_cause_id"), "promise_changes", ["cause_id"], unique=False)
    op.create_index(op.f("ix_promise_changes_order_id"), "promise_changes", ["order_id"], unique=False)
    op.create_table(
        "quotation_awards",
        sa.Column("line_id", Id(), nullable=False),
        sa.Column("quotation_id", Id(), nullable=False),
        sa.Column("po_id", Id(), nullable=False, comment="the draft that it made"),
        sa.Column("recommended_id", Id(), nullable=True, comment="whom the comparison recommended"),
        sa.Column(
            "reason_code",
            sa.String(length=30),
            nullable=True,
            comment="why another one was chosen, or it was awarded early",
        ),
        sa.Column("comment", sa.Text(), nullable=True),
        sa.Column("awarded_by", Id(), nullable=False),
        sa.Column("awarded_on", sa.Date(), nullable=False),
        sa.Column(
            "proposal_id",
            Id(),
            nullable=True,
            comment="the proposal that was approved; none where nobody had to be asked",
        ),
        sa.Column("audit_id", Id(), nullable=False),
        sa.ForeignKeyConstraint(
            ["line_id"], ["quotation_request_lines.id"], name=op.f("fk_quotation_awards_line_id")
        ),
        sa.ForeignKeyConstraint(["po_id"], ["purchase_orders.id"], name=op.f("fk_quotation_awards_po_id")),
        sa.ForeignKeyConstraint(
            ["quotation_id"], ["quotations.id"], name=op.f("fk_quotation_awards_quotation_id")
        ),
        sa.ForeignKeyConstraint(
            ["recommended_id"], ["suppliers.id"], name=op.f("fk_quotation_awards_recommended_id")
        ),
        sa.PrimaryKeyConstraint("line_id", name=op.f("pk_quotation_awards")),
    )
    op.create_table(
        "quotation_lines",
        sa.Column("quotation_id", Id(), nullable=False),
        sa.Column("line_id", Id(), nullable=False),
        sa.Column("unit_price", sa.BigInteger(), nullable=False),
        sa.Column("breaks", Json(), nullable=False, comment="(from quantity, price) pairs"),
        sa.Column("minimum_quantity", sa.BigInteger(), nullable=False),
        sa.Column("order_multiple", sa.BigInteger(), nullable=False),
        sa.Column("lead_time_days", sa.Integer(), nullable=True),
        sa.CheckConstraint(
            "minimum_quantity >= 1 AND order_multiple >= 1", name=op.f("ck_quotation_lines_terms")
        ),
        sa.ForeignKeyConstraint(
            ["line_id"], ["quotation_request_lines.id"], name=op.f("fk_quotation_lines_line_id")
        ),
        sa.ForeignKeyConstraint(
            ["quotation_id"], ["quotations.id"], name=op.f("fk_quotation_lines_quotation_id")
        ),
        sa.PrimaryKeyConstraint("quotation_id", "line_id", name=op.f("pk_quotation_lines")),
    )
    op.create_table(
        "receipt_lines",
        sa.Column("id", Id(), nullable=False),
        sa.Column("receipt_id", Id(), nullable=False),
        sa.Column("po_line_id", Id(), nullable=False),
        sa.Column("accepted_quantity", sa.BigInteger(), nullable=False),
        sa.Column("held_quantity", sa.BigInteger(), nullable=False),
        sa.Column(
            "inspection_quantity", sa.BigInteger(), server_default="0", nullable=False, comment="of the held"
        ),
        sa.Column(
            "quarantined_quantity", sa.BigInteger(), server_default="0", nullable=False, comment="of the held"
        ),
        sa.Column("rejected_quantity", sa.BigInteger(), nullable=False),
        sa.Column(
            "exact", sa.Integer(), nullable=False, comment="1 when the line arrived as ordered or announced"
        ),
        sa.CheckConstraint(
            "accepted_quantity >= 0 AND held_quantity >= 0 AND rejected_quantity >= 0",
            name=op.f("ck_receipt_lines_quantities"),
        ),
        sa.CheckConstraint(
            "inspection_quantity >= 0 AND quarantined_quantity >= 0 AND inspection_quantity + quarantined_quantity <= held_quantity",
            name=op.f("ck_receipt_lines_waiting_within_held"),
        ),
        sa.ForeignKeyConstraint(["po_line_id"], ["po_lines.id"], name=op.f("fk_receipt_lines_po_line_id")),
        sa.ForeignKeyConstraint(["receipt_id"], ["receipts.id"], name=op.f("fk_receipt_lines_receipt_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_receipt_lines")),
    )
    op.create_index(op.f("ix_receipt_lines_po_line_id"), "receipt_lines", ["po_line_id"], unique=False)
    op.create_index(op.f("ix_receipt_lines_receipt_id"), "receipt_lines", ["receipt_id"], unique=False)
    op.create_table(
        "receipt_reversals",
        sa.Column("receipt_id", Id(), nullable=False),
        sa.Column("reversed_on", sa.Date(), nullable=False),
        sa.Column("reason_code", sa.String(length=30), nullable=False),
        sa.Column("comment", sa.Text(), nullable=True),
        sa.Column("audit_id", Id(), nullable=False),
        sa.ForeignKeyConstraint(
            ["receipt_id"], ["receipts.id"], name=op.f("fk_receipt_reversals_receipt_id")
        ),
        sa.PrimaryKeyConstraint("receipt_id", name=op.f("pk_receipt_reversals")),
        comment="Receipts that were taken back, each once and whole: they count until that day.",
    )
    op.create_table(
        "rerouted_lines",
        sa.Column("line_id", Id(), nullable=False),
        sa.Column("outage_id", Id(), nullable=False),
        sa.Column("from_location_id", Id(), nullable=False),
        sa.Column("returned", sa.Boolean(), nullable=False, comment="it came back when the outage was over"),
        sa.Column("audit_id", Id(), nullable=False),
        sa.ForeignKeyConstraint(
            ["from_location_id"], ["locations.id"], name=op.f("fk_rerouted_lines_from_location_id")
        ),
        sa.ForeignKeyConstraint(["line_id"], ["order_lines.id"], name=op.f("fk_rerouted_lines_line_id")),
        sa.ForeignKeyConstraint(["outage_id"], ["outages.id"], name=op.f("fk_rerouted_lines_outage_id")),
        sa.PrimaryKeyConstraint("line_id", name=op.f("pk_rerouted_lines")),
        comment="The place that the order named; its line has the place that it was sent to.",
    )
    op.create_index(op.f("ix_rerouted_lines_outage_id"), "rerouted_lines", ["outage_id"], unique=False)
    op.create_table(
        "return_lines",
        sa.Column("id", Id(), nullable=False),
        sa.Column("return_id", Id(), nullable=False),
        sa.Column("line_no", sa.Integer(), nullable=False),
        sa.Column("order_line_id", Id(), nullable=True),
        sa.Column("item_id", Id(), nullable=False),
        sa.Column("location_id", Id(), nullable=False),
        sa.Column("channel_id", Id(), nullable=False),
        sa.Column("customer_country", sa.String(length=60), nullable=False),
        sa.Column("returned_on", sa.Date(), nullable=False),
        sa.Column("shipped_on", sa.Date(), nullable=True, comment="of the line returned: the ship cohort"),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.String(length=30), nullable=False),
        sa.Column("condition", sa.String(length=20), nullable=True),
        sa.Column(
            "packaging",
            sa.String(length=20),
            nullable=True,
            comment="as found; NULL where the condition says it",
        ),
        sa.Column(
            "resale_eligible",
            sa.Boolean(),
            nullable=True,
            comment="whether it may be sold again; NULL until inspected",
        ),
        sa.Column(
            "rule",
            sa.String(length=20),
            nullable=True,
            comment="the disposition that the rule gave at inspection",
        ),
        sa.Column("rule_because", sa.String(length=30), nullable=True, comment="what decided it"),
        sa.Column("disposition", sa.String(length=20), nullable=True),
        sa.Column("disposed_on", sa.Date(), nullable=True),
        sa.Column("refund", sa.BigInteger(), nullable=False),
        sa.Column(
            "cost",
            sa.BigInteger(),
            nullable=True,
            comment="value at which it came back into stock; NULL while unknown",
        ),
        sa.Column("recovered", sa.BigInteger(), nullable=True, comment="value regained by the disposition"),
        sa.Column("written_off", sa.BigInteger(), nullable=True),
        sa.Column("comment", sa.Text(), nullable=True, comment="untrusted text of the customer"),
        sa.Column(
            "authorised",
            Json(),
            nullable=True,
            comment="units, refund and cost as authorised, kept when goods came; NULL while nothing did",
        ),
        sa.Column(
            "lots",
            Json(),
            nullable=True,
            comment="(lot id, units) pairs of what came back; NULL where the item has no lots",
        ),
        sa.Column("import_id", Id(), nullable=True),
        sa.CheckConstraint(
            "disposition = 'quarantine' OR disposition = 'refurbish' OR disposition = 'restock' OR disposition = 'vendor_return' OR disposition = 'write_off'",
            name=op.f("ck_return_lines_disposition"),
        ),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_return_lines_quantity")),
        sa.CheckConstraint("refund >= 0", name=op.f("ck_return_lines_refund")),
        sa.ForeignKeyConstraint(["item_id"], ["items.id"], name=op.f("fk_return_lines_item_id")),
        sa.ForeignKeyConstraint(["location_id"], ["locations.id"], name=op.f("fk_return_lines_location_id")),
        sa.ForeignKeyConstraint(
            ["order_line_id"], ["order_lines.id"], name=op.f("fk_return_lines_order_line_id")
        ),
        sa.ForeignKeyConstraint(["return_id"], ["returns.id"], name=op.f("fk_return_lines_return_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_return_lines")),
    )
    op.create_index(
        "ix_return_lines_item_id_returned_on", "return_lines", ["item_id", "returned_on"], unique=False
    )
    op.create_index(op.f("ix_return_lines_order_line_id"), "return_lines", ["order_line_id"], unique=False)
    op.create_index(op.f("ix_return_lines_return_id"), "return_lines", ["return_id"], unique=False)
    op.create_table(
        "customer_payments",
        sa.Column("id", Id(), nullable=False),
        sa.Column("report_id", Id(), nullable=False, comment="the report of the provider it came with"),
        sa.Column("order_id", Id(), nullable=False),
        sa.Column("kind", sa.String(length=15), nullable=False),
        sa.Column("provider", sa.String(length=60), nullable=False),
        sa.Column(
            "reference",
            sa.String(length=60),
            nullable=False,
            comment="the provider's own, of this one payment",
        ),
        sa.Column(
            "settled",
            sa.BigInteger(),
            nullable=False,
            comment="of it against what is owed: invoices, or refunds due",
        ),
        sa.Column(
            "in_advance",
            sa.BigInteger(),
            nullable=False,
            comment="of it paid, or given back, before an invoice",
        ),
        sa.Column("paid_on", sa.Date(), nullable=False),
        sa.Column("audit_id", Id(), nullable=False),
        sa.CheckConstraint(
            "kind = 'payment' OR kind = 'chargeback' OR kind = 'refund' OR kind = 'returned_refund'",
            name=op.f("ck_customer_payments_kind"),
        ),
        sa.CheckConstraint(
            "settled >= 0 AND in_advance >= 0 AND settled + in_advance > 0",
            name=op.f("ck_customer_payments_amounts"),
        ),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_customer_payments_order_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_customer_payments")),
        sa.UniqueConstraint("provider", "reference", name=op.f("uq_customer_payments_provider_reference")),
    )
    op.create_index(op.f("ix_customer_payments_order_id"), "customer_payments", ["order_id"], unique=False)
    op.create_index(op.f("ix_customer_payments_report_id"), "customer_payments", ["report_id"], unique=False)
    op.create_table(
        "customer_set_offs",
        sa.Column("id", Id(), nullable=False),
        sa.Column("order_id", Id(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("set_off_on", sa.Date(), nullable=False),
        sa.Column("audit_id", Id(), nullable=False),
        sa.CheckConstraint("amount > 0", name=op.f("ck_customer_set_offs_amount")),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_customer_set_offs_order_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_customer_set_offs")),
        comment="What a customer is to get back, set off against what is still owed of the same order.",
    )
    op.create_index(op.f("ix_customer_set_offs_order_id"), "customer_set_offs", ["order_id"], unique=False)
    op.create_table(
        "provider_payouts",
        sa.Column("id", Id(), nullable=False),
        sa.Column("provider", sa.String(length=60), nullable=False),
        sa.Column("reference", sa.String(length=60), nullable=False, comment="the provider's own"),
        sa.Column("amount", sa.BigInteger(), nullable=False, comment="what came to the bank"),
        sa.Column("fee", sa.BigInteger(), nullable=False, comment="what the provider kept"),
        sa.Column("paid_on", sa.Date(), nullable=False),
        sa.Column("audit_id", Id(), nullable=False),
        sa.CheckConstraint(
            "amount >= 0 AND fee >= 0 AND amount + fee > 0", name=op.f("ck_provider_payouts_amounts")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_provider_payouts")),
        sa.UniqueConstraint("provider", "reference", name=op.f("uq_provider_payouts_provider_reference")),
    )
    op.create_table(
        "applied_prepayments",
        sa.Column("document_id", Id(), nullable=False, comment="the invoice"),
        sa.Column("order_id", Id(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("applied_on", sa.Date(), nullable=False),
        sa.Column("audit_id", Id(), nullable=False),
        sa.CheckConstraint("amount > 0", name=op.f("ck_applied_prepayments_amount")),
        sa.ForeignKeyConstraint(
            ["document_id"], ["sales_documents.id"], name=op.f("fk_applied_prepayments_document_id")
        ),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_applied_prepayments_order_id")),
        sa.PrimaryKeyConstraint("document_id", name=op.f("pk_applied_prepayments")),
    )
    op.create_index(
        op.f("ix_applied_prepayments_order_id"), "applied_prepayments", ["order_id"], unique=False
    )
    op.create_table(
        "revenue_entries",
        sa.Column("id", Id(), nullable=False),
        sa.Column("document_id", Id(), nullable=False),
        sa.Column("booked_on", sa.Date(), nullable=False),
        sa.Column("recognised", sa.BigInteger(), nullable=False, comment="signed"),
        sa.Column(
            "deferred",
            sa.BigInteger(),
            nullable=False,
            comment="signed: what is deferred grows or shrinks by it",
        ),
        sa.Column("audit_id", Id(), nullable=False),
        sa.ForeignKeyConstraint(
            ["document_id"], ["sales_documents.id"], name=op.f("fk_revenue_entries_document_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_revenue_entries")),
    )
    op.create_index(op.f("ix_revenue_entries_booked_on"), "revenue_entries", ["booked_on"], unique=False)
    op.create_index(op.f("ix_revenue_entries_document_id"), "revenue_entries", ["document_id"], unique=False)
    op.create_table(
        "sales_document_lines",
        sa.Column("document_id", Id(), nullable=False),
        sa.Column("line_no", sa.Integer(), nullable=False),
        sa.Column("order_line_id", Id(), nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("net", sa.BigInteger(), nullable=False),
        sa.Column("tax", sa.BigInteger(), nullable=False),
        sa.Column("tax_class", sa.String(length=30), nullable=False),
        sa.Column("treatment", sa.String(length=30), nullable=False),
        sa.Column("rate", sa.Integer(), nullable=False, comment="in millionths"),
        sa.Column("reason", sa.String(length=200), nullable=True),
        sa.Column("rule_id", Id(), nullable=False),
        sa.Column("rule_version", sa.Integer(), nullable=False),
        sa.Column("invoice_id", Id(), nullable=True, comment="the invoice whose line a credit gives back"),
        sa.Column("invoice_line_no", sa.Integer(), nullable=True),
        sa.Column("return_line_id", Id(), nullable=True),
        sa.CheckConstraint(
            "treatment = 'taxed' OR treatment = 'zero_rated' OR treatment = 'exempt' OR treatment = 'reverse_charge' OR treatment = 'collected_by_marketplace' OR treatment = 'out_of_scope'",
            name=op.f("ck_sales_document_lines_treatment"),
        ),
        sa.CheckConstraint(
            "(invoice_id IS NULL) = (invoice_line_no IS NULL)",
            name=op.f("ck_sales_document_lines_credited_line"),
        ),
        sa.CheckConstraint("net >= 0 AND tax >= 0", name=op.f("ck_sales_document_lines_amounts")),
        sa.ForeignKeyConstraint(
            ["document_id"], ["sales_documents.id"], name=op.f("fk_sales_document_lines_document_id")
        ),
        sa.ForeignKeyConstraint(
            ["order_line_id"], ["order_lines.id"], name=op.f("fk_sales_document_lines_order_line_id")
        ),
        sa.PrimaryKeyConstraint("document_id", "line_no", name=op.f("pk_sales_document_lines")),
        sqlite_with_rowid=False,
    )
    op.create_index(
        op.f("ix_sales_document_lines_order_line_id"), "sales_document_lines", ["order_line_id"], unique=False
    )
    op.create_table(
        "shipment_lines",
        sa.Column("shipment_id", Id(), nullable=False),
        sa.Column("order_line_id", Id(), nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("cost", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_shipment_lines_quantity")),
        sa.ForeignKeyConstraint(
            ["order_line_id"], ["order_lines.id"], name=op.f("fk_shipment_lines_order_line_id")
        ),
        sa.ForeignKeyConstraint(
            ["shipment_id"], ["shipments.id"], name=op.f("fk_shipment_lines_shipment_id")
        ),
        sa.PrimaryKeyConstraint("shipment_id", "order_line_id", name=op.f("pk_shipment_lines")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "shipping_notice_lines",
        sa.Column("notice_id", Id(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("po_line_id", Id(), nullable=False),
        sa.Column("carton", sa.String(length=40), nullable=False, comment="the label of the carton"),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("substitute_item_id", Id(), nullable=True, comment="in place of the item ordered"),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_shipping_notice_lines_quantity")),
        sa.ForeignKeyConstraint(
            ["notice_id"], ["shipping_notices.id"], name=op.f("fk_shipping_notice_lines_notice_id")
        ),
        sa.ForeignKeyConstraint(
            ["po_line_id"], ["po_lines.id"], name=op.f("fk_shipping_notice_lines_po_line_id")
        ),
        sa.ForeignKeyConstraint(
            ["substitute_item_id"], ["items.id"], name=op.f("fk_shipping_notice_lines_substitute_item_id")
        ),
        sa.PrimaryKeyConstraint("notice_id", "position", name=op.f("pk_shipping_notice_lines")),
    )
    op.create_index(
        op.f("ix_shipping_notice_lines_po_line_id"), "shipping_notice_lines", ["po_line_id"], unique=False
    )
    op.create_table(
        "shortages",
        sa.Column("id", Id(), nullable=False),
        sa.Column("order_id", Id(), nullable=False),
        sa.Column("line_id", Id(), nullable=False),
        sa.Column("item_id", Id(), nullable=False),
        sa.Column("location_id", Id(), nullable=False),
        sa.Column("units", sa.BigInteger(), nullable=False),
        sa.Column("action", sa.String(length=12), nullable=False, comment="what was done about them"),
        sa.Column(
            "other_line_id", Id(), nullable=True, comment="the line that was added, or that gave its stock"
        ),
        sa.Column("occurred_at", UtcDateTime(), nullable=False),
        sa.Column("audit_id", Id(), nullable=False),
        sa.CheckConstraint(
            "action = 'substitute' OR action = 'reallocate' OR action = 'partial' OR action = 'procure' OR action = 'wait'",
            name=op.f("ck_shortages_action"),
        ),
        sa.CheckConstraint("units > 0", name=op.f("ck_shortages_units")),
        sa.ForeignKeyConstraint(["item_id"], ["items.id"], name=op.f("fk_shortages_item_id")),
        sa.ForeignKeyConstraint(["line_id"], ["order_lines.id"], name=op.f("fk_shortages_line_id")),
        sa.ForeignKeyConstraint(["location_id"], ["locations.id"], name=op.f("fk_shortages_location_id")),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_shortages_order_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_shortages")),
        comment="Every decision on stock that was short, by rule; `procure` waits for a buyer.",
    )
    op.create_index(op.f("ix_shortages_item_id"), "shortages", ["item_id"], unique=False)
    op.create_index(op.f("ix_shortages_order_id"), "shortages", ["order_id"], unique=False)
    op.create_table(
        "supplier_invoice_lines",
        sa.Column("invoice_id", Id(), nullable=False),
        sa.Column("line_no", sa.Integer(), nullable=False),
        sa.Column("po_line_id", Id(), nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("unit_price", sa.BigInteger(), nullable=False),
        sa.Column(
            "price_only", sa.Integer(), nullable=False, comment="1 where a credit note gives back no units"
        ),
        sa.CheckConstraint(
            "quantity > 0 AND unit_price >= 0", name=op.f("ck_supplier_invoice_lines_amounts")
        ),
        sa.ForeignKeyConstraint(
            ["invoice_id"], ["supplier_invoices.id"], name=op.f("fk_supplier_invoice_lines_invoice_id")
        ),
        sa.ForeignKeyConstraint(
            ["po_line_id"], ["po_lines.id"], name=op.f("fk_supplier_invoice_lines_po_line_id")
        ),
        sa.PrimaryKeyConstraint("invoice_id", "line_no", name=op.f("pk_supplier_invoice_lines")),
        sqlite_with_rowid=False,
    )
    op.create_index(
        op.f("ix_supplier_invoice_lines_po_line_id"), "supplier_invoice_lines", ["po_line_id"], unique=False
    )
    op.create_table(
        "unordered_goods",
        sa.Column("id", Id(), nullable=False),
        sa.Column("receipt_id", Id(), nullable=False),
        sa.Column("po_id", Id(), nullable=False),
        sa.Column("instead_of_id", Id(), nullable=True, comment="the ordered line that it stands in for"),
        sa.Column("item_id", Id(), nullable=False),
        sa.Column("location_id", Id(), nullable=False),
        sa.Column("reason", sa.String(length=12), nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False, comment="as it came"),
        sa.Column("held_quantity", sa.BigInteger(), nullable=False, comment="not decided about yet"),
        sa.Column("received_on", sa.Date(), nullable=False),
        sa.Column("audit_id", Id(), nullable=False),
        sa.CheckConstraint(
            "(reason = 'substituted') = (instead_of_id IS NOT NULL)",
            name=op.f("ck_unordered_goods_instead_of"),
        ),
        sa.CheckConstraint(
            "reason = 'not_ordered' OR reason = 'substituted'", name=op.f("ck_unordered_goods_reason")
        ),
        sa.CheckConstraint(
            "quantity > 0 AND held_quantity >= 0 AND held_quantity <= quantity",
            name=op.f("ck_unordered_goods_quantities"),
        ),
        sa.ForeignKeyConstraint(
            ["instead_of_id"], ["po_lines.id"], name=op.f("fk_unordered_goods_instead_of_id")
        ),
        sa.ForeignKeyConstraint(["item_id"], ["items.id"], name=op.f("fk_unordered_goods_item_id")),
        sa.ForeignKeyConstraint(
            ["location_id"], ["locations.id"], name=op.f("fk_unordered_goods_location_id")
        ),
        sa.ForeignKeyConstraint(["po_id"], ["purchase_orders.id"], name=op.f("fk_unordered_goods_po_id")),
        sa.ForeignKeyConstraint(["receipt_id"], ["receipts.id"], name=op.f("fk_unordered_goods_receipt_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_unordered_goods")),
        comment="Goods that came with an order that doesn't ask for them: held under their own item.",
    )
    op.create_index(op.f("ix_unordered_goods_po_id"), "unordered_goods", ["po_id"], unique=False)
    op.create_index(op.f("ix_unordered_goods_receipt_id"), "unordered_goods", ["receipt_id"], unique=False)
    op.create_table(
        "dispositions",
        sa.Column("id", Id(), nullable=False),
        sa.Column("return_id", Id(), nullable=False),
        sa.Column("return_line_id", Id(), nullable=False),
        sa.Column("order_id", Id(), nullable=True),
        sa.Column("disposition", sa.String(length=20), nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("refund", sa.BigInteger(), nullable=False, comment="asked to be paid out by this decision"),
        sa.Column("written_off", sa.BigInteger(), nullable=False),
        sa.Column("against_rule", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.String(length=40), nullable=True, comment="why another one than the rule's"),
        sa.Column("occurred_at", UtcDateTime(), nullable=False),
        sa.Column("audit_id", Id(), nullable=False),
        sa.CheckConstraint(
            "disposition = 'quarantine' OR disposition = 'refurbish' OR disposition = 'restock' OR disposition = 'vendor_return' OR disposition = 'write_off'",
            name=op.f("ck_dispositions_disposition"),
        ),
        sa.CheckConstraint("refund >= 0", name=op.f("ck_dispositions_refund")),
        sa.ForeignKeyConstraint(["return_id"], ["returns.id"], name=op.f("fk_dispositions_return_id")),
        sa.ForeignKeyConstraint(
            ["return_line_id"], ["return_lines.id"], name=op.f("fk_dispositions_return_line_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dispositions")),
        comment="Every decision about goods that came back: the refund request is part of the first.",
    )
    op.create_index(op.f("ix_dispositions_occurred_at"), "dispositions", ["occurred_at"], unique=False)
    op.create_index(op.f("ix_dispositions_return_id"), "dispositions", ["return_id"], unique=False)
    op.create_index(op.f("ix_dispositions_return_line_id"), "dispositions", ["return_line_id"], unique=False)
    op.create_index(
        "uq_dispositions_refund",
        "dispositions",
        ["return_line_id"],
        unique=True,
        sqlite_where=sa.text("refund > 0"),
        postgresql_where=sa.text("refund > 0"),
    )
    op.create_table(
        "landed_reversals",
        sa.Column("id", Id(), nullable=False),
        sa.Column("charge_id", Id(), nullable=False),
        sa.Column("reason", sa.String(length=30), nullable=False),
        sa.Column(
            "to_stock",
            sa.BigInteger(),
            nullable=False,
            comment="taken out of the value of what is still there",
        ),
        sa.Column(
            "to_sold", sa.BigInteger(), nullable=False, comment="given back to the margin of what was sold"
        ),
        sa.Column("to_other", sa.BigInteger(), nullable=False, comment="the rest"),
        sa.Column("reversed_on", sa.Date(), nullable=False),
        sa.Column("audit_id", Id(), nullable=False),
        sa.ForeignKeyConstraint(
            ["charge_id"], ["landed_charges.id"], name=op.f("fk_landed_reversals_charge_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_landed_reversals")),
        sa.UniqueConstraint("charge_id", name=op.f("uq_landed_reversals_charge_id")),
    )
    op.create_table(
        "landed_shares",
        sa.Column("charge_id", Id(), nullable=False),
        sa.Column("po_line_id", Id(), nullable=False),
        sa.Column(
            "units", sa.BigInteger(), nullable=False, comment="received, less what went back to suppliers"
        ),
        sa.Column(
            "to_stock", sa.BigInteger(), nullable=False, comment="raises the value of what is still there"
        ),
        sa.Column("to_sold", sa.BigInteger(), nullable=False, comment="lowers the margin of what was sold"),
        sa.Column("to_other", sa.BigInteger(), nullable=False, comment="of what was lost or used otherwise"),
        sa.CheckConstraint(
            "to_stock >= 0 AND to_sold >= 0 AND to_other >= 0", name=op.f("ck_landed_shares_parts")
        ),
        sa.ForeignKeyConstraint(
            ["charge_id"], ["landed_charges.id"], name=op.f("fk_landed_shares_charge_id")
        ),
        sa.ForeignKeyConstraint(["po_line_id"], ["po_lines.id"], name=op.f("fk_landed_shares_po_line_id")),
        sa.PrimaryKeyConstraint("charge_id", "po_line_id", name=op.f("pk_landed_shares")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "unordered_decisions",
        sa.Column("id", Id(), nullable=False),
        sa.Column("goods_id", Id(), nullable=False),
        sa.Column("decision", sa.String(length=10), nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("unit_price", sa.BigInteger(), nullable=True, comment="agreed for what is kept"),
        sa.Column("po_line_id", Id(), nullable=True, comment="the line that what is kept became"),
        sa.Column("decided_on", sa.Date(), nullable=False),
        sa.Column("audit_id", Id(), nullable=False),
        sa.CheckConstraint(
            "decision = 'accept' OR decision = 'return' OR decision = 'correct'",
            name=op.f("ck_unordered_decisions_decision"),
        ),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_unordered_decisions_quantity")),
        sa.ForeignKeyConstraint(
            ["goods_id"], ["unordered_goods.id"], name=op.f("fk_unordered_decisions_goods_id")
        ),
        sa.ForeignKeyConstraint(
            ["po_line_id"], ["po_lines.id"], name=op.f("fk_unordered_decisions_po_line_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_unordered_decisions")),
    )
    op.create_index(
        op.f("ix_unordered_decisions_goods_id"), "unordered_decisions", ["goods_id"], unique=False
    )
    op.create_table(
        "vendor_returns",
        sa.Column("id", Id(), nullable=False),
        sa.Column("po_id", Id(), nullable=False),
        sa.Column("po_line_id", Id(), nullable=False),
        sa.Column("location_id", Id(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False, comment="where the goods lay"),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column(
            "lots", Json(), nullable=True, comment="(lot id, units) pairs; NULL where the item has no lots"
        ),
        sa.Column("reason_code", sa.String(length=40), nullable=False),
        sa.Column(
            "defect",
            sa.String(length=20),
            nullable=True,
            comment="what is wrong with them; NULL where they go back by agreement",
        ),
        sa.Column(
            "new_defects",
            sa.BigInteger(),
            nullable=False,
            comment="units that were not counted as defective before",
        ),
        sa.Column("comment", sa.Text(), nullable=True),
        sa.Column("returned_on", sa.Date(), nullable=False),
        sa.Column("occurred_at", UtcDateTime(), nullable=False),
        sa.Column("audit_id", Id(), nullable=False),
        sa.CheckConstraint(
            "defect = 'faulty' OR defect = 'damaged' OR defect = 'wrong_goods' OR defect = 'short_dated' OR defect = 'not_as_agreed'",
            name=op.f("ck_vendor_returns_defect"),
        ),
        sa.CheckConstraint(
            "new_defects >= 0 AND new_defects <= quantity", name=op.f("ck_vendor_returns_new_defects")
        ),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_vendor_returns_quantity")),
        sa.CheckConstraint(
            "state = 'available' OR state = 'quarantined'", name=op.f("ck_vendor_returns_state")
        ),
        sa.ForeignKeyConstraint(
            ["location_id"], ["locations.id"], name=op.f("fk_vendor_returns_location_id")
        ),
        sa.ForeignKeyConstraint(["po_id"], ["purchase_orders.id"], name=op.f("fk_vendor_returns_po_id")),
        sa.ForeignKeyConstraint(["po_line_id"], ["po_lines.id"], name=op.f("fk_vendor_returns_po_line_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_vendor_returns")),
        comment="Goods of a purchase order line that went back from stock. One that is taken back has a withdrawn claim.",
    )
    op.create_index(op.f("ix_vendor_returns_po_id"), "vendor_returns", ["po_id"], unique=False)
    op.create_index(op.f("ix_vendor_returns_po_line_id"), "vendor_returns", ["po_line_id"], unique=False)
    op.create_table(
        "vendor_claims",
        sa.Column("id", Id(), nullable=False),
        sa.Column(
            "return_line_id",
            Id(),
            nullable=True,
            comment="the line of a customer's return whose goods went back; NULL where they went from stock",
        ),
        sa.Column("vendor_return_id", Id(), nullable=True),
        sa.Column(
            "po_line_id",
            Id(),
            nullable=True,
            comment="the line that brought the goods; NULL where nobody knows",
        ),
        sa.Column("supplier_id", Id(), nullable=True, comment="NULL where nobody is known"),
        sa.Column("item_id", Id(), nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column(
            "expected", sa.BigInteger(), nullable=True, comment="what the goods cost; NULL while unknown"
        ),
        sa.Column("status", sa.String(length=10), nullable=False),
        sa.Column("credited", sa.BigInteger(), nullable=True),
        sa.Column("credit_note", sa.String(length=40), nullable=True),
        sa.Column("opened_on", sa.Date(), nullable=False),
        sa.Column("settled_on", sa.Date(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("audit_id", Id(), nullable=False),
        sa.CheckConstraint(
            "(return_line_id IS NULL) <> (vendor_return_id IS NULL)",
            name=op.f("ck_vendor_claims_one_source"),
        ),
        sa.CheckConstraint(
            "(status = 'open') = (credited IS NULL)", name=op.f("ck_vendor_claims_settled_with_an_amount")
        ),
        sa.CheckConstraint(
            "status = 'open' OR status = 'credited' OR status = 'refused' OR status = 'withdrawn'",
            name=op.f("ck_vendor_claims_status"),
        ),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_vendor_claims_quantity")),
        sa.ForeignKeyConstraint(["item_id"], ["items.id"], name=op.f("fk_vendor_claims_item_id")),
        sa.ForeignKeyConstraint(["po_line_id"], ["po_lines.id"], name=op.f("fk_vendor_claims_po_line_id")),
        sa.ForeignKeyConstraint(
            ["return_line_id"], ["return_lines.id"], name=op.f("fk_vendor_claims_return_line_id")
        ),
        sa.ForeignKeyConstraint(["supplier_id"], ["suppliers.id"], name=op.f("fk_vendor_claims_supplier_id")),
        sa.ForeignKeyConstraint(
            ["vendor_return_id"], ["vendor_returns.id"], name=op.f("fk_vendor_claims_vendor_return_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_vendor_claims")),
        sa.UniqueConstraint("return_line_id", name=op.f("uq_vendor_claims_return_line_id")),
        sa.UniqueConstraint("vendor_return_id", name=op.f("uq_vendor_claims_vendor_return_id")),
        comment="What a supplier owes for goods that went back to it.",
    )
    op.create_index(op.f("ix_vendor_claims_po_line_id"), "vendor_claims", ["po_line_id"], unique=False)
    op.create_index(op.f("ix_vendor_claims_status"), "vendor_claims", ["status"], unique=False)
    op.create_index(op.f("ix_vendor_claims_supplier_id"), "vendor_claims", ["supplier_id"], unique=False)
    op.create_table(
        "credited_returns",
        sa.Column("invoice_id", Id(), nullable=False),
        sa.Column("po_line_id", Id(), nullable=False),
        sa.Column("claim_id", Id(), nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column(
            "amount",
            sa.BigInteger(),
            nullable=False,
            comment="what the note gives for them, in its currency",
        ),
        sa.Column(
            "value",
            sa.BigInteger(),
            nullable=False,
            comment="the amount in company currency, when it was payable first",
        ),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_credited_returns_quantity")),
        sa.ForeignKeyConstraint(
            ["claim_id"], ["vendor_claims.id"], name=op.f("fk_credited_returns_claim_id")
        ),
        sa.ForeignKeyConstraint(
            ["invoice_id"], ["supplier_invoices.id"], name=op.f("fk_credited_returns_invoice_id")
        ),
        sa.ForeignKeyConstraint(["po_line_id"], ["po_lines.id"], name=op.f("fk_credited_returns_po_line_id")),
        sa.PrimaryKeyConstraint("invoice_id", "po_line_id", "claim_id", name=op.f("pk_credited_returns")),
        comment="Units of credit notes that are for goods a claim covers: they leave what is not invoiced alone.",
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_credited_returns_claim_id"), "credited_returns", ["claim_id"], unique=False)
    op.create_index(op.f("ix_credited_returns_po_line_id"), "credited_returns", ["po_line_id"], unique=False)
    # ### end Alembic commands ###

    if op.get_bind().dialect.name == "postgresql":
        op.execute("CREATE SCHEMA ledger")
        op.execute("CREATE TABLE ledger.stock_moves_rest PARTITION OF stock_moves DEFAULT")
    days = [sa.column("day", sa.Date()), sa.column("week", sa.Date())]
    names = [sa.column(name, sa.String()) for name in ("month", "quarter", "year")]
    calendar = sa.table("calendar", *days, *names)
    op.bulk_insert(calendar, calendar_rows())


def calendar_rows() -> list[dict[str, Any]]:
    days = (FIRST + timedelta(days=number) for number in range((LAST - FIRST).days + 1))
    return [
        {
            "day": day,
            "week": day - timedelta(days=day.weekday()),
            "month": f"{day:%Y-%m}",
            "quarter": f"{day.year}-Q{(day.month + 2) // 3}",
            "year": f"{day.year}",
        }
        for day in days
    ]


def downgrade() -> None:
    raise RuntimeError("a company is not taken apart: restore a backup instead")
