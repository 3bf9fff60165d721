"""Build a world: simulate it, post it through the gate in bulk, write the truth beside the database."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from erp_core.gate.contract import Command, Executed, Outcome, Proposed, Submission
from erp_core.gate.credentials import hash_password
from erp_core.gate.principals import Principal
from erp_core.gate.proposals import ApproveProposal
from erp_core.gate.submission import Gate
from erp_core.storage.ids import SeededIds
from evals.worlds.engine import Progress, Story, simulate
from evals.worlds.events import Event
from evals.worlds.masterdata import MasterIds, master_commands
from evals.worlds.parameters import SIZES
from evals.worlds.posting import WHO, Commands
from evals.worlds.schedule import batches
from evals.worlds.truth import write_truth

CHUNK = 1_000
_WINDOW_DAYS = 21
_APPROVERS = ("manager", "finance")


class WorldRefused(Exception):
    """The gate took a command otherwise than the simulation meant: the world and its rules have drifted apart."""


@dataclass(frozen=True, slots=True)
class Summary:
    """What was built. `counts` are by command; `truth` is the file for scorers."""

    world: str
    seed: int
    counts: Mapping[str, int]
    order_lines: int
    po_lines: int
    late_po_lines: int
    return_lines: int
    anomalies: int
    truth: Path


def build(
    gate: Gate,
    engine: Engine,
    *,
    seed: int = 2_024,
    home: Path,
    size: str = "demo",
    password: str | None = None,
    progress: Progress | None = None,
) -> Summary:
    """Fill an empty, migrated company with a world (`SIZES`), and give its summary.

    Creates the users with one `password` for all (none can log in without). Raises `WorldRefused` at
    the first command that does not do what the story says. The same seed gives the same company.
    """
    story = simulate(SIZES[size], seed, progress)
    ids, gate_ids = SeededIds(seed), SeededIds(seed + 1)
    for source in (ids, gate_ids):
        source.at(datetime.combine(story.world.start, time(), tzinfo=UTC))
    seeded = gate.with_ids(gate_ids)
    seeded.install_policies()
    poster = _Poster(seeded, gate_ids, _users(seeded, story, password))
    master = MasterIds.draw(story.catalogue, ids)
    for who, commands in master_commands(story, master, ids):
        poster.post(who, commands)
    make = Commands(story, master, ids)
    done, total = 0, len(story.events)
    for batch in batches(story.events, _WINDOW_DAYS):
        for chunk in _chunks(batch):
            poster.post_events(chunk, make)
            done += len(chunk)
            if progress:
                progress("posting", done, total)
    return _summary(story, write_truth(story, home))


def _users(gate: Gate, story: Story, password: str | None) -> dict[str, Principal]:
    """The people of the company, as a service that acts for each of them and may back-date."""
    hashed = hash_password(password) if password else None
    people = {
        login: gate.bootstrap_user(login, roles=(login,), name=name, password_hash=hashed)
        for login, name in story.catalogue.users
    }
    return {
        login: Principal("service", one.user_id, one.login, one.roles | {"simulator"}) for login, one in people.items()
    }


def _chunks(batch: Sequence[Event]) -> Iterator[Sequence[Event]]:
    for start in range(0, len(batch), CHUNK):
        yield batch[start : start + CHUNK]


class _Poster:
    """Submits batches and approves what policy holds, when the story says so or at latest when it is needed."""

    def __init__(self, gate: Gate, gate_ids: SeededIds, principals: Mapping[str, Principal]) -> None:
        self._gate = gate
        self._gate_ids = gate_ids
        self._principals = principals
        self._held: dict[tuple[int, int], Proposed] = {}
        self._keys = 0

    def post(self, who: str, commands: Sequence[Command]) -> None:
        """Post commands that nobody waits to approve: what is held is approved at once."""
        for start in range(0, len(commands), CHUNK):
            part = commands[start : start + CHUNK]
            for command, outcome in zip(part, self._submit(part, who), strict=True):
                if isinstance(outcome, Proposed):
                    self._approve([(outcome, command.occurred_at)])

    def post_events(self, events: Sequence[Event], make: Commands) -> None:
        """Post a batch of one kind."""
        self._gate_ids.at(make.moment(events[0]))
        kind = events[0].kind
        if kind == "ApproveProposal":
            self._approve_held(events, make)
            return
        if kind == "SendPurchaseOrder":
            self._approve_held(events, make)
        outcomes = self._submit([make(event) for event in events], WHO[kind])
        held = [(event, outcome) for event, outcome in zip(events, outcomes, strict=True) if isinstance(outcome, Proposed)]
        if kind == "SubmitPurchaseOrder":
            self._held |= {event.document: outcome for event, outcome in held}
        else:
            self._approve([(outcome, make.moment(event)) for event, outcome in held])

    def _approve_held(self, events: Sequence[Event], make: Commands) -> None:
        waiting = [(event, self._held.pop(event.document, None)) for event in events]
        self._approve([(held, make.moment(event)) for event, held in waiting if held is not None])

    def _approve(self, held: Sequence[tuple[Proposed, datetime | None]]) -> None:
        for who in _APPROVERS:
            commands = [
                ApproveProposal(occurred_at=moment, proposal_id=one.proposal_id, payload_hash=one.payload_hash)
                for one, moment in held
            ]
            outcomes = self._submit(commands, who) if commands else []
            held = [one for one, outcome in zip(held, outcomes, strict=True) if _status(outcome) != "executed"]
        if held:
            raise WorldRefused(f"{len(held)} proposals are not executed after all approvals, such as {held[0]}")

    def _submit(self, commands: Sequence[Command], who: str) -> list[Outcome]:
        submissions = [Submission(command, self._key()) for command in commands]
        outcomes = self._gate.submit_many(submissions, self._principals[who])
        for command, outcome in zip(commands, outcomes, strict=True):
            if not isinstance(outcome, Executed | Proposed):
                raise WorldRefused(f"{command!r}: {_why(outcome)}")
        return outcomes

    def _key(self) -> str:
        self._keys += 1
        return f"world-{self._keys:07d}"


def _status(outcome: Outcome) -> Any:
    return outcome.result.get("status") if isinstance(outcome, Executed) else None


def _why(outcome: Outcome) -> str:
    error = getattr(outcome, "error", None)
    return str(error.as_dict()) if error is not None else repr(outcome)


def _summary(story: Story, truth: Path) -> Summary:
    lines: Counter[str] = Counter()
    for event in story.events:
        if event.kind in ("PlaceOrder", "CreatePurchaseOrder", "AuthoriseReturn"):
            lines[event.kind] += len(event.data.lines)
    return Summary(
        world=story.world.name,
        seed=story.seed,
        counts=dict(sorted(Counter(event.kind for event in story.events).items())),
        order_lines=lines["PlaceOrder"],
        po_lines=lines["CreatePurchaseOrder"],
        late_po_lines=len(story.delays),
        return_lines=lines["AuthoriseReturn"],
        anomalies=len(story.anomalies),
        truth=truth,
    )
