"""Ten questions to the SCMS delivery history, as an outsider would ask them, against plain Python over the file."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal
from functools import cached_property

import pytest

from tests.conftest import SHARED
from tests.integration.asking import Ask, asking, figures, leads, ratio, same
from tests.integration.published import Delivery, Figures, placed_on, read_deliveries

pytestmark = pytest.mark.shared_data
SCMS = SHARED / "data/scms_delivery_history/scms_delivery_history_dev.csv.gz"
TODAY = date(2013, 12, 31)


class Buying:
    """The delivery lines of outside vendors, and sums over them."""

    def __init__(self, lines: list[Delivery], today: date) -> None:
        self.lines = lines
        self.outside = [line for line in lines if not line.own]
        self.today = today.isoformat()

    @cached_property
    def placed(self) -> dict[str, str]:
        return placed_on(self.lines)

    def spend(self, key: Callable[[Delivery], str | None], year: str = "") -> Figures:
        sums: Figures = defaultdict(Decimal)
        for line in self.outside:
            if self.placed[line.po].startswith(year):
                sums[key(line)] += line.value
        return dict(sums)

    def on_time(self, key: Callable[[Delivery], str | None], year: str = "") -> Figures:
        due: Figures = defaultdict(Decimal)
        good: Figures = defaultdict(Decimal)
        for line in self.outside:
            if line.due < self.today and line.due.startswith(year):
                due[key(line)] += 1
                good[key(line)] += line.arrived is not None and line.arrived <= line.due
        return ratio(good, due)

    def lead_times(self, key: Callable[[Delivery], str]) -> Figures:
        """Days from sending, weighted by packs; what is overdue counts at its age."""
        weight: Figures = defaultdict(Decimal)
        days: Figures = defaultdict(Decimal)
        for line in self.outside:
            end = line.arrived or (self.today if line.due < self.today else None)
            if line.sent and end:
                took = (date.fromisoformat(end) - date.fromisoformat(self.placed[line.po])).days
                weight[key(line)] += line.packs
                days[key(line)] += line.packs * took
        return ratio(days, weight)


def vendor(line: Delivery) -> str:
    return line.vendor


@pytest.fixture(scope="module")
def ask(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ask]:
    if not SCMS.exists():
        pytest.skip("the published data are not here")
    ask, close = asking(tmp_path_factory.mktemp("scms"), "scms", SCMS, TODAY)
    yield ask
    close()


@pytest.fixture(scope="module")
def buying() -> Buying:
    return Buying(read_deliveries(SCMS, TODAY), TODAY)


def test_the_on_time_rate_by_year(ask: Ask, buying: Buying) -> None:
    found = figures(ask("What is the on-time rate by year?"), "on_time_rate", "year")
    assert same(found, buying.on_time(lambda line: line.due[:4]))


def test_the_spend_with_a_vendor_in_a_year(ask: Ask, buying: Buying) -> None:
    found = figures(ask("How much did we spend with Orgenics in 2012?"), "spend")
    assert same(found, {None: buying.spend(vendor, "2012")["Orgenics, Ltd"]})


def test_the_vendors_with_most_spend(ask: Ask, buying: Buying) -> None:
    found = figures(ask("Top 5 vendors by spend"), "spend", "supplier_name")
    assert leads(found, buying.spend(vendor), 5)


def test_the_lead_time_of_each_vendor(ask: Ask, buying: Buying) -> None:
    answer = ask("What is the average lead time of each supplier?")
    assert same(figures(answer, "lead_time_days", "supplier_name"), buying.lead_times(vendor))


def test_the_number_of_orders_of_a_year(ask: Ask, buying: Buying) -> None:
    found = figures(ask("How many purchase orders did we place in 2010?"), "po_count")
    made: dict[str, str] = {}
    for line in buying.lines:
        made[line.po] = min(line.known, made.get(line.po, line.known))
    assert same(found, {None: Decimal(sum(day[:4] == "2010" for day in made.values()))})


def test_the_freight_of_a_year(ask: Ask, buying: Buying) -> None:
    found = figures(ask("How much was freight in 2012?"), "freight_cost")
    paid = sum(line.freight for line in buying.outside if buying.placed[line.po][:4] == "2012")
    assert same(found, {None: paid})


def test_the_spend_of_each_quarter(ask: Ask, buying: Buying) -> None:
    found = figures(ask("How much did we buy each quarter in 2011?"), "spend", "quarter")

    def quarter(line: Delivery) -> str:
        day = buying.placed[line.po]
        return f"{day[:4]}-Q{(int(day[5:7]) + 2) // 3}"

    assert same(found, buying.spend(quarter, "2011"))


def test_the_order_lines_that_are_late(ask: Ask, buying: Buying) -> None:
    found = figures(ask("How many late purchase order lines are there?"), "late_po_lines")
    late = sum(line.arrived is None and line.due < buying.today for line in buying.lines)
    assert same(found, {None: Decimal(late)})


def test_the_vendors_least_on_time(ask: Ask, buying: Buying) -> None:
    answer = ask("Which 5 vendors have the lowest on-time rate in 2013?")
    found = figures(answer, "on_time_rate", "supplier_name")
    assert leads(found, buying.on_time(vendor, "2013"), 5, lowest=True)


def test_how_reliable_a_vendor_is_once_it_is_clear_which_one(ask: Ask, buying: Buying) -> None:
    unclear = ask("How reliable is ABBVIE?")
    assert unclear.status == "clarify" and unclear.partial is None
    assert all(option.label in unclear.text for option in unclear.options)
    chosen = next(option for option in unclear.options if "LOGISTICS" in option.label)

    answer = ask(chosen.question)

    rates = buying.on_time(vendor, "2013")
    name = next(name for name in rates if name.startswith("ABBVIE LOGISTICS"))
    assert same(figures(answer, "on_time_rate"), {None: rates[name]})
