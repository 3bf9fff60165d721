"""The Merkle tree against RFC 6962: its definition, its known vectors, and every proof of small logs."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from erp_core.gate.merkle import (
    consistency_ranges,
    extend,
    extend_by_subtrees,
    inclusion_ranges,
    leaf_hash,
    proves_consistency,
    proves_inclusion,
    root,
    size_of,
)
from tests.conftest import size

# The inputs and heads that implementations of Certificate Transparency test themselves with.
INPUTS = [
    "",
    "00",
    "10",
    "2021",
    "3031",
    "40414243",
    "5051525354555657",
    "606162636465666768696a6b6c6d6e6f",
]
HEADS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
LEAVES = [leaf_hash(bytes.fromhex(one)) for one in INPUTS]


def by_definition(leaves: Sequence[bytes]) -> bytes:
    """MTH of RFC 6962, section 2.1, word for word."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return sha256(b"\x01" + by_definition(leaves[:split]) + by_definition(leaves[split:])).digest()


def some(count: int) -> list[bytes]:
    return [leaf_hash(number.to_bytes(4, "big")) for number in range(count)]


def head(leaves: Sequence[bytes]) -> bytes:
    return root(extend((), leaves))


def hashes(leaves: Sequence[bytes], ranges: Sequence[tuple[int, int]]) -> list[bytes]:
    return [head(leaves[low:high]) for low, high in ranges]


@pytest.mark.parametrize("count", range(1, 9))
def test_the_tree_heads_are_those_that_certificate_transparency_publishes(count: int) -> None:
    assert head(LEAVES[:count]).hex() == HEADS[count - 1]


def test_the_head_of_every_size_follows_the_definition() -> None:
    leaves = some(300)
    for count in range(len(leaves) + 1):
        assert head(leaves[:count]) == by_definition(leaves[:count])


@pytest.mark.capability("S207")
def test_every_leaf_of_every_size_has_a_proof_and_no_other_leaf_has_it() -> None:
    leaves = some(size(70, 300))
    for count in range(1, len(leaves) + 1):
        top = head(leaves[:count])
        for index in range(count):
            path = hashes(leaves, inclusion_ranges(index, count))
            assert proves_inclusion(leaves[index], index, count, path, top)
            assert not proves_inclusion(leaf_hash(b"other"), index, count, path, top)
            assert not proves_inclusion(leaves[index], index, count, [*path, top], top)
            assert not path or not proves_inclusion(leaves[index], index, count, path[:-1], top)
            assert not proves_inclusion(leaves[index], (index + 1) % count, count, path, top) or count == 1


@pytest.mark.capability("S207")
def test_every_size_is_proved_to_extend_every_smaller_one_and_no_other_log() -> None:
    leaves, other = some(size(70, 300)), [leaf_hash(b"forged"), *some(300)[1:]]
    heads = [head(leaves[:count]) for count in range(len(leaves) + 1)]
    forged = [head(other[:count]) for count in range(len(leaves) + 1)]
    for new in range(1, len(leaves) + 1):
        for old in range(1, new + 1):
            path = hashes(leaves, consistency_ranges(old, new))
            assert proves_consistency(old, heads[old], new, heads[new], path)
            assert not proves_consistency(old, forged[old], new, heads[new], path)
            assert not proves_consistency(old, heads[old], new, forged[new], path)
            assert not proves_consistency(old, heads[old], new, heads[new], [*path, heads[new]])
            assert old == new or not proves_consistency(old, heads[old], new, heads[new], path[:-1])


@given(st.lists(st.binary(max_size=40), max_size=80), st.integers(0, 80))
def test_sealing_in_batches_gives_the_same_tree_head_as_at_once(entries: list[bytes], cut: int) -> None:
    leaves = [leaf_hash(entry) for entry in entries]
    assert root(extend(extend((), leaves[:cut]), leaves[cut:])) == head(leaves)


@given(st.integers(0, 200), st.integers(0, 6))
def test_full_subtrees_stand_for_their_leaves(before: int, power: int) -> None:
    count = 1 << power
    start = (before + count - 1) // count * count
    leaves = some(start + count)
    short = extend_by_subtrees(extend((), leaves[:start]), [(count, head(leaves[start:]))])
    assert root(short) == head(leaves)
    assert size_of(short) == len(leaves)


@pytest.mark.parametrize("count", [0, -1, 3, 4])
def test_a_subtree_that_is_not_full_or_not_in_its_place_is_refused(count: int) -> None:
    with pytest.raises(ValueError, match="no full subtree"):
        extend_by_subtrees(extend((), some(2)), [(count, b"x" * 32)])


@pytest.mark.parametrize(("old", "new"), [(0, 4), (5, 4), (-1, 4)])
def test_there_is_no_consistency_with_a_log_that_is_empty_or_longer(old: int, new: int) -> None:
    assert not proves_consistency(old, b"", new, b"", [])
    with pytest.raises(ValueError, match="does not extend"):
        consistency_ranges(old, new)
