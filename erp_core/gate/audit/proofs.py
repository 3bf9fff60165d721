"""Proofs for somebody who has the public key and not the database.

An *inclusion proof* shows that an entry stands in the log of a signed checkpoint; a *consistency proof* that the
log of one checkpoint starts with the log of an earlier one, with nothing changed. Both are JSON objects that `check_proof`
judges by themselves.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy import Connection, select

from erp_core.gate.audit.checkpoints import Checkpoint, stored
from erp_core.gate.audit.leaves import about, hash_of, sealed_entries
from erp_core.gate.contract import DomainError, NotFound
from erp_core.gate.merkle import (
    Range,
    consistency_ranges,
    extend,
    inclusion_ranges,
    proves_consistency,
    proves_inclusion,
    root,
)
from erp_core.gate.model import audit_checkpoints, audit_leaves


class NotSealed(DomainError):
    """The entry has no leaf yet, or the checkpoint asked for is none of the log's."""

    code = "not_sealed"


class ProofRefused(DomainError):
    """A proof, or what was given as one, does not prove what it says."""

    code = "proof_refused"


def checkpoint_at(connection: Connection, size: int | None = None) -> Checkpoint:
    """The checkpoint of this size, or the newest. Raises `NotSealed`."""
    query = select(audit_checkpoints).order_by(audit_checkpoints.c.size.desc()).limit(1)
    if size is not None:
        query = query.where(audit_checkpoints.c.size == size)
    row = connection.execute(query).one_or_none()
    if row is None:
        raise NotSealed(
            "nothing is sealed yet" if size is None else f"the log has no checkpoint at {size}",
            field="size",
            remedy="seal the log first" if size is None else "take a size that the list of checkpoints has",
        )
    return stored(row)


def list_checkpoints(connection: Connection, limit: int = 100) -> list[Checkpoint]:
    """The newest checkpoints, newest first."""
    query = select(audit_checkpoints).order_by(audit_checkpoints.c.size.desc()).limit(limit)
    return [stored(row) for row in connection.execute(query)]


def prove_inclusion(connection: Connection, audit_id: UUID) -> dict[str, Any]:
    """The proof that the entry stands in the log of the newest checkpoint. Raises `NotFound` and `NotSealed`."""
    leaf = connection.scalar(select(audit_leaves.c.leaf).where(audit_leaves.c.audit_id == audit_id))
    if leaf is None:
        raise NotSealed(
            f"the entry {audit_id} is not sealed, or there is none",
            field="audit_id",
            remedy="search the log; a new entry is sealed within seconds",
        )
    checkpoint = checkpoint_at(connection)
    (found,) = sealed_entries(connection, leaf, leaf + 1)
    if found.entry is None:
        raise NotFound(f"the entry {audit_id} was deleted", remedy="run `quartermaster audit verify`")
    return {
        "proof": "inclusion",
        "leaf": leaf,
        "leaf_hash": found.sealed_hash,
        "entry": found.entry,
        "path": _hashes(connection, inclusion_ranges(leaf, checkpoint.size)),
        "checkpoint": checkpoint.as_json(),
    }


def prove_consistency(connection: Connection, old: int, new: int | None = None) -> dict[str, Any]:
    """The proof that the log of `new` entries (default: the newest checkpoint) starts with that of `old`."""
    return prove_extension(connection, checkpoint_at(connection, old), new)


def prove_extension(connection: Connection, old: Checkpoint, new: int | None = None) -> dict[str, Any]:
    """The proof that the log extends the log of a checkpoint that was kept elsewhere.

    It is made whether the log does or not: `check_proof` judges. Raises `NotSealed`.
    """
    later = checkpoint_at(connection, new)
    if not 0 < old.size <= later.size:
        raise NotSealed(
            f"the log has {later.size} sealed entries, the older checkpoint {old.size}",
            field="old",
            remedy="verify the log: it may have been cut",
        )
    return {
        "proof": "consistency",
        "old": old.as_json(),
        "new": later.as_json(),
        "path": _hashes(connection, consistency_ranges(old.size, later.size)),
    }


def check_proof(proof: Any, key: Ed25519PublicKey) -> str:
    """What the proof proves, in a sentence. Needs no database. Raises `ProofRefused` when it proves nothing."""
    try:
        kind, path = proof["proof"], [bytes.fromhex(one) for one in proof["path"]]
        if kind == "inclusion":
            return _check_inclusion(proof, path, key)
        if kind == "consistency":
            return _check_consistency(proof, path, key)
    except (KeyError, TypeError, ValueError) as error:
        raise ProofRefused(
            f"this is no proof: {error}", remedy="make it with `quartermaster audit prove`"
        ) from error
    raise ProofRefused(
        f"there is no kind of proof {kind!r}", remedy="make it with `quartermaster audit prove`"
    )


def _check_inclusion(proof: Any, path: Sequence[bytes], key: Ed25519PublicKey) -> str:
    checkpoint = _signed(proof["checkpoint"], key)
    leaf, entry = proof["leaf"], proof["entry"]
    if hash_of(entry) != proof["leaf_hash"]:
        raise ProofRefused(f"the entry is not the one sealed as leaf {leaf}: it was altered", field="entry")
    head = bytes.fromhex(checkpoint.root)
    if not proves_inclusion(bytes.fromhex(proof["leaf_hash"]), leaf, checkpoint.size, path, head):
        raise ProofRefused(f"the path does not lead from leaf {leaf} to the signed tree head", field="path")
    return f"leaf {leaf} of {checkpoint.size} in log {checkpoint.log}: {about(entry)}"


def _check_consistency(proof: Any, path: Sequence[bytes], key: Ed25519PublicKey) -> str:
    old, new = _signed(proof["old"], key), _signed(proof["new"], key)
    if old.log != new.log:
        raise ProofRefused(f"the checkpoints are of two logs, {old.log} and {new.log}", field="new")
    heads = bytes.fromhex(old.root), bytes.fromhex(new.root)
    if not proves_consistency(old.size, heads[0], new.size, heads[1], path):
        raise ProofRefused(
            f"the log of {new.size} entries does not start with the one of {old.size}: it was rewritten",
            field="path",
        )
    return f"log {new.log}: the first {old.size} of {new.size} entries are as they were at {old.sealed_at}"


def _signed(value: Any, key: Ed25519PublicKey) -> Checkpoint:
    checkpoint = Checkpoint.of(value)
    if not checkpoint.is_signed_by(key):
        raise ProofRefused(
            f"the checkpoint at {checkpoint.size} is not signed by this key",
            field="checkpoint",
            remedy="use the public key of the company that the proof is from",
        )
    return checkpoint


def _hashes(connection: Connection, ranges: Sequence[Range]) -> list[str]:
    """The roots of ranges of leaves, each read once."""
    return [_root_of(connection, low, high).hex() for low, high in ranges]


def _root_of(connection: Connection, low: int, high: int) -> bytes:
    leaves = connection.execution_options(yield_per=10_000).scalars(
        select(audit_leaves.c.leaf_hash)
        .where(audit_leaves.c.leaf >= low, audit_leaves.c.leaf < high)
        .order_by(audit_leaves.c.leaf)
    )
    return root(extend((), map(bytes.fromhex, leaves)))
