"""Approval policies are data: checked when saved, explained when asked, tested in files."""

from __future__ import annotations

from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from erp_core.gate.contract import Executed, Invalid, Proposed, Submission
from erp_core.gate.errors import NoPolicyMatches, PolicyTie
from erp_core.gate.policies.commands import default_commands
from erp_core.gate.policies.explain import explain, run_cases
from erp_core.gate.policies.rules import Condition, Policy, match_policy, rivals
from erp_core.gate.policies.store import active_policies
from erp_core.gate.requirements import facts_together
from erp_core.storage.types import money
from tests.gate.office import Office, Spend


@pytest.mark.capability("S157")
def test_a_policy_change_is_in_force_at_once_and_the_version_before_stays_on_record(office: Office) -> None:
    first = office.policy(("manager", 1), low=100)
    office.save(first, office.policy(high=100))
    assert isinstance(office.spend(150, office.person("buyer")), Proposed)
    office.save(office.policy(low=100, policy_id=first.policy_id))
    assert isinstance(office.spend(150, office.person("buyer")), Executed)
    versions = [one.version for one in office.read(active_policies) if one.id == first.policy_id]
    assert versions == [2]


@pytest.mark.capability("S206")
@pytest.mark.parametrize(("amount", "runs"), [(99, True), (100, False), (999, False), (1000, False)])
def test_limits_are_half_open_on_both_sides(office: Office, amount: int, runs: bool) -> None:
    office.save(
        office.policy(high=100),
        office.policy(("manager", 1), low=100, high=1000),
        office.policy(("manager", 2), low=1000),
    )
    outcome = office.spend(amount, office.person("buyer"))
    assert isinstance(outcome, Executed if runs else Proposed)
    if isinstance(outcome, Proposed):
        assert outcome.approvers == [{"role": "manager", "people": 2 if amount >= 1000 else 1}]


@pytest.mark.capability("S157")
def test_two_policies_that_could_both_decide_are_an_error_when_the_second_is_saved(office: Office) -> None:
    office.save(office.policy(("manager", 1), high=100, name="small"))
    rival = office.policy(("finance", 1), low=50, name="from fifty")
    proposed = office.gate.submit(rival, office.person("admin"), key="rival")
    assert isinstance(proposed, Proposed)
    office.approve(proposed, office.person("manager"))
    last = office.approve(proposed, office.person("finance"))
    assert isinstance(last, Executed) and last.result["failed"]["code"] == "policy_tie"
    assert last.result["failed"]["details"]["policies"] == ["small"]
    assert [one.name for one in office.read(active_policies) if one.command == "Spend"] == ["small"]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"command": "Spnd"}, "unknown_command"),
        ({"conditions": [{"fact": "amuont", "low": 1}]}, "unknown_fact"),
        ({"conditions": [{"fact": "amount", "among": [1]}]}, "unknown_fact"),
        ({"conditions": [{"fact": "via", "low": 1}]}, "unknown_fact"),
        ({"conditions": [{"fact": "via", "among": ["ghost"]}]}, "unknown_fact"),
        ({"conditions": [{"fact": "tainted", "among": ["yes"]}]}, "unknown_fact"),
        ({"approvers": [{"role": "wizard", "people": 1}]}, "unknown_role"),
        ({"escalation": {"role": "wizard", "after_hours": 2}}, "unknown_role"),
    ],
)
def test_a_policy_that_speaks_of_what_is_not_there_is_refused_with_the_nearest_names(
    office: Office, change: dict[str, object], code: str
) -> None:
    wanted = {"policy_id": str(uuid4()), "policy_name": "p", "command": "Spend"} | change
    outcome = office.gate.submit_payload("SaveApprovalPolicy", wanted, office.person("admin"), key="p")
    assert isinstance(outcome, Proposed)
    office.approve(outcome, office.person("manager"))
    last = office.approve(outcome, office.person("finance"))
    assert isinstance(last, Executed) and last.result["failed"]["code"] == code
    assert last.result["failed"]["remedy"]


def test_bounds_upside_down_or_missing_are_malformed(office: Office) -> None:
    for condition in (
        {"fact": "amount", "low": 5, "high": 5},
        {"fact": "amount"},
        {"fact": "via", "among": []},
    ):
        wanted = {
            "policy_id": str(uuid4()),
            "policy_name": "p",
            "command": "Spend",
            "conditions": [condition],
        }
        outcome = office.gate.submit_payload("SaveApprovalPolicy", wanted, office.person("admin"), key="p")
        assert isinstance(outcome, Invalid), condition


@pytest.mark.capability("S157")
def test_the_set_a_company_starts_with_contradicts_itself_nowhere() -> None:
    policies = [one.as_policy(1) for one in default_commands()]
    assert [(one.name, [rival.name for rival in rivals(one, policies)]) for one in policies] == [
        (one.name, []) for one in policies
    ]


bound = st.none() | st.integers(-5, 5)
conditions = st.builds(
    lambda fact, low, high: Condition(fact, low, high), st.sampled_from(["amount", "units"]), bound, bound
) | st.builds(
    lambda fact, among: Condition(fact, among=tuple(among)),
    st.sampled_from(["via", "roles"]),
    st.sets(st.sampled_from("abc"), min_size=1),
)
policies = st.builds(
    lambda some: Policy(uuid4(), 1, "p", "Spend", tuple(some), (), 1), st.lists(conditions, max_size=3)
)
facts = st.fixed_dictionaries(
    {},
    optional={
        "amount": st.integers(-6, 6),
        "units": st.integers(-6, 6),
        "via": st.sampled_from("abc"),
        "roles": st.lists(st.sampled_from("abc"), max_size=3),
    },
)


@given(policies, policies, facts)
def test_policies_that_are_no_rivals_never_tie_whatever_the_facts(
    one: Policy, other: Policy, known: dict[str, object]
) -> None:
    if rivals(one, [other]):
        return
    try:
        match_policy([one, other], "Spend", known)
    except NoPolicyMatches:
        assert not one.holds("Spend", known) and not other.holds("Spend", known)
    except PolicyTie as tie:
        raise AssertionError("two policies that were no rivals both decide") from tie


@pytest.mark.capability("S157")
def test_explain_says_which_policy_decides_and_which_condition_keeps_the_others_out(office: Office) -> None:
    office.save(
        office.policy(high=money(100), name="small"),
        office.policy(("manager", 1), low=money(100), name="large"),
    )
    told = explain(office.read(active_policies), "Spend", {"amount": money(100), "via": "person"})
    assert told.decides == "large" and told.error is None
    small = next(one for one in told.policies if one.name == "small")
    (condition,) = small.conditions
    assert not small.holds and not condition.holds
    assert (condition.wants, condition.value) == ("under 100.00", "100.00")
    nothing = explain(office.read(active_policies), "Spend", {"via": "person"})
    assert nothing.decides is None and nothing.error is not None and nothing.error.code == "no_policy_matches"
    told_amounts = {
        told.value for one in nothing.policies for told in one.conditions if told.fact == "amount"
    }
    assert told_amounts == {"not known"}


CASES = """
[[case]]
name = "a small purchase runs"
command = "SubmitPurchaseOrder"
facts = { via = "person", cumulative_amount = 2499.9999, tainted = false, urgent = false }
approvers = {}

[[case]]
name = "an agent that saw untrusted text asks two"
command = "SubmitPurchaseOrder"
facts = { via = "agent", cumulative_amount = 10, tainted = true, urgent = false, supplier_new = false, supplier_risk = "low" }
decides = "purchase that rests on untrusted text"
approvers = { manager = 1, finance = 1 }

[[case]]
name = "without an amount nothing runs"
command = "SubmitPurchaseOrder"
facts = { via = "person" }
refused = true

[[case]]
name = "this one expects too much"
command = "SubmitPurchaseOrder"
facts = { via = "person", cumulative_amount = 1 }
approvers = { executive = 1 }
"""


@pytest.mark.capability("S157")
def test_a_file_of_cases_tests_policies_and_names_the_case_that_fails() -> None:
    results = run_cases(CASES, [one.as_policy(1) for one in default_commands()])
    assert [one.passed for one in results] == [True, True, True, False]
    assert (results[-1].expected, results[-1].found) == ("1 executive", "purchase under 2,500 (nobody)")


@pytest.mark.parametrize("text", ["", "case = 1", "[[case]]\nname = 'x'", "[[case", "[[case]]\nwho = 1"])
def test_a_file_that_holds_no_cases_is_refused(text: str) -> None:
    with pytest.raises(Exception, match="cannot be read"):
        run_cases(text, [])


@pytest.mark.capability("S157")
def test_a_change_shows_which_waiting_proposals_would_go_under_another_rule(office: Office) -> None:
    large = office.policy(("manager", 1), low=100, name="large")
    office.save(office.policy(high=100, name="small"), large)
    waiting = office.proposed(500, office.person("buyer"))
    office.proposed(5000, office.person("buyer"))
    tighter = office.policy(("manager", 2), low=100, name="large", policy_id=large.policy_id)
    touched = office.read(lambda connection: office.gate.advice.touched_by(tighter, connection))
    assert len(touched) == 2
    narrower = office.policy(("manager", 1), low=1000, name="large", policy_id=large.policy_id)
    (only,) = office.read(lambda connection: office.gate.advice.touched_by(narrower, connection))
    assert only.proposal_id == waiting.proposal_id
    assert "no approval policy covers" in only.would_ask
    same = office.policy(("manager", 1), low=100, name="large", policy_id=large.policy_id)
    assert office.read(lambda connection: office.gate.advice.touched_by(same, connection)) == []


def test_what_comes_from_a_file_goes_under_the_rules_for_imports(office: Office) -> None:
    office.save(
        office.policy(name="by hand", among={"via": ("person",)}),
        office.policy(("manager", 1), name="from a file", among={"via": ("import",)}),
    )
    buyer = office.person("buyer")
    wishes = [Submission(Spend(matter=uuid4(), amount=10), f"line {number}") for number in (1, 2)]
    by_hand = office.gate.submit_many(wishes[:1], buyer)
    from_file = office.gate.submit_many(wishes[1:], buyer, imported=True)
    assert isinstance(by_hand[0], Executed)
    assert isinstance(from_file[0], Proposed) and from_file[0].policy == "from a file"
    assert office.view(from_file[0].proposal_id).via == "import"
    again = office.gate.rebase(from_file[0].proposal_id, buyer, key="again")
    assert isinstance(again, Proposed) and again.policy == "from a file"


def test_an_order_of_approvers_is_kept(office: Office) -> None:
    office.save(office.policy(("finance", 1), ("manager", 1), low=0, in_order=True))
    proposal = office.proposed(5, office.person("buyer"))
    assert office.refusal(office.approve(proposal, office.person("manager"))) == "not_an_approver"
    first = office.approve(proposal, office.person("finance"))
    assert isinstance(first, Executed) and first.result["missing"] == {"manager": 1}
    last = office.approve(proposal, office.person("manager"))
    assert isinstance(last, Executed) and last.result["status"] == "executed"


@pytest.mark.capability("S206")
def test_a_plan_costs_what_its_commands_cost_together(office: Office) -> None:
    office.save(office.policy(("manager", 1), low=0))
    commands = [Spend(matter=uuid4(), amount=amount) for amount in (900, 1)]
    outcome = office.gate.submit_plan(commands, office.person("buyer"), key="k", title="Two", reason="both")
    assert isinstance(outcome, Proposed)
    assert office.view(outcome.proposal_id).amount == 901


def test_facts_of_a_plan_join_lists_and_keep_the_lowest_quality() -> None:
    told = facts_together(
        [{"category": ["a"], "quality": 80, "amount": 1}, {"category": ["b", "a"], "quality": 90}]
    )
    assert told == {"category": ["a", "b"], "quality": 80, "amount": 1}
