"""Products and categories over HTTP and on the command line."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest

from api.demo import PASSWORD
from tests.api.conftest import User
from tests.api.test_cli import Cli, cli

__all__ = ["cli"]


def _lamps(admin: Any) -> str:
    """A product with two variants, set up by the administrator; its id."""
    product_id = str(uuid4())
    named = {"code": "LAMP/7", "product_name": "Desk lamp", "category": "Lamps", "axes": ["colour"]}
    admin.post("/commands/SetCategory", {"category": "Home"})
    admin.post("/commands/SetCategory", {"category": "Lamps", "parent": "Home"})
    admin.post("/commands/CreateProduct", {"product_id": product_id, **named})
    for colour in ("Red", "Blue"):
        fields = {"sku": f"LAMP-7-{colour}", "variant": {"colour": colour}, "base_unit": "each"}
        admin.post("/commands/CreateItem", {"item_id": str(uuid4()), "product_id": product_id, **fields})
    return product_id


@pytest.mark.capability("S1")
def test_a_product_is_shown_with_its_variants_and_what_of_them_is_in_stock(
    user: Callable[[str], User],
) -> None:
    admin, planner = user("admin"), user("planner")
    product_id = _lamps(admin)
    (listed,) = planner.get("/products", category="Home")
    assert (listed["code"], listed["variants"], listed["axes"]) == ("LAMP/7", 2, ["colour"])
    assert planner.get("/products", text="nothing of the kind") == []
    found = planner.get(f"/products/{product_id}")
    assert found["product"] == listed
    assert [one["values"] for one in found["variants"]] == [{"colour": "Blue"}, {"colour": "Red"}]
    assert [(one["base_unit"], one["held"]["on_hand"]) for one in found["held"]] == [("each", 0)]
    item_id = str(uuid4())
    twin = {"item_id": item_id, "sku": "LAMP-7-X", "product_id": product_id, "variant": {"colour": "red"}}
    refused = admin.post("/commands/CreateItem", twin, expect=409)
    assert (refused["code"], refused["details"]["sku"]) == ("variant_taken", "LAMP-7-Red")
    paths = {one["name"]: one["path"] for one in planner.get("/categories")}
    assert paths["Lamps"] == ["Home", "Lamps"]
    planner.get(f"/products/{uuid4()}", expect=404)
    planner.post("/commands/SetCategory", {"category": "Mine"}, expect=403)


@pytest.mark.capability("S1")
def test_products_variants_and_categories_are_listed_on_the_command_line(
    cli: Cli, user: Callable[[str], User]
) -> None:
    _lamps(user("admin"))
    cli("login", "planner", given=f"{PASSWORD}\n")
    assert "Desk lamp" in cli("products", "--category", "Home")
    shown = cli("products", "lamp/7")
    assert all(word in shown for word in ("LAMP-7-Red", "Blue", "colour", "together", "draft"))
    assert cli.json("products", "LAMP/7")["product"]["category"] == "Lamps"
    assert "Home / Lamps" in cli("categories")
    assert any(one["path"] == ["Home", "Lamps"] for one in cli.json("categories"))
    cli("products", "NO-SUCH-THING", expect=3)
