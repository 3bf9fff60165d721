"""The purchase-to-pay log of the BPI Challenge 2019 against our rules: status graphs, the match, separation of duties.

Each line of the log is a purchase order of one line, quantity 1 at its value: the log has no quantities and no amounts of invoices.
An event is a step of our graphs; what the log does not record (approved, sent, disputed) is taken in silence where the graph leads
through it. What no path leads to is *refused* and changes nothing. Users `batch_nn` and `NONE` are nobody.
"""

from __future__ import annotations

import csv
import gzip
import os
import time
import tomllib
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from importlib.resources import files
from pathlib import Path
from statistics import median
from uuid import UUID

from erp_core.gate.statuses import StatusGraph
from erp_core.procurement.invoices.rules import (
    INVOICE_STEPS,
    Billed,
    BilledLine,
    OrderedCharges,
    OrderedLine,
    Tolerance,
)
from erp_core.procurement.invoices.rules import match as three_way_match
from erp_core.procurement.rules import PURCHASE_ORDER_STEPS
from erp_core.storage.types import money

LOG = Path("bpi2019_3way_after") / "events_dev.csv.gz"
ENDS = date(2019, 1, 31)
_UNRECORDED = frozenset({"submitted", "approved", "sent", "disputed"})
_LINE, _PO = UUID(int=1), UUID(int=2)
_DUTIES = {
    "Create Purchase Order Item": "order_requester",
    "Release Purchase Order": "order_approver",
    "Change Approval for Purchase Order": "order_approver",
    "Record Goods Receipt": "receiver",
    "Record Invoice Receipt": "matcher",
    "Clear Invoice": "payer",
}


@dataclass(frozen=True, slots=True)
class LogEvent:
    """One row of the log; `value` in ten-thousandths."""

    line: str
    activity: str
    on: date
    user: str
    value: int


@dataclass(slots=True)
class Replayed:
    """What a replay found, by line of the log."""

    events: int = 0
    lines: int = 0
    refused: Counter[tuple[str, str]] = field(default_factory=Counter)
    refused_lines: set[str] = field(default_factory=set)
    held: set[str] = field(default_factory=set)
    blocked: set[str] = field(default_factory=set)
    uninvoiced_days: list[int] = field(default_factory=list)
    same_person: dict[tuple[str, str], set[str]] = field(default_factory=lambda: defaultdict(set))

    @property
    def precision(self) -> float | None:
        """Share of the lines held that the log blocked; None where none is held."""
        return len(self.held & self.blocked) / len(self.held) if self.held else None

    @property
    def recall(self) -> float | None:
        """Share of the lines that the log blocked that are held; None where it blocked none."""
        return len(self.held & self.blocked) / len(self.blocked) if self.blocked else None


@dataclass(slots=True)
class _Line:
    """A line while it is replayed."""

    order: str = "draft"
    made: bool = False
    receipts: int = 0
    received_on: date | None = None
    invoices: list[str] = field(default_factory=list)
    duties: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))

    @property
    def payable(self) -> int:
        """Invoices that use up what may be billed."""
        return sum(one in ("matched", "paid") for one in self.invoices)


def read_log(path: Path) -> Iterator[list[LogEvent]]:
    """The events of each line, in the published order."""
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        line: list[LogEvent] = []
        for row in csv.DictReader(file):
            event = LogEvent(
                row["case_id"],
                row["activity"],
                date.fromisoformat(row["timestamp"][:10]),
                row["user"],
                money(row["cumulative_net_worth_eur"]),
            )
            if line and line[-1].line != event.line:
                yield line
                line = []
            line.append(event)
        if line:
            yield line


def replay(log: Iterable[Sequence[LogEvent]]) -> Replayed:
    """Take every line of the log through our rules."""
    found, rules = Replayed(), _separated()
    for events in log:
        line, name = _Line(), events[0].line
        found.lines += 1
        found.events += len(events)
        for event in events:
            refused = _take(line, event, found)
            if refused is not None:
                found.refused[event.activity, refused] += 1
                found.refused_lines.add(name)
            if event.activity in _DUTIES and event.user.startswith("user_"):
                line.duties[_DUTIES[event.activity]].add(event.user)
        if line.receipts and not line.payable and line.received_on is not None:
            found.uninvoiced_days.append((ENDS - line.received_on).days)
        for duty, other in rules:
            if line.duties[duty] & line.duties[other]:
                found.same_person[duty, other].add(name)
    return found


def _take(line: _Line, event: LogEvent, found: Replayed) -> str | None:
    """Take one event. Gives the status at which it was refused, or None."""
    match event.activity:
        case "Create Purchase Order Item":
            line.made = True
        case "Receive Order Confirmation":
            return _step_order(line, "confirmed")
        case "Record Goods Receipt":
            refused = _step_order(line, "partly_received")
            if refused is None:
                line.receipts += 1
                line.received_on = line.received_on or event.on
            return refused
        case "Cancel Goods Receipt":
            line.receipts -= 1
            return "nothing received" if line.receipts < 0 else None
        case "Delete Purchase Order Item":
            return _step_order(line, "closed" if line.receipts > 0 else "cancelled")
        case "Reactivate Purchase Order Item":
            return _step_order(line, "draft")
        case "Record Invoice Receipt":
            _bill(line, event, found)
        case "Cancel Invoice Receipt":
            return _step_invoice(line, "rejected")
        case "Clear Invoice":
            return _step_invoice(line, "paid")
        case "Set Payment Block" | "Remove Payment Block":
            found.blocked.add(event.line)
    return None


def _bill(line: _Line, event: LogEvent, found: Replayed) -> None:
    ordered = OrderedLine(_LINE, _PO, min(line.receipts, 1), event.value, line.payable)
    billed = Billed("EUR", (BilledLine(_LINE, 1, event.value),), (), 0, event.value)
    agreed = {_PO: OrderedCharges(_PO, "EUR", event.value, 0)}
    if three_way_match(billed, {_LINE: ordered}, agreed, {}, Tolerance()):
        line.invoices.append("held")
        found.held.add(event.line)
    else:
        line.invoices.append("matched")


def _step_order(line: _Line, target: str) -> str | None:
    if not line.made:
        return "no order"
    if line.order == target == "partly_received":
        return None
    if not leads_to(PURCHASE_ORDER_STEPS, line.order, target):
        return line.order
    line.order = target
    return None


def _step_invoice(line: _Line, target: str) -> str | None:
    """Step the oldest invoice that may take it."""
    for place, status in enumerate(line.invoices):
        if leads_to(INVOICE_STEPS, status, target):
            line.invoices[place] = target
            return None
    return line.invoices[-1] if line.invoices else "no invoice"


def leads_to(graph: StatusGraph, current: str, target: str) -> bool:
    """Whether a status follows upon another, at once or through what the log does not record."""
    seen, waiting = {current}, [current]
    while waiting:
        steps = graph[waiting.pop()]
        if target in steps:
            return True
        fresh = (steps & _UNRECORDED) - seen
        seen |= fresh
        waiting += fresh
    return False


def _separated() -> list[tuple[str, str]]:
    """The pairs of duties that a company keeps apart from the first day, of those that the log shows."""
    text = files("erp_core.gate").joinpath("separation.toml").read_text(encoding="utf-8")
    shown = set(_DUTIES.values())
    pairs = [(rule["duty"], rule["other"]) for rule in tomllib.loads(text)["rule"]]
    return [(duty, other) for duty, other in pairs if {duty, other} <= shown]


def run() -> list[tuple[str, str]]:
    """What the replay found, and how fast."""
    path = Path(os.environ.get("QUARTERMASTER_SHARED", "../shared")) / "data" / LOG
    if not path.exists():
        return [("BPI Challenge 2019", f"not replayed: no {LOG.name}")]
    begun = time.perf_counter()
    found = replay(read_log(path))
    seconds = time.perf_counter() - begun
    days = sorted(found.uninvoiced_days)
    over = Counter(min(days // 30, 6) * 30 for days in days)
    return [
        ("lines and events", f"{found.lines:,} and {found.events:,}"),
        ("events a second, read and judged", f"{found.events / seconds:,.0f}"),
        ("lines with an event refused", f"{len(found.refused_lines):,}"),
        *(
            (f"refused: {activity} at {status}", f"{times:,}")
            for (activity, status), times in found.refused.most_common()
        ),
        ("lines held; blocked in the log", f"{len(found.held):,}; {len(found.blocked):,}"),
        ("held and blocked; precision; recall", _shares(found)),
        ("received, not invoiced: lines", f"{len(days):,}"),
        ("their age in days: median", f"{median(days):,.0f}" if days else "none"),
        *((f"of which from {age} days", f"{times:,}") for age, times in sorted(over.items())),
        *(
            (f"one person as {duty} and {other}", f"{len(lines):,} lines")
            for (duty, other), lines in sorted(found.same_person.items())
        ),
    ]


def _shares(found: Replayed) -> str:
    shares = [one if one is None else f"{one:.3f}" for one in (found.precision, found.recall)]
    return f"{len(found.held & found.blocked):,}; {shares[0]}; {shares[1]}"
