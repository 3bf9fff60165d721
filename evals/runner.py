"""Runs a suite: every case k times, each in a conversation of its own, resumable by repeating the command."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx

from evals.agents import Asked, Company
from evals.scorers import problems
from evals.statistics import PassRate, pass_rate
from evals.suite import Case, Suite

Progress = Callable[[int, int], None]
WATCHED = frozenset({"proposal", "refusal", "injection"})


@dataclass(frozen=True, slots=True)
class Sample:
    """One trial of one case: passed, failed with problems, or not scored because of an error."""

    suite: str
    suite_hash: str
    agent: str
    case: str
    kind: str
    trial: int
    passed: bool | None
    problems: tuple[str, ...]
    milliseconds: int
    answers: tuple[Mapping[str, Any], ...] = field(default=())


@dataclass(frozen=True, slots=True)
class Summary:
    """The result of a run: overall and by kind of case, for 1 and for k trials."""

    suite: str
    agent: str
    trials: int
    unscored: int
    overall: dict[str, PassRate]
    by_kind: dict[str, dict[str, PassRate]]
    median_milliseconds: int | None
    samples: tuple[Sample, ...]

    def as_dict(self) -> dict[str, Any]:
        """JSON-safe form."""
        return asdict(self)


def suite_hash(suite: Suite) -> str:
    """What the samples of a run belong to: another suite text, another hash."""
    return sha256(suite.model_dump_json().encode()).hexdigest()[:16]


def run_suite(
    suite: Suite,
    agent: Asked,
    company: Company,
    *,
    trials: int = 1,
    log: Path | None = None,
    parallel: int = 1,
    progress: Progress | None = None,
) -> Summary:
    """Run what `log` does not hold yet, and summarise all. An error of the infrastructure is unscored, never a fail."""
    digest = suite_hash(suite)
    done = {(one.case, one.trial): one for one in _logged(log, digest, agent.name)}
    wanted = [(case, trial) for trial in range(trials) for case in suite.cases]
    open_trials = [(case, trial) for case, trial in wanted if (case.id, trial) not in done]

    def one(job: tuple[Case, int]) -> Sample:
        return _run_case(suite, digest, *job, agent, company)

    # Cases that watch the company's state run one at a time, so that what changes is theirs.
    reading = [job for job in open_trials if job[0].kind not in WATCHED]
    watched = [job for job in open_trials if job[0].kind in WATCHED]
    with ThreadPoolExecutor(parallel) as pool:
        for group in (pool.map(one, reading), map(one, watched)):
            for sample in group:
                done[sample.case, sample.trial] = sample
                _append(log, sample)
                if progress is not None:
                    progress(len(done), len(wanted))
    return summarise(suite.name, agent.name, trials, [done[case.id, trial] for case, trial in wanted])


def summarise(suite: str, agent: str, trials: int, samples: list[Sample]) -> Summary:
    """Rates over scored samples. A case with an unscored trial counts with the trials it has."""
    scored = [one for one in samples if one.passed is not None]

    def rates(part: list[Sample]) -> dict[str, PassRate]:
        outcomes: dict[str, list[bool]] = {}
        for one in part:
            outcomes.setdefault(one.case, []).append(bool(one.passed))
        whole = {case: passes for case, passes in outcomes.items() if len(passes) >= trials}
        return {f"pass^{k}": pass_rate(outcomes if k == 1 else whole, k) for k in sorted({1, trials})}

    times = sorted(one.milliseconds for one in scored)
    kinds = sorted({one.kind for one in scored})
    return Summary(
        suite,
        agent,
        trials,
        len(samples) - len(scored),
        rates(scored),
        {kind: rates([one for one in scored if one.kind == kind]) for kind in kinds},
        times[len(times) // 2] if times else None,
        tuple(samples),
    )


def _run_case(suite: Suite, digest: str, case: Case, trial: int, agent: Asked, company: Company) -> Sample:
    started = time.monotonic()
    found: list[str] = []
    answers: list[Mapping[str, Any]] = []
    passed: bool | None
    try:
        before = _state(company) if case.kind in WATCHED else None
        conversation = str(uuid4())
        for number, turn in enumerate(case.turns, 1):
            answer = agent.ask(case.user, turn.ask, conversation)
            answers.append(answer)
            lacking = problems(turn.expect, answer, lambda query: _metrics(company, query))
            found.extend(f"turn {number}: {problem}" for problem in lacking)
        if before is not None:
            found.extend(_differences(case, before, _state(company)))
        _withdraw(company, case.user, answers)
        passed = not found
    except httpx.HTTPError as error:
        passed, found = None, [f"not scored: {error}"]
    milliseconds = round((time.monotonic() - started) * 1000)
    return Sample(
        suite.name,
        digest,
        agent.name,
        case.id,
        case.kind,
        trial,
        passed,
        tuple(found),
        milliseconds,
        tuple(answers),
    )


def _state(company: Company) -> dict[str, int]:
    return {
        "proposals": company.call("manager", "GET", "/proposals", params={"status": "pending", "limit": 1})[
            "total"
        ],
        "purchase_orders": company.call("manager", "GET", "/purchase-orders", params={"limit": 1})["total"],
    }


def _metrics(company: Company, query: Mapping[str, Any]) -> Mapping[str, Any]:
    result: Mapping[str, Any] = company.call("evaluator", "POST", "/metrics/query", json=dict(query))
    return result


def _differences(case: Case, before: dict[str, int], after: dict[str, int]) -> Iterator[str]:
    for name, wanted in case.after.model_dump().items():
        if after[name] - before[name] != wanted:
            yield f"afterwards there are {after[name] - before[name]:+d} {name}, not {wanted:+d}"


def _withdraw(company: Company, user: str, answers: list[Mapping[str, Any]]) -> None:
    for answer in answers:
        for proposal in answer.get("proposals", ()):
            company.call(user, "POST", f"/proposals/{proposal['id']}/withdraw")


def _logged(log: Path | None, digest: str, agent: str) -> Iterator[Sample]:
    if log is None or not log.exists():
        return
    for line in log.read_text(encoding="utf-8").splitlines():
        try:
            entry = json.loads(line)
        except json.JSONDecodeError:
            continue  # the last line of a run that was killed while writing
        if entry["suite_hash"] == digest and entry["agent"] == agent and entry["passed"] is not None:
            yield Sample(**entry)


def _append(log: Path | None, sample: Sample) -> None:
    if log is not None:
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("a", encoding="utf-8") as file:
            file.write(json.dumps(asdict(sample), ensure_ascii=False) + "\n")
