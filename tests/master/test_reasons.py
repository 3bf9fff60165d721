"""One catalogue of statuses, exception kinds and reason codes; free text alone is refused."""

from __future__ import annotations

import importlib
import pkgutil
from pathlib import Path

import pytest
from pydantic import ValidationError
from sqlalchemy import select

import erp_core
from api.catalogue import STATUSES, as_markdown, catalogue
from erp_core.finance.queries import valuation_differences
from erp_core.gate.model import audit_entries
from erp_core.inventory.model import stock_moves
from erp_core.master.commands import SetReasonCode
from erp_core.master.queries.reasons import reason_catalogue
from erp_core.master.rules.reasons import EFFECTS, KINDS, REASONS
from erp_core.orders.commands import CancelOrder
from erp_core.storage.engine import reading
from tests.shop import Shop

PAGE = Path(__file__).parents[2] / "docs" / "catalogue.md"


@pytest.mark.capability("S21")
def test_a_reason_in_free_text_is_malformed_and_an_unknown_code_refused_with_the_known_ones(
    shop: Shop,
) -> None:
    item_id = shop.item(north=5)
    with pytest.raises(ValidationError):
        shop.adjust(item_id, -1, reason="It fell off the shelf")
    error = shop.refused(shop.adjust(item_id, -1, reason="fell_down"))
    assert (error.code, error.field) == ("unknown_reason", "reason_code")
    assert "damaged" in error.details["reasons"]
    order = shop.place((item_id, 1))
    refused = shop.refused(CancelOrder(order_id=order.order_id, reason_code="damaged"))
    assert refused.code == "unknown_reason"
    assert shop.at(item_id).available == 4


@pytest.mark.capability("S21")
def test_a_comment_may_stand_beside_the_code_and_both_are_audited(shop: Shop) -> None:
    item_id = shop.item(north=5)
    wanted = shop.write_off(item_id, 1, reason="damaged", comment="fell off the shelf")
    with reading(shop.gate.engine) as connection:
        payload = connection.scalar(
            select(audit_entries.c.payload).where(audit_entries.c.subject_id == wanted.adjustment_id)
        )
    assert "fell off the shelf" in str(payload)
    assert "damaged" in str(payload)


@pytest.mark.capability("S21")
def test_a_code_that_the_company_adds_is_taken_with_its_effect_and_one_switched_off_is_refused(
    fresh_shop: Shop,
) -> None:
    shop = fresh_shop
    item_id = shop.item(north=10, cost=50_000)
    assert shop.refused(shop.adjust(item_id, -1, reason="eaten")).code == "unknown_reason"
    shop.run(SetReasonCode(kind="stock_adjustment", code="eaten", label="Eaten by visitors", effect="loss"))
    shop.write_off(item_id, 1, reason="eaten")
    shop.run(SetReasonCode(kind="stock_adjustment", code="damaged", label="Damaged", active=False))
    assert shop.refused(shop.adjust(item_id, -1, reason="damaged")).code == "unknown_reason"
    with reading(shop.gate.engine) as connection:
        moved = connection.execute(select(stock_moves.c.reason).where(stock_moves.c.event == "adjustment"))
        assert [row.reason for row in moved] == ["eaten"]
        assert valuation_differences(connection) == []
        known = {one.code: one for one in reason_catalogue(connection, "stock_adjustment")}
    assert (known["eaten"].effect, known["damaged"].effect, known["damaged"].active) == (
        "loss",
        "loss",
        False,
    )


@pytest.mark.capability("S21")
@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"kind": "weather", "code": "rain"}, "unknown_kind"),
        ({"kind": "return", "code": "late", "effect": "loss"}, "unknown_kind"),
        ({"kind": "order_hold", "code": "payment_review", "active": False}, "fixed_reason"),
        ({"kind": "stock_adjustment", "code": "counted", "effect": "loss"}, "fixed_reason"),
    ],
)
def test_a_code_of_no_kind_or_that_would_change_what_past_documents_mean_is_refused(
    shop: Shop, change: dict[str, object], code: str
) -> None:
    command = SetReasonCode.model_validate({"label": "Something"} | change)
    assert shop.refused(command).code == code


@pytest.mark.capability("S21")
def test_every_declared_status_graph_stands_in_the_catalogue() -> None:
    declared = {}
    for module in pkgutil.walk_packages(erp_core.__path__, "erp_core."):
        if ".rules" not in module.name:
            continue
        for name, value in vars(importlib.import_module(module.name)).items():
            if name.endswith(("_STEPS", "_STATUSES")):
                declared[name] = value
    assert declared
    assert {id(graph) for graph in declared.values()} == {id(graph) for graph in STATUSES.values()}


def test_every_reason_is_of_a_known_kind_and_effect() -> None:
    assert {kind for kind, _ in REASONS} == set(KINDS)
    assert all(one.effect is None or one.effect in EFFECTS[one.kind] for one in REASONS.values())


@pytest.mark.capability("S21")
def test_the_page_of_the_documentation_is_the_catalogue(fresh_shop: Shop) -> None:
    with reading(fresh_shop.gate.engine) as connection:
        assert PAGE.read_text(encoding="utf-8") == as_markdown(catalogue(connection))
