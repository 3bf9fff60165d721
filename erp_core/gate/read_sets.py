"""Read-sets: the facts that proposals rest on, read for many plans at once, and what moved since."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection

from erp_core.gate.contract import Asked, Command, DomainError, ReadSet, Registry
from erp_core.gate.rules import read_set_changes


def read_sets(
    plans: Sequence[Sequence[Command]], registry: Registry, connection: Connection
) -> list[ReadSet | DomainError]:
    """What each plan rests on now, or the first reason why that cannot be read; like commands are asked at once."""
    places: dict[str, list[tuple[int, int]]] = {}
    for number, plan in enumerate(plans):
        for step, command in enumerate(plan):
            places.setdefault(command.command_name, []).append((number, step))
    known: dict[tuple[int, int], ReadSet | DomainError] = {}
    for name, where in places.items():
        asked = [Asked(plans[number][step], tuple(plans[number][:step])) for number, step in where]
        of = registry.require(name).read_sets
        known |= zip(where, of(asked, connection) if of else [[] for _ in asked], strict=True)
    return [_joined([known[number, step] for step in range(len(plan))]) for number, plan in enumerate(plans)]


def changes_since(
    plans: Sequence[tuple[Sequence[Mapping[str, Any]], Sequence[Command]]],
    registry: Registry,
    connection: Connection,
) -> list[list[dict[str, Any]]]:
    """By plan, given with the read-set it was proposed on: the facts beyond their tolerance, none for a fresh one.

    A plan whose facts cannot be read any more, because a document ended, has that as its change.
    """
    now = read_sets([commands for _, commands in plans], registry, connection)
    return [
        [{"fact": "what it rests on", "then": None, "now": found.message}]
        if isinstance(found, DomainError)
        else read_set_changes(then, found)
        for (then, _), found in zip(plans, now, strict=True)
    ]


def _joined(parts: Sequence[ReadSet | DomainError]) -> ReadSet | DomainError:
    joined: ReadSet = []
    for part in parts:
        if isinstance(part, DomainError):
            return part
        joined.extend(part)
    return joined
