"""What the tables say, held against what the log says: rows that no entry accounts for, and the other way round."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection, Select, Table, and_, exists, or_, select

from erp_core.gate.audit.findings import Finding
from erp_core.gate.audit.powers import unfounded
from erp_core.gate.model import audit_entries, executions, proposal_decisions, proposal_states, proposals
from erp_core.gate.rules import content_hash
from erp_core.storage.engine import TECHNICAL_TABLES

_MOST = 10
_DECISIONS = {"approve": "ApproveProposal", "reject": "RejectProposal", "send_back": "SendBackProposal"}


def unaccounted(connection: Connection) -> Iterator[Finding]:
    """Everything in the tables that does not agree with the log."""
    yield from _rows_without_entry(connection)
    yield from _records_gone(connection)
    yield from _proposals(connection)
    yield from _decisions(connection)
    yield from _executions(connection)
    yield from unfounded(connection)


def _rows_without_entry(connection: Connection) -> Iterator[Finding]:
    for table in audit_entries.metadata.sorted_tables:
        if "audit_id" not in table.c or table.name in TECHNICAL_TABLES:
            continue
        query = (
            select(table.c.audit_id, *table.primary_key.columns)
            .outerjoin(audit_entries, audit_entries.c.id == table.c.audit_id)
            .where(audit_entries.c.id.is_(None))
            .limit(_MOST)
        )
        for audit_id, *key in connection.execute(query):
            yield Finding(
                f"a row of {table.name} has no audit entry: it was written beside the gate",
                None,
                audit_id,
                f"{table.name} {' '.join(map(str, key))}",
            )


def _records_gone(connection: Connection) -> Iterator[Finding]:
    """Records that an executed command was about and that are not there any more: no command deletes one."""
    kinds = connection.scalars(select(audit_entries.c.subject_kind).distinct()).all()
    for kind in sorted(kind for kind in kinds if kind):
        table = audit_entries.metadata.tables.get(f"{kind}s")
        if table is None or "id" not in table.c:
            continue
        query = (
            select(audit_entries.c.id, audit_entries.c.subject_id)
            .outerjoin(table, table.c.id == audit_entries.c.subject_id)
            .where(
                audit_entries.c.subject_kind == kind,
                audit_entries.c.outcome == "executed",
                audit_entries.c.subject_id.is_not(None),
                table.c.id.is_(None),
            )
            .limit(_MOST)
        )
        for audit_id, subject_id in connection.execute(query):
            yield Finding(
                f"the {kind.replace('_', ' ')} that an executed command was about is gone from {table.name}",
                None,
                audit_id,
                f"{table.name} {subject_id}",
            )


def _proposals(connection: Connection) -> Iterator[Finding]:
    """Proposals whose content no longer has the hash that was logged when they were made."""
    query = select(proposals, audit_entries.c.payload.label("logged")).outerjoin(
        audit_entries,
        and_(audit_entries.c.proposal_id == proposals.c.id, audit_entries.c.outcome == "proposed"),
    )
    for row in connection.execute(query.execution_options(yield_per=1_000)):
        if row.logged is None:
            yield _about(proposals, row.id, "no audit entry says that this proposal was made")
        elif not content_hash(row._asdict()) == row.payload_hash == row.logged.get("payload_hash"):
            yield _about(
                proposals, row.id, "the proposal is not the one that was logged: its content was changed"
            )


def _decisions(connection: Connection) -> Iterator[Finding]:
    """Decisions that nobody submitted, or that were submitted otherwise."""
    told: Any = or_(
        *(
            and_(proposal_decisions.c.decision == decision, audit_entries.c.command == command)
            for decision, command in _DECISIONS.items()
        )
    )
    query = select(proposal_decisions, audit_entries.c.payload.label("logged")).outerjoin(
        audit_entries,
        and_(
            audit_entries.c.subject_id == proposal_decisions.c.proposal_id,
            audit_entries.c.principal_id == proposal_decisions.c.user_id,
            audit_entries.c.outcome == "executed",
            told,
        ),
    )
    for row in connection.execute(query.execution_options(yield_per=1_000)):
        if row.logged is None:
            yield _about(
                proposal_decisions,
                row.id,
                f"no audit entry says that user {row.user_id} decided so ({row.decision}) on proposal {row.proposal_id}",
            )
        elif row.logged.get("payload_hash") != row.quoted_hash:
            yield _about(
                proposal_decisions, row.id, "the decision quotes another hash than the one that was logged"
            )


def _executions(connection: Connection) -> Iterator[Finding]:
    """Executions and states that do not agree with each other or with the log."""
    executed = and_(
        audit_entries.c.id == executions.c.audit_id,
        audit_entries.c.proposal_id == executions.c.proposal_id,
        audit_entries.c.outcome == "executed",
    )
    yield from _each(
        connection,
        executions,
        select(executions.c.proposal_id).where(~exists().where(executed)),
        "no audit entry says that this proposal was executed",
    )
    yield from _each(
        connection,
        executions,
        select(audit_entries.c.proposal_id)
        .distinct()
        .where(
            audit_entries.c.proposal_id.is_not(None),
            audit_entries.c.outcome == "executed",
            audit_entries.c.rule.startswith("approved: "),
            ~exists().where(executions.c.proposal_id == audit_entries.c.proposal_id),
        ),
        "the log says that this proposal was executed, and its execution is gone",
    )
    done = exists().where(executions.c.proposal_id == proposal_states.c.proposal_id)
    yield from _each(
        connection,
        proposal_states,
        select(proposal_states.c.proposal_id).where(
            or_(
                and_(proposal_states.c.status == "executed", ~done),
                and_(proposal_states.c.status != "executed", done),
            )
        ),
        "the state of this proposal does not agree with its execution",
    )
    for decision, status, later in (
        ("reject", "rejected", ()),
        ("send_back", "sent_back", ("superseded",)),
    ):
        turned_down = exists().where(
            proposal_decisions.c.proposal_id == proposal_states.c.proposal_id,
            proposal_decisions.c.decision == decision,
        )
        yield from _each(
            connection,
            proposal_states,
            select(proposal_states.c.proposal_id).where(
                proposal_states.c.status.not_in((status, *later)), turned_down
            ),
            f"this proposal was {status.replace('_', ' ')}, and does not read so any more",
        )
    taken_back = exists().where(
        audit_entries.c.subject_id == proposal_states.c.proposal_id,
        audit_entries.c.command == "WithdrawProposal",
        audit_entries.c.outcome == "executed",
    )
    yield from _each(
        connection,
        proposal_states,
        select(proposal_states.c.proposal_id).where(proposal_states.c.status != "withdrawn", taken_back),
        "this proposal was withdrawn, and does not read so any more",
    )


def _each(connection: Connection, table: Table, query: Select[Any], problem: str) -> Iterator[Finding]:
    for id_ in connection.scalars(query.limit(_MOST)):
        yield _about(table, id_, problem)


def _about(table: Table, id_: Any, problem: str) -> Finding:
    return Finding(problem, about=f"{table.name} {id_}")
