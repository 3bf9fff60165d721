"""Cartons and packs on the way in: asked for, bought, announced and received in a unit, counted in base units."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from api.plans import describe
from erp_core.gate.contract import Command, Executed, Outcome, Proposed, Refused, Submission
from erp_core.gate.model import proposals
from erp_core.master.commands import SetItemUnit
from erp_core.procurement.commands import (
    ChangePurchaseOrder,
    CreatePurchaseOrder,
    NoticeLine,
    PurchaseOrderLine,
    ReceivedLine,
    ReceiveGoods,
    RequestPurchase,
    SendShippingNotice,
    SubmitPurchaseOrder,
)
from erp_core.procurement.commands.arriving import UnorderedLine
from erp_core.procurement.model import po_lines, purchase_orders, requisitions, shipping_notice_lines
from tests.procurement.conftest import TODAY, Company


def carton(company: Company, factor: int, item_id: UUID | None = None) -> SetItemUnit:
    return SetItemUnit(item_id=item_id or company.item, unit="carton", factor=factor)


def draft(company: Company, quantity: int, unit: str | None = "carton") -> CreatePurchaseOrder:
    line = PurchaseOrderLine(line_id=uuid4(), item_id=company.item, quantity=quantity, unit=unit)
    return company.draft(lines=(line,))


def request(company: Company, quantity: int, unit: str = "carton", **fields: Any) -> RequestPurchase:
    values = {"requisition_id": uuid4(), "item_id": company.item, "location_id": company.warehouse}
    return RequestPurchase(
        **values | {"quantity": quantity, "unit": unit, "reason": "the shelf is empty"} | fields
    )


def planned(company: Company, *commands: Command, who: str = "buyer") -> Outcome:
    return company.gate.submit_plan(
        commands, company.people[who], key=uuid4().hex, title="Lamps", reason="the shelf is empty"
    )


def bought(company: Company, quantity: int) -> Outcome:
    wanted = draft(company, quantity)
    return planned(company, wanted, SubmitPurchaseOrder(po_id=wanted.po_id))


@pytest.mark.capability("S2")
def test_a_purchase_in_cartons_is_one_of_pieces_and_a_unit_nobody_knows_is_refused(company: Company) -> None:
    company.do(carton(company, 12), "admin")
    order = draft(company, 5)
    assert company.do(order)["total"] == 60 * 100_000, "at the price of a piece"
    assert company.row(po_lines, order.lines[0].line_id).quantity == 60
    pieces = draft(company, 60, "piece")
    company.do(pieces)
    assert company.row(purchase_orders, pieces.po_id).total == 60 * 100_000
    assert company.refused(draft(company, 1))["code"] == "quantity_against_terms", "12 are less than 20"
    for wrong, code in (
        (draft(company, 5, "pallet"), "unknown_unit"),
        (
            company.draft(lines=(order.lines[0].model_copy(update={"item_id": company.other_item}),)),
            "unknown_unit",
        ),
        (draft(company, 10**14 * 9), "quantity_too_large"),
        (
            draft(company, 1).model_copy(
                update={"lines": (order.lines[0].model_copy(update={"item_id": uuid4()}),)}
            ),
            "not_found",
        ),
        (request(company, 5, "pallet"), "unknown_unit"),
        (request(company, 10**14 * 9), "quantity_too_large"),
    ):
        error = company.refused(wrong)
        assert (error["code"], bool(error["field"]), bool(error["remedy"])) == (code, True, True)
    asked = request(company, 4)
    company.do(asked, "warehouse")
    assert company.row(requisitions, asked.requisition_id).quantity == 48


@pytest.mark.capability("S2")
def test_cartons_are_announced_and_received_as_the_pieces_in_them(company: Company) -> None:
    company.do(carton(company, 10), "admin")
    company.do(carton(company, 6, company.other_item), "admin")
    order = company.sent(50)
    (line_id,) = order.line_ids

    def notice(quantity: int, unit: str) -> SendShippingNotice:
        line = NoticeLine(po_line_id=line_id, carton="C1", quantity=quantity, unit=unit)
        return SendShippingNotice(
            notice_id=uuid4(), po_id=order.po_id, reference=uuid4().hex, expected_on=TODAY, lines=(line,)
        )

    def receipt(of: str, *quantities: int, **unordered: Any) -> ReceiveGoods:
        came, rejected, quarantined = quantities
        line = ReceivedLine(
            receipt_line_id=uuid4(),
            po_line_id=line_id,
            quantity=came,
            rejected_quantity=rejected,
            quarantined_quantity=quarantined,
            unit=of,
        )
        strange = (UnorderedLine(unordered_id=uuid4(), **unordered),) if unordered else ()
        return ReceiveGoods(receipt_id=uuid4(), po_id=order.po_id, lines=(line,), unordered=strange)

    announced = company.do(notice(4, "carton"))
    assert announced["units"] == 40
    stored = company.read(
        lambda c: c.scalars(
            select(shipping_notice_lines.c.quantity).where(shipping_notice_lines.c.po_line_id == line_id)
        ).all()
    )
    assert stored == [40]
    came = company.do(
        receipt("carton", 4, 1, 1, item_id=company.other_item, quantity=2, unit="carton"), "warehouse"
    )
    assert (came["accepted"], came["rejected"], came["held"], came["unordered"]) == (20, 10, 10, 12)
    assert company.stock(company.item) == {"available": 20, "received_held": 10}
    assert company.stock(company.other_item) == {"received_held": 12}
    assert company.refused(notice(1, "pallet"))["code"] == "unknown_unit"
    for wrong in (
        receipt("pallet", 1, 0, 0),
        receipt("carton", 1, 0, 0, item_id=company.unlisted_item, quantity=1, unit="carton"),
    ):
        assert company.refused(wrong, "warehouse")["code"] == "unknown_unit"
    assert company.stock(company.item) == {"available": 20, "received_held": 10}


@pytest.mark.capability("S2", "S206")
def test_a_unit_slips_under_no_limit(company: Company) -> None:
    company.sent(500)
    company.do(carton(company, 80), "admin")
    assert isinstance(bought(company, 1), Executed), "800 runs"
    waiting = bought(company, 3)
    assert isinstance(waiting, Proposed), "2,400 more, 3,200 in all, do not, though they are three only"
    row = company.row(proposals, waiting.proposal_id)
    assert row.facts["amount"] == 2_400 * 10_000
    shown = company.read(lambda c: describe(row.payload, company.gate.registry, c, row.read_set, today=TODAY))
    assert "carton" not in str(shown[0].lines) and "240" in str(shown[0].lines)
    asked = request(company, 1)
    proposed = company.submit(asked, "warehouse")
    assert isinstance(proposed, Proposed) and proposed.policy == "requisition from 500"
    order = company.sent(20)
    added = PurchaseOrderLine(line_id=uuid4(), item_id=company.item, quantity=4, unit="carton")
    change = ChangePurchaseOrder(po_id=order.po_id, reason_code="demand_changed", added=(added,))
    changed = company.submit(change)
    assert isinstance(changed, Proposed)
    assert company.row(proposals, changed.proposal_id).facts["amount"] == 3_200 * 10_000
    company.approve(changed, "manager")
    assert company.row(po_lines, added.line_id).quantity == 320
    company.do(carton(company, 800), "admin")
    for one in (waiting, proposed):
        assert company.approve(one, "manager")["status"] == "stale", "a carton is another one now"


@pytest.mark.capability("S2", "S206")
def test_a_unit_that_is_sized_together_with_what_is_bought_in_it_is_refused(company: Company) -> None:
    company.sent(500)
    company.do(carton(company, 20), "admin")
    company.people["both"] = company.gate.bootstrap_user("both", roles=("buyer", "admin"))
    wanted = draft(company, 1)
    outcome = planned(
        company, carton(company, 20_000), wanted, SubmitPurchaseOrder(po_id=wanted.po_id), who="both"
    )
    assert isinstance(outcome, Refused) and outcome.error.code == "unit_moves"
    batch = [Submission(one, uuid4().hex) for one in (carton(company, 20_000), request(company, 1))]
    sized, asked = company.gate.submit_many(batch, company.people["both"])
    assert isinstance(sized, Executed)
    assert isinstance(asked, Refused) and asked.error.code == "unit_moves"
