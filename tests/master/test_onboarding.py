"""Suppliers come in by a workflow, and nothing is ordered from one that is not active and in order."""

from __future__ import annotations

from datetime import date, timedelta
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from erp_core.gate.contract import Command, Executed, Proposed, Refused
from erp_core.master.commands import (
    ActivateSupplier,
    BlockSupplier,
    SendBackSupplier,
    SetDocumentKind,
    SubmitSupplier,
)
from erp_core.master.queries import find_supplier
from erp_core.master.queries.documents import documents_due, list_documents
from erp_core.master.rules.documents import DOCUMENT_KINDS, Validity, document_gaps, invalid
from erp_core.procurement.commands import (
    CreatePurchaseOrder,
    PurchaseOrderLine,
    SendPurchaseOrder,
    SubmitPurchaseOrder,
)
from erp_core.storage.engine import reading
from tests.master.market import active_supplier, agree, approve, ask, document, offered, supplier
from tests.shop import MONDAY, Shop

TODAY = MONDAY.date()


def status(shop: Shop, code: str) -> str:
    with reading(shop.gate.engine) as connection:
        found = find_supplier(connection, code)
    assert found is not None
    return found.status


def order(shop: Shop, supplier_id: UUID, item_id: UUID, price: int | None = None) -> CreatePurchaseOrder:
    line = PurchaseOrderLine(line_id=uuid4(), item_id=item_id, quantity=2, unit_price=price)
    return CreatePurchaseOrder(
        po_id=uuid4(), supplier_id=supplier_id, location_id=shop.north, lines=(line,), reason="needed"
    )


@pytest.mark.capability("S6")
def test_a_supplier_is_drafted_submitted_with_its_documents_and_activated_by_another_person(
    shop: Shop,
) -> None:
    draft = supplier()
    shop.run(draft)
    assert ask(shop, SubmitSupplier(supplier_id=draft.supplier_id)).error.code == "document_missing"
    shop.run(document(draft.supplier_id, reference="file 12", file_sha256="ab" * 32))
    shop.run(SubmitSupplier(supplier_id=draft.supplier_id))
    assert status(shop, draft.code) == "submitted"
    proposed = ask(shop, ActivateSupplier(supplier_id=draft.supplier_id))
    assert isinstance(proposed, Proposed)
    assert status(shop, draft.code) == "submitted"
    assert isinstance(approve(shop, proposed), Executed)
    assert status(shop, draft.code) == "active"
    with reading(shop.gate.engine) as connection:
        (kept,) = list_documents(connection, draft.supplier_id)
    assert (kept.kind, kept.reference, kept.valid_to) == ("business_registration", "file 12", None)


@pytest.mark.capability("S6")
def test_a_draft_that_was_never_submitted_is_not_activated(shop: Shop) -> None:
    draft = supplier()
    shop.run(draft)
    outcome = agree(shop, ActivateSupplier(supplier_id=draft.supplier_id))
    assert not (isinstance(outcome, Executed) and outcome.result.get("status") == "executed")
    assert status(shop, draft.code) == "draft"


@pytest.mark.capability("S6")
def test_a_supplier_is_not_submitted_while_a_term_is_missing_or_a_document_not_valid_that_day(
    shop: Shop,
) -> None:
    unfinished = supplier(payment_days=None)
    shop.run(unfinished)
    shop.run(document(unfinished.supplier_id))
    assert shop.refused(SubmitSupplier(supplier_id=unfinished.supplier_id)).details["missing"] == [
        "payment_days"
    ]
    early, late = supplier(), supplier()
    for one, days in ((early, (TODAY - timedelta(9), TODAY)), (late, (TODAY + timedelta(1), None))):
        shop.run(one)
        shop.run(document(one.supplier_id, valid_from=days[0], valid_to=days[1]))
        error = shop.refused(SubmitSupplier(supplier_id=one.supplier_id))
        assert error.code == "document_missing"
        assert error.details["documents"][0]["state"] in ("expired", "not_yet_valid")


@pytest.mark.capability("S6")
def test_a_document_ends_on_the_first_day_it_is_no_longer_valid(shop: Shop) -> None:
    last_day, over = supplier(), supplier()
    for one, end in ((last_day, TODAY + timedelta(1)), (over, TODAY)):
        shop.run(one)
        shop.run(document(one.supplier_id, valid_to=end))
    shop.run(SubmitSupplier(supplier_id=last_day.supplier_id))
    assert shop.refused(SubmitSupplier(supplier_id=over.supplier_id)).code == "document_missing"


@pytest.mark.capability("S6")
def test_an_imported_supplier_needs_a_declaration_as_well_because_the_data_say_so(shop: Shop) -> None:
    draft = supplier(segment="imported")
    shop.run(draft)
    shop.run(document(draft.supplier_id))
    missing = shop.refused(SubmitSupplier(supplier_id=draft.supplier_id)).details["documents"]
    assert [one["kind"] for one in missing] == ["product_conformity"]
    shop.run(document(draft.supplier_id, "product_conformity"))
    shop.run(SubmitSupplier(supplier_id=draft.supplier_id))


def test_a_kind_of_document_that_the_company_adds_is_asked_for_and_an_unknown_one_is_refused(
    fresh_shop: Shop,
) -> None:
    shop = fresh_shop
    draft = supplier()
    shop.run(draft)
    shop.run(document(draft.supplier_id))
    error = shop.refused(document(draft.supplier_id, "organic_certificate"))
    assert (error.code, error.field) == ("unknown_kind", "kind")
    shop.run(SetDocumentKind(kind="organic_certificate", label="Organic", required_for=("domestic",)))
    assert shop.refused(SubmitSupplier(supplier_id=draft.supplier_id)).code == "document_missing"
    shop.run(document(draft.supplier_id, "organic_certificate"))
    shop.run(SubmitSupplier(supplier_id=draft.supplier_id))


@pytest.mark.capability("S6")
def test_a_submitted_supplier_is_sent_back_for_a_reason_of_the_catalogue_only(shop: Shop) -> None:
    draft = supplier()
    shop.run(draft)
    shop.run(document(draft.supplier_id))
    shop.run(SubmitSupplier(supplier_id=draft.supplier_id))
    back = SendBackSupplier(supplier_id=draft.supplier_id, reason_code="because")
    assert shop.refused(back).code == "unknown_reason"
    shop.run(back.model_copy(update={"reason_code": "terms_incomplete"}))
    assert status(shop, draft.code) == "draft"


@pytest.mark.capability("S6")
def test_nothing_is_ordered_from_a_supplier_that_is_blocked_until_it_is_active_again(shop: Shop) -> None:
    supplier_id, item_id = active_supplier(shop), shop.item()
    offered(shop, supplier_id, item_id)
    draft = order(shop, supplier_id, item_id)
    shop.run(draft)
    shop.run(BlockSupplier(supplier_id=supplier_id, reason_code="dispute", comment="invoice of May"))
    commands: list[Command] = [order(shop, supplier_id, item_id), SubmitPurchaseOrder(po_id=draft.po_id)]
    for command in commands:
        assert shop.refused(command).code == "inactive_supplier"
    outcome = agree(shop, ActivateSupplier(supplier_id=supplier_id))
    assert isinstance(outcome, Executed)
    shop.run(order(shop, supplier_id, item_id))


@pytest.mark.capability("S6")
def test_an_order_is_refused_and_the_supplier_listed_when_its_document_ran_out(shop: Shop) -> None:
    draft = supplier()
    shop.run(draft)
    shop.run(document(draft.supplier_id, valid_to=TODAY + timedelta(10)))
    shop.run(SubmitSupplier(supplier_id=draft.supplier_id))
    agree(shop, ActivateSupplier(supplier_id=draft.supplier_id))
    item_id = shop.item()
    offered(shop, draft.supplier_id, item_id)
    approved = order(shop, draft.supplier_id, item_id)
    shop.run(approved)
    agree(shop, SubmitPurchaseOrder(po_id=approved.po_id))
    with reading(shop.gate.engine) as connection:
        listed = {one.code: one.gap for one in documents_due(connection, TODAY)}
    assert (listed[draft.code].state, listed[draft.code].ends_on) == ("expiring", TODAY + timedelta(10))
    shop.later(10)
    for command in (order(shop, draft.supplier_id, item_id), SendPurchaseOrder(po_id=approved.po_id)):
        error = shop.refused(command)
        assert error.code == "supplier_document_missing"
        assert error.details["documents"] == ["business_registration"]
    shop.run(document(draft.supplier_id, valid_from=TODAY + timedelta(10)))
    shop.run(SendPurchaseOrder(po_id=approved.po_id))


def test_a_document_that_ends_before_it_begins_is_malformed() -> None:
    with pytest.raises(ValueError, match="valid_to"):
        document(uuid4(), valid_from=TODAY, valid_to=TODAY)


DAYS = st.dates(date(2026, 1, 1), date(2026, 12, 31))


@given(
    periods=st.lists(st.tuples(DAYS, st.none() | DAYS).filter(lambda one: one[1] is None or one[1] > one[0])),
    day=DAYS,
)
def test_a_required_document_is_in_order_exactly_on_the_days_one_covers(
    periods: list[tuple[date, date | None]], day: date
) -> None:
    kind = DOCUMENT_KINDS["business_registration"]
    held = [Validity(kind.kind, start, end) for start, end in periods]
    covered = any(start <= day and (end is None or day < end) for start, end in periods)
    assert (not invalid(document_gaps([kind], "domestic", held, day))) == covered


def test_two_documents_without_a_break_count_as_one() -> None:
    kind = DOCUMENT_KINDS["business_registration"]
    held = [
        Validity(kind.kind, TODAY, TODAY + timedelta(5)),
        Validity(kind.kind, TODAY + timedelta(5), None),
    ]
    assert document_gaps([kind], "domestic", held, TODAY) == []
    assert document_gaps([kind], "domestic", held[:1], TODAY)[0].state == "expiring"


def test_a_refusal_names_what_to_do(shop: Shop) -> None:
    outcome = ask(shop, SubmitSupplier(supplier_id=uuid4()))
    assert isinstance(outcome, Refused)
    assert (outcome.error.code, outcome.error.field) == ("not_found", "supplier_id")
