"""Whom to buy from, why lines came late, what scorecards say, and what to do when supply fails."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.composition import make_registry
from erp_core.analytics.query import MetricQuery
from erp_core.analytics.run import run
from erp_core.analytics.scorecard import SCORES, NoScorecard, scorecard
from erp_core.exceptions.draft import KINDS
from erp_core.exceptions.playbooks import PLAYBOOKS, playbooks_for
from erp_core.gate.contract import Executed, Proposed
from erp_core.gate.roles import ROLES, may_run
from erp_core.inventory.commands import PostOpeningStock, StockLine
from erp_core.master.commands import ActivateSupplier, SetSupplierItem
from erp_core.orders.commands import SetSubstitution
from erp_core.planning.continuity import continuity_plan
from erp_core.procurement.commands import ConfirmPurchaseOrder, LinePromise
from erp_core.procurement.ordering.late_causes import late_causes
from erp_core.procurement.ordering.sourcing import SourceOffer, compare_sources, rank_sources, single_sources
from erp_core.procurement.rules import split_lateness
from erp_core.storage.types import money
from tests.procurement.conftest import TODAY, Company

RIGHTS = frozenset({"see_cost", "read_metrics"})
NOW = datetime(2026, 6, 30, 12, tzinfo=UTC)
YEAR = date(2026, 1, 1)


def at(day: date) -> datetime:
    return datetime.combine(day, datetime.min.time(), UTC)


@pytest.fixture
def sourced(company: Company) -> Company:
    """A second supplier, dearer and quicker, for the first item only."""
    company.approve(
        company.submit(ActivateSupplier(supplier_id=company.sleeping_supplier), "manager"), "second_manager"
    )
    company.do(
        SetSupplierItem(
            supplier_id=company.sleeping_supplier,
            item_id=company.item,
            price=money(12),
            lead_time_days=3,
            rank=2,
        ),
        "admin",
    )
    company.people["past"] = company.gate.bootstrap_user("past", roles=("simulator",), kind="service")
    return company


def bought(
    company: Company, made: date, sent: date, first: date, came: date, *quantities: int, **fields: Any
) -> Any:
    """An order that was made, sent, confirmed for a day and received on these days."""
    from erp_core.procurement.commands import SendPurchaseOrder, SubmitPurchaseOrder
    from tests.procurement.conftest import Order

    draft = company.draft(*quantities, **fields)
    prices = {company.item: money(10), company.other_item: money(4)}
    lines = tuple(one.model_copy(update={"unit_price": prices[one.item_id]}) for one in draft.lines)
    draft = draft.model_copy(update={"occurred_at": at(made), "lines": lines})
    company.do(draft, "past")
    order = Order(draft.po_id, tuple(line.line_id for line in draft.lines))
    proposed = company.submit(SubmitPurchaseOrder(po_id=order.po_id, occurred_at=at(made)), "past")
    if isinstance(proposed, Proposed):
        company.approve(proposed, "manager")
    company.do(SendPurchaseOrder(po_id=order.po_id, occurred_at=at(sent)), "past")
    promises = tuple(LinePromise(po_line_id=line, promised_on=first) for line in order.line_ids)
    company.do(ConfirmPurchaseOrder(po_id=order.po_id, lines=promises, occurred_at=at(sent)), "past")
    receipt = company.receipt(order, *quantities).model_copy(update={"occurred_at": at(came)})
    company.do(receipt, "past")
    return order


@pytest.mark.capability("S89")
def test_sources_are_compared_by_landed_cost_lead_time_and_risk(sourced: Company) -> None:
    company = sourced
    bought(
        company,
        *(date(2026, 6, 1), date(2026, 6, 1), date(2026, 6, 10), date(2026, 6, 13)),
        100,
        freight_cost=money(100),
    )

    def offers(quantity: int, need_by: date | None = None, **fields: Any) -> list[SourceOffer]:
        return list(
            company.read(
                lambda c: compare_sources(c, company.item, quantity, TODAY, need_by=need_by, **fields)
            )
        )

    cheap, quick = offers(25)
    assert (cheap.code, cheap.quantity, cheap.unit_price, cheap.landed_cost) == (
        "ACME",
        30,
        money(10),
        money(11),
    )
    assert (cheap.lead_days, cheap.lead_measured, cheap.on_time) == (12, True, 0)
    assert (quick.code, quick.lead_days, quick.lead_measured, quick.on_time) == ("SLEEPY", 3, False, None)
    assert cheap.recommended and "minimum of 20 in steps of 10" in cheap.quantity_why
    first, second = offers(25, need_by=TODAY + timedelta(days=5))
    assert (first.code, first.recommended, second.why) == ("SLEEPY", True, "it arrives too late")
    assert [one.code for one in offers(25, without=[company.supplier])] == ["SLEEPY"]
    assert company.read(lambda c: compare_sources(c, company.unlisted_item, 5, TODAY)) == []


@pytest.mark.capability("S94")
def test_dependency_on_one_source_is_shown_per_item_and_equals_the_metric(sourced: Company) -> None:
    company = sourced
    days = (date(2026, 6, 1), date(2026, 6, 1), date(2026, 6, 10), date(2026, 6, 9))
    bought(company, *days, 100, 50)
    (found,) = company.read(lambda c: single_sources(c, YEAR, TODAY))
    assert (found.sku, found.supplier, found.spend) == ("LAMP-1", "ACME", money(200))
    query = MetricQuery.model_validate(
        {"metrics": ["single_source_share", "spend"], "period": {"from": YEAR, "to": TODAY}}
    )
    ((share, spend),) = company.read(
        lambda c: run(c, query, today=TODAY, rights=RIGHTS, computed_at=NOW)
    ).rows
    assert (round(Decimal(share), 6), spend) == (Decimal("0.166667"), Decimal(1200))
    assert company.read(lambda c: single_sources(c, YEAR, date(2026, 5, 1))) == []


@pytest.mark.capability("S92")
def test_late_days_are_planning_approval_or_the_suppliers_and_add_up(sourced: Company) -> None:
    company = sourced

    def need(order_needed: date, made: date, sent: date, came: date) -> Any:
        draft = company.draft(20)
        line = draft.lines[0].model_copy(update={"need_by": order_needed})
        return bought(company, made, sent, date(2026, 6, 20), came, 20, lines=(line,))

    due = date(2026, 6, 20)
    supplier = need(due, date(2026, 6, 1), date(2026, 6, 1), date(2026, 6, 24))
    approval = need(due, date(2026, 6, 5), date(2026, 6, 12), date(2026, 6, 26))
    planning = need(due, date(2026, 6, 14), date(2026, 6, 14), date(2026, 6, 28))
    need(due, date(2026, 6, 1), date(2026, 6, 1), date(2026, 6, 20))
    found = {one.po_id: one for one in company.read(lambda c: late_causes(c, TODAY, since=YEAR))}
    assert [found[one.po_id].cause for one in (supplier, approval, planning)] == [
        "supplier",
        "approval",
        "planning",
    ]
    assert len(found) == 3, "what came in time is not late"
    parts = found[approval.po_id].lateness
    assert (parts.days, parts.planning, parts.approval, parts.supplier) == (6, 0, 6, 0)
    nobody = company.read(lambda c: late_causes(c, TODAY, since=YEAR, supplier_id=uuid4()))
    assert nobody == []


@given(
    due=st.integers(0, 60),
    made=st.integers(0, 60),
    sent=st.integers(0, 60),
    came=st.integers(0, 60),
    lead=st.none() | st.integers(0, 60),
)
def test_shares_of_lateness_always_add_up_and_without_a_lead_time_nobody_is_blamed(
    due: int, made: int, sent: int, came: int, lead: int | None
) -> None:
    start = date(2026, 1, 1)
    days = [start + timedelta(days=one) for one in (due, made, made + sent, made + sent + came)]
    found = split_lateness(*days, lead)
    assert found.days == max((days[3] - days[0]).days, 0)
    if lead is None:
        assert found.cause == "unknown"
        return
    parts = (found.planning, found.approval, found.supplier)
    assert sum(part or 0 for part in parts) == found.days and all(
        part is not None and part >= 0 for part in parts
    )


@pytest.mark.capability("S93")
def test_a_scorecard_says_what_the_semantic_layer_says_by_every_dimension(sourced: Company) -> None:
    company = sourced
    late = (date(2026, 6, 1), date(2026, 6, 1), date(2026, 6, 10), date(2026, 6, 13))
    good = (date(2026, 5, 1), date(2026, 5, 1), date(2026, 5, 10), date(2026, 5, 9))
    bought(company, *late, 100)
    bought(company, *good, 60, 40)

    def card(*by: str, **fields: Any) -> Any:
        wanted = {"by": by, "period": "all", "today": TODAY, "rights": RIGHTS, "computed_at": NOW} | fields
        return company.read(lambda c: scorecard(c, **wanted))

    found = card("supplier")
    scores = dict(zip(found.columns, found.rows[0], strict=True))
    assert scores["supplier_fill_rate"] == Decimal("0.5"), "100 of 200 units by the first day"
    assert round(Decimal(scores["on_time_rate"]), 6) == Decimal("0.666667"), "two of three lines"
    assert float(scores["lead_time_days"]) == (100 * 12 + 100 * 8) / 200
    assert float(scores["adherence_days"]) == (100 * 3 + 60 * -1 + 40 * -1) / 200, (
        "early counts less than zero"
    )
    assert len(found.rows) == 1, "a supplier without data has no row, and no figure"
    for by in ("supplier", "category", "warehouse", "item", "month"):
        query = MetricQuery(metrics=(*SCORES, "price_variance"), by=(by,), period="all")
        layer = company.read(lambda c, q=query: run(c, q, today=TODAY, rights=RIGHTS, computed_at=NOW))
        assert tuple(card(by).rows) == tuple(layer.rows), by
    assert "price_variance" not in card("item", rights=frozenset({"read_metrics"})).columns
    for wrong in ((), ("colour",), ("item", "item")):
        with pytest.raises(NoScorecard):
            card(*wrong)


@pytest.mark.capability("S96", "S90")
def test_when_supply_fails_the_ways_out_can_be_carried_out_as_they_are(sourced: Company) -> None:
    company = sourced
    company.do(
        PostOpeningStock(
            document_id=uuid4(),
            location_id=company.warehouse,
            lines=(StockLine(item_id=company.other_item, quantity=7),),
        ),
        "admin",
    )
    allowed = SetSubstitution(item_id=company.item, substitute_id=company.other_item, rank=1)
    company.approve(company.submit(allowed, "manager"), "second_manager")
    options = company.read(
        lambda c: continuity_plan(
            c, company.item, company.warehouse, 30, TODAY, failed_supplier_id=company.supplier
        )
    )
    assert [(one.kind, one.units) for one in options] == [("substitute", 7), ("alternate", 30)]
    alternate = options[1]
    ids = {"po_id": uuid4(), "line_id": uuid4()}
    registry = make_registry()
    commands = []
    for one in alternate.commands:
        payload = {
            name: ids.get(name, value) if value is None else value for name, value in one["payload"].items()
        }
        if "lines" in payload:
            payload["lines"] = [{**line, "line_id": ids["line_id"]} for line in payload["lines"]]
        commands.append(registry.require(one["command"]).command.model_validate(payload))
    outcome = company.gate.submit_plan(
        commands, company.people["buyer"], key=uuid4().hex, title="Another source", reason="supply failed"
    )
    assert isinstance(outcome, Executed | Proposed), outcome
    nothing = company.read(lambda c: continuity_plan(c, company.unlisted_item, company.warehouse, 5, TODAY))
    assert nothing == []


@pytest.mark.capability("S91")
def test_playbooks_name_steps_owner_escalation_and_who_decides_and_each_step_can_be_taken() -> None:
    registry = make_registry()
    assert {"shortage", "delay", "substitution", "cost change"} <= set(PLAYBOOKS)
    for book in PLAYBOOKS.values():
        assert set(book.kinds) <= set(KINDS) and book.steps and book.escalate_hours > 0
        assert {book.owner, book.escalates_to, book.decides} <= set(ROLES)
        for step in book.steps:
            if step.command is not None:
                assert registry.get(step.command) is not None, step
                assert may_run([step.role], step.command), step
    assert [one.name for one in playbooks_for("milestone_missed")] == ["delay"]
    assert playbooks_for("overstock") == []


@given(st.permutations(["a", "b", "c"]))
def test_the_recommended_source_does_not_depend_on_the_order_of_the_offers(codes: list[str]) -> None:
    costs = {"a": (5, "high"), "b": (9, "low"), "c": (7, "medium")}
    offers = [
        SourceOffer(uuid4(), code, costs[code][1], 1, "", 1, costs[code][0], 3, False, None, TODAY)
        for code in codes
    ]
    assert [one.code for one in rank_sources(offers, None)] == ["c", "b", "a"]
