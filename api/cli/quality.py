"""What can it do: the list of capabilities."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from api.cli.options import AsJson


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    app.command()(capabilities)


def capabilities(
    tests: Annotated[
        Path | None, typer.Option(help="The folder of the tests (default: that of this project).")
    ] = None,
    missing: Annotated[bool, typer.Option("--missing", help="Only those that no test shows.")] = False,
    as_json: AsJson = False,
) -> None:
    """List the capabilities S1…S241, each with the marked tests that show it."""
    from api.cli.output import out, print_json
    from api.cli.shown import known_capabilities, shown_by

    shown = shown_by(tests or Path(__file__).parents[2] / "tests")
    rows = [one for one in known_capabilities() if not (missing and shown.get(one.number))]
    if as_json:
        print_json(
            [
                {
                    "capability": one.number,
                    "area": one.area,
                    "text": one.text,
                    "tests": shown.get(one.number, []),
                }
                for one in rows
            ]
        )
        return
    area = ""
    for one in rows:
        if one.area != area:
            area = one.area
            out.print(f"\n{area}", style="bold", markup=False)
        proofs = shown.get(one.number, [])
        out.print(f"  {'●' if proofs else '○'} {one.number:<5} {one.text}", markup=False)
        for proof in proofs:
            out.print(f"          {proof}", style="dim", markup=False)
    total = len(known_capabilities())
    count = sum(1 for one in known_capabilities() if shown.get(one.number))
    out.print(f"\n{count} of {total} capabilities are shown by a test", markup=False)
