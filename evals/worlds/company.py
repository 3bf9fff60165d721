"""Build a world: simulate it, post it through the gate in bulk, write the truth beside the database."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time
from itertools import groupby
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, select

from erp_core.gate.contract import Command, Executed, Outcome, Proposed, Submission
from erp_core.gate.decisions import ApproveProposal
from erp_core.gate.model import company
from erp_core.gate.passwords import hash_password
from erp_core.gate.principals import Principal
from erp_core.gate.submission import Gate
from erp_core.orders.commands import AlertOrders
from erp_core.storage.engine import reading
from erp_core.storage.ids import SeededIds
from evals.worlds.engine import Premise
from evals.worlds.events import Event
from evals.worlds.masterdata import MasterIds, master_commands
from evals.worlds.papers import BY
from evals.worlds.parameters import SIZES, WorldParameters
from evals.worlds.posting import WHO, Commands
from evals.worlds.settling import Settling
from evals.worlds.telling import Chapter, Document, Ending, Telling, chapters
from evals.worlds.truth import write_truth

Progress = Callable[[str, int, int], None]
"""Called with what is being done, the days done, and the days there are."""

CHUNK = 3_000
"""Commands in one transaction: many, for nobody else writes to a company under construction."""
_APPROVERS = ("manager", "finance")
_PAPERS, _ALERTS = 3, 6
_EVENING = time(23, 45)
_GOVERNED = (
    "SubmitPurchaseOrder",
    "DisposeReturn",
    "TransferStock",
    "DecideHeldGoods",
    "AgreeContract",
    "AwardQuotation",
    "AcceptSupplierInvoice",
    "PaySupplierInvoices",
)


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
    telling: Telling | None = None,
) -> Summary:
    """Fill an empty, migrated company with a world (`SIZES`), and give its summary.

    Creates the users with one `password` for all (none can log in without). Raises `WorldRefused` at
    the first command that does not do what the story says, and before anything is posted when the
    company holds another world. The same seed gives the same company. `telling` is its
    story where another process tells it already (`chapters_aside`).
    """
    _require_room(engine, seed)
    world = SIZES[size]
    with _without_collector():
        ending = _post(gate, telling or chapters(world, seed), password, progress)
    return _summary(world, ending, write_truth(ending.truth, home))


def _post(gate: Gate, telling: Telling, password: str | None, progress: Progress | None) -> Ending:
    premise = next(telling)
    assert isinstance(premise, Premise)
    world, seed = premise.world, premise.seed
    ids, gate_ids = SeededIds(seed), SeededIds(seed + 1)
    for source in (ids, gate_ids):
        source.at(datetime.combine(world.start, time(), tzinfo=UTC))
    seeded = gate.with_ids(gate_ids)
    seeded.install_policies()
    people = _users(seeded, premise, password)
    poster = _Poster(seeded, gate_ids, people)
    papers = _papers(gate, premise, people, password)
    master = MasterIds.draw(premise.catalogue, ids)
    for who, commands in master_commands(premise, master, ids):
        poster.post(who, commands)
    make = Commands(premise, master, ids)
    settling = Settling(world, seed)
    alert_ids = SeededIds(seed + _ALERTS)
    while True:
        try:
            chapter = next(telling)
        except StopIteration as end:
            ending: Ending = end.value
            return ending
        assert isinstance(chapter, Chapter)
        poster.turn_to(chapter)
        for batch in _joined(chapter.batches):
            for chunk in _chunks(batch):
                (papers if chunk[0].kind in BY else poster).post_events(chunk, make)
        _settle(gate, settling, chapter.until, people["finance"])
        _alert(gate.with_ids(alert_ids), world.day(chapter.until - 1), people["service"])
        if progress:
            progress("posting", chapter.until, world.days)


def _settle(gate: Gate, settling: Settling, until: int, finance: Principal) -> None:
    """Record what customers paid and got back up to a day, with ids and keys apart from those of the story."""
    with reading(gate.engine) as connection:
        reports = dict(settling.reports(connection, until))
    apart = gate.with_ids(settling.ids)
    for name, commands in reports.items():
        submissions = [
            Submission(command, f"{name}-{until}-{number}") for number, command in enumerate(commands)
        ]
        for outcome in apart.submit_many(submissions, finance) if submissions else ():
            if not isinstance(outcome, Executed):
                raise WorldRefused(_why(outcome))


def _alert(gate: Gate, day: date, service: Principal) -> None:
    """Tell customers who is late on a day, and who no longer is, as the jobs of a company at work do every hour."""
    at = datetime.combine(day, _EVENING, tzinfo=UTC)
    outcome = gate.submit(AlertOrders(occurred_at=at), service, key=f"alerts-{day}")
    if not isinstance(outcome, Executed):
        raise WorldRefused(_why(outcome))


def _require_room(engine: Engine, seed: int) -> None:
    with reading(engine) as connection:
        there = connection.scalar(select(company.c.value).where(company.c.key == "seed"))
    if there not in (None, str(seed)):
        raise WorldRefused(f"the company holds the world of seed {there} already: use an empty database")


@contextmanager
def _without_collector() -> Iterator[None]:
    """Nothing of a world is garbage before it is posted, so the cyclic collector would only look in vain."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _users(gate: Gate, premise: Premise, password: str | None) -> dict[str, Principal]:
    """The people of the company, as a service that acts for each of them and may back-date."""
    return _principals(gate, [(*user, user[0]) for user in premise.catalogue.users], password)


def _principals(
    gate: Gate, logins: Iterable[tuple[str, str, str]], password: str | None
) -> dict[str, Principal]:
    hashed = hash_password(password) if password else None
    people = {
        login: gate.bootstrap_user(login, roles=(role,), name=name, password_hash=hashed)
        for login, name, role in logins
    }
    return {
        login: Principal("service", one.user_id, one.login, one.roles | {"simulator"})
        for login, one in people.items()
    }


def _papers(gate: Gate, premise: Premise, people: Mapping[str, Principal], password: str | None) -> _Poster:
    """Who posts invoices, payments, contracts and quotations: with ids and keys apart, so that no others move.

    To policy it is the person for whom it acts: no service may pay.
    """
    ids = SeededIds(premise.seed + _PAPERS)
    ids.at(datetime.combine(premise.world.start, time(), tzinfo=UTC))
    apart = gate.with_ids(ids)
    known = {**people, **_principals(apart, premise.catalogue.colleagues, password)}
    persons = {login: replace(one, owner_kind="person") for login, one in known.items()}
    return _Poster(apart, ids, persons, "papers")


def _joined(batches: Iterable[list[Event]]) -> Iterator[list[Event]]:
    """Neighbouring small batches of the same person as one: a batch is a transaction, and many are tiny.

    What policy may hold stays alone: it is judged on what is committed before.
    """
    waiting: list[Event] = []
    for batch in batches:
        governed = batch[0].kind in _GOVERNED
        same = bool(waiting) and _poster_of(waiting[0]) == _poster_of(batch[0]) and not governed
        if waiting and not (same and len(waiting) + len(batch) <= CHUNK):
            yield waiting
            waiting = []
        if governed:
            yield batch
        else:
            waiting = waiting + batch
    if waiting:
        yield waiting


def _poster_of(event: Event) -> tuple[str, bool]:
    return WHO[event.kind], event.kind in BY


def _chunks(batch: Sequence[Event]) -> Iterator[Sequence[Event]]:
    for start in range(0, len(batch), CHUNK):
        yield batch[start : start + CHUNK]


class _Poster:
    """Submits batches and approves what policy holds, at the moment that the story says.

    An approval is posted next to its submission: a proposal rests on stock that later batches move.
    What the story leaves undecided stays pending.
    """

    def __init__(
        self, gate: Gate, gate_ids: SeededIds, principals: Mapping[str, Principal], key: str = "world"
    ) -> None:
        self._approvals: Mapping[Document, Event] = {}
        self._undecided: frozenset[Document] = frozenset()
        self._gate = gate
        self._gate_ids = gate_ids
        self._principals = principals
        self._key_of, self._keys = key, 0

    def turn_to(self, chapter: Chapter) -> None:
        """Post the events of this chapter from now on."""
        self._approvals, self._undecided = chapter.approvals, chapter.undecided

    def post(self, who: str, commands: Sequence[Command]) -> None:
        """Post commands that nobody waits to approve: what is held is approved at once."""
        for start in range(0, len(commands), CHUNK):
            part = commands[start : start + CHUNK]
            for command, outcome in zip(part, self._submit(part, who), strict=True):
                if isinstance(outcome, Proposed):
                    self._approve([(outcome, command.occurred_at)], who)

    def post_events(self, events: Sequence[Event], make: Commands) -> None:
        """Post a batch of one person; of one kind, where policy may hold it."""
        self._gate_ids.at(make.moment(events[0]))
        if events[0].kind != "SubmitPurchaseOrder":
            self._post_batch(events, make)
            return
        for approval, group in groupby(events, key=lambda event: self._approvals.get(event.document)):
            self._post_batch(list(group), make, approval)

    def _post_batch(self, events: Sequence[Event], make: Commands, approval: Event | None = None) -> None:
        who = WHO[events[0].kind]
        outcomes = self._submit([make(event) for event in events], who)
        held = [
            (outcome, make.moment(approval or event))
            for event, outcome in zip(events, outcomes, strict=True)
            if isinstance(outcome, Proposed) and event.document not in self._undecided
        ]
        self._approve(held, who)

    def _approve(self, held: Sequence[tuple[Proposed, datetime | None]], asker: str) -> None:
        """Let everybody asked for say yes. What a yes to another made stale is proposed again on what holds then."""
        for who in _APPROVERS:
            asked = [one for one in held if who in _roles(one[0])]
            waiting = [one for one in held if who not in _roles(one[0])]
            commands = [
                ApproveProposal(
                    occurred_at=moment, proposal_id=one.proposal_id, payload_hash=one.payload_hash
                )
                for one, moment in asked
            ]
            outcomes = self._submit(commands, who) if commands else []
            for one, outcome in zip(asked, outcomes, strict=True):
                status = _status(outcome)
                if status == "stale":
                    self._propose_again(one, asker)
                elif status != "executed":
                    waiting.append(one)
            held = waiting
        if held:
            raise WorldRefused(
                f"{len(held)} proposals are not executed after all approvals, such as {held[0]}"
            )

    def _propose_again(self, one: tuple[Proposed, datetime | None], asker: str) -> None:
        outcome = self._gate.rebase(one[0].proposal_id, self._principals[asker], key=self._key())
        if isinstance(outcome, Proposed):
            self._approve([(outcome, one[1])], asker)
        elif not isinstance(outcome, Executed):
            raise WorldRefused(_why(outcome))

    def _submit(self, commands: Sequence[Command], who: str) -> list[Outcome]:
        submissions = [Submission(command, self._key()) for command in commands]
        outcomes = self._gate.submit_many(submissions, self._principals[who])
        for command, outcome in zip(commands, outcomes, strict=True):
            if not isinstance(outcome, Executed | Proposed):
                raise WorldRefused(f"{command!r}: {_why(outcome)}")
        return outcomes

    def _key(self) -> str:
        self._keys += 1
        return f"{self._key_of}-{self._keys:07d}"


def _roles(proposed: Proposed) -> set[str]:
    return {approver["role"] for approver in proposed.approvers}


def _status(outcome: Outcome) -> Any:
    if not isinstance(outcome, Executed) or "failed" in outcome.result:
        raise WorldRefused(_why(outcome))
    return outcome.result["status"]


def _why(outcome: Outcome) -> str:
    error = getattr(outcome, "error", None)
    return str(error.as_dict()) if error is not None else repr(outcome)


def _summary(world: WorldParameters, ending: Ending, truth: Path) -> Summary:
    return Summary(
        world=world.name,
        seed=ending.truth["seed"],
        counts=ending.counts,
        order_lines=ending.lines["PlaceOrder"],
        po_lines=ending.lines["CreatePurchaseOrder"] + ending.lines["AwardQuotation"],
        late_po_lines=ending.late_lines,
        return_lines=ending.lines["AuthoriseReturn"],
        anomalies=ending.anomalies,
        truth=truth,
    )
