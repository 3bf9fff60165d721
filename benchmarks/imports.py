"""Imports on SQLite: 500,000 synthetic sales lines, and the published invoice lines where they are at hand.

On the published lines the commonest metric queries are timed, too.
"""

from __future__ import annotations

import csv
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from datetime import date, datetime, timedelta
from pathlib import Path

from benchmarks.metrics import timed

LINES = 500_000
SHARED = Path(os.environ.get("QUARTERMASTER_SHARED", Path(__file__).parents[2] / "shared"))
PUBLISHED = SHARED / "data/online_retail/online_retail_dev.csv.gz"


def run() -> list[tuple[str, str]]:
    """Seconds, write transactions and peak memory of each import, each in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        files = [(f"{LINES:,} sales lines", _synthetic(Path(folder) / "lines.csv", LINES))]
        if PUBLISHED.exists():
            files.append(("Online Retail, published part", PUBLISHED))
        figures = []
        for name, path in files:
            answer = subprocess.run(
                [sys.executable, "-m", "benchmarks.imports", str(path), folder],
                check=True,
                capture_output=True,
                text=True,
            )
            result = json.loads(answer.stdout.splitlines()[-1])
            for figure, value in result.items():
                figures.append((f"{name}: {figure}", str(value)))
        return figures


def _synthetic(path: Path, lines: int) -> Path:
    """Invoices of 20 lines over two years; one invoice in forty cancels part of another."""
    draw = random.Random(7)
    begin = datetime(2009, 12, 1, 8)
    header = (
        "Invoice",
        "StockCode",
        "Description",
        "Quantity",
        "InvoiceDate",
        "Price",
        "Customer ID",
        "Country",
    )
    with path.open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(header)
        for invoice in range(lines // 20):
            at = begin + timedelta(minutes=invoice * 730 * 1440 // (lines // 20))
            cancelled = invoice % 40 == 39
            for _ in range(20):
                item = int(4_000 * draw.random() ** 2)
                units = draw.randint(1, 24)
                writer.writerow(
                    (
                        f"C{489434 + invoice}" if cancelled else 489434 + invoice,
                        20000 + item,
                        f"ITEM NUMBER {item}",
                        -units if cancelled else units,
                        at,
                        f"{draw.randint(50, 2000) / 100:.2f}",
                        13000 + invoice % 3_000,
                        "United Kingdom",
                    )
                )
    return path


def _measure(path: Path, folder: Path) -> dict[str, str]:
    from api.composition import make_gate
    from erp_core.clock import Clock
    from erp_core.integration.run import run_import
    from erp_core.storage.engine import open_engine
    from erp_core.storage.schema import migrate

    engine = open_engine(f"sqlite:///{folder / path.stem}.db")
    migrate(engine)
    gate = make_gate(engine, Clock(fixed_business_date=date(2026, 6, 30)), home=folder)
    admin = gate.bootstrap_user("admin", roles=("admin",))
    chunks: list[float] = []
    last = ["", 0.0]

    def progress(step: str, _done: int, _total: int) -> None:
        now = time.perf_counter()
        if step == "posting" == last[0]:
            chunks.append(now - float(last[1]))
        last[:] = [step, now]

    started, cpu = time.perf_counter(), time.process_time()
    report = run_import(gate, engine, admin, "online-retail", path, date(2012, 1, 1), progress=progress)
    seconds = time.perf_counter() - started
    chunks.sort()
    figures = {
        "rows read": f"{report.rows_read:,}",
        "seconds": f"{seconds:.1f} ({time.process_time() - cpu:.1f} of processor)",
        "rows a second": f"{report.rows_read / seconds:,.0f}",
        "write transaction, median, 95 % and longest": (
            f"{chunks[len(chunks) // 2]:.3f} s, {chunks[int(len(chunks) * 0.95)]:.3f} s, {chunks[-1]:.3f} s"
        ),
        "peak memory": f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:,.0f} MB",
    }
    if path == PUBLISHED:
        queries = timed(engine, report.as_of)
        figures |= {
            f"{len(queries)} metric queries, median and slowest": (
                f"{queries[len(queries) // 2][0]:.2f} s, {queries[0][0]:.2f} s ({queries[0][1]})"
            ),
            "of them under a second": f"{sum(seconds < 1 for seconds, _ in queries)}",
        }
    return figures


if __name__ == "__main__":
    print(json.dumps(_measure(Path(sys.argv[1]), Path(sys.argv[2]))))
