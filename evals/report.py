"""Reports of a run: a terminal table, JSON, and one HTML page that stands by itself."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from evals.runner import Sample, Summary
from evals.statistics import PassRate


def write_reports(summaries: list[Summary], folder: Path) -> tuple[Path, Path]:
    """Write `report.json`, `report.html` and `junit.xml`; the first summary is the agent, the others stand beside it.

    Gives the paths of the JSON and of the page.
    """
    from jinja2 import Environment

    folder.mkdir(parents=True, exist_ok=True)
    as_json = folder / "report.json"
    as_json.write_text(
        json.dumps([one.as_dict() for one in summaries], indent=1, ensure_ascii=False, default=str),
        encoding="utf-8",
    )
    environment = Environment(autoescape=True)
    environment.filters["rate"] = rate_text
    template = environment.from_string(
        (files("evals") / "templates" / "report.html").read_text(encoding="utf-8")
    )
    as_html = folder / "report.html"
    as_html.write_text(template.render(summaries=summaries, cases=by_case(summaries[0])), encoding="utf-8")
    (folder / "junit.xml").write_text(junit(summaries), encoding="utf-8")
    return as_json, as_html


def junit(summaries: list[Summary]) -> str:
    """The samples as JUnit XML, a test suite for each summary: what did not pass failed, what was not scored was skipped."""
    root = ElementTree.Element("testsuites")
    for summary in summaries:
        suite = ElementTree.SubElement(
            root,
            "testsuite",
            name=f"{summary.suite} ({summary.agent})",
            tests=str(len(summary.samples)),
            failures=str(sum(one.passed is False for one in summary.samples)),
            skipped=str(summary.unscored),
        )
        for one in summary.samples:
            case = ElementTree.SubElement(
                suite,
                "testcase",
                classname=f"{summary.suite}.{one.kind}",
                name=f"{one.case} [{one.trial + 1}]" if summary.trials > 1 else one.case,
                time=f"{one.milliseconds / 1000:.3f}",
            )
            if one.passed is not True:
                kind = "failure" if one.passed is False else "skipped"
                ElementTree.SubElement(case, kind, message=_printable("; ".join(one.problems)))
    return ElementTree.tostring(root, encoding="unicode", xml_declaration=True)


def _printable(text: str) -> str:
    """Text without the characters that XML cannot carry."""
    return "".join(one for one in text if one.isprintable())


def by_case(summary: Summary) -> dict[str, list[Sample]]:
    """The samples of each case, failed cases first."""
    cases: dict[str, list[Sample]] = {}
    for sample in summary.samples:
        cases.setdefault(sample.case, []).append(sample)
    return dict(sorted(cases.items(), key=lambda one: (all(sample.passed for sample in one[1]), one[0])))


def rate_text(rate: PassRate) -> str:
    """A rate with its interval, or a dash where there is nothing to rate."""
    if rate.value is None or rate.low is None or rate.high is None:
        return "-"
    return f"{rate.value:.1%} ({rate.low:.0%} to {rate.high:.0%}, {rate.cases} cases)"


def terminal_table(summaries: list[Summary]) -> Any:
    """A rich table: kinds of case down, agents and k across."""
    from rich.table import Table

    table = Table(title=f"Suite {summaries[0].suite}")
    table.add_column("cases")
    columns = [(one, k) for one in summaries for k in one.overall]
    for one, k in columns:
        table.add_column(f"{one.agent} {k}", justify="right")
    for kind in summaries[0].by_kind:
        table.add_row(
            kind, *(rate_text(one.by_kind[kind][k]) if kind in one.by_kind else "-" for one, k in columns)
        )
    table.add_row("all", *(rate_text(one.overall[k]) for one, k in columns), style="bold")
    return table
