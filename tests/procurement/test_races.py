"""Two who act on the same thing at the same moment.

Of two that use one number or code one gets it, the other a refusal with a remedy. The rival begins right after the
first one looked whether the number is free, and either commits before the first one writes, or waits for its lock.
Only on PostgreSQL: on SQLite writers follow each other.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import text

from api.composition import make_gate
from erp_core.clock import Clock
from erp_core.gate.contract import Executed, Outcome, Refused
from erp_core.gate.submission import Gate
from erp_core.master.commands import CreateItem, CreateSupplier
from erp_core.master.commands.records import Creation
from erp_core.orders.commands.known import KnownOrders
from erp_core.procurement.commands import ConfirmPurchaseOrder, LinePromise, drafting
from erp_core.procurement.ordering import inbound
from erp_core.returns.commands import authorising
from erp_core.storage.engine import open_engine
from tests.conftest import TODAY
from tests.procurement.conftest import open_company
from tests.procurement.test_delays import Told
from tests.procurement.test_promises import JULY_9, JULY_20, Customers
from tests.returns.conftest import open_shop
from tests.shop import Shop

Act = Callable[[], Outcome]


@pytest.fixture
def gate(postgres_url: str, tmp_path: Path) -> Iterator[Gate]:
    """A gate over PostgreSQL."""
    engine = open_engine(postgres_url)
    yield make_gate(engine, Clock(fixed_business_date=TODAY), home=tmp_path)
    engine.dispose()


def purchase_orders(gate: Gate) -> tuple[Any, str, Act, Act]:
    company = open_company(gate)
    mine, rivals = company.draft(20, number="PO-7"), company.draft(30, number="PO-7")
    return drafting, "_taken", lambda: company.submit(mine), lambda: company.submit(rivals, "manager")


def items(gate: Gate) -> tuple[Any, str, Act, Act]:
    company = open_company(gate)
    mine, rivals = (CreateItem(item_id=uuid4(), sku=sku) for sku in ("LAMP-7", "lamp-7"))
    return Creation, "_taken", lambda: company.submit(mine, "admin"), lambda: company.submit(rivals, "admin")


def suppliers(gate: Gate) -> tuple[Any, str, Act, Act]:
    company = open_company(gate)
    mine, rivals = (
        CreateSupplier(supplier_id=uuid4(), code="NEW", supplier_name=name, currency="EUR")
        for name in ("New", "Newer")
    )
    return Creation, "_taken", lambda: company.submit(mine, "admin"), lambda: company.submit(rivals, "admin")


def sales_orders(gate: Gate) -> tuple[Any, str, Act, Act]:
    gate.install_policies()
    shop = Shop(gate, gate.bootstrap_user("simulator", roles=("simulator", "warehouse"), kind="service"))
    shop.open()
    item = shop.item(north=10)
    mine, rivals = shop.order((item, 1), number="SO-7"), shop.order((item, 2), number="SO-7")
    return KnownOrders, "_read", lambda: shop.submit(mine)[0], lambda: shop.visit().submit(rivals)[0]


def returns(gate: Gate) -> tuple[Any, str, Act, Act]:
    shop = open_shop(gate)
    mine, rivals = (shop.authorise(shop.sell(1), 1, number="RMA-7") for _ in range(2))
    return authorising, "_taken", lambda: shop.submit(mine), lambda: shop.submit(rivals)


@pytest.mark.parametrize("story", [purchase_orders, items, suppliers, sales_orders, returns])
def test_of_two_who_use_one_number_at_once_one_is_refused(
    gate: Gate, monkeypatch: pytest.MonkeyPatch, story: Callable[[Gate], tuple[Any, str, Act, Act]]
) -> None:
    place, look, mine, rivals = story(gate)
    with ThreadPoolExecutor(1) as pool:
        rival = comes_between(gate, monkeypatch, place, look, lambda: pool.submit(rivals))
        outcomes = [mine(), rival[0].result(timeout=30)]
    (refused,) = [one for one in outcomes if isinstance(one, Refused)]
    assert sum(isinstance(one, Executed) for one in outcomes) == 1
    assert "there already" in refused.error.message and refused.error.remedy


@pytest.mark.capability("S90")
def test_jobs_that_alert_while_a_supplier_changes_a_date_leave_its_orders_to_the_change(
    gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    company = open_company(gate)
    told, customers = Told(company), Customers(company)
    purchase = company.sent(20)
    order = customers.order(12, promised_on=JULY_9)
    alert, meanwhile = inbound.alert, []

    def alert_and_wait_for_the_jobs(*given: Any) -> Any:
        found = alert(*given)
        with ThreadPoolExecutor(1) as pool:
            meanwhile.append(pool.submit(told.overdue).result(timeout=30))
        return found

    monkeypatch.setattr(inbound, "alert", alert_and_wait_for_the_jobs)
    promises = tuple(LinePromise(po_line_id=line, promised_on=JULY_20) for line in purchase.line_ids)
    company.do(ConfirmPurchaseOrder(po_id=purchase.po_id, lines=promises))
    assert meanwhile == [0], "the jobs neither waited nor told what is no longer so"
    assert told.alerts() == {order: ("delay", JULY_20)}
    assert told.overdue() == 0 and len(told.of(order)) == 1


def comes_between(
    gate: Gate, monkeypatch: pytest.MonkeyPatch, place: Any, look: str, act: Callable[[], Future[Outcome]]
) -> list[Future[Outcome]]:
    """Begin `act` once, after the first look-up by `look`; go on when it is through or waits for a lock."""
    there, begun = getattr(place, look), []

    def looked(*given: Any, **named: Any) -> Any:
        found = there(*given, **named)
        if not begun:
            monkeypatch.setattr(place, look, there)
            begun.append(act())
            while not begun[0].done() and not _somebody_waits(gate):
                time.sleep(0.01)
        return found

    monkeypatch.setattr(place, look, looked)
    return begun


def _somebody_waits(gate: Gate) -> bool:
    waiting = text(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    with gate.engine.connect() as connection:
        return bool(connection.scalar(waiting))
