"""Imports through the gate, on both databases."""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, Table, func, select

from erp_core.gate.model import audit_entries
from erp_core.gate.principals import Principal
from erp_core.gate.submission import Gate
from erp_core.integration.files import UnreadableFile
from erp_core.integration.model import import_chunks, imports
from erp_core.integration.run import ImportReport, ImportStopped, run_import, write_refusals
from erp_core.integration.sources import TEMPLATES, template_text
from erp_core.inventory.lots.queries import broken_lot_rules, list_lots
from erp_core.inventory.model import stock_balances, stock_moves
from erp_core.inventory.queries import rebuild_differences
from erp_core.master.model import data_feeds, items, suppliers
from erp_core.master.queries import visible
from erp_core.orders.model import demand_daily, order_lines, orders
from erp_core.procurement.model import po_lines, purchase_orders, receipts
from erp_core.returns.model import return_lines, returns
from erp_core.storage.engine import reading
from tests.integration.invoices import HEADER_1, HEADER_2

Person = Callable[..., Principal]
AS_OF = date(2011, 6, 30)
ROWS = [
    (
        "536365",
        "85123A",
        "WHITE HANGING HEART T-LIGHT HOLDER",
        "6",
        "12/1/2010 8:26",
        "2.55",
        "17850",
        "United Kingdom",
    ),
    ("536365", "85123a", "", "2", "12/1/2010 8:26", "2.55", "17850", "United Kingdom"),
    ("536365", "POST", "POSTAGE", "1", "12/1/2010 8:26", "18", "17850", "United Kingdom"),
    ("536370", "22087", "PAPER BUNTING", "12", "12/2/2010 9:00", "2.95", "12583.0", "France"),
    ("C536371", "22087", "PAPER BUNTING", "-5", "12/9/2010 9:00", "2.95", "12583", "France"),
    ("C536372", "22087", "PAPER BUNTING", "-9", "12/10/2010 9:00", "2.95", "12583", "France"),
    (
        "541431",
        "23166",
        "MEDIUM CERAMIC TOP STORAGE JAR",
        "74215",
        "1/18/2011 10:01",
        "1.04",
        "12346",
        "United Kingdom",
    ),
    (
        "C541433",
        "23166",
        "MEDIUM CERAMIC TOP STORAGE JAR",
        "-74215",
        "1/18/2011 10:17",
        "1.04",
        "12346",
        "United Kingdom",
    ),
    ("541500", "23166", "damaged", "-30", "1/19/2011 10:17", "0", "", "United Kingdom"),
    ("A563185", "B", "Adjust bad debt", "1", "2/12/2011 14:50", "-11062.06", "", "United Kingdom"),
    ("541600", "23166", "MEDIUM CERAMIC TOP STORAGE JAR", "3", "7/1/2011 10:17", "1.04", "", "EIRE"),
]


def write(path: Path, header: Sequence[str], rows: Sequence[Sequence[str]], encoding: str = "utf-8") -> Path:
    with io.StringIO(newline="") as text:
        csv.writer(text).writerows([header, *rows])
        content = text.getvalue().encode(encoding)
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    return path


def rows_in(engine: Engine, table: Table) -> int:
    with reading(engine) as connection:
        return connection.scalar(select(func.count()).select_from(table)) or 0


def snapshot(engine: Engine) -> dict[str, int]:
    tables = (
        items,
        orders,
        order_lines,
        demand_daily,
        returns,
        return_lines,
        imports,
        import_chunks,
        audit_entries,
    )
    return {table.name: rows_in(engine, table) for table in tables}


def adds_up(report: ImportReport) -> bool:
    return report.rows_read == report.rows_accepted + report.rows_set_aside + report.rows_refused


@pytest.fixture
def admin(gate: Gate, person: Person) -> Principal:
    return person(gate, "admin")


@pytest.mark.capability("S214")
@pytest.mark.parametrize("header", [HEADER_1, HEADER_2])
def test_published_invoice_lines_become_sales_returns_and_demand_but_no_stock(
    gate: Gate, engine: Engine, admin: Principal, tmp_path: Path, header: Sequence[str]
) -> None:
    report = run_import(gate, engine, admin, "online-retail", write(tmp_path / "r.csv", header, ROWS), AS_OF)

    assert report.status == "complete" and adds_up(report)
    assert (report.rows_read, report.rows_accepted, report.rows_refused) == (11, 7, 0)
    assert report.set_aside == {
        "not_goods": 1,
        "stock_write_off": 1,
        "adjustment_invoice": 1,
        "after_as_of": 1,
    }
    assert report.noted["order_cancelled_unshipped"] == 1 and report.noted["stock_code_rewritten"] == 1
    with reading(engine) as connection:
        demand = connection.execute(
            select(items.c.sku, demand_daily.c.day, demand_daily.c.units, demand_daily.c.net_sales)
            .join(items, items.c.id == demand_daily.c.item_id)
            .order_by(items.c.sku)
        ).all()
        back = connection.execute(
            select(
                return_lines.c.quantity, return_lines.c.refund, return_lines.c.order_line_id.is_not(None)
            ).order_by(return_lines.c.returned_on, return_lines.c.quantity.desc())
        ).all()
        statuses = dict(connection.execute(select(orders.c.external_ref, orders.c.status)).all())
        sold = connection.execute(select(order_lines.c.cost, order_lines.c.shipped_quantity)).all()
        assert {row.status for row in connection.execute(select(items.c.status))} == {"active"}
    assert demand == [
        ("22087", date(2010, 12, 2), 12, 12 * 29_500),
        ("85123A", date(2010, 12, 1), 8, 8 * 25_500),
    ]
    assert back == [(5, 5 * 29_500, True), (7, 7 * 29_500, True), (2, 2 * 29_500, False)]
    assert statuses == {"536365": "shipped", "536370": "shipped", "541431": "cancelled"}
    assert all(cost is None for cost, _ in sold)
    assert rows_in(engine, stock_moves) == rows_in(engine, stock_balances) == 0


@pytest.mark.capability("S220", "S55")
def test_the_same_content_imported_again_changes_nothing_and_says_so(
    gate: Gate, engine: Engine, admin: Principal, tmp_path: Path
) -> None:
    run_import(gate, engine, admin, "online-retail", write(tmp_path / "r.csv", HEADER_1, ROWS), AS_OF)
    before = snapshot(engine)
    again = run_import(
        gate, engine, admin, "online-retail", write(tmp_path / "r.csv.gz", HEADER_1, ROWS), AS_OF
    )
    assert again.unchanged and "nothing changed" in again.summary()
    assert snapshot(engine) == before


@pytest.mark.capability("S55")
def test_invoices_that_another_file_brought_are_set_aside(
    gate: Gate, engine: Engine, admin: Principal, tmp_path: Path
) -> None:
    run_import(gate, engine, admin, "online-retail", write(tmp_path / "r.csv", HEADER_1, ROWS), AS_OF)
    before = snapshot(engine)
    new = ("541700", "22087", "PAPER BUNTING", "1", "2/1/2011 9:00", "2.95", "", "France")
    report = run_import(
        gate, engine, admin, "online-retail", write(tmp_path / "s.csv", HEADER_1, [*ROWS, new]), AS_OF
    )
    after = snapshot(engine)
    assert adds_up(report) and report.rows_accepted - report.noted.get("duplicate_kept", 0) >= 1
    assert after["orders"] == before["orders"] + 1
    assert after["return_lines"] == before["return_lines"]


def test_one_malformed_row_rejects_the_file_and_nothing_is_posted(
    gate: Gate, engine: Engine, admin: Principal, tmp_path: Path
) -> None:
    bad = ("541800", "22087", "PAPER BUNTING", "six", "13/13/2011 9:00", "2.955555", "", "France")
    path = write(tmp_path / "r.csv", HEADER_1, [*ROWS, bad])
    report = run_import(gate, engine, admin, "online-retail", path, AS_OF)

    assert report.status == "rejected" and adds_up(report) and report.rows_refused == 1
    assert {(one.line, one.field) for one in report.refusals} == {
        (13, "quantity"),
        (13, "invoice_date"),
        (13, "price"),
    }
    assert rows_in(engine, orders) == rows_in(engine, items) == 0
    assert write_refusals(engine, report, tmp_path / "refused.csv") == 3
    with (tmp_path / "refused.csv").open() as stream:
        written = list(csv.DictReader(stream))
    assert written[0].keys() == {"file", "line", "field", "rule", "reason", "remedy"}
    assert all(all(row.values()) for row in written)

    skipped = run_import(gate, engine, admin, "online-retail", path, AS_OF, "skip-rows")
    assert skipped.status == "complete" and adds_up(skipped) and skipped.rows_refused == 1
    assert rows_in(engine, orders) == 3


@pytest.mark.capability("S209")
def test_rows_are_seen_only_when_the_import_is_complete(
    gate: Gate, engine: Engine, admin: Principal, tmp_path: Path
) -> None:
    seen: list[int] = []

    def watch(step: str, done: int, total: int) -> None:
        if step == "posting":
            with reading(engine) as connection:
                seen.append(
                    connection.scalar(select(func.count()).where(visible(demand_daily.c.import_id))) or 0
                )

    run_import(
        gate, engine, admin, "online-retail", write(tmp_path / "r.csv", HEADER_1, ROWS), AS_OF, progress=watch
    )
    assert seen and not any(seen)
    with reading(engine) as connection:
        assert connection.scalar(select(func.count()).where(visible(demand_daily.c.import_id))) == 2


@pytest.mark.capability("S204")
def test_who_may_not_import_is_refused_and_nothing_is_kept(
    gate: Gate, engine: Engine, person: Person, tmp_path: Path
) -> None:
    path = write(tmp_path / "r.csv", HEADER_1, ROWS)
    with pytest.raises(ImportStopped, match="may not run BeginImport"):
        run_import(gate, engine, person(gate, "buyer"), "online-retail", path, AS_OF)
    assert rows_in(engine, imports) == rows_in(engine, orders) == 0


def test_the_audit_log_names_chunks_and_hashes_and_holds_no_customer(
    gate: Gate, engine: Engine, admin: Principal, tmp_path: Path
) -> None:
    run_import(gate, engine, admin, "online-retail", write(tmp_path / "r.csv", HEADER_1, ROWS), AS_OF)
    with reading(engine) as connection:
        payloads = connection.execute(
            select(audit_entries.c.command, audit_entries.c.payload).where(
                audit_entries.c.command.contains("Import")
            )
        ).all()
        assert connection.scalar(select(func.count()).where(import_chunks.c.payload != "")) == 0
    posted = [payload for command, payload in payloads if command == "PostImportedSales"]
    assert posted and set(posted[0]) == {"import_id", "chunk", "rows", "sha256"}
    assert "17850" not in str([payload for _, payload in payloads])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "has no header"),
        (b"a,b\n1,2\n", "lacks InvoiceNo"),
        (b"PK\x03\x04", "workbook"),
        (b"\x1f\x8b\x08\x00", "damaged"),
        (",".join(HEADER_1).encode() + b"\n", "has no rows"),
    ],
)
def test_a_file_that_is_no_such_csv_is_refused_as_a_whole(
    sqlite_gate: Gate, sqlite_engine: Engine, person: Person, tmp_path: Path, content: bytes, message: str
) -> None:
    path = tmp_path / "r.csv"
    path.write_bytes(content)
    with pytest.raises(UnreadableFile, match=message):
        run_import(sqlite_gate, sqlite_engine, person(sqlite_gate, "admin"), "online-retail", path, AS_OF)


def test_latin_1_files_are_read(
    sqlite_gate: Gate, sqlite_engine: Engine, person: Person, tmp_path: Path
) -> None:
    row = ("536365", "85123A", "CAFÉ SIGN", "6", "12/1/2010 8:26", "2.55", "", "United Kingdom")
    path = write(tmp_path / "r.csv", HEADER_1, [row], encoding="latin-1")
    run_import(sqlite_gate, sqlite_engine, person(sqlite_gate, "admin"), "online-retail", path, AS_OF)
    with reading(sqlite_engine) as connection:
        assert connection.scalar(select(items.c.name)) == "CAFÉ SIGN"


@pytest.mark.capability("S214")
def test_every_template_can_be_imported_as_it_is(
    gate: Gate, engine: Engine, admin: Principal, tmp_path: Path
) -> None:
    as_of = date(2026, 6, 30)
    for name in TEMPLATES:
        path = tmp_path / f"{name}.csv"
        path.write_text(template_text(name), encoding="utf-8")
        report = run_import(gate, engine, admin, name, path, as_of)
        assert report.status == "complete" and adds_up(report), name
        assert report.rows_accepted == report.rows_read, name
    with reading(engine) as connection:
        stock = dict(
            connection.execute(
                select(stock_balances.c.state, func.sum(stock_balances.c.quantity)).group_by(
                    stock_balances.c.state
                )
            ).all()
        )
        lines = connection.execute(
            select(
                po_lines.c.accepted_quantity, po_lines.c.accepted_by_promise, po_lines.c.completed_on
            ).order_by(po_lines.c.quantity.desc())
        ).all()
        feeds = {kind for (kind,) in connection.execute(select(data_feeds.c.kind))}
        assert {status for (status,) in connection.execute(select(suppliers.c.status))} == {"draft"}
        assert {status for (status,) in connection.execute(select(purchase_orders.c.status))} == {
            "received",
            "sent",
        }
    assert stock == {"available": 786, "reserved": 6}
    assert lines == [(240, 0, date(2026, 6, 2)), (0, 0, None)]
    assert feeds == {"stock", "cost", "sales", "purchasing", "returns"}
    assert rows_in(engine, receipts) == 2


@pytest.mark.capability("S34", "S35")
@pytest.mark.capability("S214")
def test_opening_stock_names_lots_last_days_and_numbers_of_tracked_items(
    gate: Gate, engine: Engine, admin: Principal, tmp_path: Path
) -> None:
    def imported(name: str, *rows: str) -> Any:
        path = tmp_path / f"{name}.csv"
        path.write_text("\n".join(rows) + "\n", encoding="utf-8")
        return run_import(gate, engine, admin, name, path, AS_OF, "skip-rows")

    head = "sku,name,category,brand,base_unit,tracked_by"
    report = imported(
        "items",
        head,
        "MILK,Milk,c,b,each,lot expiry",
        "PHONE,Phone,c,b,each,Serial",
        "CUP,Cup,c,b,each,",
        "AIR,Air,c,b,each,expiry",
        "SEA,Sea,c,b,each,lot;salt",
    )
    assert {(one.field, one.rule) for one in report.refusals} == {
        ("tracked_by", "expiry_of_no_lot"),
        ("tracked_by", "unknown_word"),
    }
    report = imported(
        "opening-stock",
        "sku,location,quantity,location_kind,lot_code,expires_on,serials",
        "MILK,MAIN,5,warehouse,A,2026-11-30,",
        "MILK,MAIN,7,warehouse,B,2026-12-31,",
        "PHONE,MAIN,2,warehouse,,,N-1 N-2",
        "CUP,MAIN,3,warehouse,,,",
        "MILK,MAIN,1,warehouse,A,2026-11-30,",
        "MILK,MAIN,1,warehouse,,2026-11-30,",
        "MILK,MAIN,1,warehouse,C,,",
        "PHONE,MAIN,2,warehouse,,,N-3",
        "CUP,MAIN,1,warehouse,A,,",
        "PHONE,MAIN,1,warehouse,,,N-2",
        "MILK,SHOP,1,store,A,2026-11-29,",
    )
    assert [(one.line, one.field, one.rule) for one in report.refusals] == [
        (6, "sku", "stands_twice"),
        (7, "lot_code", "lot_required"),
        (8, "expires_on", "lot_required"),
        (9, "serials", "lot_required"),
        (10, "lot_code", "not_tracked"),
        (11, "serials", "stands_twice"),
        (12, "expires_on", "lot_differs"),
    ]
    assert report.rows_accepted == 4 and adds_up(report)
    with reading(engine) as connection:
        found = {one.code: (one.serial, one.expires_on) for one in list_lots(connection)}
        assert broken_lot_rules(connection) == [] == rebuild_differences(connection)
    assert found == {
        "A": (False, date(2026, 11, 30)),
        "B": (False, date(2026, 12, 31)),
        "N-1": (True, None),
        "N-2": (True, None),
    }


@pytest.mark.capability("S3")
def test_a_code_that_is_unknown_or_fits_two_items_is_refused_and_never_guessed(
    sqlite_gate: Gate, sqlite_engine: Engine, person: Person, tmp_path: Path
) -> None:
    admin = person(sqlite_gate, "admin")
    header = "sku,name,category,brand,base_unit"
    (tmp_path / "i.csv").write_text(f"{header}\nA-1,x,c,b,each\n")
    (tmp_path / "j.csv").write_text(f"{header}\na-1,y,c,b,each\nB-1,z,c,b,each\n")
    run_import(sqlite_gate, sqlite_engine, admin, "items", tmp_path / "i.csv", AS_OF)
    known = run_import(sqlite_gate, sqlite_engine, admin, "items", tmp_path / "j.csv", AS_OF)
    assert known.set_aside == {"already_known": 1}
    (tmp_path / "s.csv").write_text(
        "sku,location,quantity,location_kind\nb-1,MAIN,5,warehouse\nC-9,MAIN,5,warehouse\n"
    )
    stock = run_import(sqlite_gate, sqlite_engine, admin, "opening-stock", tmp_path / "s.csv", AS_OF)
    assert stock.status == "rejected"
    assert [(one.field, one.rule) for one in stock.refusals] == [("sku", "unknown_code")]


@pytest.mark.capability("S119")
def test_more_units_than_were_shipped_cannot_come_back(
    sqlite_gate: Gate, sqlite_engine: Engine, person: Person, tmp_path: Path
) -> None:
    admin = person(sqlite_gate, "admin")
    as_of = date(2026, 6, 30)
    for name in ("items", "sales-history"):
        (tmp_path / f"{name}.csv").write_text(template_text(name))
        run_import(sqlite_gate, sqlite_engine, admin, name, tmp_path / f"{name}.csv", as_of)
    header = "return_number,returned_on,channel,order_number,sku,quantity"
    rows = [
        "1,2026-06-09,WEB,10001,MUG-BLUE,4",
        "2,2026-06-10,WEB,10001,MUG-BLUE,3",
        "3,2026-06-10,WEB,77,MUG-BLUE,1",
    ]
    (tmp_path / "r.csv").write_text("\n".join([header, *rows]))
    report = run_import(sqlite_gate, sqlite_engine, admin, "returns", tmp_path / "r.csv", as_of, "skip-rows")
    assert report.rows_accepted == 1 and adds_up(report)
    assert {one.rule for one in report.refusals} == {"more_than_shipped", "unknown_order"}
