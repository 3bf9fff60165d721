"""The reference part of `docs/metrics.md`, written from the catalogue.

``python -m erp_core.analytics.reference`` brings the page up to date.
"""

from __future__ import annotations

from pathlib import Path

from erp_core.analytics.metrics import catalogue
from erp_core.analytics.plan import dimensions_of

PAGE = Path(__file__).parents[2] / "docs" / "metrics.md"
START, END = "<!-- reference: start -->", "<!-- reference: end -->"
_DIRECTIONS = {"up_good": "more is better", "down_good": "less is better", "neutral": "neither"}


def reference() -> str:
    """Every metric and dimension as Markdown, by domain."""
    known = catalogue()
    parts = []
    for domain, names in known.domains.items():
        parts.append(f"### {domain.capitalize()}\n")
        for name in names:
            metric = known.metrics[name]
            facts = [
                f"**Unit** {metric.unit}",
                f"**time** {metric.axis}",
                f"**direction** {_DIRECTIONS[metric.direction]}",
                f"**owner** {metric.owner}",
                f"**needs** {', '.join(metric.feeds) or 'nothing'}",
            ]
            if metric.right:
                facts.append(f"**right** `{metric.right}`")
            parts.append(f"#### `{name}`: {metric.label}\n")
            parts.append(f"{metric.definition}\n")
            parts.append(f"{' · '.join(facts)}  ")
            parts.append(f"**By** {', '.join(dimensions_of(metric)) or 'no dimension'}  ")
            parts.append(f"**Also called** {', '.join(metric.synonyms)}\n")
    parts.append("### Dimensions\n")
    parts.append("| dimension | what it is | also called |")
    parts.append("|---|---|---|")
    for dimension in known.dimensions.values():
        parts.append(f"| `{dimension.name}` | {dimension.definition} | {', '.join(dimension.synonyms)} |")
    return "\n".join(parts) + "\n"


def page_with(text: str) -> str:
    """A page with the reference between its markers brought up to date; what stands around them stays."""
    before, _, rest = text.partition(START)
    _, _, after = rest.partition(END)
    return f"{before}{START}\n\n{reference()}\n{END}{after}"


if __name__ == "__main__":
    PAGE.write_text(page_with(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
