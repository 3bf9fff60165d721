"""A day of 5,000 purchase order lines: received in 250 deliveries, billed by 250 invoices, matched line by line.

Receipts and invoices go through the gate in batches of 25 documents of 20 lines. The floor is the bare driver that writes
the rows which the gate left, in as many transactions, without reading or deciding anything: on SQLite new rows only, on
PostgreSQL, by COPY into a copy of the database, also those that the gate changed.
"""

from __future__ import annotations

import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Engine

from benchmarks.company import ITEMS, found_company, id_of
from benchmarks.databases import copy_of, postgresql, sqlite
from benchmarks.rows import Row, Rows, driver
from erp_core.finance.commands import OpeningCost, SetOpeningCost
from erp_core.gate.contract import Command, Executed, Proposed, Submission
from erp_core.gate.decisions import ApproveProposal
from erp_core.gate.principals import Principal
from erp_core.gate.submission import Gate
from erp_core.master.commands import (
    ActivateSupplier,
    AddSupplierDocument,
    CreateSupplier,
    SetSupplierItem,
    SubmitSupplier,
)
from erp_core.procurement.commands import (
    CreatePurchaseOrder,
    ReceiveGoods,
    RecordSupplierInvoice,
    SendPurchaseOrder,
    SubmitPurchaseOrder,
)
from erp_core.storage.engine import open_engine
from erp_core.storage.schema import migrate

ORDERS, LINES, BATCH = 250, 20, 25
UNITS, PRICE = 10, 200
Document = Callable[[CreatePurchaseOrder], Command]
Figures = Iterator[tuple[str, str]]


def run() -> list[tuple[str, str]]:
    """Lines per second of receipts and of invoices with their floor: SQLite, then PostgreSQL where there is one."""
    figures: list[tuple[str, str]] = []
    with tempfile.TemporaryDirectory() as name, sqlite(Path(name)) as engine:
        figures += [(f"SQLite: {what}", value) for what, value in _on_sqlite(engine, Path(name))]
    with tempfile.TemporaryDirectory() as name, postgresql() as server:
        if server is not None:
            figures += [(f"PostgreSQL: {what}", value) for what, value in _on_postgresql(server, Path(name))]
    return figures


def _sent(engine: Engine, folder: Path) -> tuple[Gate, Principal, list[CreatePurchaseOrder]]:
    """A company whose orders of the day are sent."""
    gate = found_company(engine, folder).gate
    service = _founded(gate)
    orders = [_order() for _ in range(ORDERS)]
    for step in (
        lambda one: one,
        lambda one: SubmitPurchaseOrder(po_id=one.po_id),
        lambda one: SendPurchaseOrder(po_id=one.po_id),
    ):
        _submitted(gate, service, [step(one) for one in orders])
    return gate, service, orders


def _batches(document: Document, orders: Sequence[CreatePurchaseOrder]) -> list[list[Command]]:
    return [[document(one) for one in orders[at : at + BATCH]] for at in range(0, ORDERS, BATCH)]


def _on_sqlite(engine: Engine, folder: Path) -> Figures:
    gate, service, orders = _sent(engine, folder)
    file = folder / "company.db"
    for what, document in DOCUMENTS.items():
        before = {name: len(rows) for name, rows in _rows(file).items()}
        batches = _batches(document, orders)
        seconds = sum(_timed(lambda batch=batch: _submitted(gate, service, batch)) for batch in batches)
        added = {name: rows[before.get(name, 0) :] for name, rows in _rows(file).items()}
        bare = _floor(folder / f"{document.__name__}.db", added, len(batches))
        yield from _told(what, seconds, bare, sum(map(len, added.values())), ORDERS * LINES)


def _on_postgresql(engine: Engine, folder: Path) -> Figures:
    gate, service, orders = _sent(engine, folder)
    for what, document in DOCUMENTS.items():
        first, *batches = _batches(document, orders)
        with copy_of(engine) as floor_engine, driver(engine) as ours, driver(floor_engine) as floor:
            rows_of = Rows(ours, lambda first=first: _submitted(gate, service, first))
            rows_of.copy(floor, rows_of.last_as_streams())
            seconds, bare, count = 0.0, 0.0, 0
            for batch in batches:
                seconds += _timed(lambda batch=batch: _submitted(gate, service, batch))
                streams = rows_of.last_as_streams()
                count += sum(stream.count(b"\n") for stream in streams.values())
                bare += _timed(lambda rows_of=rows_of, streams=streams: rows_of.copy(floor, streams))
            assert rows_of.counts(floor) == rows_of.counts(ours), "the floor wrote other rows than the gate"
        yield from _told(what, seconds, bare, count, len(batches) * BATCH * LINES)


def _told(what: str, seconds: float, bare: float, rows: int, lines: int) -> Figures:
    yield f"{what}, lines/s", f"{lines / seconds:,.0f}"
    yield f"{what}: rows written for {lines:,} lines", f"{rows:,}"
    yield f"{what}: the same rows with the bare driver, lines/s", f"{lines / bare:,.0f}"
    yield f"{what}: against that floor", f"{bare / seconds:.0%}"


def _founded(gate: Gate) -> Principal:
    admin = gate.bootstrap_user("admin", ("admin",))
    manager = gate.bootstrap_user("manager", ("manager",))
    service = gate.bootstrap_user("simulator", ("simulator",), kind="service")
    supplier = CreateSupplier(
        supplier_id=id_of("supplier"),
        code="SUP",
        supplier_name="Supplier",
        currency="EUR",
        country="NL",
        payment_days=30,
        delivery_terms="DAP",
        lead_time_days=14,
    )
    registration = AddSupplierDocument(
        document_id=uuid4(),
        supplier_id=supplier.supplier_id,
        kind="business_registration",
        number="KvK 1",
        valid_from=date(2020, 1, 1),
    )
    for command in (supplier, registration, SubmitSupplier(supplier_id=supplier.supplier_id)):
        _submitted(gate, admin, [command])
    asked = gate.submit(ActivateSupplier(supplier_id=supplier.supplier_id), service, key="activate")
    assert isinstance(asked, Proposed), asked
    yes = ApproveProposal(proposal_id=asked.proposal_id, payload_hash=asked.payload_hash)
    assert isinstance(gate.submit(yes, manager, key="yes"), Executed)
    prices = [
        SetSupplierItem(supplier_id=supplier.supplier_id, item_id=id_of(f"item{number}"), price=PRICE)
        for number in range(ITEMS)
    ]
    worth = [OpeningCost(item_id=id_of(f"item{number}"), unit_cost=PRICE) for number in range(ITEMS)]
    _submitted(gate, admin, [*prices, SetOpeningCost(document_id=uuid4(), lines=tuple(worth))])
    return service


def _submitted(gate: Gate, principal: Principal, commands: Sequence[Command]) -> list[dict[str, Any]]:
    outcomes = gate.submit_many([Submission(one, uuid4().hex) for one in commands], principal)
    assert all(isinstance(one, Executed) for one in outcomes), outcomes
    results = [dict(one.result) for one in outcomes if isinstance(one, Executed)]
    assert all(one.get("status") != "held" for one in results), "an invoice of the benchmark did not match"
    return results


def _order() -> CreatePurchaseOrder:
    lines = [
        {"line_id": uuid4(), "item_id": id_of(f"item{number}"), "quantity": UNITS} for number in range(LINES)
    ]
    return CreatePurchaseOrder.model_validate(
        {
            "po_id": uuid4(),
            "supplier_id": id_of("supplier"),
            "location_id": id_of("hub"),
            "lines": lines,
            "reason": "restock",
        }
    )


def _receipt(order: CreatePurchaseOrder) -> ReceiveGoods:
    lines = [
        {"receipt_line_id": uuid4(), "po_line_id": line.line_id, "quantity": UNITS} for line in order.lines
    ]
    return ReceiveGoods.model_validate({"receipt_id": uuid4(), "po_id": order.po_id, "lines": lines})


def _invoice(order: CreatePurchaseOrder) -> RecordSupplierInvoice:
    number = _number(order.po_id)
    lines = [
        {"po_id": order.po_id, "po_line_id": line.line_id, "quantity": UNITS, "unit_price": PRICE}
        for line in order.lines
    ]
    return RecordSupplierInvoice.model_validate(
        {
            "invoice_id": uuid4(),
            "supplier_id": order.supplier_id,
            "number": number,
            "currency": "EUR",
            "invoiced_on": date(2026, 6, 30),
            "lines": lines,
            "total": UNITS * PRICE * len(lines),
        }
    )


DOCUMENTS: Mapping[str, Document] = {"receipts": _receipt, "invoices, matched": _invoice}


def _number(po_id: UUID) -> str:
    return f"INV-{po_id.hex[-12:]}"


def _timed(way: Callable[[], object]) -> float:
    started = time.perf_counter()
    way()
    return time.perf_counter() - started


def _rows(path: Path) -> dict[str, list[Row]]:
    with sqlite3.connect(path) as connection:
        names = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {name: connection.execute(f"SELECT * FROM {name}").fetchall() for name in names}


def _floor(path: Path, added: Mapping[str, list[Row]], transactions: int) -> float:
    engine = open_engine(f"sqlite:///{path}")
    migrate(engine)
    engine.dispose()
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA synchronous=FULL")
    for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
        connection.execute(f"DROP TRIGGER {name}")
    started = time.perf_counter()
    for batch in range(transactions):
        connection.execute("BEGIN IMMEDIATE")
        for table, rows in added.items():
            part = rows[len(rows) * batch // transactions : len(rows) * (batch + 1) // transactions]
            if part:
                marks = ", ".join("?" * len(part[0]))
                connection.executemany(f"INSERT OR IGNORE INTO {table} VALUES ({marks})", part)
        connection.execute("COMMIT")
    seconds = time.perf_counter() - started
    connection.close()
    return seconds
