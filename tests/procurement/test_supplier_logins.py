"""A supplier's login acts for its own supplier alone."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from uuid import uuid4

import pytest

from erp_core.gate.contract import Executed, Refused
from erp_core.gate.credentials import load_principal
from erp_core.gate.principals import Principal
from erp_core.gate.users import CreateUser
from erp_core.procurement.commands import ConfirmPurchaseOrder, RecordSupplierMessage
from erp_core.procurement.commands.purchase_orders import LinePromise
from erp_core.storage.engine import reading
from tests.procurement.conftest import Company


def login_of(company: Company, supplier_id: object) -> Principal:
    command = CreateUser.model_validate(
        {
            "user_id": uuid4(),
            "login": f"supplier-{uuid4().hex[:6]}",
            "person_name": uuid4().hex,
            "roles": ["supplier"],
            "supplier_id": supplier_id,
        }
    )
    assert isinstance(company.gate.submit(command, company.people["admin"], key=str(uuid4())), Executed)
    with reading(company.gate.engine) as connection:
        return load_principal(connection, command.user_id)


@pytest.mark.capability("S204")
def test_a_supplier_confirms_its_own_orders_and_nobody_elses(sqlite_company: Company) -> None:
    company = sqlite_company
    order = company.sent(20)
    command = ConfirmPurchaseOrder(
        po_id=order.po_id, lines=(LinePromise(po_line_id=order.line_ids[0], promised_on=date(2026, 7, 20)),)
    )
    message = RecordSupplierMessage(message_id=uuid4(), supplier_id=company.supplier, body="late")
    own = login_of(company, company.supplier)
    strangers = (login_of(company, uuid4()), login_of(company, None), replace(own, supplier_id=None))
    for stranger in strangers:
        for one in (command, message):
            outcome = company.gate.submit(one, stranger, key=str(uuid4()))
            assert isinstance(outcome, Refused) and outcome.error.code == "not_your_supplier"
    for one in (command, message):
        assert isinstance(company.gate.submit(one, own, key=str(uuid4())), Executed)
