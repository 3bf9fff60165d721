"""`quartermaster`: the command line. Heavy packages are imported by the commands that need them."""

from __future__ import annotations

import os
import sys

import typer

from api.cli import (
    access,
    audit,
    autonomy,
    books,
    buying,
    company,
    data,
    database,
    deciding,
    evals,
    exposures,
    master,
    mcp,
    order_flow,
    payables,
    policy,
    products,
    quality,
    receiving,
    returning,
    session,
    stock,
    trade,
    warehouse,
    work,
)
from api.cli.errors import CliError

app = typer.Typer(
    name="quartermaster",
    help="A governed operations copilot: ask, look at exceptions, propose, approve, prove.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for module in (
    company,
    session,
    access,
    data,
    work,
    deciding,
    policy,
    autonomy,
    audit,
    master,
    products,
    order_flow,
    payables,
    buying,
    exposures,
    books,
    trade,
    warehouse,
    receiving,
    returning,
    stock,
    evals,
    quality,
    database,
    mcp,
):
    module.add_to(app)


def main() -> None:
    """Run the command line; errors are one line on standard error, with an exit code that says what kind."""
    os.environ.setdefault("ANONYMIZED_TELEMETRY", "False")
    try:
        app()
    except CliError as error:
        if "--json" in sys.argv and error.problem is not None:
            from api.cli.output import print_json

            print_json(error.problem)
        remedy = f" – {error.remedy}" if error.remedy else ""
        sys.stderr.write(f"error: {error.message}{remedy}\n")
        raise SystemExit(error.code) from None
    except KeyboardInterrupt:
        raise SystemExit(130) from None


if __name__ == "__main__":
    main()
