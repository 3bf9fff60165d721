"""Idempotency keys: what was submitted under a key before, and how it ended."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, select

from erp_core.gate.contract import Executed, Invalid, Outcome, Proposed, Refused, Transaction
from erp_core.gate.errors import KeyReused
from erp_core.gate.model import idempotency_keys
from erp_core.gate.requirements import Requirement, Wish
from erp_core.storage.lookup import fetch_in
from erp_core.storage.types import CanonicalText, canonical_json

KEY_LENGTH = 120

_REMEMBERED = select(
    idempotency_keys.c.key, idempotency_keys.c.payload_hash, idempotency_keys.c.outcome
).where(idempotency_keys.c.principal_id == bindparam("scope"))


@dataclass(slots=True)
class Pending:
    """One wish on its way through a batch."""

    position: int
    wish: Wish
    key: str
    digest: str
    payloads: tuple[CanonicalText, ...]
    requirement: Requirement | None = None


def check_key(key: str) -> Invalid | None:
    """None for a usable key, else what is wrong with it."""
    if 1 <= len(key) <= KEY_LENGTH:
        return None
    problem = f"has {len(key)} characters, 1 to {KEY_LENGTH} are allowed"
    return Invalid([{"field": "key", "reason": problem, "remedy": "make a shorter idempotency key"}])


def digest_of(wish: Wish, payloads: Iterable[str]) -> str:
    """What makes two submissions under one key the same: how it is asked for, commands and payloads."""
    told = [wish.title, wish.reason]
    if wish.is_plan or wish.urgent:
        told.append(canonical_json([wish.urgent, wish.breaks_glass, wish.revises]))
    for command, payload in zip(wish.commands, payloads, strict=True):
        told += [command.command_name, payload]
    return sha256("\x1f".join(told).encode()).hexdigest()


def recall(
    pending: Sequence[Pending], scope: UUID, tx: Transaction
) -> tuple[dict[int, Outcome], list[Pending]]:
    """The outcomes known already by position, and the wishes that are new; twins in the batch count once."""
    remembered: dict[str, tuple[str, Mapping[str, Any]]] = {}
    keys = (one.key for one in pending)
    for row in fetch_in(tx.connection, _REMEMBERED, idempotency_keys.c.key, keys, scope=scope):
        remembered[row.key] = (row.payload_hash, row.outcome)
    outcomes: dict[int, Outcome] = {}
    fresh: dict[str, Pending] = {}
    for one in pending:
        digest, outcome = remembered.get(one.key, (None, {}))
        twin = fresh.get(one.key)
        if twin is not None:
            digest = twin.digest
        if digest is None:
            fresh[one.key] = one
        elif digest != one.digest:
            outcomes[one.position] = Refused(
                KeyReused(
                    "this key was used with another payload",
                    field="key",
                    remedy="use a new key for a new wish",
                )
            )
        elif twin is None:
            outcomes[one.position] = outcome_from(outcome)
    return outcomes, list(fresh.values())


def outcome_from(outcome: Mapping[str, Any]) -> Outcome:
    """A remembered outcome."""
    if "proposed" in outcome:
        return Proposed(
            UUID(outcome["proposed"]), outcome["payload_hash"], outcome["approvers"], outcome["policy"]
        )
    return Executed(UUID(outcome["executed"]), outcome["result"])
