"""`python -m benchmarks [NAME …]`: run the benchmarks and print their figures."""

from __future__ import annotations

import importlib
import pkgutil
import sys
import time

from rich.console import Console
from rich.table import Table

import benchmarks
from api.collector import collect_seldom


def main(wanted: list[str]) -> None:
    """Run those named, or all; each module gives `run() -> list[(figure, value)]`."""
    console = Console()
    for module in pkgutil.iter_modules(benchmarks.__path__):
        if module.name.startswith("_") or (wanted and module.name not in wanted):
            continue
        loaded = importlib.import_module(f"benchmarks.{module.name}")
        collect_seldom()
        if not hasattr(loaded, "run"):
            continue
        started = time.perf_counter()
        table = Table("figure", "value", title=module.name)
        for figure, value in loaded.run():
            table.add_row(figure, value)
        console.print(table)
        console.print(f"[dim]{time.perf_counter() - started:.0f} s[/dim]")


if __name__ == "__main__":
    main(sys.argv[1:])
