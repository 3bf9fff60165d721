"""The tiny world, posted through the gate on both databases."""

from __future__ import annotations

import gzip
import json
import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, func, select

from api.composition import make_gate
from erp_core.clock import Clock
from erp_core.finance.queries import valuation_differences
from erp_core.gate.model import audit_entries, proposal_decisions, proposal_states, proposals
from erp_core.gate.passwords import check_password
from erp_core.gate.submission import Gate
from erp_core.integration.export import export_canonical
from erp_core.inventory.model import stock_balances
from erp_core.inventory.queries import rebuild_differences
from erp_core.master.model import items, locations
from erp_core.orders.model import order_lines, orders
from erp_core.procurement.contracts.reading import list_contracts
from erp_core.procurement.invoices.payables import payables, payables_by_invoice
from erp_core.procurement.model import po_lines, supplier_messages
from erp_core.procurement.model.invoices import invoice_steps, supplier_invoices
from erp_core.procurement.model.quotations import quotation_awards
from erp_core.procurement.quotations.reading import list_quotation_requests, read_requests
from erp_core.returns.model import return_lines
from erp_core.storage.engine import open_engine, reading
from evals.worlds import TINY, Summary, WorldRefused, read_truth, tiny, truth_path
from evals.worlds.engine import simulate
from tests.evals.worlds.replay import Replay


def _count(engine: Engine, table) -> int:
    with reading(engine) as connection:
        return connection.scalar(select(func.count()).select_from(table))


def test_the_gate_takes_every_command_and_the_ledger_agrees_with_the_simulation(
    gate: Gate, engine: Engine, tmp_path: Path
) -> None:
    summary = tiny(gate, engine, home=tmp_path)
    story = simulate(TINY, 7)
    with reading(engine) as connection:
        assert rebuild_differences(connection) == []
        assert valuation_differences(connection) == []
        available = {
            (sku, code): units
            for sku, code, units in connection.execute(
                select(items.c.sku, locations.c.code, stock_balances.c.quantity)
                .join(items, items.c.id == stock_balances.c.item_id)
                .join(locations, locations.c.id == stock_balances.c.location_id)
                .where(stock_balances.c.state == "available")
            )
        }
        refused = connection.scalar(
            select(func.count())
            .select_from(audit_entries)
            .where(audit_entries.c.outcome.in_(("refused", "denied")))
        )
    places = story.catalogue.locations
    for cell, units in enumerate(story.final_stock):
        item, place = story.catalogue.items[cell // len(places)], places[cell % len(places)]
        assert available.get((item.sku, place.code), 0) == units
    assert refused == 0
    assert _count(engine, order_lines) == summary.order_lines
    assert _count(engine, po_lines) == summary.po_lines
    assert _count(engine, return_lines) == summary.return_lines
    assert _count(engine, orders) == summary.counts["PlaceOrder"]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("tiny")


@pytest.fixture(scope="module")
def built(home: Path, sqlite_template: Path) -> Iterator[tuple[Gate, Engine, Summary]]:
    """The tiny world on SQLite, built once for all tests that only look at it."""
    shutil.copy(sqlite_template, home / "company.db")
    engine = open_engine(f"sqlite:///{home / 'company.db'}")
    gate = make_gate(engine, Clock(fixed_business_date=TINY.end), home=home)
    yield gate, engine, tiny(gate, engine, home=home, password="a long pass phrase")
    engine.dispose()


def test_building_again_changes_nothing_and_another_seed_on_top_is_refused(
    built: tuple[Gate, Engine, Summary], tmp_path: Path
) -> None:
    gate, engine, first = built
    again = tiny(gate, engine, home=tmp_path, password="a long pass phrase")
    assert again.counts == first.counts
    assert again.truth.read_bytes() == first.truth.read_bytes()
    assert _count(engine, order_lines) == first.order_lines
    with pytest.raises(WorldRefused, match="seed 7 already"):
        tiny(gate, engine, home=tmp_path, seed=8)
    assert not truth_path(tmp_path, 8).exists()


def test_the_same_seed_gives_the_same_canonical_export_in_another_database(
    built: tuple[Gate, Engine, Summary], sqlite_gate: Gate, sqlite_engine: Engine, tmp_path: Path
) -> None:
    tiny(sqlite_gate, sqlite_engine, home=tmp_path, password="a long pass phrase")
    assert export_canonical(built[1]) == export_canonical(sqlite_engine)


@pytest.mark.capability("S238")
def test_larger_purchases_were_approved_by_somebody_else(built: tuple[Gate, Engine, Summary]) -> None:
    with reading(built[1]) as connection:
        states = set(connection.scalars(select(proposal_states.c.status)))
        decided = connection.execute(
            select(proposals.c.requested_by, proposal_decisions.c.user_id).join(
                proposal_decisions, proposal_decisions.c.proposal_id == proposals.c.id
            )
        ).all()
    assert "executed" in states and states <= {"executed", "pending"}
    assert decided and all(asked != approved for asked, approved in decided)


def test_hostile_mail_is_kept_as_data_and_the_truth_stays_out_of_the_database(
    built: tuple[Gate, Engine, Summary], home: Path
) -> None:
    _, engine, summary = built
    truth = read_truth(home, 7)
    assert truth == json.loads(gzip.decompress(summary.truth.read_bytes()))
    hostile = {one["body"] for one in truth["mail"] if one["tone"] == "hostile"}
    with reading(engine) as connection:
        stored = set(connection.scalars(select(supplier_messages.c.body)))
        entries = json.dumps([str(one) for one in connection.scalars(select(audit_entries.c.payload))])
    assert hostile and hostile <= stored
    assert "listing_loss" not in entries and '"factor"' not in entries


def test_people_log_in_with_the_password_the_caller_gave(built: tuple[Gate, Engine, Summary]) -> None:
    with reading(built[1]) as connection:
        assert check_password(connection, "planner", "a long pass phrase") is not None
        assert check_password(connection, "planner", "another") is None


@pytest.mark.capability("S106", "S107")
def test_the_match_finds_what_the_story_made_wrong_and_pays_nothing_else(
    gate: Gate, engine: Engine, tmp_path: Path
) -> None:
    tiny(gate, engine, home=tmp_path)
    story = simulate(TINY, 7)
    replay = Replay(story)
    replay.batch(story.events)
    with reading(engine) as connection:
        found = Counter(connection.scalars(select(supplier_invoices.c.status)))
        steps = connection.execute(select(invoice_steps.c.status, invoice_steps.c.user_id)).all()
        assert payables(connection, TINY.end) == payables_by_invoice(connection, TINY.end)
    assert found == Counter(replay.invoices.values())
    assert found["paid"] > 0
    payers = {user_id for status, user_id in steps if status == "paid"}
    assert payers.isdisjoint(user_id for status, user_id in steps if status != "paid")


@pytest.mark.capability("S89")
def test_a_request_for_quotation_is_awarded_and_another_waits_for_an_answer(
    built: tuple[Gate, Engine, Summary],
) -> None:
    with reading(built[1]) as connection:
        requests = list_quotation_requests(connection)
        contracts = list_contracts(connection, TINY.end)
        waiting = read_requests(connection, [one.id for one in requests if one.status == "open"])
        drafts = set(connection.scalars(select(quotation_awards.c.reason_code)))
    assert sorted(one.status for one in requests) == ["awarded", "open"]
    assert all(one.waiting for one in waiting.values())
    assert drafts == {None}
    assert {one.state for one in contracts} == {"running"}
