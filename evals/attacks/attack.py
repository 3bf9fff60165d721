"""What an attack is, how one ends, and the list of all of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from inspect import getdoc
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from evals.attacks.company import AttackedCompany

MODULES = (
    "proposals",
    "separation",
    "delegation",
    "policies",
    "money",
    "time",
    "identity",
    "http",
    "mcp",
    "mcp_calls",
    "database",
    "processes",
    "agent",
    "automation",
)


class CannotRun(Exception):
    """What the attack needs is not there; the message says what."""


@dataclass(frozen=True, slots=True)
class Held:
    """The attack got nothing; `by` names what stopped it."""

    by: str


@dataclass(frozen=True, slots=True)
class Detected:
    """The attacker wrote into the database itself, and verification names what was written."""

    what: str


@dataclass(frozen=True, slots=True)
class Breach:
    """Something was done, decided or changed without the approvals that policy asks for."""

    what: str


@dataclass(frozen=True, slots=True)
class Missed:
    """Nothing happened, but something else than the guard in question stopped the attack: it proves nothing."""

    what: str


@dataclass(frozen=True, slots=True)
class Skipped:
    """The attack cannot run here."""

    why: str


Result = Held | Detected | Breach | Missed | Skipped
Ending = Literal["held", "detected"]


@dataclass(frozen=True, slots=True)
class Attack:
    """One attack: a stable name, what the attacker has and does, and what must stop it.

    `stopped_by` are the codes of which at least one must have been met, and beside which no other may have been;
    `guard` says in words what stops it. `ends` is how it ends where nothing is wrong: held, or detected by whoever
    verifies afterwards.
    """

    name: str
    kind: str
    story: str
    guard: str
    stopped_by: frozenset[str]
    run: Callable[[AttackedCompany], None]
    ends: Ending = "held"


_ATTACKS: dict[str, Attack] = {}


def attack(
    name: str, stopped_by: str, guard: str, *, ends: Ending = "held"
) -> Callable[[Callable[[AttackedCompany], None]], Callable[[AttackedCompany], None]]:
    """Put a function on the list of attacks; `stopped_by` are codes with spaces between them."""

    def add(run: Callable[[AttackedCompany], None]) -> Callable[[AttackedCompany], None]:
        story = " ".join((getdoc(run) or "").split())
        if name in _ATTACKS or not story:
            raise ValueError(f"{name} is there twice, or does not say what the attacker does")
        kind = run.__module__.rpartition(".")[2]
        _ATTACKS[name] = Attack(name, kind, story, guard, frozenset(stopped_by.split()), run, ends)
        return run

    return add


def all_attacks() -> dict[str, Attack]:
    """Every attack by name, in the order of the modules."""
    for module in MODULES:
        import_module(f"evals.attacks.{module}")
    return dict(_ATTACKS)
