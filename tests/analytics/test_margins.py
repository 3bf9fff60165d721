"""The margin of each order, and that the margins of all orders are the company's."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import pytest
from sqlalchemy import Connection, select

from erp_core.analytics.margins import Margin, OrderMargin, order_margins, together
from erp_core.orders.model import orders
from tests.analytics.company import Company
from tests.analytics.oracle import Oracle
from tests.analytics.test_metrics_match_the_oracle import ask, differences, figures, same


def margins(connection: Connection) -> list[OrderMargin]:
    return order_margins(connection, connection.scalars(select(orders.c.id)))


def without_order(company: Company, oracle: Oracle) -> dict[str, float]:
    """What came back without naming its order, by item: it is in no order's margin."""
    found: dict[str, float] = defaultdict(float)
    backs = company.by_id("returns")
    for dims, _, part in oracle.by_return_day():
        if backs[part["return"]]["order_id"] is None:
            found[dims["item"]] += part["loss"]
    return found


def metrics(connection: Connection, **query: Any) -> Any:
    names = ["net_sales", "markdown_value", "freight_out_cost", "refund_value", "returns_loss"]
    return ask(connection, metrics=[*names, "gross_margin", "contribution_margin"], **query)


@pytest.mark.capability("S114")
@pytest.mark.capability("S199")
def test_the_margins_of_all_orders_by_item_are_the_metric_of_the_items_and_of_the_whole(
    connection: Connection, company: Company
) -> None:
    oracle, found = Oracle(company), [one for one in margins(connection)]
    lost = without_order(company, oracle)
    shown = {one["id"] for one in oracle.rows("orders")}
    assert lost, "the company has returns that name no order"
    by_item: dict[tuple[str], list[Margin]] = defaultdict(list)
    for order in found:
        assert order.order_id in shown or not order.lines, "an import under way is not counted"
        assert order.whole == together(line.margin for line in order.lines)
        for line in order.lines:
            by_item[line.sku,].append(line.margin)
    result = metrics(connection, by=["item"])
    items = {key: together(parts) for key, parts in by_item.items()}
    columns = {
        "net_sales": lambda one: one.net_sales,
        "markdown_value": lambda one: one.markdown,
        "freight_out_cost": lambda one: one.freight,
        "gross_margin": lambda one: one.gross,
        "contribution_margin": lambda one: one.contribution,
    }
    for name, value in columns.items():
        expected = {key: value(one) for key, one in items.items()}
        if name == "contribution_margin":
            expected = {
                key: None if one is None else one - lost.get(key[0], 0) for key, one in expected.items()
            }
        gaps = differences(figures(result, name, ("item",)), expected, "money")
        assert [gap for gap in gaps if abs(float(gap[1] or 0) - (gap[2] or 0) / 10_000) > 0.01] == [], name
    whole = together(order.whole for order in found)
    total = metrics(connection).rows[0]
    assert abs(float(total[-1]) - ((whole.contribution or 0) - sum(lost.values())) / 10_000) < 0.1
    assert same(total[0], whole.net_sales, "money") and same(total[-2], whole.gross, "money")


@pytest.mark.capability("S114")
def test_an_order_tells_what_is_not_known_and_a_channel_is_the_sum_of_its_orders(
    connection: Connection, company: Company
) -> None:
    found = margins(connection)
    unknown = [one for one in found if one.whole.units and one.whole.cost is None]
    partly = [one for one in found if 0 < one.whole.costed_units < one.whole.units]
    assert unknown and partly
    assert all(one.whole.gross is None and one.whole.contribution is None for one in unknown)
    assert all(one.whole.procurement_variance is None for one in unknown)
    codes = {row["id"]: row["code"] for row in company.rows["channels"]}
    sales: dict[tuple[str], int] = defaultdict(int)
    for order in found:
        sales[codes[order.channel_id],] += order.whole.net_sales
    result = metrics(connection, by=["channel"])
    assert differences(figures(result, "net_sales", ("channel",)), dict(sales), "money") == []
    assert order_margins(connection, [company.id()]) == []
