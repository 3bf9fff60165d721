"""Pure rules of proposals: hashes, read-set comparison, the proposal's life."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

import orjson
import rfc8785

PROPOSAL_STEPS: Mapping[str, frozenset[str]] = {
    "pending": frozenset(
        {"executed", "rejected", "sent_back", "withdrawn", "superseded", "expired", "stale"}
    ),
    "executed": frozenset(),
    "rejected": frozenset(),
    "sent_back": frozenset({"superseded"}),
    "withdrawn": frozenset(),
    "superseded": frozenset(),
    "expired": frozenset({"superseded"}),
    "stale": frozenset({"superseded"}),
}


REVISABLE = frozenset({"pending", "stale", "sent_back", "expired"})
"""How a proposal stands that a new version may follow."""

_SHOWN = (
    "chain_id",
    "version",
    "title",
    "reason",
    "payload",
    "read_set",
    "evidence",
    "facts",
    "policies",
    "approvers",
    "in_order",
    "escalation",
    "escalates_at",
    "review",
    "compensation",
    "urgent",
    "requested_by",
    "via",
    "run_id",
    "tainted",
    "created_at",
    "expires_at",
)


def content_hash(proposal: Mapping[str, Any]) -> str:
    """SHA-256 of all that a proposal shows to who decides, in its canonical form (RFC 8785), in hexadecimal."""
    shown = {name: proposal[name] for name in _SHOWN}
    return payload_hash(orjson.loads(orjson.dumps(shown)))


def payload_hash(payload: Any) -> str:
    """SHA-256 of the payload's canonical form (RFC 8785), in hexadecimal."""
    return sha256(rfc8785.dumps(payload)).hexdigest()


def runs_out_soon(made_at: datetime, expires_at: datetime, now: datetime) -> bool:
    """Whether a proposal is in the last third of its time, and within a day of its end or past it."""
    left = expires_at - now
    return left <= min((expires_at - made_at) / 3, timedelta(days=1))


def read_set_changes(
    then: Sequence[Mapping[str, Any]], now: Sequence[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """The facts that moved further than their tolerance, or are gone or new, as a field-by-field list."""
    before = {entry["fact"]: entry for entry in then}
    after = {entry["fact"]: entry for entry in now}
    changes = []
    for fact in sorted(before.keys() | after.keys()):
        old, new = before.get(fact, {}), after.get(fact, {})
        if not _within(old.get("value"), new.get("value"), old.get("tolerance", 0)):
            changes.append({"fact": fact, "then": old.get("value"), "now": new.get("value")})
    return changes


def _within(old: Any, new: Any, tolerance: int) -> bool:
    if isinstance(old, int) and isinstance(new, int) and not isinstance(old, bool):
        return abs(new - old) <= tolerance
    return bool(old == new)
