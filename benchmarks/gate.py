"""What the gate costs: orders of three lines in batches, against writing the same rows with the bare driver.

The floor copies the rows that the gate's run left in every table into an empty database, in the same
number of transactions, with the driver's own bulk statement and values already converted.
"""

from __future__ import annotations

import sqlite3
import tempfile
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from statistics import median
from uuid import NAMESPACE_URL, UUID, uuid5

from api.composition import make_gate
from erp_core.clock import Clock
from erp_core.gate.contract import Executed, Submission
from erp_core.gate.submission import Gate
from erp_core.inventory.commands import PostOpeningStock
from erp_core.master.commands import ActivateItem, CreateChannel, CreateItem, CreateLocation
from erp_core.orders.commands import PlaceOrder
from erp_core.storage.engine import open_engine
from erp_core.storage.schema import migrate
from erp_core.storage.types import money

DOCUMENTS = 334
BATCHES = 10
ITEMS = 30


def _id(name: str) -> UUID:
    return uuid5(NAMESPACE_URL, f"bench:{name}")


def _gate(folder: Path) -> Gate:
    engine = open_engine(f"sqlite:///{folder / 'gate.db'}")
    migrate(engine)
    gate = make_gate(engine, Clock(fixed_business_date=date(2026, 6, 30)), home=folder)
    gate.install_policies()
    admin = gate.bootstrap_user("admin", ("admin",))
    commands = [
        CreateLocation(location_id=_id("hub"), code="HUB", location_name="Hub"),
        CreateChannel(channel_id=_id("web"), code="WEB", channel_name="Web", kind="web"),
    ]
    for number in range(ITEMS):
        item = CreateItem(
            item_id=_id(f"item{number}"),
            sku=f"SKU-{number}",
            item_name=f"Item {number}",
            category="Things",
            brand="Brand",
            base_unit="piece",
            standard_cost=money(1),
            list_price=money(2),
        )
        commands += [item, ActivateItem(item_id=item.item_id)]
    lines = [{"item_id": _id(f"item{number}"), "quantity": 10_000_000} for number in range(ITEMS)]
    commands.append(PostOpeningStock(document_id=_id("opening"), location_id=_id("hub"), lines=lines))
    outcomes = gate.submit_many([Submission(one, f"{i}") for i, one in enumerate(commands)], admin)
    assert all(isinstance(one, Executed) for one in outcomes), outcomes
    return gate


def _orders(batch: int) -> Iterator[Submission]:
    for number in range(DOCUMENTS):
        name = f"{batch}:{number}"
        lines = [
            {
                "line_id": _id(f"{name}:{line}"),
                "item_id": _id(f"item{(number + line * 7) % ITEMS}"),
                "location_id": _id("hub"),
                "quantity": 1,
                "unit_price": money(2),
                "list_price": money(2),
            }
            for line in range(3)
        ]
        order = PlaceOrder(
            order_id=_id(name), external_ref=name, channel_id=_id("web"), customer_country="NL", lines=lines
        )
        yield Submission(order, name)


def _rows(path: Path) -> dict[str, list[tuple[object, ...]]]:
    with sqlite3.connect(path) as connection:
        names = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {name: connection.execute(f"SELECT * FROM {name}").fetchall() for name in names}


def run() -> list[tuple[str, str]]:
    """Rows per second of both, and their ratio."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        gate = _gate(folder)
        service = gate.bootstrap_user("service", ("service",))
        before = {table: len(rows) for table, rows in _rows(folder / "gate.db").items()}
        seconds = []
        for batch in range(BATCHES):
            submissions = list(_orders(batch))
            started = time.perf_counter()
            outcomes = gate.submit_many(submissions, service)
            seconds.append(time.perf_counter() - started)
            assert all(isinstance(one, Executed) for one in outcomes)
        added = {table: rows[before[table] :] for table, rows in _rows(folder / "gate.db").items()}
        added = {table: rows for table, rows in added.items() if rows}
        floor = _floor(folder, added)
    count = sum(len(rows) for rows in added.values())
    moves = DOCUMENTS * 3
    return [
        ("documents of 3 lines reserved, batches of 334, moves/s", f"{moves / median(seconds):,.0f}"),
        ("rows written per batch, all tables", f"{count / BATCHES:,.0f}"),
        ("the same rows with the bare driver, moves/s", f"{moves / floor:,.0f}"),
        ("gate against that floor", f"{floor / median(seconds):.0%}"),
    ]


def _floor(folder: Path, added: dict[str, list[tuple[object, ...]]]) -> float:
    engine = open_engine(f"sqlite:///{folder / 'floor.db'}")
    migrate(engine)
    engine.dispose()
    connection = sqlite3.connect(folder / "floor.db", isolation_level=None)
    connection.execute("PRAGMA synchronous=FULL")
    for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
        connection.execute(f"DROP TRIGGER {name}")
    seconds = []
    for batch in range(BATCHES):
        started = time.perf_counter()
        connection.execute("BEGIN IMMEDIATE")
        for table, rows in added.items():
            part = rows[len(rows) * batch // BATCHES : len(rows) * (batch + 1) // BATCHES]
            if part:
                marks = ", ".join("?" * len(part[0]))
                connection.executemany(f"INSERT INTO {table} VALUES ({marks})", part)
        connection.execute("COMMIT")
        seconds.append(time.perf_counter() - started)
    connection.close()
    return median(seconds)
