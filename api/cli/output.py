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
_PIPE = Console(highlight=False, width=1_000)


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
    """A table; a column is (heading, "left" or "right").

    Where people's screens are too narrow for it, each row stands as a block of its own; a pipe gets every row on one line.
    """
    cells = [["–" if cell is None else str(cell) for cell in row] for row in rows]
    headings = [heading for heading, _ in columns]
    if out.is_terminal and _least_width(headings, cells) > out.width:
        out.print(title, style="italic", markup=False)
        for row in cells:
            out.print()
            facts([(heading or "-", cell) for heading, cell in zip(headings, row, strict=True) if cell])
    else:
        shown = Table(
            title=title or None, title_justify="left", header_style="bold", box=None, pad_edge=False
        )
        for heading, justify in columns:
            shown.add_column(
                heading,
                justify="right" if justify == "right" else "left",
                overflow="fold",
                no_wrap=heading == "id",
            )
        for row in cells:
            shown.add_row(*(Text(cell) for cell in row))
        (out if out.is_terminal else _PIPE).print(shown)
    if note:
        out.print(note, style="dim", markup=False)


def _least_width(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> int:
    """Below this many characters a table gets unreadable: texts may fold to 20, what is shorter stays whole."""
    widths = [
        min(longest, 20) if (longest := max(map(len, column))) > 20 and heading != "id" else longest
        for heading, *cells in zip(headings, *rows, strict=True)
        for column in [[heading, *cells]]
    ]
    return sum(widths) + 2 * (len(widths) - 1)


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
