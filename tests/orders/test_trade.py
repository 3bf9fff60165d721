"""Goods that may not be sold somewhere, or not without their documents."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from erp_core.gate.contract import Command, Executed, Proposed
from erp_core.gate.decisions import ApproveProposal
from erp_core.master.commands import AddTradeDocument, SetItemTrade, SetTradeRule, WithdrawTradeDocument
from erp_core.master.queries.trade import list_trade_documents, traded_goods
from erp_core.orders.commands import HoldOrder, ReleaseOrder, ShipOrder
from erp_core.storage.engine import reading
from tests.shop import MONDAY, Shop

DAY = MONDAY.date()


def govern(shop: Shop, command: Command) -> None:
    admin = shop.gate.bootstrap_user("admin", roles=("admin",))
    manager = shop.gate.bootstrap_user("manager", roles=("manager",))
    proposed = shop.gate.submit(command, admin, key=uuid4().hex)
    assert isinstance(proposed, Proposed), proposed
    yes = ApproveProposal(proposal_id=proposed.proposal_id, payload_hash=proposed.payload_hash)
    outcome = shop.gate.submit(yes, manager, key=uuid4().hex)
    assert isinstance(outcome, Executed) and "failed" not in outcome.result, outcome


def rule(**fields: Any) -> SetTradeRule:
    values = {"rule_id": uuid4(), "rule_name": "Export control", "direction": "sale", "valid_from": DAY}
    return SetTradeRule(**values | fields)


def document(kind: str, subject_kind: str, subject_id: UUID, **fields: Any) -> AddTradeDocument:
    values = {
        "document_id": uuid4(),
        "kind": kind,
        "number": "EX-1",
        "issuer": "Customs office",
        "valid_from": DAY,
        "file_sha256": "a" * 64,
        "subject_kind": subject_kind,
        "subject_id": subject_id,
    }
    return AddTradeDocument(**values | fields)


def classed(shop: Shop, trade_class: str, **fields: Any) -> UUID:
    """An item in stock of a class that only this test knows."""
    item = shop.item(north=20)
    govern(shop, SetItemTrade(item_id=item, trade_classes=(trade_class,), **fields))
    return item


@pytest.mark.capability("S117", "S212")
def test_goods_of_a_class_are_not_sold_to_a_forbidden_country_from_the_rules_first_day_to_before_its_last(
    shop: Shop,
) -> None:
    item, plain = classed(shop, "dual_use_a", hs_code="84715000"), shop.item(north=5)
    ends = DAY + timedelta(days=3)
    govern(shop, rule(trade_class="dual_use_a", country="Iran", valid_to=ends))
    for days, place in ((0, "refused"), (2, "refused"), (3, "placed"), (-1, "placed")):
        shop.now = MONDAY + timedelta(days=days)
        wanted = shop.order((plain, 1), (item, 1), customer_country="ir")
        if place == "refused":
            assert shop.refused(wanted).code == "trade_forbidden"
        else:
            shop.run(wanted)
    shop.now = MONDAY
    shop.place((item, 1), customer_country="DE")


@pytest.mark.capability("S117", "S212")
def test_an_order_that_waits_is_not_released_once_its_goods_are_forbidden(shop: Shop) -> None:
    item = classed(shop, "hazard_b", hs_code="360410")
    order = shop.place((item, 2), customer_country="FR")
    shop.run(HoldOrder(order_id=order.order_id, reason_code="customer_request"))
    forbidding = rule(hs_prefix="3604", country="FR", rule_name="No fireworks")
    govern(shop, forbidding)
    assert shop.refused(ReleaseOrder(order_id=order.order_id)).code == "trade_forbidden"
    govern(shop, forbidding.model_copy(update={"active": False}))
    shop.release(order)
    assert shop.at(item).reserved == 2


@pytest.mark.capability("S117")
def test_goods_leave_only_with_every_document_valid_that_day_of_the_item_the_order_or_the_parcel(
    shop: Shop,
) -> None:
    item = classed(shop, "dual_use_c")
    govern(shop, rule(trade_class="dual_use_c", country="US", document_kinds=("export_licence", "end_use")))
    order = shop.place((item, 1), customer_country="US")
    parcel = ShipOrder(order_id=order.order_id, shipment_id=uuid4())

    def lacks() -> str:
        error = shop.refused(parcel)
        assert error.code == "trade_document_missing" and error.remedy
        return str(error.details["document_kind"])

    assert lacks() == "end_use"
    shop.run(document("end_use", "order", order.order_id, valid_from=DAY - timedelta(9), valid_to=DAY))
    assert lacks() == "end_use"
    forged = document("end_use", "shipment", parcel.shipment_id)
    shop.run(forged)
    assert lacks() == "export_licence"
    shop.run(document("export_licence", "item", item, valid_to=DAY + timedelta(days=1)))
    shop.run(WithdrawTradeDocument(document_id=forged.document_id, reason="It was forged"))
    assert lacks() == "end_use"
    assert (
        shop.refused(WithdrawTradeDocument(document_id=forged.document_id, reason="Again")).code
        == "illegal_transition"
    )
    shop.run(document("end_use", "order", order.order_id))
    shop.run(parcel)
    counter = shop.order((item, 1), customer_country="US", ship_now=True)
    assert shop.refused(counter).code == "trade_document_missing"
    late = shop.place((item, 1), customer_country="US")
    shop.later(1)
    assert (
        shop.refused(ShipOrder(order_id=late.order_id, shipment_id=uuid4())).code == "trade_document_missing"
    )
    shop.assert_sound()


@pytest.mark.capability("S117")
def test_what_customs_ask_is_kept_on_the_item_and_documents_are_listed_by_record_and_by_end(
    shop: Shop,
) -> None:
    item = classed(shop, "age_d", hs_code="22042100", origin_country="Italy", minimum_age=18)
    origin = document("certificate_of_origin", "item", item, valid_to=DAY + timedelta(days=10))
    shop.run(origin)
    with reading(shop.gate.engine) as connection:
        goods = traded_goods(connection, [item])[item]
        (listed,) = list_trade_documents(connection, subject_id=item)
        ends = {
            days: origin.document_id
            in {one.id for one in list_trade_documents(connection, ends_before=DAY + timedelta(days=days))}
            for days in (9, 10)
        }
    assert (goods.hs_code, goods.origin_country, goods.trade_classes) == ("22042100", "IT", ("age_d",))
    assert (listed.file_sha256, listed.issuer) == ("a" * 64, "Customs office")
    assert ends == {9: False, 10: True}
    again = document("certificate_of_origin", "item", item, document_id=origin.document_id)
    assert shop.refused(again).code == "already_exists"
    assert shop.refused(document("licence", "item", uuid4())).code == "not_found"


@pytest.mark.capability("S117")
@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"trade_class": "x", "hs_prefix": "1"},
        {"trade_class": "hazard", "direction": "import", "channel_id": uuid4()},
        {"trade_class": "hazard", "valid_to": date(2026, 6, 1)},
    ],
)
def test_a_rule_on_documents_says_which_goods_and_for_some_day(fields: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        rule(**fields)
