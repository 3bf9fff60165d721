"""The Merkle tree of RFC 6962, section 2.1, kept as a frontier so that appending needs no re-reading.

A *frontier* is the list of roots of the full subtrees that make up the log, largest (leftmost) first,
each as (number of leaves, hash). A *proof* is a list of hashes of ranges of leaves: which ranges is a matter of
sizes alone, so that whoever holds the leaves needs to read each range once, in order.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import sha256

Frontier = tuple[tuple[int, bytes], ...]
Range = tuple[int, int]


def leaf_hash(data: bytes) -> bytes:
    """SHA-256 of 0x00 and the entry."""
    return sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """SHA-256 of 0x01 and both children."""
    return sha256(b"\x01" + left + right).digest()


def extend(frontier: Frontier, leaves: Iterable[bytes]) -> Frontier:
    """The frontier after appending leaf hashes."""
    return extend_by_subtrees(frontier, ((1, leaf) for leaf in leaves))


def extend_by_subtrees(frontier: Frontier, subtrees: Iterable[tuple[int, bytes]]) -> Frontier:
    """The frontier after appending full subtrees, each as (number of leaves, hash).

    Raises `ValueError` for a subtree that is not full or does not start at a multiple of its size.
    """
    stack = list(frontier)
    for count, top in subtrees:
        if count < 1 or count & (count - 1) or (stack and stack[-1][0] < count):
            raise ValueError(f"{count} leaves are no full subtree here")
        while stack and stack[-1][0] == count:
            _, left = stack.pop()
            count, top = 2 * count, node_hash(left, top)
        stack.append((count, top))
    return tuple(stack)


def size_of(frontier: Frontier) -> int:
    """How many leaves the log has."""
    return sum(count for count, _ in frontier)


def root(frontier: Frontier) -> bytes:
    """The tree head of the log; for an empty log the hash of nothing."""
    if not frontier:
        return sha256(b"").digest()
    value = frontier[-1][1]
    for _, left in reversed(frontier[:-1]):
        value = node_hash(left, value)
    return value


def inclusion_ranges(index: int, size: int) -> list[Range]:
    """The ranges of leaves whose roots are the audit path of leaf `index`, from the leaf upwards."""
    if not 0 <= index < size:
        raise ValueError(f"leaf {index} is not in a log of {size}")
    path, low, high = [], 0, size
    while high - low > 1:
        split = low + _split(high - low)
        if index < split:
            path.append((split, high))
            high = split
        else:
            path.append((low, split))
            low = split
    return path[::-1]


def consistency_ranges(old: int, new: int) -> list[Range]:
    """The ranges whose roots prove that the log of `new` leaves starts with the log of `old` leaves."""
    if not 0 < old <= new:
        raise ValueError(f"a log of {new} does not extend one of {old}")
    path, low, high = [], 0, new
    while old != high:
        split = low + _split(high - low)
        if old <= split:
            path.append((split, high))
            high = split
        else:
            path.append((low, split))
            low = split
    if low:
        path.append((low, high))
    return path[::-1]


def proves_inclusion(leaf: bytes, index: int, size: int, path: Sequence[bytes], head: bytes) -> bool:
    """Whether the audit path leads from the leaf at `index` to the tree head (RFC 9162, section 2.1.3.2)."""
    if not 0 <= index < size:
        return False
    position, last, value = index, size - 1, leaf
    for sibling in path:
        if last == 0:
            return False
        if position & 1 or position == last:
            value = node_hash(sibling, value)
            while not position & 1 and position:
                position, last = position >> 1, last >> 1
        else:
            value = node_hash(value, sibling)
        position, last = position >> 1, last >> 1
    return last == 0 and value == head


def proves_consistency(old: int, old_head: bytes, new: int, new_head: bytes, path: Sequence[bytes]) -> bool:
    """Whether the log with the new head starts with the log with the old one (RFC 9162, section 2.1.4.2)."""
    if not 0 < old <= new:
        return False
    if old == new:
        return not path and old_head == new_head
    rest = list(path) if old & (old - 1) else [old_head, *path]
    if not rest:
        return False
    position, last = old - 1, new - 1
    while position & 1:
        position, last = position >> 1, last >> 1
    before = after = rest[0]
    for sibling in rest[1:]:
        if last == 0:
            return False
        if position & 1 or position == last:
            before, after = node_hash(sibling, before), node_hash(sibling, after)
            while not position & 1 and position:
                position, last = position >> 1, last >> 1
        else:
            after = node_hash(after, sibling)
        position, last = position >> 1, last >> 1
    return last == 0 and before == old_head and after == new_head


def _split(size: int) -> int:
    """The largest power of two below `size`."""
    return 1 << (size - 1).bit_length() - 1
