"""Background work: sealing, expiry, relay, queued jobs, one runner; and the demo's build."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Connection, func, select

from api import demo
from api.board import Board, Job
from api.company import Company, open_company
from api.composition import make_gate
from api.jobs import Runner, single_runner
from api.setup import initialise
from api.work import perform
from erp_core.clock import Clock
from erp_core.gate.model import outbox
from erp_core.gate.queries import get_proposal, seal_state
from erp_core.gate.relay import OutboxEvent, relay
from erp_core.settings import Settings
from erp_core.storage.engine import open_engine, reading
from tests.api.conftest import User


def unrelayed(company: Company) -> int:
    with reading(company.engine) as connection:
        return (
            connection.scalar(select(func.count()).select_from(outbox).where(outbox.c.relayed_at.is_(None)))
            or 0
        )


@pytest.mark.capability("S207")
def test_the_runner_seals_what_was_written_within_seconds(tiny_company: Company) -> None:
    runner = Runner(tiny_company)
    runner.start()
    tiny_company.gate.record(runner.principal, "LogIn", "executed", {})
    until = time.monotonic() + 30
    while time.monotonic() < until:
        with reading(tiny_company.engine) as connection:
            state = seal_state(connection)
        if state.entries == state.sealed:
            break
        time.sleep(0.1)
    runner.stop()
    assert state.entries == state.sealed


def test_two_runners_never_work_at_the_same_time(tiny_company: Company) -> None:
    with single_runner(tiny_company) as first:
        assert first is not None and first()
        with single_runner(tiny_company) as second:
            assert second is None
    with single_runner(tiny_company) as third:
        assert third is not None


@pytest.mark.capability("S215", "S220")
def test_events_are_relayed_in_order_and_none_is_lost_when_a_subscriber_fails(tiny_company: Company) -> None:
    waiting = unrelayed(tiny_company)
    assert waiting > 100

    def fail(_events: list[OutboxEvent]) -> None:
        raise ConnectionError("the subscriber is away")

    with pytest.raises(ConnectionError):
        relay(tiny_company.engine, fail, tiny_company.clock.now(), limit=50)
    assert unrelayed(tiny_company) == waiting
    seen: list[OutboxEvent] = []
    runner = Runner(tiny_company, deliver=seen.extend)
    assert runner.relay() == waiting and unrelayed(tiny_company) == 0
    versions: dict[tuple[str, object], int] = {}
    for event in seen:
        aggregate = (event.aggregate_kind, event.aggregate_id)
        assert event.version >= versions.get(aggregate, 0)
        versions[aggregate] = event.version


def test_a_proposal_whose_time_is_over_is_ended(user: Callable[[str], User], tiny_company: Company) -> None:
    answer = user("planner").post("/ask", {"question": "order 60 of OUT-0112 from Ningbo Harvest Metalware"})
    (proposed,) = answer["proposals"]
    today, wall = tiny_company.clock.today(), tiny_company.clock.now() + timedelta(days=30)
    for date, status in ((today, "pending"), (today + timedelta(days=30), "expired")):
        later = Clock(now=lambda: wall, fixed_business_date=date)
        gate = make_gate(tiny_company.engine, later, home=tiny_company.home)
        Runner(Company(tiny_company.settings, tiny_company.engine, later, gate, tiny_company.sealer)).expire()
        with reading(tiny_company.engine) as connection:
            assert _status(connection, proposed["id"]) == status


def _status(connection: Connection, proposal_id: str) -> str:
    view = get_proposal(connection, UUID(proposal_id))
    assert view is not None
    return view.status


def test_a_scan_is_queued_when_the_last_one_is_too_old(tiny_company: Company) -> None:
    hourly = tiny_company.settings.model_copy(update={"scan_every_hours": 1})
    company = Company(hourly, tiny_company.engine, tiny_company.clock, tiny_company.gate, tiny_company.sealer)
    runner = Runner(company)
    runner.schedule()
    runner.schedule()
    assert [job.kind for job in runner.board.list()] == ["scan"]
    Runner(tiny_company).schedule()
    assert len(runner.board.list()) == 1


def test_a_failed_job_says_why_and_a_job_of_a_killed_runner_is_taken_up_again(tmp_path: Path) -> None:
    company = open_company(Settings(home=tmp_path, database_url=None))
    admin = initialise(company, admin_login="root", password="long enough")
    runner = Runner(company)
    board = Board(tmp_path)
    job = board.add("train", {}, admin.user_id, company.clock.now())
    board.save(job.model_copy(update={"status": "running"}))
    taken = board.next()
    assert taken is not None and taken.id == job.id
    failed = perform(company, board, taken, runner.principal)
    assert failed.status == "failed" and "import" in (failed.error or "")
    assert board.get(job.id) == failed and board.next() is None
    company.close()


def test_jobs_are_taken_in_the_order_in_which_they_were_asked_for(tmp_path: Path) -> None:
    board = Board(tmp_path)
    now = Clock().now()
    jobs: list[Job] = []
    for kind in ("train", "forecast", "scan"):
        jobs.append(board.add(kind, {}, uuid4(), now))
        time.sleep(0.002)
    for job in jobs:
        assert board.next() == job
        board.save(job.model_copy(update={"status": "done"}))
    assert board.next() is None


def test_a_demo_build_that_broke_off_leaves_nothing_and_starts_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "demo"
    with monkeypatch.context() as patch:
        patch.setattr(demo.Stages, "run", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            demo.load(home, 7, size="tiny")
    assert not home.exists() and (tmp_path / "demo.partial").exists()
    assert set(demo.load(home, 7, size="tiny")) >= {"company", "train", "scan"}
    assert (home / "demo.json").exists() and not (tmp_path / "demo.partial").exists()
    engine = open_engine(f"sqlite:///{home / 'quartermaster.db'}")
    with reading(engine) as connection:
        assert seal_state(connection).sealed > 1_000
    engine.dispose()
