"""Two people who use one number or code at the same moment: one gets it, the other a refusal with a remedy.

The rival begins right after the first one looked whether the number is free, and either commits before
the first one writes, or waits for its lock. Only on PostgreSQL: on SQLite writers follow each other.
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
from erp_core.procurement.commands import drafting
from erp_core.returns.commands import authorising
from erp_core.storage.engine import open_engine
from tests.conftest import TODAY
from tests.procurement.conftest import open_company
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
