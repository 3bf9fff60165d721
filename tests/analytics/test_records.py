"""Figures drill down to their records; what nobody may see stays out of them."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import Connection

from erp_core.analytics.errors import QueryError, UnknownMember, UnknownName
from erp_core.analytics.metrics import catalogue
from erp_core.analytics.query import MetricQuery
from erp_core.analytics.record_kinds import KINDS
from erp_core.analytics.records import find_records, get_record
from erp_core.analytics.run import run
from tests.analytics.company import TODAY, Company

RIGHTS = frozenset({"see_cost", "see_customers"})


@pytest.mark.capability("S190")
def test_a_figure_drills_down_to_the_records_it_is_made_of(connection: Connection) -> None:
    query = MetricQuery.model_validate(
        {
            "metrics": ["ordered_units"],
            "where": [{"dim": "category", "op": "eq", "values": ["Kitchen"]}],
            "period": {"from": "2025-09-01", "to": "2026-02-28"},
        }
    )
    result = run(connection, query, today=TODAY, rights=RIGHTS, computed_at=datetime(2026, 6, 30, tzinfo=UTC))
    found = find_records(connection, **result.drill, limit=1_000, rights=RIGHTS)
    assert found.total == len(found.records) and not found.cut
    by_company = {"out_of_stock", "discontinued"}
    orders = {
        record["number"]: get_record(connection, "order", record["number"], rights=RIGHTS)
        for record in found.records
    }
    units = sum(
        record["quantity"]
        - (0 if (orders[record["number"]] or {})["cancel_reason"] in by_company else record["cancelled"])
        for record in found.records
    )
    assert result.rows == ((units,),) and units > 0


def test_every_metric_drills_to_a_known_kind_that_takes_its_filters(connection: Connection) -> None:
    for metric in catalogue().metrics.values():
        query = MetricQuery(metrics=(metric.name,), period="2026-05" if metric.kind == "flow" else None)
        result = run(
            connection, query, today=TODAY, rights=RIGHTS, computed_at=datetime(2026, 6, 30, tzinfo=UTC)
        )
        if result.drill:
            assert find_records(connection, **result.drill, limit=1, rights=RIGHTS).total >= 0
    assert {
        run(
            connection,
            MetricQuery(metrics=("spend",)),
            today=TODAY,
            rights=RIGHTS,
            computed_at=datetime.now(UTC),
        ).drill["kind"]
    } == {"po_line"}


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_a_record_of_every_kind_is_found_and_got_again_by_its_id(connection: Connection, kind: str) -> None:
    found = find_records(connection, kind, limit=3, rights=RIGHTS)
    assert found.total > len(found.records) == 3 and found.cut
    for record in found.records:
        assert get_record(connection, kind, record["id"], rights=RIGHTS) == record


def test_a_record_is_got_by_its_number_whatever_the_case(connection: Connection) -> None:
    record = get_record(connection, "po", "po-003", rights=RIGHTS)
    assert record is not None and record["number"] == "PO-003" and isinstance(record["total"], Decimal)
    assert get_record(connection, "po", "PO-999", rights=RIGHTS) is None


@pytest.mark.capability("S210")
def test_cost_and_customer_fields_need_their_rights(connection: Connection) -> None:
    for kind, spec in KINDS.items():
        allowed = find_records(connection, kind, limit=1, rights=RIGHTS).records[0]
        plain = find_records(connection, kind, limit=1, rights=frozenset()).records[0]
        assert allowed.keys() - plain.keys() == spec.rights.keys()
    assert {"customer_name", "customer_email"} <= KINDS["order"].rights.keys()


def test_text_of_outsiders_is_a_handle_and_never_the_text(connection: Connection, company: Company) -> None:
    found = find_records(connection, "return_line", limit=1_000, rights=RIGHTS)
    assert found.total
    for record in found.records:
        assert record["text"] == {"untrusted": "return_comment", "id": record["id"]}
        assert "ignore all rules" not in str(record)


def test_records_of_an_import_under_way_are_not_found(connection: Connection, company: Company) -> None:
    complete = {row["import_id"] for row in company.rows["import_visibility"] if row["complete"]}
    seen = [row for row in company.rows["orders"] if row["import_id"] in complete | {None}]
    assert find_records(connection, "order", rights=RIGHTS).total == len(seen) < len(company.rows["orders"])
    hidden = next(row for row in company.rows["orders"] if row not in seen)
    assert get_record(connection, "order", hidden["number"], rights=RIGHTS) is None


@pytest.mark.parametrize(
    ("kind", "filters", "error", "offer"),
    [
        ("ordr", {}, UnknownName, "order"),
        ("order", {"item": "SKU-01"}, UnknownName, "channel"),
        ("order", {"channel": "WEBB"}, UnknownMember, "WEB"),
        ("order", {"from": "yesterday"}, QueryError, "2026-05-31"),
        ("item", {"from": "2026-01-01"}, QueryError, "leave from out"),
    ],
)
def test_unknown_kinds_and_filters_are_refused_with_the_nearest_names(
    connection: Connection, kind: str, filters: dict[str, Any], error: type[QueryError], offer: str
) -> None:
    with pytest.raises(error) as refusal:
        find_records(connection, kind, filters, rights=RIGHTS)
    assert offer in refusal.value.remedy


def test_filters_take_one_value_several_or_an_operator(connection: Connection, company: Company) -> None:
    def total(**filters: Any) -> int:
        return find_records(connection, "order", filters, rights=RIGHTS).total

    everything = total()
    assert total(channel="WEB") + total(channel={"op": "ne", "values": ["WEB"]}) == everything
    assert total(channel=["WEB", "MARKET", "SHOP"]) == everything
    assert total(to=date(2025, 12, 31)) + total(**{"from": "2026-01-01"}) == everything
