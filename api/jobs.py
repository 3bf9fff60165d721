"""Background work: seal the audit log, expire what is due, relay events, run queued jobs, scan and automate on schedule.

One runner works per company at a time, wherever it runs: in the server's process, or as
`quartermaster jobs` beside servers that were started with `--no-jobs`. On SQLite a lock file decides
which, on PostgreSQL an advisory lock. A second runner waits, and takes over when the first is gone.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property

import structlog
from filelock import FileLock, Timeout
from sqlalchemy import Connection, func, select, text

from api.board import Board, JobKind
from api.company import Company
from api.upkeep import keep_up
from api.work import perform
from erp_core.gate.contract import Refused
from erp_core.gate.decisions import EscalateProposals, ExpireProposals
from erp_core.gate.model import proposal_escalations, proposal_states, proposals
from erp_core.gate.principals import Principal
from erp_core.gate.relay import OutboxEvent, relay
from erp_core.inventory.commands import ExpireReservations, QuarantineExpired
from erp_core.inventory.lots.queries import still_sellable_after
from erp_core.inventory.model import reservations
from erp_core.orders.commands import RaiseStageAlerts
from erp_core.orders.queries.stages import unalerted_clocks
from erp_core.storage.engine import reading
from erp_core.storage.ids import new_id

log = structlog.get_logger("jobs")
_RUNNER_LOCK = 7_203_118


@dataclass(slots=True)
class _Duty:
    """Something to do again and again; `due` is a monotonic moment."""

    name: str
    every: float
    do: Callable[[], object]
    due: float = 0.0


class Runner:
    """The background work of one company. `start` and `stop` it, or `run` it in the foreground."""

    def __init__(
        self,
        company: Company,
        *,
        deliver: Callable[[list[OutboxEvent]], None] | None = None,
        wait: float = 2.0,
    ) -> None:
        self._company = company
        self._deliver = deliver or _log_events
        self._wait = wait
        self._stopping = threading.Event()
        self._threads: list[threading.Thread] = []
        self.board = Board(company.home)

    @cached_property
    def principal(self) -> Principal:
        """The service that background work acts as."""
        return self._company.gate.bootstrap_user(
            "jobs", roles=("jobs",), kind="service", name="Background jobs"
        )

    def start(self) -> None:
        """Work in the background until `stop`."""
        thread = threading.Thread(target=self.run, name="jobs", daemon=True)
        self._threads.append(thread)
        thread.start()

    def end(self) -> None:
        """Let `run` return after what it is doing; safe in a signal handler."""
        self._stopping.set()

    def stop(self) -> None:
        """Finish what is being done and seal the audit log once more."""
        self.end()
        for thread in self._threads:
            thread.join(timeout=30)

    def run(self) -> None:
        """Work until `stop`, whenever this is the company's one runner."""
        while not self._stopping.is_set():
            try:
                with single_runner(self._company) as holding:
                    if holding is not None:
                        self._work(holding)
            except Exception:
                log.exception("the runner starts over")
            self._stopping.wait(self._wait)

    def _work(self, holding: Callable[[], bool]) -> None:
        released = threading.Event()
        worker = threading.Thread(target=self._take_jobs, args=(released,), name="jobs-work", daemon=True)
        worker.start()
        duties = [
            _Duty("seal", 2.0, self.seal),
            _Duty("relay", 2.0, self.relay),
            _Duty("expire", 20.0, self.expire),
            _Duty("schedule", 60.0, self.schedule),
            _Duty("upkeep", 3_600.0, self.keep_up),
        ]
        try:
            while not self._stopping.is_set() and holding():
                for duty in duties:
                    if time.monotonic() >= duty.due and not self._stopping.is_set():
                        _attempt(duty)
                self._stopping.wait(0.5)
            _attempt(duties[0])
        finally:
            released.set()

    def _take_jobs(self, released: threading.Event) -> None:
        while not (self._stopping.is_set() or released.is_set()):
            job = self.board.next()
            if job is None:
                self._stopping.wait(0.3)
            else:
                perform(self._company, self.board, job, self.principal)

    def seal(self) -> int:
        """Seal the audit log; returns how many entries."""
        return self._company.sealer.seal(self._company.clock.now())

    def relay(self) -> int:
        """Hand waiting events on; returns how many."""
        total = 0
        while not self._stopping.is_set():
            count = relay(self._company.engine, self._deliver, self._company.clock.now())
            total += count
            if count == 0:
                break
        return total

    def expire(self) -> None:
        """End proposals and reservations whose time is over, escalate what nobody decided, and alert orders whose
        stage runs out; submits nothing where there is nothing to do.
        """
        now = self._company.clock.business_now()
        with reading(self._company.engine) as connection:
            over, late = connection.execute(
                select(
                    func.count().filter(proposals.c.expires_at <= now),
                    func.count().filter(
                        proposals.c.escalates_at <= now, proposal_escalations.c.proposal_id.is_(None)
                    ),
                )
                .select_from(proposals)
                .join(proposal_states, proposal_states.c.proposal_id == proposals.c.id)
                .outerjoin(proposal_escalations, proposal_escalations.c.proposal_id == proposals.c.id)
                .where(proposal_states.c.status == "pending")
            ).one()
            unalerted = len(unalerted_clocks(connection, now))
            too_old = still_sellable_after(connection, now.date())
            reserved = connection.scalar(
                select(func.count())
                .select_from(reservations)
                .where(reservations.c.status == "pending", reservations.c.expires_at <= now)
            )
        for count, command in (
            (over, ExpireProposals()),
            (late, EscalateProposals()),
            (reserved, ExpireReservations()),
            (too_old, QuarantineExpired()),
            (unalerted, RaiseStageAlerts()),
        ):
            if count:
                outcome = self._company.gate.submit(command, self.principal, key=str(new_id()))
                if isinstance(outcome, Refused):
                    log.warning(
                        "housekeeping refused", command=command.command_name, reason=outcome.error.message
                    )

    def schedule(self) -> None:
        """Queue a scan, or a run of automation, when the last one is older than the settings allow."""
        settings, now = self._company.settings, self._company.clock.now()
        kinds: tuple[tuple[JobKind, int], ...] = (
            ("scan", settings.scan_every_hours),
            ("automation", settings.automation_every_hours),
        )
        for kind, hours in kinds:
            if not hours:
                continue
            last = next((job for job in self.board.list() if job.kind == kind), None)
            if last is None or last.requested_at < now - timedelta(hours=hours):
                self.board.add(kind, {}, self.principal.user_id, now)

    def keep_up(self) -> None:
        """Measure outcomes, lower scopes that fell, forget customers whose time is over; submits nothing where none is."""
        keep_up(self._company, self.principal)


def _attempt(duty: _Duty) -> None:
    try:
        duty.do()
    except Exception:
        log.exception("a duty failed and is tried again", duty=duty.name)
    duty.due = time.monotonic() + duty.every


def _log_events(events: list[OutboxEvent]) -> None:
    for event in events:
        log.debug("event", kind=event.kind, aggregate=event.aggregate_kind, id=str(event.aggregate_id))


@contextmanager
def single_runner(company: Company) -> Iterator[Callable[[], bool] | None]:
    """Be the company's one runner: gives a check that this still holds, or None where another runs."""
    if company.engine.dialect.name == "postgresql":
        with company.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            if not connection.scalar(text("SELECT pg_try_advisory_lock(:key)"), {"key": _RUNNER_LOCK}):
                yield None
                return
            try:
                yield lambda: _alive(connection)
            finally:
                if not connection.invalidated and not connection.closed:
                    connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": _RUNNER_LOCK})
        return
    company.home.mkdir(parents=True, exist_ok=True)
    lock = FileLock(company.home / "jobs.lock", timeout=0)
    try:
        lock.acquire()
    except Timeout:
        yield None
        return
    try:
        yield lambda: True
    finally:
        lock.release()


def _alive(connection: Connection) -> bool:
    connection.execute(text("SELECT 1"))
    return True
