"""Orders held against the log."""

from __future__ import annotations

from sqlalchemy import update

from erp_core.procurement.commands import SetReceiptTolerance
from erp_core.procurement.model import purchase_orders
from erp_core.procurement.ordering.accounted import unaccounted_orders
from erp_core.storage.types import money
from tests.gate.owner import as_the_owner_of_the_database
from tests.procurement.conftest import Company
from tests.procurement.test_held_goods import decide


def test_an_order_bought_by_a_command_is_accounted_for_and_one_set_by_hand_is_named(
    sqlite_company: Company,
) -> None:
    sqlite_company.sent(40)
    draft = sqlite_company.drafted(40)
    assert sqlite_company.read(unaccounted_orders) == []
    with as_the_owner_of_the_database(sqlite_company.gate.engine) as connection:
        by_hand = update(purchase_orders).where(purchase_orders.c.id == draft.po_id)
        connection.execution_options(quartermaster_gate=True).execute(by_hand.values(status="sent", total=1))
    found = sqlite_company.read(unaccounted_orders)
    assert [one.po_id for one in found] == [draft.po_id, draft.po_id]
    assert "no command" in found[0].problem and "total" in found[1].problem


def test_a_total_that_grew_by_a_change_or_by_goods_that_were_kept_is_accounted_for(
    sqlite_company: Company,
) -> None:
    company = sqlite_company
    company.approve(company.submit(SetReceiptTolerance(over=500)), "manager")
    tolerated, kept = company.sent(40), company.sent(40)
    company.do(company.receipt(tolerated, 42), "warehouse")
    company.do(company.receipt(kept, 45), "warehouse")
    company.do(decide(kept, "accept", 5))
    assert {company.row(purchase_orders, one.po_id).total for one in (tolerated, kept)} == {
        money(420),
        money(450),
    }
    assert company.read(unaccounted_orders) == []
