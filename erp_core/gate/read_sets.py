"""Read-sets: the facts that proposals rest on, read for many plans at once, and what moved since."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from erp_core.gate.contract import Asked, Command, DomainError, Registration, Registry
from erp_core.gate.rules import read_set_changes

ReadSet = list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class BatchedReadSet:
    """A registration's `read_set` that can also be read for a whole batch, with a fixed number of statements.

    `of(asked, connection)` answers each command with its facts, or with why they cannot be read.
    """

    of: Callable[[Sequence[Asked[Any]], Connection], Sequence[ReadSet | DomainError]]

    def __call__(self, command: Command, preceding: Sequence[Command], connection: Connection) -> ReadSet:
        """The facts of one command. Raises why they cannot be read."""
        (found,) = self.of([Asked(command, tuple(preceding))], connection)
        if isinstance(found, DomainError):
            raise found
        return found


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
        known |= zip(where, _of_commands(registry.require(name), asked, connection), strict=True)
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


def _of_commands(
    registration: Registration, asked: Sequence[Asked[Any]], connection: Connection
) -> Sequence[ReadSet | DomainError]:
    read_set = registration.read_set
    if read_set is None:
        return [[] for _ in asked]
    if isinstance(read_set, BatchedReadSet):
        return read_set.of(asked, connection)
    found: list[ReadSet | DomainError] = []
    for one in asked:
        try:
            found.append(read_set(one.command, one.preceding, connection))
        except DomainError as error:
            found.append(error)
    return found


def _joined(parts: Sequence[ReadSet | DomainError]) -> ReadSet | DomainError:
    joined: ReadSet = []
    for part in parts:
        if isinstance(part, DomainError):
            return part
        joined.extend(part)
    return joined
