"""The proposals that wait when the demo company is opened."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import Engine

from api.composition import make_gate
from api.proposals import changes_of, detail_of
from erp_core.clock import Clock
from erp_core.exceptions.commands import RecordScan
from erp_core.exceptions.draft import CaseDraft
from erp_core.gate.contract import Executed
from erp_core.gate.queries import ProposalView, list_proposals
from erp_core.gate.submission import Gate
from erp_core.integration.export import export_canonical
from erp_core.master.queries import list_items, list_locations, list_supplier_items
from erp_core.storage.engine import reading
from evals.worlds import TINY, tiny
from evals.worlds.desk import leave_work

A_YEAR_ON = TINY.start + timedelta(days=363)
"""The tiny world has three months of history; on this day they are last year's."""


def scanned(gate: Gate) -> None:
    """Cases with purchases and transfers as best actions, as a scan would find them."""
    with reading(gate.engine) as connection:
        items = list_items(connection)
        places = list_locations(connection)
        offers = {
            one.item_id: one
            for one in list_supplier_items(connection, on=gate.clock.today())
            if one.rank == 1
        }
    drafts = []
    for n, item in enumerate(items[:12]):
        offer = offers[item.id]
        lots = 1 if n % 2 else 30_000_000 // (offer.price * offer.order_multiple) + 1
        order = {
            "po_id": None,
            "supplier_id": str(offer.supplier_id),
            "location_id": str(places[0].id),
            "lines": [
                {
                    "line_id": None,
                    "item_id": str(item.id),
                    "quantity": max(lots * offer.order_multiple, offer.minimum_quantity),
                }
            ],
            "reason": "needed",
        } | ({"expedite_cost": 0} if n % 3 else {})
        move = {
            "transfer_id": None,
            "from_location_id": str(places[0].id),
            "to_location_id": str(places[1].id),
            "lines": [{"item_id": str(item.id), "quantity": 1}],
        }
        commands: list[dict[str, Any]] = (
            [{"command": "TransferStock", "payload": move}]
            if n % 4 == 3
            else [
                {"command": "CreatePurchaseOrder", "payload": order},
                {"command": "SubmitPurchaseOrder", "payload": {"po_id": None}},
            ]
        )
        drafts.append(
            CaseDraft(
                kind="stockout_risk",
                subject_key=f"{item.id}:{places[0].id}",
                title=f"{item.name} runs out",
                subjects=(("item", item.id), ("location", places[0].id)),
                probability=0.9,
                deadline=datetime(2026, 7, 5, tzinfo=UTC),
                expected_loss=10_000_000 - n,
                residual_loss=0,
                action_cost=0,
                evidence=(),
                action={"kind": "order_now", "label": f"Order {item.name}", "commands": commands},
            )
        )
    jobs = gate.bootstrap_user("jobs", roles=("jobs",), kind="service")
    scan = RecordScan(scan_id=uuid4(), as_of=TINY.end, kinds=("stockout_risk",), drafts=tuple(drafts))
    assert isinstance(gate.submit(scan, jobs, key="scan"), Executed)


@dataclass(frozen=True)
class Desk:
    gate: Gate
    proposals: list[ProposalView]
    digest: str


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> Iterator[Desk]:
    from erp_core.storage.engine import open_engine

    home = tmp_path_factory.mktemp("desk")
    shutil.copy(sqlite_template, home / "company.db")
    engine = open_engine(f"sqlite:///{home / 'company.db'}")
    yield worked(engine, home)
    engine.dispose()


def worked(engine: Engine, home: Path) -> Desk:
    gate = make_gate(engine, Clock(fixed_business_date=TINY.end), home=home)
    tiny(gate, engine, home=home)
    scanned(gate)
    with reading(engine) as connection:
        before = {one.id for one in list_proposals(connection, status=None, limit=500)[0]}
    made = leave_work(gate, A_YEAR_ON, 7)
    with reading(engine) as connection:
        proposals = [one for one in list_proposals(connection, status=None, limit=500)[0]]
    mine = [one for one in proposals if one.id not in before]
    assert len(mine) == made
    return Desk(gate, mine, export_canonical(engine))


def test_a_believable_queue_waits_for_different_people(built: Desk) -> None:
    pending = [one for one in built.proposals if one.status == "pending"]
    assert 8 <= len(pending) <= 20
    assert {one["role"] for view in pending for one in view.approvers} >= {"manager", "warehouse"}
    assert {view.requester for view in pending} == {"Tomasz Wilk", "Noor van Dijk", "Samuel Okafor"}
    assert {view.via for view in pending} == {"person", "agent"}
    assert any(len(view.approvers) == 2 for view in pending if view.tainted)
    assert [view.status for view in built.proposals].count("sent_back") == 1


def test_one_proposal_rests_on_a_price_that_changed_since(built: Desk) -> None:
    with reading(built.gate.engine) as connection:
        changes = changes_of(built.proposals, built.gate.registry, connection)
    changed = {view.title: changes[view.id] for view in built.proposals if changes[view.id]}
    (title,) = changed
    assert title.startswith("Order for July to September")
    assert changed[title][0]["fact"].startswith("price of ")


def test_an_approver_sees_names_and_the_prices_that_the_amount_rests_on(built: Desk) -> None:
    view = next(one for one in built.proposals if one.title.startswith("Order for July to September"))
    manager = built.gate.bootstrap_user("manager", roles=("manager",))
    with reading(built.gate.engine) as connection:
        shown = detail_of(view, manager, built.gate, connection)
    create = shown.plan[0]
    lines = [{field.name: field for field in line} for line in create.lines]
    assert sum(line["amount"].value for line in lines) == view.amount
    assert all(line["item"].label.endswith(")") for line in lines)
    assert (shown.changes[0].before.kind, shown.changes[0].after.value) == ("money", shown.changes[0].now)


def test_a_second_working_day_proposes_nothing_twice(built: Desk) -> None:
    with reading(built.gate.engine) as connection:
        before = list_proposals(connection, status=None)[1]
    leave_work(built.gate, A_YEAR_ON, 7)
    with reading(built.gate.engine) as connection:
        assert list_proposals(connection, status=None)[1] == before


def test_the_same_seed_gives_the_same_company_on_both_databases(
    built: Desk, engine: Engine, tmp_path: Path
) -> None:
    assert worked(engine, tmp_path).digest == built.digest
