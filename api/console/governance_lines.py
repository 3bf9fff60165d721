"""What the overview says about governance: a line each, only where there is something to see."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection

from api.company import Company
from erp_core.gate.principals import Principal
from erp_core.gate.reviews import list_reviews
from erp_core.master.queries.quality import list_quality, quality_threshold

MOST_COUNTED = 100


@dataclass(frozen=True, slots=True)
class Line:
    """A sentence with where it leads; `kind` colours it: bad, warn or nothing."""

    text: str
    path: str
    kind: str = ""


def lines_of(viewer: Principal, company: Company, connection: Connection) -> list[Line]:
    """The lines for who may read the audit log, in four small statements; none for others."""
    if not viewer.has_right("read_audit"):
        return []
    return [
        *_reviews(company, connection),
        *_quality(connection),
    ]


def _reviews(company: Company, connection: Connection) -> list[Line]:
    waiting, now = list_reviews(connection), company.clock.business_now()
    if not waiting:
        return []
    broken = sum(one["kind"] == "break_glass" for one in waiting)
    overdue = sum(one["due_at"] < now for one in waiting)
    lines = [
        Line(
            f"{_counted(len(waiting), 'review waits', 'reviews wait')}"
            + (f", {overdue} overdue" if overdue else ""),
            "/approvals?show=reviews",
            "bad" if overdue else "warn",
        )
    ]
    if broken:
        told = f"The glass was broken {_counted(broken, 'time', 'times')}, and nobody looked at it yet"
        lines.insert(0, Line(told, "/approvals?show=reviews", "bad"))
    return lines


def _quality(connection: Connection) -> list[Line]:
    threshold = quality_threshold(connection)
    poor = sum(
        len(list_quality(connection, kind, below=threshold, limit=MOST_COUNTED))
        for kind in ("item", "supplier")
    )
    if not poor:
        return []
    text = f"{_counted(poor, 'record', 'records')} with a data quality below {threshold}"
    return [Line(f"More than {text}" if poor >= MOST_COUNTED else text, "/governance/data")]


def _counted(number: int, one: str, many: str) -> str:
    return f"{number:,} {one if number == 1 else many}"
