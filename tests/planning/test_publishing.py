"""Forecasts, reorder points, models and promotions are published through the gate."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import numpy as np
import pytest
from pydantic import ValidationError
from sqlalchemy import select

from erp_core.gate.contract import Command, Executed, Outcome, Refused, Submission
from erp_core.gate.model import audit_entries
from erp_core.gate.submission import Gate
from erp_core.master.commands import CreateChannel, CreateItem, CreateLocation
from erp_core.planning.commands import (
    CompleteForecast,
    PlanPromotion,
    PublishForecast,
    PublishModel,
    PublishReorderPoints,
    ReorderPoint,
)
from erp_core.planning.model import forecast_weeks
from erp_core.planning.queries import (
    active_model,
    latest_forecast,
    latest_version,
    list_models,
    list_promotions,
    list_reorder_points,
    reorder_targets,
)
from erp_core.procurement.rules import ReorderTarget
from erp_core.storage.engine import reading

AS_OF, START = date(2026, 6, 30), date(2026, 7, 1)
HORIZON = 10


@dataclass
class Desk:
    """The gate with an administrator, items and a place."""

    gate: Gate
    place: UUID = field(default_factory=uuid4)
    channel: UUID = field(default_factory=uuid4)
    items: tuple[UUID, ...] = field(default_factory=lambda: tuple(sorted(uuid4() for _ in range(4))))

    def __post_init__(self) -> None:
        self.admin = self.gate.bootstrap_user("admin", roles=("admin", "planner"))
        commands = [
            CreateLocation(location_id=self.place, code="MAIN", location_name="Main"),
            CreateChannel(channel_id=self.channel, code="WEB", channel_name="Web", kind="web"),
            *(
                CreateItem(
                    item_id=item,
                    sku=f"SKU-{n}",
                    item_name="Cup",
                    category="Kitchen",
                    brand="A",
                    base_unit="piece",
                )
                for n, item in enumerate(self.items)
            ),
        ]
        outcomes = self.gate.submit_many([Submission(one, uuid4().hex) for one in commands], self.admin)
        assert all(isinstance(outcome, Executed) for outcome in outcomes), outcomes

    def submit(self, command: Command) -> Outcome:
        """Submit as the administrator."""
        return self.gate.submit(command, self.admin, key=uuid4().hex)

    def do(self, command: Command) -> dict[str, Any]:
        """Submit, and expect that it ran."""
        outcome = self.submit(command)
        assert isinstance(outcome, Executed), outcome
        return dict(outcome.result)

    def refused(self, command: Command) -> str:
        """Submit, and expect a refusal: its code."""
        outcome = self.submit(command)
        assert isinstance(outcome, Refused), outcome
        return outcome.error.code

    def read(self, query: Any) -> Any:
        """What a query gives."""
        with reading(self.gate.engine) as connection:
            return query(connection)

    def chunk(self, version_id: UUID, items: tuple[UUID, ...], **fields: Any) -> PublishForecast:
        """A chunk whose numbers follow from the item's position."""
        positions = np.array([self.items.index(item) + 1 for item in items], "f4")[:, None]
        mean = positions * np.arange(1, HORIZON + 1, dtype="f4")
        values = {
            "version_id": version_id,
            "as_of": AS_OF,
            "start_on": START,
            "levels": ("0.1", "0.9"),
            "series": [(item, self.place) for item in items],
            "mean": mean,
            "quantiles": np.stack([mean / 2, mean * 2], axis=1),
            "baseline": mean + 1,
        }
        return PublishForecast.packed(**(values | fields))


@pytest.fixture
def desk(gate: Gate) -> Desk:
    """The desk on both databases."""
    return Desk(gate)


@pytest.fixture
def sqlite_desk(sqlite_gate: Gate) -> Desk:
    """The desk on SQLite, for what cannot differ between databases."""
    return Desk(sqlite_gate)


@pytest.mark.capability("S132")
def test_a_forecast_is_seen_when_it_is_complete_and_not_before(desk: Desk) -> None:
    version = uuid4()
    desk.do(desk.chunk(version, desk.items[:3]))
    assert desk.refused(CompleteForecast(version_id=version, series=4)) == "forecast_incomplete"
    assert desk.read(latest_forecast) is None
    desk.do(desk.chunk(version, desk.items[3:]))
    desk.do(CompleteForecast(version_id=version, series=4))
    found = desk.read(latest_forecast)
    assert (found.version.id, found.version.levels, found.item_ids) == (version, (0.1, 0.9), desk.items)
    np.testing.assert_array_equal(found.mean[3], 4 * np.arange(1, 11))
    np.testing.assert_array_equal(found.quantiles[2], np.outer([1.5, 6], np.arange(1, 11)))
    (one,) = desk.read(lambda c: latest_forecast(c, item_ids=[desk.items[1]])).mean
    assert one[0] == 2
    assert desk.refused(desk.chunk(version, desk.items[:1])) == "forecast_complete"


def test_weeks_count_the_days_inside_the_horizon(sqlite_desk: Desk) -> None:
    version = uuid4()
    sqlite_desk.do(sqlite_desk.chunk(version, sqlite_desk.items[:1]))
    statement = select(forecast_weeks.c.week, forecast_weeks.c.mean_units, forecast_weeks.c.baseline_units)
    rows = sqlite_desk.read(lambda c: c.execute(statement.order_by(forecast_weeks.c.week)).all())
    # 1 July 2026 is a Wednesday: five days, then the next five
    assert [tuple(row) for row in rows] == [(date(2026, 6, 29), 15.0, 20.0), (date(2026, 7, 6), 40.0, 45.0)]


def test_a_backtest_does_not_stand_in_for_a_live_forecast(sqlite_desk: Desk) -> None:
    version, actual = uuid4(), np.full((1, HORIZON), 3.0)
    chunk = sqlite_desk.chunk(version, sqlite_desk.items[:1], purpose="backtest", actual=actual)
    sqlite_desk.do(chunk)
    sqlite_desk.do(CompleteForecast(version_id=version, series=1))
    assert sqlite_desk.read(latest_forecast) is None
    assert sqlite_desk.read(lambda c: latest_version(c, purpose="backtest")).id == version
    weeks = sqlite_desk.read(lambda c: c.execute(select(forecast_weeks.c.actual_units)).scalars().all())
    assert sorted(weeks) == [15, 15]


def test_chunks_of_one_version_agree(sqlite_desk: Desk) -> None:
    version = uuid4()
    sqlite_desk.do(sqlite_desk.chunk(version, sqlite_desk.items[:1]))
    other = sqlite_desk.chunk(version, sqlite_desk.items[1:2], as_of=date(2026, 6, 29))
    assert sqlite_desk.refused(other) == "chunk_mismatch"
    sqlite_desk.do(sqlite_desk.chunk(version, sqlite_desk.items[:1]))
    assert sqlite_desk.refused(CompleteForecast(version_id=uuid4(), series=1)) == "not_found"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("mean", np.ones((1, 9))),
        ("mean", np.full((1, HORIZON), np.nan)),
        ("baseline", np.full((1, HORIZON), -1.0)),
    ],
)
def test_numbers_that_cannot_be_a_forecast_are_malformed(sqlite_desk: Desk, field: str, value: Any) -> None:
    with pytest.raises(ValidationError):
        sqlite_desk.chunk(uuid4(), sqlite_desk.items[:1], **{field: value})


def test_the_audit_log_keeps_a_digest_instead_of_the_numbers(sqlite_desk: Desk) -> None:
    chunk = sqlite_desk.chunk(uuid4(), sqlite_desk.items)
    sqlite_desk.do(chunk)
    statement = select(audit_entries.c.payload).where(audit_entries.c.command == "PublishForecast")
    kept = sqlite_desk.read(lambda c: c.execute(statement).scalar_one())
    assert (kept["series"], kept["sha256"]) == (4, chunk.numbers_sha256)
    assert "mean" not in kept


@pytest.mark.capability("S143")
def test_reorder_points_are_replaced(desk: Desk) -> None:
    def publish(level: int) -> None:
        points = tuple(
            ReorderPoint(item, desk.place, 5, 20 + n, level, 1.5, 0.5, 14.0, 2.0, 0.95)
            for n, item in enumerate(desk.items)
        )
        desk.do(PublishReorderPoints(batch_id=uuid4(), as_of=AS_OF, points=points))

    publish(50)
    publish(60)
    found = desk.read(list_reorder_points)
    assert [(point.reorder_point, point.order_up_to) for point in found] == [
        (20, 60),
        (21, 60),
        (22, 60),
        (23, 60),
    ]
    pairs = [(desk.items[1], desk.place), (uuid4(), desk.place)]
    assert desk.read(lambda c: reorder_targets(c, pairs)) == {pairs[0]: ReorderTarget(21, 60)}


@pytest.mark.capability("S227")
def test_a_new_active_model_retires_the_last_and_a_rejected_one_does_not(desk: Desk) -> None:
    def publish(status: str, wape: float) -> UUID:
        model_version_id = uuid4()
        result = desk.do(
            PublishModel(
                model_version_id=model_version_id,
                model="demand",
                as_of=AS_OF,
                artifact="models/demand.joblib",
                artifact_sha256="0" * 64,
                card={"wape": wape, "rows": 7, "gap": float("nan")},
                status=status,
            )
        )
        assert result["version"] == len(desk.read(list_models))
        return model_version_id

    publish("active", 0.5)
    second = publish("active", 0.25)
    publish("rejected", 0.75)
    active = desk.read(lambda c: active_model(c, "demand"))
    assert (active.id, active.card) == (second, {"wape": "0.25", "rows": 7, "gap": None})
    assert [model.status for model in desk.read(list_models)] == ["rejected", "active", "retired"]
    assert desk.read(lambda c: active_model(c, "supplier_delay")) is None


@pytest.mark.parametrize("artifact", ["/etc/passwd", "../outside", "models/../../outside"])
def test_a_model_file_stays_under_the_home_folder(artifact: str) -> None:
    with pytest.raises(ValidationError):
        PublishModel(
            model_version_id=uuid4(),
            model="demand",
            as_of=AS_OF,
            artifact=artifact,
            artifact_sha256="0" * 64,
            card={},
        )


@pytest.mark.capability("S135")
def test_a_promotion_is_known_from_the_day_it_was_planned(sqlite_desk: Desk) -> None:
    promotion = PlanPromotion(
        promotion_id=uuid4(),
        item_id=sqlite_desk.items[0],
        channel_id=sqlite_desk.channel,
        starts_on=date(2026, 7, 10),
        ends_on=date(2026, 7, 12),
        discount=Decimal("0.2"),
        title="Summer",
    )
    sqlite_desk.do(promotion)
    (found,) = sqlite_desk.read(
        lambda c: list_promotions(c, start=date(2026, 7, 12), end=date(2026, 7, 30), known_by=AS_OF)
    )
    assert (found.discount, found.known_on, found.name) == (0.2, AS_OF, "Summer")
    assert sqlite_desk.read(lambda c: list_promotions(c, start=date(2026, 7, 13))) == ()
    assert sqlite_desk.read(lambda c: list_promotions(c, known_by=date(2026, 6, 29))) == ()
    assert sqlite_desk.refused(promotion) == "promotion_exists"
    assert (
        sqlite_desk.refused(promotion.model_copy(update={"promotion_id": uuid4(), "item_id": uuid4()}))
        == "not_found"
    )
    with pytest.raises(ValidationError, match="ends_on"):
        PlanPromotion(**(promotion.model_dump() | {"ends_on": date(2026, 7, 9)}))
