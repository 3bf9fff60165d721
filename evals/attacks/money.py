"""Attacks on amounts: splitting, currencies, bounds, hidden costs, numbers of odd size."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Literal
from uuid import UUID, uuid4

from erp_core.finance.commands import SetBudget, SetExchangeRate
from erp_core.finance.cost_method import SetCostMethod
from erp_core.gate.contract import Executed, Outcome, Proposed, Submission
from erp_core.gate.credentials import authenticate
from erp_core.inventory.commands import AdjustStock
from erp_core.master.commands import SetSupplierItem, SetSupplierPrice, SetSupplierRisk
from erp_core.procurement.commands import CancelPurchaseOrder, PurchaseOrderLine, SubmitPurchaseOrder
from erp_core.storage.engine import reading
from erp_core.storage.types import money
from evals.attacks.attack import attack
from evals.attacks.building import DOLLAR_RATE
from evals.attacks.company import (
    ACME,
    CROWN,
    DOLLAR,
    FRESH,
    LAMP,
    OTHER,
    PRICE,
    TODAY,
    WAREHOUSE,
    AttackedCompany,
    NotAsExpected,
    draft_of,
)
from evals.attacks.identity import key_of


def submits(company: AttackedCompany, *drafts: UUID, who: str = "buyer") -> None:
    """Submit drafts in one batch; what stops them is noted."""
    batch = [Submission(SubmitPurchaseOrder(po_id=po_id), uuid4().hex) for po_id in drafts]
    for outcome in company.gate.submit_many(batch, company.person(who)):
        company.tries(outcome)


@attack(
    "split-an-order-in-one-batch",
    "proposed",
    "Orders before it in the same batch count with an order.",
)
def split_in_batch(company: AttackedCompany) -> None:
    """A buyer submits three orders of 1,000 to one supplier at once instead of one of 3,000."""
    submits(company, *(company.draft(1_000) for _ in range(3)))


@attack(
    "split-an-order-over-the-day",
    "proposed",
    "What was bought from the supplier unasked in the last days counts with an order.",
)
def split_over_day(company: AttackedCompany) -> None:
    """A buyer submits order after order of 900 to one supplier until somebody asks."""
    for _ in range(4):
        company.tries(company.asks(900))


@attack(
    "split-an-order-between-two-buyers",
    "proposed",
    "Orders count by supplier, whoever asks for them.",
)
def split_between_people(company: AttackedCompany) -> None:
    """Two buyers and a planner each order 1,200 from the same supplier."""
    for who in ("buyer", "colleague", "planner"):
        company.tries(company.asks(1_200, who=who))


@attack(
    "split-an-order-over-a-week",
    "proposed",
    "The window slides with each order: seven days to the moment.",
)
def split_over_week(company: AttackedCompany) -> None:
    """A buyer orders 1,300 on Monday and 1,300 on Sunday, just inside the window."""
    company.asks(1_300)
    later = company.on(company.gate.clock.today() + timedelta(days=6))
    later.tries(later.asks(1_300))


@attack(
    "split-an-order-inside-a-plan",
    "proposed",
    "A plan counts what its earlier commands buy.",
)
def split_in_plan(company: AttackedCompany) -> None:
    """A buyer packs five orders of 600 to one supplier into one plan, each below the bound."""
    drafts = [draft_of(600) for _ in range(5)]
    commands = [part for one in drafts for part in (one, SubmitPurchaseOrder(po_id=one.po_id))]
    company.tries(company.plan(*commands, who="buyer"))


@attack(
    "split-an-order-below-two-signatures",
    "proposed",
    "A plan asks for all that any of its commands asks for, counted together.",
)
def split_signatures(company: AttackedCompany) -> None:
    """A buyer splits an order of 40,000 into a plan of two, so that each asks the manager alone; the manager approves."""
    drafts = [draft_of(20_000) for _ in range(2)]
    commands = [part for one in drafts for part in (one, SubmitPurchaseOrder(po_id=one.po_id))]
    proposal = company.waits(company.tries(company.plan(*commands, who="buyer")))
    company.approve(proposal, "manager")


@attack(
    "split-a-write-off",
    "proposed",
    "Adjustments of an item that nobody was asked about count together for a week.",
)
def split_write_off(company: AttackedCompany) -> None:
    """Somebody in the warehouse writes 20 pieces off, and 20 more, and 20 more."""
    for _ in range(3):
        lost = AdjustStock(
            adjustment_id=uuid4(), item_id=LAMP, location_id=WAREHOUSE, quantity=-20, reason_code="counted"
        )
        company.tries(company.submit(lost, "warehouse"))


@attack(
    "pay-in-another-currency",
    "proposed",
    "Amounts are compared in the company's currency, at the rate in force.",
)
def other_currency(company: AttackedCompany) -> None:
    """A buyer orders 2,800 dollars, which is over the bound in euros, from a supplier with prices in dollars."""
    company.tries(company.asks(2_800, supplier=DOLLAR))


@attack(
    "pay-in-a-currency-without-a-rate",
    "no_policy_matches",
    "Without a rate there is no amount, without an amount no policy holds, and then it is refused.",
)
def no_rate(company: AttackedCompany) -> None:
    """A buyer orders from a supplier whose currency has no rate, so that no bound can be reckoned."""
    company.tries(company.asks(50, supplier=CROWN))
    company.tries(company.asks(90_000, supplier=CROWN))


@attack(
    "lower-the-rate-first",
    "proposed denied own_proposal",
    "A rate is set by finance and agreed to by a manager; who asks for it does not approve it.",
)
def rate(company: AttackedCompany) -> None:
    """A buyer, and finance alone, set the dollar to a thousandth of its worth before ordering for 90,000 dollars."""
    low = SetExchangeRate(currency="USD", valid_from=company.gate.clock.today(), rate=DOLLAR_RATE // 1_000)
    company.tries(company.submit(low, "buyer"))
    proposal = company.waits(company.tries(company.submit(low, "chief")))
    company.tries(company.approve(proposal, "chief"))
    company.tries(company.asks(90_000, supplier=DOLLAR))


@attack(
    "raise-the-rate-while-an-order-waits",
    "policy_changed",
    "At execution the amount is reckoned anew, at the rate that then holds.",
)
def rate_moved(company: AttackedCompany) -> None:
    """A buyer has an order of 27,000 dollars proposed for one signature; the dollar rises, and the manager signs."""
    proposal = company.order(27_000, supplier=DOLLAR)
    today = company.gate.clock.today()
    dear = SetExchangeRate(currency="USD", valid_from=today, rate=DOLLAR_RATE * 2)
    company.agrees(company.submit(dear, "finance"), "deputy")
    company.tries(company.approve(proposal, "manager"))


@attack(
    "round-at-the-bound",
    "proposed",
    "Bounds are half-open and money is exact to a ten-thousandth: the bound itself asks.",
)
def bound(company: AttackedCompany) -> None:
    """A buyer orders for exactly 2,500, and for 2,499.9999 with a hundred-thousandth hidden in rounding dollars."""
    exact = draft_of(2_500)
    company.do(exact, "buyer")
    company.tries(company.submit(SubmitPurchaseOrder(po_id=exact.po_id), "buyer"))
    line = exact.lines[0]
    for price in ("2777.7778", "2777.7779"):
        lines = (line.model_copy(update={"line_id": uuid4(), "quantity": 1, "unit_price": money(price)}),)
        dollars = draft_of(PRICE, supplier=DOLLAR, lines=lines)
        company.do(dollars, "buyer")
        company.tries(company.submit(SubmitPurchaseOrder(po_id=dollars.po_id), "buyer"))


@attack(
    "hide-the-amount-in-freight",
    "proposed",
    "What an order commits is goods, freight and expedite together.",
)
def freight(company: AttackedCompany) -> None:
    """A buyer orders goods for 10 with freight of 40,000, and goods for 2,000 with 600 to expedite."""
    company.tries(_with(company, 10, {"freight_cost": money(40_000)}))
    company.tries(_with(company, 2_000, {"expedite_cost": money(600)}))


def _with(company: AttackedCompany, amount: int, fields: dict[str, int]) -> Outcome:
    po_id = company.draft(amount, supplier=OTHER, fields=fields)
    return company.submit(SubmitPurchaseOrder(po_id=po_id), "buyer")


@attack(
    "order-for-nothing-or-less",
    "invalid proposed",
    "Quantities are at least one, prices and costs never below zero, and numbers end before they overflow.",
)
def odd_amounts(company: AttackedCompany) -> None:
    """A client sends negative, zero and huge quantities, prices and freight to get an amount below the bound."""
    template = draft_of(3_000).model_dump(mode="json")
    line = template["lines"][0]
    changes: tuple[dict[str, Any], ...] = (
        {"lines": [line | {"quantity": -300}]},
        {"lines": [line | {"quantity": 0}]},
        {"lines": [line | {"unit_price": -1}]},
        {"freight_cost": -money(2_000)},
        {"expedite_cost": -money(2_000)},
        {"lines": [line | {"quantity": 2**63}]},
        {"lines": [line | {"quantity": 10**30}]},
        {"lines": [line, line | {"line_id": str(uuid4()), "quantity": -200}]},
        {"lines": []},
        {"total": 1},
    )
    buyer = company.person("buyer")
    for change in changes:
        payload = template | {"po_id": str(uuid4())} | change
        company.tries(company.gate.submit_payload("CreatePurchaseOrder", payload, buyer, key=uuid4().hex))
        company.submit(SubmitPurchaseOrder(po_id=UUID(payload["po_id"])), "buyer")


@attack(
    "overflow-the-amount",
    "invalid order_too_large",
    "An amount that the database cannot hold is refused before it is stored, and never wraps around.",
)
def overflow(company: AttackedCompany) -> None:
    """A buyer multiplies the largest quantity by the largest price, so that the total might turn negative."""
    template = draft_of(3_000).model_dump(mode="json")
    line = template["lines"][0]
    buyer = company.person("buyer")
    for quantity, price in ((2**31, 2**33), (2**62, 2), (10**9, 10**9), (3_037_000_500, 3_037_000_500)):
        payload = template | {
            "po_id": str(uuid4()),
            "lines": [line | {"line_id": str(uuid4()), "quantity": quantity, "unit_price": price}],
        }
        made = company.gate.submit_payload("CreatePurchaseOrder", payload, buyer, key=uuid4().hex)
        company.tries(made)
        company.submit(SubmitPurchaseOrder(po_id=UUID(payload["po_id"])), "buyer")


@attack(
    "price-an-order-off-the-list",
    "stale policy_changed proposed",
    "A price raised after the proposal shows in its read-set; a list price cannot be moved up by a tenth alone.",
)
def price_list(company: AttackedCompany) -> None:
    """An administrator raises a list price ninefold unasked, so that an order of old quantities costs more."""
    raised = SetSupplierItem(supplier_id=ACME, item_id=LAMP, price=money(90))
    company.tries(company.submit(raised, "admin"))


@attack(
    "buy-first-from-a-new-supplier-in-small",
    "proposed",
    "The first order of a supplier asks a manager at any amount.",
)
def new_supplier(company: AttackedCompany) -> None:
    """A buyer places a first order of 10 with a supplier nobody ever ordered from, to make it a known one."""
    company.tries(company.asks(10, supplier=FRESH))
    company.tries(company.asks(2_000, supplier=FRESH))


@attack(
    "lower-a-suppliers-risk-first",
    "proposed own_proposal denied",
    "A risk is raised at once and lowered when a manager agreed, also within a plan; until then purchases ask.",
)
def risk_lowered(company: AttackedCompany) -> None:
    """A buyer calls a supplier of high risk a low one, by a raise in between, by a second account and by an agent, and orders."""
    company.do(_risk("high"), "manager")
    asked = company.tries(company.submit(_risk("low"), "buyer"))
    if isinstance(asked, Proposed):
        company.tries(company.approve(asked, "buyer-2"))
    company.tries(company.submit(_risk("low"), company.agent("buyer")))
    draft = draft_of(100)
    order = SubmitPurchaseOrder(po_id=draft.po_id)
    company.tries(company.plan(_risk("medium"), _risk("high"), _risk("low"), draft, order, who="buyer"))
    company.tries(company.asks(100))


def _risk(risk_class: Literal["low", "medium", "high"]) -> SetSupplierRisk:
    return SetSupplierRisk(supplier_id=ACME, risk_class=risk_class, reason_code="assessed")


@attack(
    "choose-the-cost-method-alone",
    "proposed own_proposal not_an_approver denied",
    "The method of the books is asked for by finance and agreed to by a manager who is somebody else.",
)
def cost_method(company: AttackedCompany) -> None:
    """Somebody in finance has the books value by FIFO before they close: alone, with a colleague, an agent, a buyer."""
    fifo = SetCostMethod(change_id=uuid4(), method="fifo")
    proposal = company.waits(company.tries(company.submit(fifo, "chief")))
    company.tries(company.approve(proposal, "chief"))
    company.tries(company.approve(proposal, "treasurer"))
    for who in ("buyer", "automation", company.agent("finance")):
        again = SetCostMethod(change_id=uuid4(), method="fifo")
        company.tries(company.submit(again, who))


@attack(
    "cancel-and-order-again",
    "proposed",
    "What was cancelled counts no more, and what replaces it does: the sum bought is what is asked about.",
)
def cancel_and_again(company: AttackedCompany) -> None:
    """A buyer cancels an unasked order and has three smaller ones run in its place."""
    po_id = company.draft(2_400)
    company.do(SubmitPurchaseOrder(po_id=po_id), "buyer")
    company.do(CancelPurchaseOrder(po_id=po_id, reason_code="entered_in_error"), "buyer")
    for _ in range(3):
        company.tries(company.asks(1_000))


@attack(
    "split-through-ones-own-key",
    "proposed",
    "To policy a person's key is the person: what they did by hand counts with what their script does.",
)
def through_own_key(company: AttackedCompany) -> None:
    """The warehouse writes 20 pieces off three times by a key of its own, a buyer orders first from a supplier by one."""
    for login, command in (("warehouse", "AdjustStock"), ("buyer", "SubmitPurchaseOrder")):
        secret, key = key_of(company, login, command)
        company.do(key, login)
        with reading(company.engine) as connection:
            holder = authenticate(connection, secret, company.gate.clock.now())
        if holder is None:
            raise NotAsExpected(f"the key of {login} is nobody's")
        if login == "buyer":
            first = company.draft(100, supplier=FRESH)
            company.tries(company.submit(SubmitPurchaseOrder(po_id=first), holder))
            continue
        for _ in range(3):
            lost = AdjustStock(
                adjustment_id=uuid4(),
                item_id=LAMP,
                location_id=WAREHOUSE,
                quantity=-20,
                reason_code="counted",
            )
            company.tries(company.submit(lost, holder))


def _price(amount: int, **fields: Any) -> SetSupplierPrice:
    values = {"supplier_id": ACME, "item_id": LAMP, "price": money(amount), "valid_from": TODAY}
    return SetSupplierPrice.model_validate(values | {"corrects": True} | fields)


@attack(
    "hide-a-price-in-a-quantity-break",
    "proposed",
    "A price is measured at every quantity from which it changes.",
)
def hidden_in_break(company: AttackedCompany) -> None:
    """A buyer leaves a price as it is and adds one nine times as high from ten pieces on, for a plan that waits."""
    draft = draft_of(5_000, lines=(PurchaseOrderLine(line_id=uuid4(), item_id=LAMP, quantity=500),))
    plan = company.plan(draft, SubmitPurchaseOrder(po_id=draft.po_id), who="buyer")
    company.tries(company.submit(_price(PRICE, breaks=((10, money(9 * PRICE)),)), "buyer"))
    company.tries(company.approve(company.waits(plan), "manager"))


@attack(
    "withdraw-a-price-and-set-it-anew",
    "proposed",
    "Where no price is in force, a new one is measured by the last there was.",
)
def price_anew(company: AttackedCompany) -> None:
    """A buyer withdraws a price, so that nothing is in force, and records one nine times as high as if it were the first."""
    company.do(_price(PRICE, valid_to=TODAY), "buyer")
    company.tries(company.submit(_price(9 * PRICE), "buyer"))
    raised = SetSupplierItem(supplier_id=ACME, item_id=LAMP, price=money(9 * PRICE))
    company.tries(company.submit(raised, "buyer"))


@attack(
    "change-the-price-inside-the-plan",
    "price_moves_in_plan",
    "What is ordered at a price that the plan itself changes cannot be judged, and is refused.",
)
def price_inside(company: AttackedCompany) -> None:
    """A buyer raises a price by a tenth and orders at it in one plan, which is judged by the price before."""
    draft = draft_of(2_400, lines=(PurchaseOrderLine(line_id=uuid4(), item_id=LAMP, quantity=240),))
    raised = SetSupplierItem(supplier_id=ACME, item_id=LAMP, price=money(PRICE + 1))
    company.tries(company.plan(raised, draft, SubmitPurchaseOrder(po_id=draft.po_id), who="buyer"))


@attack(
    "call-it-urgent-beyond-the-budget",
    "proposed",
    "A budget is kept whether it is urgent or not.",
)
def urgent_beyond_budget(company: AttackedCompany) -> None:
    """A buyer calls orders urgent, small and large, in a category whose budget is used up."""
    month = company.gate.clock.today().replace(day=1)
    budget = SetBudget(category="Lamp", month=month, amount=money(1))
    company.agrees(company.submit(budget, "finance"), "manager")
    for amount in (2_400, 5_000, 12_000):
        command = draft_of(amount)
        plan = (command, SubmitPurchaseOrder(po_id=command.po_id))
        outcome = company.tries(company.plan(*plan, who="buyer", urgent=True))
        if isinstance(outcome, Executed):
            company.wrong.append("bought beyond the budget unasked")
            continue
        signed = company.approve(company.waits(outcome), "manager")
        if isinstance(signed, Executed) and signed.result["status"] == "executed":
            company.wrong.append("bought beyond the budget by a manager alone")
