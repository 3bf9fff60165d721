"""Invoice lines as Online Retail I and II publish them."""

from __future__ import annotations

import csv
import random
from datetime import date, timedelta
from pathlib import Path

HEADER_1 = (
    "InvoiceNo",
    "StockCode",
    "Description",
    "Quantity",
    "InvoiceDate",
    "UnitPrice",
    "CustomerID",
    "Country",
)
HEADER_2 = (
    "Invoice",
    "StockCode",
    "Description",
    "Quantity",
    "InvoiceDate",
    "Price",
    "Customer ID",
    "Country",
)


def invoices(path: Path, lines: int) -> Path:
    """A file of small invoices, some of them partly cancelled the same day."""
    draw = random.Random(11)
    rows = []
    for invoice in range(lines // 6):
        day = date(2010, 12, 1) + timedelta(days=invoice // 4)
        for _ in range(6):
            item = draw.randrange(40)
            rows.append(
                (
                    536000 + invoice,
                    22000 + item,
                    f"ITEM {item}",
                    draw.randint(1, 9),
                    f"{day} 09:00",
                    "2.95",
                    invoice % 7,
                )
            )
        if invoice % 5 == 0:
            rows.append((f"C{536000 + invoice}", rows[-1][1], "", -1, f"{day} 15:00", "2.95", invoice % 7))
    with path.open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(HEADER_2)
        writer.writerows((*row, "France") for row in rows)
    return path
