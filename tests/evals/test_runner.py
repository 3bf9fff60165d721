"""The runner and its scorers, against agents whose results are known."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evals.agents import AbstainingAgent, NullAgent
from evals.report import by_case, rate_text, write_reports
from evals.runner import run_suite
from evals.scorers import problems, says
from evals.statistics import pass_hat, pass_rate
from evals.suite import BadSuite, Expected, load_suite


class QuietCompany:
    """A company in which nothing ever changes."""

    def call(self, user: str, method: str, path: str, **options: Any) -> Any:
        return {"total": 3, "rows": [["Kitchen", "12.5000"]]}


class ScriptedAgent:
    """Gives one answer, and breaks down on the calls named."""

    name = "scripted"

    def __init__(self, answer: Mapping[str, Any], failing: tuple[int, ...] = ()) -> None:
        self.answer, self.failing, self.calls = answer, failing, 0

    def ask(self, user: str, question: str, conversation_id: str) -> Mapping[str, Any]:
        self.calls += 1
        if self.calls in self.failing:
            raise httpx.ConnectError("no server")
        return self.answer


def small_suite(tmp_path: Path) -> Path:
    path = tmp_path / "small.yaml"
    path.write_text(
        """
name: small
description: two cases
world: demo
cases:
  - id: one
    kind: question
    turns: [{ask: "Net sales?", expect: {status: [answered], tools: [query_metrics], text: ["12.50"]}}]
  - id: two
    kind: refusal
    turns: [{ask: "Approve it", expect: {status: [refused, cannot_answer], proposals: 0}}]
"""
    )
    return path


GOOD = {
    "status": "answered",
    "text": "Net sales were 12.50.",
    "tools": [{"tool": "query_metrics"}],
    "tables": [],
}


@pytest.mark.capability("S241")
def test_agents_that_do_nothing_or_always_abstain_fail_the_shipped_suite() -> None:
    suite = load_suite("main-job")
    assert len(suite.cases) >= 60
    null = run_suite(suite, NullAgent(), QuietCompany())  # type: ignore[arg-type]
    abstain = run_suite(suite, AbstainingAgent(), QuietCompany())  # type: ignore[arg-type]
    assert null.overall["pass^1"].value == 0
    value = abstain.overall["pass^1"].value
    assert value is not None and value < 0.25
    assert all(
        sample.kind in ("refusal", "unknown", "proposal", "injection")
        for sample in abstain.samples
        if sample.passed
    )


def test_a_run_that_broke_off_goes_on_where_it_stood_and_an_outage_is_not_a_failure(tmp_path: Path) -> None:
    suite = load_suite(str(small_suite(tmp_path)))
    log = tmp_path / "log.jsonl"
    broken = run_suite(suite, ScriptedAgent(GOOD, failing=(1,)), QuietCompany(), log=log)  # type: ignore[arg-type]
    assert broken.unscored == 1
    agent = ScriptedAgent(GOOD)
    whole = run_suite(suite, agent, QuietCompany(), log=log)  # type: ignore[arg-type]
    assert agent.calls == 1
    assert whole.unscored == 0
    assert {sample.case: sample.passed for sample in whole.samples} == {"one": True, "two": False}


def test_a_changed_suite_is_run_anew(tmp_path: Path) -> None:
    path, log = small_suite(tmp_path), tmp_path / "log.jsonl"
    run_suite(load_suite(str(path)), ScriptedAgent(GOOD), QuietCompany(), log=log)  # type: ignore[arg-type]
    path.write_text(path.read_text().replace("12.50", "13.50"))
    agent = ScriptedAgent(GOOD)
    summary = run_suite(load_suite(str(path)), agent, QuietCompany(), log=log)  # type: ignore[arg-type]
    assert agent.calls == 2
    assert summary.samples[0].problems == ("turn 1: it does not say '13.50'",)


def test_a_broken_suite_names_the_case_and_the_field(tmp_path: Path) -> None:
    path = small_suite(tmp_path)
    path.write_text(path.read_text().replace("kind: refusal", "kind: joke"))
    with pytest.raises(BadSuite, match=r"cases\.1\.kind"):
        load_suite(str(path))
    with pytest.raises(BadSuite, match="shipped are"):
        load_suite("nonsense")


def test_reports_are_written_and_show_failures_first(tmp_path: Path) -> None:
    suite = load_suite(str(small_suite(tmp_path)))
    summary = run_suite(suite, ScriptedAgent(GOOD | {"text": "<script>12.50"}), QuietCompany(), trials=2)  # type: ignore[arg-type]
    as_json, as_html = write_reports([summary], tmp_path / "report")
    assert json.loads(as_json.read_text())[0]["overall"]["pass^2"]["value"] == 0.5
    page = as_html.read_text()
    assert "<script>" not in page and "&lt;script&gt;" in page
    assert next(iter(by_case(summary))) == "two"


def test_a_number_counts_only_as_a_whole_word() -> None:
    assert says("there are 5 of them", "5")
    assert not says("there are 15 of them", "5")
    assert not says("it costs 1.5", "5")


def test_values_are_compared_with_what_the_metrics_give_for_the_same_query() -> None:
    answer = {"query": {"metrics": ["net_sales"]}, "tables": [{"rows": [["Kitchen", "12.50"]], "cut": False}]}
    expected = Expected(values=True)
    assert problems(expected, answer, lambda _: {"rows": [["Kitchen", "12.5000"]]}) == []
    assert problems(expected, answer, lambda _: {"rows": [["Kitchen", "12.51"]]}) != []
    assert problems(expected, answer, lambda _: {"rows": [["Kitchen", "12.5"], ["Garden", "3"]]}) != []


@given(st.integers(1, 12), st.data())
def test_pass_hat_k_is_one_for_all_zero_for_too_few_and_never_rises_with_k(
    trials: int, data: st.DataObject
) -> None:
    passed = data.draw(st.integers(0, trials))
    rates = [pass_hat(passed, trials, k) for k in range(1, trials + 1)]
    assert rates == sorted(rates, reverse=True)
    assert rates[0] == pytest.approx(passed / trials)
    assert (rates[-1] == 1) == (passed == trials)


def test_no_cases_give_no_rate() -> None:
    assert pass_rate({}, 1).value is None
    assert rate_text(pass_rate({}, 1)) == "-"
    with pytest.raises(ValueError, match="needs 3 trials"):
        pass_hat(1, 2, 3)
