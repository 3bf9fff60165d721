"""Products, their variants and their stock, and categories on the command line."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import quote

import typer

from api.cli.options import AsJson, Home

_FIGURES = ("on_hand", "available", "reserved", "in_transit")
_NUMBERS = [(name.replace("_", " "), "right") for name in _FIGURES]


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    for command in (products, categories):
        app.command()(command)


def _asked(home: Any, path: str, **params: Any) -> Any:
    from api.cli.client import connect

    with connect(home) as client:
        return client.get(path, **params)


def products(
    code: Annotated[
        str | None, typer.Argument(help="One product by code, with its variants and their stock.")
    ] = None,
    category: Annotated[str | None, typer.Option(help="Only of this category and of all within it.")] = None,
    text: Annotated[str | None, typer.Option(help="Looked for in code and name.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=500)] = 100,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """List products, or one with its variants and what of them is in stock."""
    from api.cli.output import print_json, table

    if code is not None:
        found = _asked(home, f"/products/{quote(code, safe='')}")
    else:
        found = _asked(home, "/products", category=category, text=text, limit=limit)
    if as_json:
        print_json(found)
        return
    if code is not None:
        _show(found)
        return
    rows = [
        (one["code"], one["name"], one["category"], ", ".join(one["axes"]), one["variants"]) for one in found
    ]
    names = [(name, "left") for name in ("code", "name", "category", "axes")]
    table(f"{len(rows)} products", [*names, ("variants", "right")], rows)


def _show(found: dict[str, Any]) -> None:
    from api.cli.output import table

    product = found["product"]
    axes = product["axes"]
    rows = [
        (
            one["sku"],
            *(one["values"].get(axis) for axis in axes),
            one["status"],
            one["base_unit"],
            *_units(one["held"]),
        )
        for one in found["variants"]
    ]
    blank = [None] * len(axes)
    rows += [("together", *blank, None, one["base_unit"], *_units(one["held"])) for one in found["held"]]
    names = [(name, "left") for name in ("sku", *axes, "status", "unit")]
    table(f"{product['code']}: {product['name']} ({product['category']})", [*names, *_NUMBERS], rows)


def _units(held: dict[str, int]) -> tuple[int, ...]:
    return tuple(held[name] for name in _FIGURES)


def categories(home: Home = None, as_json: AsJson = False) -> None:
    """List categories by path, with the number of items in each and within it."""
    from api.cli.output import print_json, table

    found = _asked(home, "/categories")
    if as_json:
        print_json(found)
        return
    rows = [(" / ".join(one["path"]), one["items"], one["items_within"]) for one in found]
    table(f"{len(rows)} categories", [("category", "left"), ("items", "right"), ("within", "right")], rows)
