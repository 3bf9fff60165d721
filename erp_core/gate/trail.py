"""The audit trail, outbox and remembered keys of one transaction, written in bulk."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self
from uuid import UUID

from erp_core.gate.contract import Done, Event, Task, Transaction
from erp_core.gate.model import audit_entries, idempotency_keys, outbox
from erp_core.gate.principals import Principal
from erp_core.storage.together import insert_at_once
from erp_core.storage.types import CanonicalText


class Trail:
    """Collects what every executed or proposed command leaves behind, and sends it at once."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx
        self._entries: list[dict[str, Any]] = []
        self._events: list[dict[str, Any]] = []
        self._keys: list[dict[str, Any]] = []

    @classmethod
    def of(cls, tx: Transaction) -> Self:
        """The transaction's trail."""
        return tx.unit(cls, cls)

    def executed(self, task: Task[Any], done: Done, rule: str, payload: CanonicalText) -> None:
        """An executed command, with its events."""
        self._entries.append(
            entry(
                task.audit_id,
                self._tx,
                task.principal,
                command=task.command.command_name,
                outcome="executed",
                subject=task.command.subject,
                rule=rule,
                payload=payload,
                occurred_at=task.occurred_at,
                proposal_id=task.proposal_id,
                before=done.before,
                after=done.after if done.after is not None else done.result,
            )
        )
        for event in done.events:
            self.emit(event, task.audit_id)

    def emit(self, event: Event, audit_id: UUID) -> None:
        """An event for the outbox, caused by the audited command."""
        self._events.append(
            {
                "id": self._tx.new_id(),
                "aggregate_kind": event.aggregate_kind,
                "aggregate_id": event.aggregate_id,
                "version": event.version,
                "kind": event.kind,
                "data": dict(event.data),
                "audit_id": audit_id,
                "recorded_at": self._tx.recorded_at,
                "relayed_at": None,
            }
        )

    def add(self, row: dict[str, Any]) -> None:
        """An entry of another kind, made by `entry`."""
        self._entries.append(row)

    def remember(self, scope: UUID, key: str, digest: str, outcome: Mapping[str, Any]) -> None:
        """The outcome under its idempotency key."""
        self._keys.append(
            {
                "principal_id": scope,
                "key": key,
                "payload_hash": digest,
                "outcome": dict(outcome),
                "recorded_at": self._tx.recorded_at,
            }
        )

    def flush(self) -> None:
        """Write what is pending."""
        insert_at_once(
            self._tx.connection,
            [(audit_entries, self._entries), (outbox, self._events), (idempotency_keys, self._keys)],
        )
        self.discard()

    def discard(self) -> None:
        """Forget what is pending."""
        self._entries, self._events, self._keys = [], [], []


def entry(
    audit_id: UUID,
    tx: Transaction,
    principal: Principal,
    *,
    command: str,
    outcome: str,
    subject: tuple[str, UUID] | None,
    rule: str,
    payload: Any,
    occurred_at: Any = None,
    proposal_id: UUID | None = None,
    before: Any = None,
    after: Any = None,
    error: Any = None,
) -> dict[str, Any]:
    """One row of the audit log."""
    return {
        "id": audit_id,
        "recorded_at": tx.recorded_at,
        "occurred_at": occurred_at or tx.recorded_at,
        "principal_kind": principal.kind,
        "principal_id": principal.user_id,
        "on_behalf_of": principal.user_id if principal.is_agent else None,
        "run_id": principal.run_id,
        "command": command,
        "outcome": outcome,
        "subject_kind": subject[0] if subject else None,
        "subject_id": subject[1] if subject else None,
        "rule": rule,
        "proposal_id": proposal_id,
        "payload": payload,
        "before": before,
        "after": after,
        "error": error,
    }
