"""One system owns each planning rule; another writes it only by precedence."""

from __future__ import annotations

from uuid import uuid4

import pytest

from erp_core.gate.contract import Proposed
from erp_core.master.commands import SetPlanningPolicy
from erp_core.master.commands.ownership import SetRuleOwner, SetRulePrecedence
from erp_core.master.queries.ownership import policy_sources
from erp_core.planning.queries import list_reorder_points, reorder_sources
from tests.planning.automated import Automated


def policy(automated: Automated, source: str, level: str = "0.95") -> SetPlanningPolicy:
    company = automated.company
    return SetPlanningPolicy(
        item_id=company.item, location_id=company.warehouse, service_level=level, source=source
    )


@pytest.mark.capability("S151")
def test_who_sets_a_rule_first_owns_it_and_another_source_is_refused(automated: Automated) -> None:
    company = automated.company
    company.do(policy(automated, "manual"), "admin")
    error = company.refused(policy(automated, "import:wms", "0.9"), "admin")
    assert error["code"] == "rule_owned_elsewhere" and "owned by manual" in error["message"]
    assert (error["details"]["owner"], error["details"]["source"]) == ("manual", "import:wms")
    company.do(policy(automated, "manual", "0.97"), "admin")
    (row,) = company.read(policy_sources)
    assert (row.source, row.why) == ("manual", "owner")


@pytest.mark.capability("S151")
def test_a_precedence_lets_the_winner_write_and_says_so_and_the_loser_no_more(automated: Automated) -> None:
    company = automated.company
    company.do(policy(automated, "manual"), "admin")
    automated.governed(
        SetRulePrecedence(
            rule="planning_policy", winner="import:wms", loser="manual", reason="the warehouse knows best"
        ),
        "manager",
    )
    company.do(policy(automated, "import:wms", "0.9"), "admin")
    (row,) = company.read(policy_sources)
    assert (row.source, row.why) == ("import:wms", "precedence over manual")
    assert company.refused(policy(automated, "manual"), "admin")["code"] == "rule_owned_elsewhere"


@pytest.mark.capability("S151")
def test_reorder_points_that_another_source_owns_stay_as_they_are(automated: Automated) -> None:
    company = automated.company
    automated.governed(
        SetRuleOwner(
            rule="reorder_point",
            source="import:wms",
            item_id=company.item,
            location_id=company.warehouse,
            reason="slotted by the warehouse",
        ),
        "manager",
    )
    automated.points((500, 600), (500, 600))
    points = company.read(lambda connection: {one.item_id: one for one in list_reorder_points(connection)})
    assert points[company.item].reorder_point == 100 and points[company.other_item].reorder_point == 500
    automated.points((700, 800), source="import:wms")
    sources = company.read(reorder_sources)
    assert {(row.item, row.source, row.why) for row in sources} == {
        ("LAMP-0", "import:wms", "owner"),
        ("LAMP-1", "forecast", "owner"),
    }


@pytest.mark.capability("S151")
def test_a_whole_batch_that_is_not_ones_own_is_refused(sqlite_automated: Automated) -> None:
    automated = sqlite_automated
    automated.governed(
        SetRuleOwner(rule="reorder_point", source="manual", reason="by hand for now"), "manager"
    )
    from erp_core.planning.commands import PublishReorderPoints, ReorderPoint

    point = ReorderPoint(
        automated.company.item, automated.company.warehouse, 5, 900, 950, 1.0, 1.0, 14.0, 1.0, 0.95
    )
    command = PublishReorderPoints(batch_id=uuid4(), as_of=automated.today, points=(point,))
    error = automated.company.refused(command, "admin")
    assert error["code"] == "rule_owned_elsewhere" and "owned by manual" in error["message"]


def test_of_two_sources_only_one_can_win(sqlite_automated: Automated) -> None:
    automated, company = sqlite_automated, sqlite_automated.company
    sides = {"rule": "planning_policy", "reason": "so agreed"}
    automated.governed(SetRulePrecedence(winner="import:wms", loser="manual", **sides), "manager")
    automated.governed(SetRulePrecedence(winner="manual", loser="import:wms", **sides), "manager")
    company.do(policy(automated, "import:wms"), "admin")
    company.do(policy(automated, "manual"), "admin")
    assert company.refused(policy(automated, "import:wms"), "admin")["code"] == "rule_owned_elsewhere"
    with pytest.raises(ValueError, match="same source"):
        SetRulePrecedence(winner="manual", loser="manual", **sides)
    assert isinstance(
        company.submit(SetRulePrecedence(winner="forecast", loser="manual", **sides), "admin"), Proposed
    )
