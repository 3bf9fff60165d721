"""Killed with SIGKILL in the middle of the work and started again: nothing lost, doubled or half done."""

from __future__ import annotations

import multiprocessing
import random
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import Engine, func, select

from api.composition import make_gate
from erp_core.clock import Clock
from erp_core.finance.queries import valuation_differences
from erp_core.gate.audit import Sealer
from erp_core.gate.model import executions, outbox, proposal_states
from erp_core.gate.submission import Gate
from erp_core.inventory.model import stock_balances
from erp_core.inventory.queries import rebuild_differences
from erp_core.orders.model import order_lines, orders
from erp_core.procurement.books.accruals import accruals
from erp_core.procurement.books.reconciling import journal_differences
from erp_core.procurement.model import po_lines, purchase_orders, receipt_lines
from erp_core.procurement.model.invoices import supplier_invoice_lines, supplier_invoices
from erp_core.returns.figures import whereabouts
from erp_core.returns.model import dispositions
from erp_core.storage.engine import open_engine, reading
from erp_core.storage.types import money
from tests.conftest import TODAY, size
from tests.faults.company import ITEMS, OPENING, found, id_of
from tests.faults.worker import BATCH, answered, work

KILLS = {
    "receive": size(20, 200),
    "post": size(10, 200),
    "propose": size(5, 50),
    "approve": size(5, 50),
    "refund": size(20, 200),
}


@contextmanager
def killed(gate: Gate, journal: Path, job: str) -> Iterator[None]:
    """A process works while the block runs, and is killed when it ends."""
    forking = multiprocessing.get_context("fork")
    ready = forking.Event()
    gate.engine.dispose()
    process = forking.Process(target=work, args=(gate, journal, job, ready))
    process.start()
    assert ready.wait(60)
    yield
    process.kill()
    process.join(60)
    assert process.exitcode == -signal.SIGKILL


@pytest.fixture
def gate(database_url: str, tmp_path: Path) -> Iterator[Gate]:
    engine = open_engine(database_url)
    founded = make_gate(engine, Clock(fixed_business_date=TODAY), home=tmp_path)
    found(founded)
    yield founded
    engine.dispose()


def count(engine: Engine, query: object) -> int:
    with reading(engine) as connection:
        return connection.scalar(query) or 0  # type: ignore[call-overload]


def after_kills(gate: Gate, journal: Path, job: str) -> int:
    """How many numbers were answered after many kills, of which the last came when one more was answered."""
    chance = random.Random(20260630)
    for _ in range(KILLS[job] - 1):
        with killed(gate, journal, job):
            time.sleep(chance.uniform(0.02, 0.5))
    before = list(answered(journal))
    with killed(gate, journal, job):
        while list(answered(journal)) == before:
            time.sleep(0.01)
    with reading(gate.engine) as connection:
        assert rebuild_differences(connection) == []
        assert valuation_differences(connection) == []
        assert journal_differences(connection, TODAY) == []
    sealer = Sealer(gate.engine, gate.home)
    sealer.seal(gate.clock.now())
    assert sealer.verify().findings == ()
    numbers = list(answered(journal))
    assert numbers == list(range(1, len(numbers) + 1))
    return len(numbers)


@pytest.mark.capability("S66")
def test_orders_and_shipments_survive_kills(gate: Gate, tmp_path: Path) -> None:
    done = after_kills(gate, tmp_path / "journal", "post")
    placed = count(gate.engine, select(func.count()).select_from(orders))
    assert placed % BATCH == 0 and done * BATCH <= placed <= (done + 1) * BATCH
    with reading(gate.engine) as connection:
        rows = connection.execute(
            select(stock_balances.c.state, func.sum(stock_balances.c.quantity))
            .where(stock_balances.c.item_id == id_of("item0"))
            .group_by(stock_balances.c.state)
        )
        left = {state: int(units) for state, units in rows}
        shipped = connection.scalar(
            select(func.sum(order_lines.c.shipped_quantity)).where(order_lines.c.item_id == id_of("item0"))
        )
    assert int(shipped or 0) >= done * BATCH * 2
    assert sum(left.values()) == OPENING - int(shipped or 0)
    doubled = (
        select(outbox.c.aggregate_id).where(outbox.c.kind == "OrderShipped").group_by(outbox.c.aggregate_id)
    )
    assert (
        count(gate.engine, select(func.count()).select_from(doubled.having(func.count() > 1).subquery())) == 0
    )


def test_proposals_survive_kills(gate: Gate, tmp_path: Path) -> None:
    done = after_kills(gate, tmp_path / "journal", "propose")
    pending = count(
        gate.engine,
        select(func.count()).select_from(proposal_states).where(proposal_states.c.status == "pending"),
    )
    submitted = count(
        gate.engine,
        select(func.count()).select_from(purchase_orders).where(purchase_orders.c.status == "submitted"),
    )
    assert done <= pending <= done + 1
    assert submitted == pending


def test_approvals_execute_exactly_once_under_kills(gate: Gate, tmp_path: Path) -> None:
    done = after_kills(gate, tmp_path / "journal", "approve")
    approved = count(
        gate.engine,
        select(func.count()).select_from(purchase_orders).where(purchase_orders.c.status == "approved"),
    )
    executed = count(gate.engine, select(func.count()).select_from(executions))
    assert done <= approved <= done + 1
    assert executed == approved + 1  # and the supplier's activation, once


@pytest.mark.capability("S125")
def test_every_refund_is_asked_for_exactly_once_under_kills(gate: Gate, tmp_path: Path) -> None:
    done = after_kills(gate, tmp_path / "journal", "refund")
    refunds = count(gate.engine, select(func.count()).select_from(dispositions))
    given_back = count(gate.engine, select(func.sum(dispositions.c.refund)))
    assert done <= refunds <= done + 1
    assert given_back == refunds * money(10)
    told = select(func.count()).select_from(outbox).where(outbox.c.kind == "ReturnDisposed")
    assert count(gate.engine, told) == refunds
    with reading(gate.engine) as connection:
        seen = whereabouts(connection)
    assert seen.restocked == 2 * refunds and seen.returned == seen.restocked + seen.pending


@pytest.mark.capability("S66")
@pytest.mark.capability("S98")
@pytest.mark.capability("S106")
def test_receipts_and_matched_invoices_survive_kills(gate: Gate, tmp_path: Path) -> None:
    done = after_kills(gate, tmp_path / "journal", "receive")
    with reading(gate.engine) as connection:
        lines = connection.execute(select(po_lines).where(po_lines.c.accepted_quantity > 0)).all()
        arrived = connection.scalar(
            select(func.sum(receipt_lines.c.accepted_quantity + receipt_lines.c.held_quantity))
        )
        invoiced = dict(
            connection.execute(
                select(supplier_invoice_lines.c.po_line_id, func.sum(supplier_invoice_lines.c.quantity))
                .join(supplier_invoices, supplier_invoices.c.id == supplier_invoice_lines.c.invoice_id)
                .where(supplier_invoices.c.status == "matched")
                .group_by(supplier_invoice_lines.c.po_line_id)
            ).all()
        )
        owed = accruals(connection, TODAY)
    assert sum(line.accepted_quantity + line.held_quantity for line in lines) == arrived
    assert all(invoiced.get(line.id, 0) <= line.accepted_quantity for line in lines)
    assert len(invoiced) in (done * ITEMS, (done + 1) * ITEMS)
    assert sum(one.units for one in owed) == len(lines) - len(invoiced)
