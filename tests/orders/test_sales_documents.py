"""Tax on sales, customer invoices and credit notes, and when their revenue counts."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select, update

from erp_core.finance.model_journal import journal_entries
from erp_core.gate.contract import Command, Executed, Outcome, Proposed, Refused
from erp_core.gate.decisions import ApproveProposal
from erp_core.master.commands import (
    ActivateItem,
    AssignLegalEntity,
    CreateChannel,
    CreateItem,
    CreateLegalEntity,
    DefineKit,
    KitComponent,
    SetItemTrade,
    SetRevenueRule,
    SetTaxRule,
)
from erp_core.master.rules.taxes import credited_tax, rounded, tax_parts
from erp_core.orders.commands import ConfirmDelivery, IssueSalesInvoices, RegisterCustomer, ShipOrder
from erp_core.orders.commands.place import PlaceOrder
from erp_core.orders.model_documents import sales_documents
from erp_core.orders.queries.documents import (
    list_sales_documents,
    revenue,
    sales_document_lines_of,
    supplies_without_invoice,
    tax_sums,
)
from erp_core.orders.rules.documents import InvoicedLine, credits_of
from erp_core.returns.commands import (
    AuthorisedLine,
    AuthoriseReturn,
    CreditOrder,
    DisposedLine,
    DisposeReturn,
    InspectedLine,
    InspectReturn,
    ReceiveReturn,
)
from erp_core.storage.engine import gate_writing, reading
from erp_core.storage.types import money
from tests.shop import MONDAY, Shop

DAY = MONDAY.date()
VAT = {"treatment": "taxed", "rate": 190_000}


@dataclass
class Market:
    """A channel of its own in a shared shop, and the people who govern its taxes."""

    shop: Shop
    channel: UUID

    def outcome(self, command: Command) -> Outcome:
        finance = self.shop.gate.bootstrap_user("finance", roles=("finance",))
        manager = self.shop.gate.bootstrap_user("manager", roles=("manager",))
        proposed = self.shop.gate.submit(command, finance, key=uuid4().hex)
        if not isinstance(proposed, Proposed):
            return proposed
        yes = ApproveProposal(proposal_id=proposed.proposal_id, payload_hash=proposed.payload_hash)
        return self.shop.gate.submit(yes, manager, key=uuid4().hex)

    def govern(self, command: Command) -> Command:
        outcome = self.outcome(command)
        assert isinstance(outcome, Executed) and "failed" not in outcome.result, outcome
        return command

    def failed(self, command: Command) -> str:
        """Why what people agreed to could not be done."""
        outcome = self.outcome(command)
        assert isinstance(outcome, Executed) and "failed" in outcome.result, outcome
        return str(outcome.result)

    def rule(self, **fields: Any) -> SetTaxRule:
        """A rule of this channel, from long ago."""
        return SetTaxRule(
            **{"rule_id": uuid4(), "rule_name": "VAT", "channel_id": self.channel, "valid_from": DAY} | fields
        )

    def tax(self, **fields: Any) -> SetTaxRule:
        rule = self.rule(**VAT | fields)
        self.govern(rule)
        return rule

    def sell(self, *wanted: tuple[UUID, int], **fields: Any) -> PlaceOrder:
        return self.shop.place(*wanted, **{"channel_id": self.channel} | fields)

    def documents(self, order: PlaceOrder) -> list[Any]:
        with reading(self.shop.gate.engine) as connection:
            return list_sales_documents(connection, order_id=order.order_id)

    def lines(self, document: Any) -> list[Any]:
        with reading(self.shop.gate.engine) as connection:
            return sales_document_lines_of(connection, document.id)

    def posted(self, *documents: Any) -> dict[tuple[str, str], int]:
        """Sums of the journal by (debit, credit) that rest on these documents."""
        entry = journal_entries.c
        with reading(self.shop.gate.engine) as connection:
            rows = connection.execute(
                select(entry.debit, entry.credit, func.sum(entry.value))
                .where(entry.document_id.in_([one.id for one in documents]))
                .group_by(entry.debit, entry.credit)
            )
            return {(debit, credit): int(value) for debit, credit, value in rows}

    def give_back(self, order: PlaceOrder, line: int, units: int, refund: int) -> dict[str, Any]:
        """A return of some units from authorisation to refund."""
        return_id, part = uuid4(), uuid4()
        wanted = AuthorisedLine(
            return_line_id=part,
            order_line_id=order.lines[line].line_id,
            quantity=units,
            reason_code="changed_mind",
            refund=refund,
        )
        self.shop.run(AuthoriseReturn(return_id=return_id, order_id=order.order_id, lines=(wanted,)))
        self.shop.run(ReceiveReturn(return_id=return_id))
        seen = InspectedLine(return_line_id=part, condition="as_new")
        self.shop.run(InspectReturn(return_id=return_id, lines=(seen,)))
        way = DisposedLine(return_line_id=part, disposition="restock")
        return self.shop.run(DisposeReturn(return_id=return_id, lines=(way,)))


@pytest.fixture
def market(shop: Shop) -> Market:
    return another(shop)


def another(shop: Shop) -> Market:
    channel = uuid4()
    shop.run(CreateChannel(channel_id=channel, code=f"C-{channel.hex[-8:]}", channel_name="M", kind="web"))
    return Market(shop, channel)


@pytest.mark.capability("S113")
def test_a_parcel_has_an_invoice_with_the_tax_of_each_item_and_the_reason_where_none_is_charged(
    market: Market,
) -> None:
    book, food, medicine = (market.shop.item(north=9, cost=10_000) for _ in range(3))
    market.govern(SetItemTrade(item_id=food, tax_class="reduced"))
    market.govern(SetItemTrade(item_id=medicine, tax_class="medical"))
    market.tax()
    market.tax(tax_class="reduced", rate=70_000)
    market.tax(tax_class="medical", treatment="exempt", rate=0, reason="Exempt: medical goods")
    order = market.sell((book, 1), (food, 2), (medicine, 3))
    assert market.documents(order) == []
    market.shop.ship(order)
    (invoice,) = market.documents(order)
    assert (invoice.kind, invoice.issued_on, invoice.net) == ("invoice", DAY, money(120))
    assert invoice.tax == money("3.80") + money("2.80")
    lines = market.lines(invoice)
    assert [(one.tax, one.treatment, one.reason) for one in lines] == [
        (money("3.80"), "taxed", None),
        (money("2.80"), "taxed", None),
        (0, "exempt", "Exempt: medical goods"),
    ]
    assert market.posted(invoice) == {
        ("receivables", "revenue"): invoice.net,
        ("receivables", "sales_tax_payable"): invoice.tax,
    }


@pytest.mark.capability("S113")
def test_the_most_precise_rule_holds_and_a_marketplace_that_collects_itself_leaves_no_tax_to_us(
    shop: Shop,
) -> None:
    item = shop.item(north=20)
    ours, theirs = another(shop), another(shop)
    ours.tax(customer_countries=("Germany",))
    ours.tax(customer_countries=("DE", "FR", "AT"), rate=200_000)
    ours.tax(treatment="zero_rated", rate=0, reason="Export")
    theirs.govern(
        theirs.rule(treatment="collected_by_marketplace", reason="The marketplace collects and pays it")
    )
    taxes = {}
    for market, country in ((ours, "de"), (ours, "France"), (ours, "Japan"), (theirs, "DE")):
        order = market.sell((item, 1), customer_country=country)
        shop.ship(order)
        (invoice,) = market.documents(order)
        taxes[market is ours, country] = (invoice.tax, market.lines(invoice)[0].treatment)
    assert taxes == {
        (True, "de"): (money("3.80"), "taxed"),
        (True, "France"): (money("4"), "taxed"),
        (True, "Japan"): (0, "zero_rated"),
        (False, "DE"): (0, "collected_by_marketplace"),
    }


@pytest.mark.capability("S113")
def test_a_business_abroad_pays_the_tax_itself_and_its_tax_id_stands_on_the_invoice(market: Market) -> None:
    item, business, private = market.shop.item(north=9), uuid4(), uuid4()
    for id_, tax_id in ((business, "fr 40 303 265 045"), (private, None)):
        market.shop.run(
            RegisterCustomer(customer_id=id_, code=f"C-{id_.hex[:8]}", country="FR", tax_id=tax_id)
        )
    market.tax()
    market.govern(
        market.rule(
            business=True,
            customer_countries=("FR",),
            treatment="reverse_charge",
            reason="Reverse charge: the customer owes the tax",
        )
    )
    for customer, tax, printed in ((business, 0, "FR40303265045"), (private, money("3.80"), None)):
        order = market.sell((item, 1), customer_country="FR", customer_id=customer)
        market.shop.ship(order)
        (invoice,) = market.documents(order)
        with reading(market.shop.gate.engine) as connection:
            column = sales_documents.c.customer_tax_id
            kept = connection.scalar(select(column).where(sales_documents.c.id == invoice.id))
        assert (invoice.tax, kept) == (tax, printed)
    with pytest.raises(ValueError, match="no tax id of DE"):
        RegisterCustomer(customer_id=uuid4(), code="X", country="DE", tax_id="DE123456789")


@pytest.mark.capability("S113")
def test_a_rule_holds_from_its_first_day_up_to_and_not_on_its_last_and_an_uncovered_sale_does_not_leave(
    market: Market,
) -> None:
    item = market.shop.item(north=9)
    first, last = DAY + timedelta(days=2), DAY + timedelta(days=5)
    market.tax(valid_from=first, valid_to=last)
    market.tax(valid_from=last, rate=160_000)
    found = {}
    for days in (1, 2, 4, 5):
        market.shop.now = MONDAY + timedelta(days=days)
        order = market.sell((item, 1))
        parcel = ShipOrder(order_id=order.order_id, shipment_id=uuid4())
        (outcome,) = market.shop.submit(parcel)
        found[days] = outcome.error.code if isinstance(outcome, Refused) else market.documents(order)[0].tax
    assert found == {1: "tax_undetermined", 2: money("3.80"), 4: money("3.80"), 5: money("3.20")}
    assert market.shop.at(item).reserved == 1
    market.shop.assert_sound()


@pytest.mark.capability("S113")
def test_rules_that_tie_are_refused_when_they_are_saved_and_a_lifted_one_ties_with_nobody(
    market: Market,
) -> None:
    until = DAY + timedelta(days=10)
    old = market.tax(customer_countries=("DE", "AT"), valid_to=until)
    clash = market.rule(customer_countries=("AT", "CH"), **VAT)
    assert "rule_tie" in market.failed(clash)
    assert "unknown_country" in market.failed(market.rule(customer_countries=("Atlantis",), **VAT))
    market.govern(clash.model_copy(update={"valid_from": until}))
    market.govern(old.model_copy(update={"active": False}))
    market.govern(clash.model_copy(update={"rule_id": uuid4(), "valid_to": until}))


@pytest.mark.capability("S113")
def test_a_rule_without_a_reason_for_charging_nothing_or_with_no_day_is_no_rule(market: Market) -> None:
    for fields in (
        {"treatment": "exempt"},
        {"treatment": "taxed"},
        {"treatment": "exempt", "rate": 70_000, "reason": "why"},
        VAT | {"reason": "why"},
        VAT | {"valid_to": DAY},
    ):
        with pytest.raises(ValueError):
            market.rule(**fields)


@pytest.mark.capability("S113")
def test_invoices_are_numbered_without_a_gap_for_each_legal_entity_whoever_ships_at_once(shop: Shop) -> None:
    item, entity = shop.item(north=40), uuid4()
    here, there = another(shop), another(shop)
    code = f"E{entity.hex[-6:]}"
    shop.run(
        CreateLegalEntity(legal_entity_id=entity, code=code, entity_name="Linden GmbH", country="Germany")
    )
    admin = shop.gate.bootstrap_user("admin", roles=("admin",))
    finance = shop.gate.bootstrap_user("finance", roles=("finance",))
    assign = AssignLegalEntity(record="channel", record_id=there.channel, legal_entity_id=entity)
    held = shop.gate.submit(assign, admin, key=uuid4().hex)
    assert isinstance(held, Proposed)
    yes = ApproveProposal(proposal_id=held.proposal_id, payload_hash=held.payload_hash)
    assert isinstance(shop.gate.submit(yes, finance, key=uuid4().hex), Executed)
    here.tax()
    there.tax(seller_country="DE")
    orders = [market.sell((item, 1)) for market in (here, there) for _ in range(6)]
    refused = another(shop).sell((item, 1))
    guests = [shop.visit() for _ in range(6)]

    def ship(position: int) -> None:
        for order in orders[position::6]:
            guests[position].ship(order)
        guests[position].submit(ShipOrder(order_id=refused.order_id, shipment_id=uuid4()))

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(ship, range(6)))
    with reading(shop.gate.engine) as connection:
        rows = connection.execute(select(sales_documents)).all()
    for seller in {row.seller_id for row in rows}:
        numbers = sorted(row.sequence for row in rows if row.seller_id == seller and row.kind == "invoice")
        assert numbers == list(range(1, len(numbers) + 1))
    assert sorted(row.number for row in rows if row.seller_id == entity) == [
        f"{code}-INV-{number:07d}" for number in range(1, 7)
    ]


@pytest.mark.capability("S113")
def test_what_is_written_stays_whatever_a_rule_becomes_and_nobody_changes_it(market: Market) -> None:
    item = market.shop.item(north=9)
    rule = market.tax()
    order = market.sell((item, 1))
    market.shop.ship(order)
    market.govern(rule.model_copy(update={"rate": 210_000}))
    (invoice,) = market.documents(order)
    (line,) = market.lines(invoice)
    assert (invoice.tax, line.rate, line.rule_version) == (money("3.80"), 190_000, 1)
    with pytest.raises(Exception, match="append-only"), gate_writing(market.shop.gate.engine) as connection:
        connection.execute(update(sales_documents).values(tax=0))


@pytest.mark.capability("S113")
def test_a_refund_credits_exactly_the_tax_of_the_line_that_came_back_in_parts_as_in_one(
    market: Market,
) -> None:
    item, other = market.shop.item(north=9, cost=10_000), market.shop.item(north=9, cost=10_000)
    market.tax(rounding_unit=100)
    order = market.sell((item, 3), (other, 1))
    market.shop.ship(order)
    (invoice,) = market.documents(order)
    told = [
        market.give_back(order, 0, 1, part)["refund_tax"] for part in (money("6.67"), money(20), money(20))
    ]
    credits = [one for one in market.documents(order) if one.kind == "credit_note"]
    assert sum(told) == sum(one.tax for one in credits) == (money("11.40") * 46_6700 + 30_0000) // 60_0000
    last = market.give_back(order, 1, 1, money(20))
    assert last["refund_tax"] == money("3.80")
    assert {one.invoice_id for credit in credits for one in market.lines(credit)} == {invoice.id}
    assert [one.number.rpartition("-")[0] for one in credits] == ["CN"] * 3
    assert market.posted(*credits) == {
        ("sales_returns", "refunds_payable"): money("46.67"),
        ("sales_tax_payable", "refunds_payable"): sum(told),
    }


@pytest.mark.capability("S112")
def test_a_credit_without_a_return_gives_a_credit_note_with_the_tax_that_was_charged(market: Market) -> None:
    item, other = market.shop.item(north=9, cost=10_000), market.shop.item(north=9, cost=10_000)
    market.tax(rounding_unit=100)
    order = market.sell((item, 3), (other, 1))
    market.shop.ship(order)
    (invoice,) = market.documents(order)
    returns = market.shop.gate.bootstrap_user("counter", roles=("returns",))
    wanted = CreditOrder(
        credit_id=uuid4(), order_id=order.order_id, amount=money(8), reason_code="late_delivery"
    )
    proposed = market.shop.gate.submit(wanted, returns, key=uuid4().hex)
    assert isinstance(proposed, Proposed) and len(market.documents(order)) == 1
    yes = ApproveProposal(proposal_id=proposed.proposal_id, payload_hash=proposed.payload_hash)
    manager = market.shop.gate.bootstrap_user("manager", roles=("manager",))
    (told,) = market.shop.gate.submit(yes, manager, key=uuid4().hex).result["results"]
    (note,) = [one for one in market.documents(order) if one.kind == "credit_note"]
    assert (note.net, note.tax) == (money(8), told["tax"]) == (money(8), money("1.52"))
    assert (note.return_id, note.credit_id) == (None, wanted.credit_id)
    assert [(one.net, one.quantity, one.invoice_id) for one in market.lines(note)] == [
        (money(6), 0, invoice.id),
        (money(2), 0, invoice.id),
    ]
    assert market.posted(note) == {
        ("sales_returns", "refunds_payable"): money(8),
        ("sales_tax_payable", "refunds_payable"): money("1.52"),
    }
    back = [market.give_back(order, 0, 3, money(54)), market.give_back(order, 1, 1, money(18))]
    given_back = told["tax"] + sum(one["refund_tax"] for one in back)
    assert given_back == invoice.tax == money("15.20")


@pytest.mark.capability("S113")
def test_revenue_waits_for_the_delivery_where_a_rule_says_so_and_what_came_back_before_never_counts(
    market: Market,
) -> None:
    item = market.shop.item(north=9, cost=10_000)
    market.tax()
    market.govern(
        SetRevenueRule(rule_id=uuid4(), channel_id=market.channel, recognise_at="delivery", valid_from=DAY)
    )
    kept, back = market.sell((item, 2)), market.sell((item, 2))
    parcels = {}
    for order in (kept, back):
        parcels[order.order_id] = uuid4()
        market.shop.run(ShipOrder(order_id=order.order_id, shipment_id=parcels[order.order_id]))

    def counted() -> tuple[int, int]:
        with reading(market.shop.gate.engine) as connection:
            found = revenue(connection, DAY, date(2026, 12, 31))
            return found.recognised, found.deferred

    base = counted()
    market.give_back(back, 0, 1, money(20))
    market.shop.later(2)
    early = ConfirmDelivery(shipment_id=parcels[kept.order_id], occurred_at=MONDAY - timedelta(days=1))
    assert market.shop.refused(early).code == "not_yet_shipped"
    assert market.shop.run(ConfirmDelivery(shipment_id=parcels[kept.order_id]))["recognised"] == money(40)
    assert market.shop.run(ConfirmDelivery(shipment_id=parcels[back.order_id]))["recognised"] == money(20)
    assert market.shop.refused(ConfirmDelivery(shipment_id=parcels[kept.order_id])).code == "already_exists"
    assert market.shop.refused(ConfirmDelivery(shipment_id=uuid4())).code == "not_found"
    assert counted() == (base[0] + money(60), base[1] - money(80))
    assert market.posted(*market.documents(kept), *market.documents(back)) == {
        ("receivables", "deferred_revenue"): money(80),
        ("receivables", "sales_tax_payable"): money("15.20"),
        ("deferred_revenue", "refunds_payable"): money(20),
        ("sales_tax_payable", "refunds_payable"): money("3.80"),
        ("deferred_revenue", "revenue"): money(60),
    }


@pytest.mark.capability("S113")
def test_prices_with_tax_come_to_what_the_customer_saw_and_lines_keep_what_is_left(market: Market) -> None:
    item = market.shop.item(north=9)
    market.tax()
    order = market.sell((item, 3), prices_include_tax=True)
    (line,) = market.shop.lines(order)
    assert (line.unit_price, line.list_price) == (168_067, 210_084)
    market.shop.ship(order)
    counter = market.sell((item, 1), prices_include_tax=True, ship_now=True)
    for one, gross in ((order, money(60)), (counter, money(20))):
        (invoice,) = market.documents(one)
        assert invoice.net + invoice.tax == gross
        assert invoice.tax == rounded(gross * 190_000, 1_190_000, 100)
    kit = uuid4()
    plain = {"sku": f"KIT-{kit.hex[:6]}", "item_name": "Set", "category": "Sets", "brand": "Acme"}
    market.shop.run(CreateItem(item_id=kit, base_unit="piece", **plain))
    parts = (KitComponent(item_id=item, quantity=2),)
    market.shop.run(DefineKit(kit_item_id=kit, stocked_as="parts", components=parts))
    market.shop.run(ActivateItem(item_id=kit))
    wanted = market.shop.order((kit, 1), channel_id=market.channel, prices_include_tax=True)
    assert market.shop.refused(wanted).code == "kit_priced_with_tax"
    bare = another(market.shop)
    wanted = market.shop.order((item, 1), channel_id=bare.channel, prices_include_tax=True)
    assert market.shop.refused(wanted).code == "tax_undetermined"


@pytest.mark.capability("S113")
def test_a_company_without_a_tax_rule_invoices_elsewhere_and_makes_up_for_parcels_once_it_has_one(
    fresh_shop: Shop,
) -> None:
    market = Market(fresh_shop, fresh_shop.web)
    item = fresh_shop.item(north=9)
    before, after = market.sell((item, 1)), market.sell((item, 1))
    fresh_shop.ship(before)
    assert market.documents(before) == []
    fresh_shop.later(3)
    with reading(fresh_shop.gate.engine) as connection:
        assert supplies_without_invoice(connection) == []
    rule = market.tax(valid_from=DAY + timedelta(days=3), customer_countries=("FR",))
    assert (
        fresh_shop.refused(ShipOrder(order_id=after.order_id, shipment_id=uuid4())).code == "tax_undetermined"
    )
    lifted = rule.model_copy(update={"active": False})
    market.govern(lifted)
    fresh_shop.ship(after)
    market.govern(rule)
    asked = IssueSalesInvoices()
    result = fresh_shop.run(asked)
    assert (result["written"], len(result["undetermined"])) == (0, 1)
    market.tax(valid_from=DAY + timedelta(days=3), rate=70_000)
    fresh_shop.later(1)
    assert fresh_shop.run(asked)["written"] == 1
    assert fresh_shop.run(asked)["written"] == 0
    (invoice,) = market.documents(after)
    assert (invoice.issued_on - invoice.supplied_on).days == 1 and invoice.tax == money("1.40")
    assert market.documents(before) == []
    with reading(fresh_shop.gate.engine) as connection:
        (sums,) = tax_sums(connection, DAY, DAY + timedelta(days=30))
    assert (sums.kind, sums.rate, sums.net, sums.tax) == ("invoice", 70_000, money(20), money("1.40"))


@given(
    amounts=st.lists(st.integers(0, 10**9), min_size=1, max_size=8),
    rate=st.integers(1, 1_000_000),
    unit=st.sampled_from([1, 100, 10_000]),
    inclusive=st.booleans(),
)
@pytest.mark.capability("S113")
def test_the_taxes_of_lines_add_up_exactly_to_the_tax_of_the_document(
    amounts: list[int], rate: int, unit: int, inclusive: bool
) -> None:
    base = 1_000_000 + rate if inclusive else 1_000_000
    flags = [inclusive] * len(amounts)
    parts = tax_parts(amounts, rate, "document", unit, inclusive=flags)
    assert sum(parts) == rounded(sum(amounts) * rate, base, unit) and min(parts) >= 0
    assert abs(2 * (sum(parts) * base - sum(amounts) * rate)) <= base * unit
    by_line = tax_parts(amounts, rate, "line", unit, inclusive=flags)
    assert by_line == [rounded(one * rate, base, unit) for one in amounts]
    assert all(part % unit == 0 for part in by_line)


@given(
    lines=st.lists(st.tuples(st.integers(1, 10**7), st.integers(0, 10**6)), min_size=1, max_size=4),
    parts=st.lists(st.integers(1, 10**7), min_size=1, max_size=12),
)
@pytest.mark.capability("S113")
def test_credits_in_any_parts_never_exceed_what_was_invoiced_and_all_of_it_gives_back_all_the_tax(
    lines: list[tuple[int, int]], parts: list[int]
) -> None:
    invoiced = [
        InvoicedLine(uuid4(), 1, uuid4(), net, tax, "standard", "taxed", 1, None, uuid4(), 1)
        for net, tax in lines
    ]
    whole = sum(net for net, _ in lines)
    given_back = [one for part in parts for one in credits_of(invoiced, part)]
    assert all(one.net > 0 and one.tax >= 0 for one in given_back)
    assert sum(one.net for one in given_back) == min(sum(parts), whole)
    given_back += credits_of(invoiced, whole)
    assert sum(one.net for one in given_back) == whole
    assert sum(one.tax for one in given_back) == sum(tax for _, tax in lines)
    assert credited_tax(100, 3, 0, 0, 1) == 33
