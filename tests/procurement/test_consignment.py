"""Whose stock it is decides what it is worth and who may have it."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import uuid4

import pytest

from erp_core.finance.queries import valuation_differences
from erp_core.inventory.commands import SetStockAuthority, StockLine
from erp_core.inventory.ownership import holding_of, owned_stock
from erp_core.inventory.queries import available_units, position, rebuild_differences
from erp_core.procurement.commands import ReceiveConsigned, TakeOverConsigned
from erp_core.storage.types import money
from tests.procurement.test_receiving import value_of
from tests.procurement.test_receiving_lots import tracked

Company = Any


def consigned(company: Company, kind: Any, units: int, **said: Any) -> Any:
    item_id = said.pop("item_id", company.item)
    return kind(
        document_id=uuid4(),
        supplier_id=company.supplier,
        location_id=company.warehouse,
        lines=(StockLine(item_id=item_id, quantity=units, **said),),
    )


@pytest.mark.capability("S51")
def test_consigned_stock_lies_here_unvalued_and_unpromised_until_it_is_taken_over(company: Company) -> None:
    company.do(consigned(company, ReceiveConsigned, 30), "warehouse")
    company.do(
        SetStockAuthority(location_id=company.warehouse, owner="consigned", system="wms.acme"), "admin"
    )
    (theirs,) = company.read(lambda c: owned_stock(c, company.item))
    assert (theirs.owner, theirs.holding, theirs.system) == ("consigned", "consigned", "wms.acme")
    assert (theirs.units, theirs.valued_units, theirs.promisable_units) == (30, 0, 0)
    assert company.read(lambda c: available_units(c, [company.item])) == {}
    assert company.read(lambda c: position(c, company.item, company.warehouse)).on_hand == 0
    taken = consigned(company, TakeOverConsigned, 12)
    company.approve(company.submit(taken), "manager")
    stock = {one.owner: one for one in company.read(lambda c: owned_stock(c, company.item))}
    assert (stock["own"].units, stock["own"].valued_units, stock["own"].system) == (12, 12, "ledger")
    assert stock["consigned"].units == 18
    assert value_of(company, company.item) == (12, money(120))
    assert company.read(lambda c: available_units(c, [company.item])) == {
        (company.item, company.warehouse): 12
    }
    assert company.read(rebuild_differences) == [] == company.read(valuation_differences)


@pytest.mark.capability("S51")
def test_no_more_is_taken_over_than_lies_there_and_nothing_without_a_price(company: Company) -> None:
    company.do(consigned(company, ReceiveConsigned, 5), "warehouse")
    proposed = company.submit(consigned(company, TakeOverConsigned, 6))
    again = company.submit(consigned(company, TakeOverConsigned, 5, item_id=company.unlisted_item))
    assert again.error.code == "no_supplier_record"
    company.do(consigned(company, ReceiveConsigned, 5, item_id=company.unlisted_item), "warehouse")
    assert company.submit(consigned(company, TakeOverConsigned, 5), "warehouse").message
    assert proposed.proposal_id


def test_a_consigned_lot_stays_the_lot_it_was_when_it_is_bought(sqlite_company: Company) -> None:
    company = sqlite_company
    item_id = tracked(company, lot_tracked=True, expiry_tracked=True)
    said = {"item_id": item_id, "lot_code": "A"}
    company.do(consigned(company, ReceiveConsigned, 5, **said, expires_on=date(2026, 8, 31)), "warehouse")
    company.approve(company.submit(consigned(company, TakeOverConsigned, 2, **said)), "manager")
    found = {one.owner: one.units for one in company.read(lambda c: owned_stock(c, item_id))}
    assert found == {"own": 2, "consigned": 3}
    assert company.read(rebuild_differences) == []


@pytest.mark.capability("S51")
def test_who_holds_own_stock_follows_from_the_place() -> None:
    assert holding_of("own", "warehouse") == "own"
    assert holding_of("own", "third_party") == "third_party_held"
    assert holding_of("own", "drop_ship") == "drop_ship"
    assert holding_of("consigned", "third_party") == "consigned"
