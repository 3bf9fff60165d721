"""What people and programs read: tables, money and moments, or one JSON value."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

out = Console(highlight=False)
err = Console(stderr=True, highlight=False)


def print_json(value: Any) -> None:
    """One JSON value on standard output."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=2, default=str) + "\n")


def money(amount: int | None) -> str:
    """Ten-thousandths as an amount with thousands separators; a dash where unknown."""
    return "–" if amount is None else f"{amount / 10_000:,.2f}"


def cell(value: Any, unit: str | None) -> str:
    """A figure of an answer in its unit; a dash where it has no value."""
    if value is None:
        return "–"
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    if unit in ("percent", "share"):
        return f"{value * 100:,.1f} %"
    if unit == "money":
        return f"{value:,.2f}"
    return f"{value:,}" if isinstance(value, int) else f"{value:,.1f}"


def moment(text: str | None) -> str:
    """A moment to the minute."""
    return "–" if not text else text[:16].replace("T", " ")


def words(code: str | None) -> str:
    """A code as words."""
    return "–" if not code else code.replace("_", " ")


def table(
    title: str, columns: Sequence[tuple[str, str]], rows: Sequence[Sequence[Any]], note: str = ""
) -> None:
    """A table; a column is (heading, "left" or "right")."""
    shown = Table(
        title=title, title_justify="left", header_style="bold", box=None, pad_edge=False, caption=note or None
    )
    for heading, justify in columns:
        shown.add_column(
            heading,
            justify="right" if justify == "right" else "left",
            overflow="fold",
            no_wrap=heading == "id",
        )
    for row in rows:
        shown.add_row(*(Text("–" if cell is None else str(cell)) for cell in row))
    out.print(shown)
    if note:
        out.print(note, style="dim", markup=False)


def facts(pairs: Sequence[tuple[str, Any]]) -> None:
    """Names and values, one a line."""
    width = max((len(name) for name, _ in pairs), default=0)
    for name, value in pairs:
        out.print(f"{name:<{width}}  {'–' if value is None else value}", markup=False, soft_wrap=True)


@contextmanager
def waiting(text: str) -> Iterator[None]:
    """A spinner for people while something takes its time; silent where nobody watches."""
    if err.is_terminal:
        with err.status(text):
            yield
    else:
        yield
