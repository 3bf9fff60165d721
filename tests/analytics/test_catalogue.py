"""The catalogue is complete, consistent and documented."""

from __future__ import annotations

from collections import Counter

import pytest
from sqlalchemy import Connection

from erp_core.analytics.dimensions import AGE_BUCKETS, matching, members
from erp_core.analytics.facts import FACTS
from erp_core.analytics.formulas import measure_named
from erp_core.analytics.metrics import catalogue
from erp_core.analytics.plan import dimensions_of
from erp_core.analytics.reference import PAGE, page_with
from erp_core.gate.roles import RIGHTS
from tests.analytics.company import Company

METRICS = catalogue().metrics


def test_the_catalogue_holds_more_than_the_agreed_metrics_and_dimensions() -> None:
    assert len(METRICS) >= 40
    assert len(catalogue().dimensions) >= 21


@pytest.mark.parametrize("name", sorted(METRICS))
def test_a_metric_has_words_an_owner_and_measures_that_exist(name: str) -> None:
    metric = METRICS[name]
    assert metric.label and metric.definition.endswith(".") and metric.owner and metric.synonyms
    assert all(measure_named(measure) for measure in metric.measures)
    assert metric.right is None or any(metric.right in rights for rights in RIGHTS.values())
    dated = [FACTS[measure.partition(".")[0]].dated for measure in metric.measures]
    assert all(dated) if metric.kind == "flow" else not any(dated)


def test_a_money_figure_that_tells_cost_needs_the_right_to_see_it() -> None:
    open_to_all = {
        name for name, metric in METRICS.items() if metric.unit == "money" and metric.right is None
    }
    assert open_to_all == {"net_sales", "average_order_value", "markdown_value", "refund_value"}


def test_no_phrase_means_two_metrics_or_two_dimensions() -> None:
    for vocabulary in (METRICS, catalogue().dimensions):
        phrases = Counter(
            phrase
            for entry in vocabulary.values()
            for phrase in {entry.name.replace("_", " "), entry.label.lower(), *entry.synonyms}
        )
        assert [phrase for phrase, count in phrases.items() if count > 1] == []


def test_every_dimension_cuts_some_metric() -> None:
    used = {name for metric in METRICS.values() for name in dimensions_of(metric)}
    assert used == set(catalogue().dimensions)


@pytest.mark.capability("S189")
def test_the_reference_page_is_current() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert page_with(text) == text, "run python -m erp_core.analytics.reference"


def test_members_are_listed_with_code_name_and_aliases(connection: Connection, company: Company) -> None:
    dimensions = catalogue().dimensions
    places = members(connection, dimensions["warehouse"])
    assert [place.code for place in places] == ["SHOP", "WH-1", "WH-2"]
    assert [member.name for member in members(connection, dimensions["age_bucket"])] == list(AGE_BUCKETS)
    held = matching(members(connection, dimensions["order_status"]), "On Hold")
    assert [member.code for member in held] == ["on_hold"]
    assert {member.code for member in members(connection, dimensions["category"])} == {
        "Bath",
        "Garden",
        "Kitchen",
    }
    assert members(connection, dimensions["month"]) == []
