"""The tiny company, built once; every test works on its own copy."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from api.composition import make_gate
from copilot.agents.agent import Agent
from erp_core.clock import Clock
from erp_core.gate.principals import Principal
from erp_core.gate.submission import Gate
from erp_core.master.model import items, supplier_items, suppliers
from erp_core.procurement.model import po_lines, purchase_orders
from erp_core.storage.engine import open_engine, reading
from erp_core.storage.schema import migrate
from evals.worlds import tiny
from tests.copilot.agents.company import TODAY

CLOCK = Clock(fixed_business_date=TODAY)


@pytest.fixture(scope="session")
def tiny_company(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of a company of 20 items and 4 suppliers with three months of history."""
    home = tmp_path_factory.mktemp("tiny")
    engine = open_engine(f"sqlite:///{home / 'company.db'}")
    migrate(engine)
    tiny(make_gate(engine, CLOCK, home=home), engine, home=home)
    with engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    engine.dispose()
    return home / "company.db"


@pytest.fixture
def company(tiny_company: Path, tmp_path: Path) -> Iterator[Gate]:
    """A gate over a copy of the tiny company."""
    shutil.copy(tiny_company, tmp_path / "company.db")
    engine = open_engine(f"sqlite:///{tmp_path / 'company.db'}")
    yield make_gate(engine, CLOCK, home=tmp_path)
    engine.dispose()


@pytest.fixture
def buyer(company: Gate) -> Principal:
    return company.bootstrap_user("berta", roles=["buyer"])


@pytest.fixture
def quartermaster(company: Gate) -> Agent:
    """The agent with the built-in interpreter."""
    return Agent(company)


@pytest.fixture
def snapshot() -> Callable[[Gate], dict[str, Any]]:
    """The rows of every table, for comparing before and after."""

    def read(gate: Gate) -> dict[str, Any]:
        with reading(gate.engine) as connection:
            names = [
                row[0]
                for row in connection.exec_driver_sql(
                    "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name"
                )
            ]
            return {
                name: sorted(map(repr, connection.exec_driver_sql(f'SELECT * FROM "{name}"')))
                for name in names
                if not name.startswith("sqlite_")
            }

    return read


@dataclass(frozen=True)
class Wares:
    """What can be bought in the tiny company: a quantity that fits the supplier's terms, one that doesn't."""

    item: str
    supplier: str
    supplier_name: str
    fits: int
    fits_too: int
    breaks: int
    order: str


@pytest.fixture
def wares(company: Gate) -> Wares:
    with reading(company.engine) as connection:
        row = connection.execute(
            select(items.c.sku, suppliers.c.code, suppliers.c.name, supplier_items, purchase_orders.c.number)
            .join(supplier_items, supplier_items.c.item_id == items.c.id)
            .join(suppliers, suppliers.c.id == supplier_items.c.supplier_id)
            .join(purchase_orders, purchase_orders.c.supplier_id == suppliers.c.id)
            .where(
                supplier_items.c.rank == 1,
                supplier_items.c.order_multiple > 1,
                suppliers.c.status == "active",
            )
            .join(po_lines, (po_lines.c.item_id == items.c.id) & (po_lines.c.po_id == purchase_orders.c.id))
            .order_by(purchase_orders.c.number)
        ).first()
    assert row is not None
    fits = -(-row.minimum_quantity // row.order_multiple) * row.order_multiple
    return Wares(row.sku, row.code, row.name, fits, fits + row.order_multiple, fits + 1, row.number)
