"""What a change of supply, or of the orders before, left on a wrong day is dated by the next upkeep; what is merely overdue is not."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import func, select

from api.company import Company as Opened
from api.composition import make_gate
from api.upkeep import keep_up
from erp_core.clock import Clock
from erp_core.gate.audit import Sealer
from erp_core.gate.model import audit_entries
from erp_core.gate.submission import Gate
from erp_core.orders.commands import CancelOrder
from erp_core.orders.model import orders
from erp_core.procurement.commands import FollowUpSuppliers
from erp_core.procurement.commands.chasing import to_follow_up
from erp_core.settings import Settings
from erp_core.storage.engine import open_engine
from tests.conftest import TODAY
from tests.procurement.conftest import open_company
from tests.procurement.test_delays import Told
from tests.procurement.test_promises import JULY_6, JULY_9, JULY_20, Customers, redated

JULY_8 = date(2026, 7, 8)


class Upkeep:
    """The jobs follow suppliers up, on a day."""

    def __init__(self, company: Any) -> None:
        self.company = company
        company.people["jobs"] = company.gate.bootstrap_user(
            "follow-up", roles=("jobs", "simulator"), kind="service"
        )

    def due(self, day: date) -> bool:
        return bool(self.company.read(lambda connection: to_follow_up(connection, day)))

    def run(self, day: date) -> int:
        """Gives how many orders were dated anew."""
        at = datetime.combine(day, time(), UTC)
        return int(self.company.do(FollowUpSuppliers(occurred_at=at), "jobs")["redated"])


@pytest.mark.capability("S33")
@pytest.mark.capability("S90")
def test_an_order_that_moves_up_in_the_queue_is_dated_at_the_next_upkeep_told_once_and_keeps_its_promise(
    company: Any,
) -> None:
    customers, told, upkeep = Customers(company), Told(company), Upkeep(company)
    company.sent(20, promised_on=JULY_6)
    last = company.sent(20, promised_on=JULY_20)
    first, second = customers.order(20), customers.order(8, promised_on=JULY_9)
    assert told.overdue() == 1 and told.alerts() == {second: ("delay", JULY_20)}
    assert not upkeep.due(TODAY)
    company.do(CancelOrder(order_id=first, reason_code="customer_request"), "service")
    assert customers.dates(second) == (JULY_9, JULY_20) and upkeep.due(TODAY)
    assert upkeep.run(TODAY) == 1
    assert customers.dates(second) == (JULY_9, JULY_6)
    assert told.alerts() == {} and len(told.of(second)) == 2, "late, and good news"
    assert [one.expected_after for one in customers.changes(last.po_id)] == [JULY_6]
    assert not upkeep.due(TODAY) and (upkeep.run(TODAY), told.overdue()) == (0, 0)
    assert len(customers.changes(last.po_id)) == 1


@pytest.mark.capability("S33")
@pytest.mark.capability("S90")
def test_supply_that_is_merely_overdue_dates_nothing_anew_from_day_to_day(company: Any) -> None:
    customers, told, upkeep = Customers(company), Told(company), Upkeep(company)
    late = company.sent(20, promised_on=JULY_6)
    waits, ahead, behind = customers.order(20), customers.order(20), customers.order(12)
    for day in (JULY_8, JULY_9):
        assert not upkeep.due(day) and upkeep.run(day) == 0
    assert customers.dates(waits) == (JULY_6, JULY_6) and customers.changes(late.po_id) == []
    company.sent(20, promised_on=JULY_20)
    assert (customers.dates(ahead), customers.dates(behind)) == ((JULY_20, JULY_20), (None, None))
    company.do(CancelOrder(order_id=ahead, reason_code="customer_request"), "service")
    assert upkeep.run(JULY_8) == 1
    assert customers.dates(behind) == (JULY_20, JULY_20), "its first date is its promise"
    assert customers.dates(waits) == (JULY_6, JULY_6) and told.of(waits) == []
    assert not upkeep.due(JULY_9)


@pytest.fixture
def gate(postgres_url: str, tmp_path: Path) -> Iterator[Gate]:
    """A gate over PostgreSQL."""
    engine = open_engine(postgres_url)
    yield make_gate(engine, Clock(fixed_business_date=TODAY), home=tmp_path)
    engine.dispose()


@pytest.mark.capability("S33")
@pytest.mark.capability("S90")
def test_an_order_that_was_busy_when_its_suppliers_date_changed_is_dated_and_told_by_the_next_upkeep(
    gate: Gate, tmp_path: Path
) -> None:
    company = open_company(gate)
    customers, told = Customers(company), Told(company)
    jobs = gate.bootstrap_user("jobs", roles=("jobs",), kind="service")
    opened = Opened(Settings(home=tmp_path), gate.engine, gate.clock, gate, Sealer(gate.engine, tmp_path))
    purchase = company.sent(20, promised_on=JULY_6)
    busy, other = customers.order(12), customers.order(8)
    assert keep_up(opened, jobs)["orders_redated"] == 0
    with held(gate, busy):
        company.do(redated(purchase, JULY_20))
        assert (customers.dates(busy), customers.dates(other)) == ((JULY_6, JULY_6), (JULY_6, JULY_20))
        assert keep_up(opened, jobs)["orders_redated"] == 0, "it is busy still, and nobody waits for it"
    assert keep_up(opened, jobs)["orders_redated"] == 1
    assert customers.dates(busy) == (JULY_6, JULY_20)
    assert told.alerts() == {busy: ("delay", JULY_20), other: ("delay", JULY_20)}
    assert {one.order_id for one in customers.changes(purchase.po_id)} == {busy, other}
    (case,) = told.cases()
    assert case.title.startswith("2 orders wait")
    before = followed_up(company)
    assert keep_up(opened, jobs)["orders_redated"] == 0
    assert followed_up(company) == before, "nothing differs, nothing is submitted"
    assert (len(told.of(busy)), len(told.of(other))) == (1, 1)


@contextmanager
def held(gate: Gate, order_id: UUID) -> Iterator[None]:
    """Another writer holds the order."""
    with gate.engine.connect() as connection:
        connection.execute(select(orders.c.id).where(orders.c.id == order_id).with_for_update())
        yield


def followed_up(company: Any) -> int:
    statement = select(func.count()).where(audit_entries.c.command == "FollowUpSuppliers")
    return int(company.read(lambda connection: connection.scalar(statement)))
