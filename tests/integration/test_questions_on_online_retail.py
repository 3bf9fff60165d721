"""Ten questions to Online Retail, as an outsider would ask them, against plain Python over the file.

Every twelfth customer in `make test`, the whole file in `make prove`.
"""

from __future__ import annotations

import gzip
from collections import defaultdict
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from tests.conftest import SHARED, size
from tests.integration.asking import Ask, asking, figures, leads, ratio, same
from tests.integration.published import Figures, Sale, Shop, read_shop

pytestmark = [pytest.mark.shared_data, pytest.mark.timeout(900)]
ONLINE_RETAIL = SHARED / "data/online_retail/online_retail_dev.csv.gz"


def month(sale: Sale) -> str:
    return sale.day[:7]


def item(sale: Sale) -> str:
    return sale.sku


def country(sale: Sale) -> str:
    return sale.country


def units(sale: Sale) -> int:
    return sale.left


def money(sale: Sale) -> Decimal:
    return sale.left * sale.price


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if not ONLINE_RETAIL.exists():
        pytest.skip("the published data are not here")
    if size(0, 1):
        return ONLINE_RETAIL
    part: Path = tmp_path_factory.mktemp("part") / "part.csv.gz"
    with gzip.open(ONLINE_RETAIL, "rt") as source, gzip.open(part, "wt") as target:
        for number, line in enumerate(source):
            who = line.rstrip("\n").rsplit(",", 2)[-2].strip('"').removesuffix(".0")
            if not number or (who.isdigit() and int(who) % 12 == 0):
                target.write(line)
    return part


@pytest.fixture(scope="module")
def ask(path: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ask]:
    home = tmp_path_factory.mktemp("online-retail")
    ask, close = asking(home, "online-retail", path, date(2011, 6, 30))
    yield ask
    close()


@pytest.fixture(scope="module")
def shop(path: Path) -> Shop:
    return read_shop(path)


def test_net_sales_by_month(ask: Ask, shop: Shop) -> None:
    found = figures(ask("What were net sales by month in 2010?"), "net_sales", "month")
    assert same(found, shop.total(month, money, lambda sale: sale.day[:4] == "2010"))


def test_the_products_sold_most(ask: Ask, shop: Shop) -> None:
    found = figures(ask("Top 10 products by units sold in May 2011"), "ordered_units", "item")
    assert leads(found, shop.total(item, units, lambda sale: month(sale) == "2011-05"), 10)


def test_orders_of_a_country(ask: Ask, shop: Shop) -> None:
    found = figures(ask("How many orders did we get from Germany in 2011?"), "order_count")
    german = shop.orders(lambda _: None, lambda s: s.country == "Germany" and s.day[:4] == "2011")
    assert same(found, german)


def test_the_products_returned_most(ask: Ask, shop: Shop) -> None:
    found = figures(ask("Which products are returned most?"), "returned_units", "item")
    back: Figures = defaultdict(Decimal)
    for _, sku, quantity, _ in shop.returns:
        back[sku] += quantity
    assert leads(found, back, 10)


def test_the_value_of_refunds_in_a_month(ask: Ask, shop: Shop) -> None:
    found = figures(ask("What was the value of refunds in January 2011?"), "refund_value")
    assert same(found, {None: sum(one[3] for one in shop.returns if one[0][:7] == "2011-01")})


def test_the_return_rate_by_country(ask: Ask, shop: Shop) -> None:
    found = figures(ask("What is our return rate by country, top 5?"), "return_rate", "customer_country")
    back = shop.total(country, lambda sale: sale.back)
    assert leads(found, ratio(back, shop.total(country, units)), 5)


def test_a_quarter_compared_with_the_year_before(ask: Ask, shop: Shop) -> None:
    answer = ask("How did sales in the first quarter of 2011 compare with the first quarter of 2010?")
    quarters = shop.total(lambda sale: sale.day[:4], money, lambda sale: sale.day[5:7] <= "03")
    assert same(figures(answer, "net_sales"), {None: quarters["2011"]})
    assert same(figures(answer, "net_sales_previous"), {None: quarters["2010"]})


def test_the_average_value_of_an_order(ask: Ask, shop: Shop) -> None:
    found = figures(ask("What is the average order value by month?"), "average_order_value", "month")
    assert same(found, ratio(shop.total(month, money), shop.orders(month)))


def test_the_units_of_an_item_called_by_its_name(ask: Ask, shop: Shop) -> None:
    question = "How many units of the white hanging heart t-light holder did we sell in 2010?"
    sold = shop.total(item, units, lambda sale: sale.day[:4] == "2010")
    assert same(figures(ask(question), "ordered_units"), {None: sold["85123A"]})


def test_the_countries_that_buy_most_but_one(ask: Ask, shop: Shop) -> None:
    question = "Sales per country in 2011 excluding the United Kingdom, top 5"
    abroad = shop.total(
        country, money, lambda sale: sale.day[:4] == "2011" and sale.country != "United Kingdom"
    )
    assert leads(figures(ask(question), "net_sales", "customer_country"), abroad, 5)
