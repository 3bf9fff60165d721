"""A trading company whose replenishment is automated: stock, reorder points, scores, and time that passes."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from api.composition import make_gate
from erp_core.clock import Clock
from erp_core.gate.autonomy.rules import Level
from erp_core.gate.contract import Command, Outcome, Proposed
from erp_core.gate.principals import Principal
from erp_core.gate.submission import Gate
from erp_core.inventory.commands import PostOpeningStock, StockLine
from erp_core.master.commands import CreateChannel
from erp_core.master.commands.quality import RecordDataQuality
from erp_core.master.queries.scoring import Scored
from erp_core.master.rules.quality import Problem
from erp_core.orders.commands import OrderLine, PlaceOrder
from erp_core.planning.automation.run import RunReport, run_automation
from erp_core.planning.commands import PublishReorderPoints, ReorderPoint
from erp_core.planning.commands.autonomy import SetAutomationLimits, SetAutonomy
from erp_core.planning.outcomes.score import ScoreOutcomes
from erp_core.planning.readiness.commands import GoLive
from erp_core.storage.types import money
from tests.procurement.conftest import TODAY, Company, open_company

EARLIER = date(2026, 5, 1)
LIMITS = {
    "order_amount": money(5_000),
    "category_day_amount": money(8_000),
    "day_orders": 5,
    "day_amount": money(10_000),
    "minimum_decided": 1,
    "minimum_judged": 1,
}


@dataclass
class Automated:
    """The company with its services. Its gate lives on a day of its own; `at` moves on to another."""

    company: Company
    home: Path
    automation: Principal
    jobs: Principal
    channel: UUID = field(default_factory=uuid4)

    @property
    def gate(self) -> Gate:
        return self.company.gate

    @property
    def today(self) -> date:
        return self.gate.clock.today()

    def at(self, day: date) -> None:
        """Go on to another business day."""
        engine = self.gate.engine
        self.company.gate = make_gate(engine, Clock(fixed_business_date=day), home=self.home)

    def run(self) -> RunReport:
        """One run of automation."""
        return run_automation(self.gate, self.automation, self.today)

    def score(self) -> dict[str, Any]:
        """Let the jobs measure outcomes."""
        outcome = self.gate.submit(ScoreOutcomes(), self.jobs, key=uuid4().hex)
        return dict(outcome.result)  # type: ignore[union-attr]

    def governed(self, command: Command, *roles: str) -> dict[str, Any]:
        """What the administrator asks for and these people approve."""
        return self.company.approve(self.company.submit(command, "admin"), *(roles or ("manager", "finance")))

    def set_level(self, level: Level, kind: str, scope: str = "", reason: str = "agreed") -> Outcome:
        """Ask for a level."""
        command = SetAutonomy(scope_kind=kind, scope=scope, level=level, reason=reason)  # type: ignore[arg-type]
        return self.company.submit(command, "admin")

    def agree(self, level: Level, kind: str, scope: str = "") -> None:
        """A level that the people agreed to."""
        self.company.approve(self.set_level(level, kind, scope), "manager", "finance")

    def points(self, *targets: tuple[int, int], source: str = "forecast") -> None:
        """Reorder point and order-up-to level of the two items in turn, as of today."""
        points = tuple(
            ReorderPoint(item, self.company.warehouse, 5, point, level, 1.0, 1.0, 14.0, 1.0, 0.95)
            for item, (point, level) in zip(
                (self.company.item, self.company.other_item), targets, strict=False
            )
        )
        command = PublishReorderPoints(batch_id=uuid4(), as_of=self.today, points=points, source=source)
        self.company.do(command, "admin")

    def scores(self, *problems: Problem) -> None:
        """Score the supplier without problems, the items with these."""
        company = self.company
        scored = (
            Scored("supplier", company.supplier, ()),
            *(Scored("item", item, problems) for item in (company.item, company.other_item)),
        )
        company.do(RecordDataQuality(scoring_id=uuid4(), as_of=self.today, scored=scored), "admin")

    def stock(self, units: int, *items: UUID) -> None:
        """Units that lie in the warehouse."""
        lines = tuple(StockLine(item_id=item, quantity=units) for item in items)
        document = PostOpeningStock(document_id=uuid4(), location_id=self.company.warehouse, lines=lines)
        self.company.do(document, "admin")

    def sell(self, units: int, *items: UUID) -> None:
        """An order for so many units of each item."""
        lines = tuple(
            OrderLine(
                line_id=uuid4(),
                item_id=item,
                quantity=units,
                unit_price=money(20),
                list_price=money(20),
                location_id=self.company.warehouse,
            )
            for item in items
        )
        order = PlaceOrder(
            order_id=uuid4(),
            external_ref=uuid4().hex,
            channel_id=self.channel,
            customer_country="DE",
            lines=lines,
        )
        self.company.do(order, "service")


def open_automated(engine: Any, home: Path) -> Automated:
    """A company on 1 May: 50 of each item in stock, both at their reorder points, nothing decided yet."""
    gate = make_gate(engine, Clock(fixed_business_date=EARLIER), home=home)
    company = open_company(gate)
    company.people["service"] = gate.bootstrap_user("service", roles=("service",))
    found = Automated(
        company,
        home,
        gate.bootstrap_user("automation", roles=("automation",), kind="service"),
        gate.bootstrap_user("jobs", roles=("jobs",), kind="service"),
    )
    company.do(
        CreateChannel(channel_id=found.channel, code="WEB", channel_name="Web shop", kind="web"), "admin"
    )
    order = company.sent(20)
    company.do(company.receipt(order, 20), "warehouse")
    found.stock(30, company.item)
    found.stock(50, company.other_item)
    found.sell(1, company.item, company.other_item)
    found.points((100, 150), (100, 150))
    found.scores()
    return found


def earn(automated: Automated) -> None:
    """Let a rule-made order be approved and turn out well, and the people agree that automation acts at MAIN.

    Afterwards it is 30 June; of both items 40 are available and 110 on order, above their reorder points.
    """
    automated.governed(SetAutomationLimits(**LIMITS, reason="a small pilot"))
    report = automated.run()
    assert len(report.proposed) == 1, report
    automated.sell(49, automated.company.item, automated.company.other_item)
    approve_all(automated, "manager")
    automated.at(TODAY)
    automated.stock(41, automated.company.item, automated.company.other_item)
    automated.sell(1, automated.company.item, automated.company.other_item)
    assert automated.score()["judged"] == 2
    automated.governed(
        GoLive(process="automation", site="MAIN", override_reason="a pilot with small amounts")
    )
    for kind, scope in (("category", "Lighting"), ("supplier", "ACME"), ("warehouse", "MAIN")):
        automated.agree("act", kind, scope)


def approve_all(automated: Automated, *roles: str) -> None:
    """Approve every pending proposal of automation."""
    from erp_core.gate.queries import list_proposals

    views, _ = automated.company.read(list_proposals)
    for view in views:
        proposed = Proposed(view.id, view.payload_hash, view.approvers, view.policy_name)
        automated.company.approve(proposed, *roles)
