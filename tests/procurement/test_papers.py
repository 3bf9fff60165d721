"""Imports and the documents that they need."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from erp_core.exceptions.commands import ResolveCase
from erp_core.exceptions.model import cases
from erp_core.gate.contract import Executed
from erp_core.master.commands import AddTradeDocument, SetItemTrade, SetTradeRule
from erp_core.procurement.receiving.papers import CheckImportDocuments, documents_to_check
from tests.procurement.conftest import TODAY

Company = Any


def ruled(company: Company, **fields: Any) -> None:
    """The item is dual use, and such imports need a licence."""
    company.approve(
        company.submit(SetItemTrade(item_id=company.item, trade_classes=("dual_use",)), "admin"), "manager"
    )
    values = {
        "rule_id": uuid4(),
        "rule_name": "Import control",
        "direction": "import",
        "trade_class": "dual_use",
        "document_kinds": ("import_licence",),
        "valid_from": TODAY,
    }
    company.approve(company.submit(SetTradeRule(**values | fields), "admin"), "manager")


def licence(company: Company, subject_kind: str, subject_id: UUID, **fields: Any) -> None:
    values = {
        "document_id": uuid4(),
        "kind": "import_licence",
        "number": "IL-7",
        "issuer": "Customs",
        "valid_from": TODAY - timedelta(days=9),
        "file_sha256": "b" * 64,
        "subject_kind": subject_kind,
        "subject_id": subject_id,
    }
    company.do(AddTradeDocument(**values | fields))


def open_cases(company: Company) -> list[str]:
    statement = select(cases.c.title).where(cases.c.kind == "import_document", cases.c.status == "open")
    return list(company.read(lambda connection: connection.scalars(statement).all()))


@pytest.mark.capability("S117")
def test_an_import_is_not_received_without_its_document_and_the_missing_one_is_named(
    company: Company,
) -> None:
    bought, other = company.sent(20), company.sent(20)
    ruled(company)
    refused = company.refused(company.receipt(bought, 20), "warehouse")
    assert refused["code"] == "trade_document_missing" and "import licence" in refused["message"]
    licence(company, "purchase_order", bought.po_id, valid_to=TODAY)
    assert company.refused(company.receipt(bought, 20), "warehouse")["code"] == "trade_document_missing"
    licence(company, "purchase_order", bought.po_id, valid_to=TODAY + timedelta(days=1))
    assert company.do(company.receipt(bought, 20), "warehouse")["accepted"] == 20
    assert company.refused(company.receipt(other, 20), "warehouse")["code"] == "trade_document_missing"
    licence(company, "item", company.item)
    assert company.do(company.receipt(other, 20), "warehouse")["accepted"] == 20


@pytest.mark.capability("S117")
def test_a_rule_for_another_country_leaves_an_import_alone_and_one_without_documents_forbids_it(
    company: Company,
) -> None:
    bought = company.sent(20)
    ruled(company, country="China", document_kinds=())
    assert company.do(company.receipt(bought, 4), "warehouse")["accepted"] == 4
    ruled(company, document_kinds=())
    assert company.refused(company.receipt(bought, 4), "warehouse")["code"] == "trade_forbidden"


@pytest.mark.capability("S117")
def test_an_open_inbound_whose_document_is_missing_or_runs_out_before_it_comes_is_a_case_until_it_is_there(
    company: Company,
) -> None:
    company.sent(20, promised_on=TODAY + timedelta(days=8))
    ruled(company)
    jobs = company.gate.bootstrap_user("jobs", roles=("jobs",), kind="service")

    def check(due: bool) -> list[str]:
        assert company.read(lambda connection: documents_to_check(connection, TODAY)) is due
        assert isinstance(company.gate.submit(CheckImportDocuments(), jobs, key=uuid4().hex), Executed)
        return open_cases(company)

    (title,) = check(due=True)
    assert "lacks import licence" in title
    assert check(due=False) == [title]
    licence(company, "item", company.item, valid_to=TODAY + timedelta(days=8))
    assert check(due=False) == [title]
    licence(company, "item", company.item, valid_to=TODAY + timedelta(days=9))
    assert check(due=True) == []


@pytest.mark.capability("S117")
def test_a_missing_document_that_somebody_dismissed_is_not_looked_at_at_every_upkeep(
    company: Company,
) -> None:
    company.sent(20, promised_on=TODAY)
    ruled(company)
    jobs = company.gate.bootstrap_user("jobs", roles=("jobs",), kind="service")

    def check() -> None:
        assert company.read(lambda connection: documents_to_check(connection, TODAY))
        assert isinstance(company.gate.submit(CheckImportDocuments(), jobs, key=uuid4().hex), Executed)
        assert not company.read(lambda connection: documents_to_check(connection, TODAY))

    check()
    case = company.read(lambda c: c.execute(select(cases.c.id).where(cases.c.status == "open")).one())
    company.do(ResolveCase(case_id=case.id, resolution="accepted_risk"), "buyer")
    assert not company.read(lambda connection: documents_to_check(connection, TODAY))
    company.sent(20, promised_on=TODAY)
    check()
    assert len(open_cases(company)) == 1, "another order is another case"
