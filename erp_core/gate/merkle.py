"""The Merkle tree of RFC 6962, section 2.1, kept as a frontier so that appending needs no re-reading.

A *frontier* is the list of roots of the full subtrees that make up the log, largest (leftmost) first,
each as (number of leaves, hash).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import sha256

Frontier = tuple[tuple[int, bytes], ...]


def leaf_hash(data: bytes) -> bytes:
    """SHA-256 of 0x00 and the entry."""
    return sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """SHA-256 of 0x01 and both children."""
    return sha256(b"\x01" + left + right).digest()


def extend(frontier: Frontier, leaves: Iterable[bytes]) -> Frontier:
    """The frontier after appending leaf hashes."""
    stack = list(frontier)
    for leaf in leaves:
        count, top = 1, leaf
        while stack and stack[-1][0] == count:
            _, left = stack.pop()
            count, top = 2 * count, node_hash(left, top)
        stack.append((count, top))
    return tuple(stack)


def root(frontier: Frontier) -> bytes:
    """The tree head of the log; for an empty log the hash of nothing."""
    if not frontier:
        return sha256(b"").digest()
    value = frontier[-1][1]
    for _, left in reversed(frontier[:-1]):
        value = node_hash(left, value)
    return value


def inclusion_proof(index: int, leaves: Sequence[bytes]) -> list[bytes]:
    """The audit path of leaf `index` in the tree over `leaves`, from the leaf upwards."""
    if len(leaves) <= 1:
        return []
    split = 1 << (len(leaves) - 1).bit_length() - 1
    if index < split:
        return [*inclusion_proof(index, leaves[:split]), root(extend((), leaves[split:]))]
    return [*inclusion_proof(index - split, leaves[split:]), root(extend((), leaves[:split]))]


def root_from_proof(leaf: bytes, index: int, size: int, path: Sequence[bytes]) -> bytes:
    """The tree head that an audit path leads to (RFC 9162, section 2.1.3.2)."""
    position, last, value = index, size - 1, leaf
    for sibling in path:
        if position & 1 or position == last:
            value = node_hash(sibling, value)
            while not position & 1 and position:
                position, last = position >> 1, last >> 1
        else:
            value = node_hash(value, sibling)
        position, last = position >> 1, last >> 1
    return value
