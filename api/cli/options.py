"""Options that many commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON value.")]
Home = Annotated[
    Path | None,
    typer.Option(
        "--home", help="The company's folder (default: QUARTERMASTER_HOME, or var).", show_default=False
    ),
]


def new_key() -> str:
    """An idempotency key for one wish."""
    from uuid import uuid4

    return f"cli-{uuid4()}"
