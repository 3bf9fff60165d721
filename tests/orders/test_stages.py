"""How long orders stay where they are: limits of stages, alerts, ageing by exception code."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from pydantic import ValidationError
from sqlalchemy import select

from erp_core.gate.contract import Denied
from erp_core.gate.model import outbox
from erp_core.master.commands import SetChannelTerms
from erp_core.orders.commands import HoldOrder, RaiseStageAlerts, ReleasePick, SetStageLimit
from erp_core.orders.queries.stages import order_ageing, stage_clocks
from erp_core.orders.rules.stages import StageLimit, age_bucket, standing
from erp_core.storage.engine import reading
from tests.orders.parcels import agreed
from tests.shop import MONDAY, Shop


def after(**time: float) -> datetime:
    return MONDAY + timedelta(**time)


@pytest.mark.capability("S69")
def test_the_warning_begins_at_its_minute_and_at_the_end_the_limit_is_breached() -> None:
    limit = StageLimit(60, 15)
    stands = [standing(limit, MONDAY, after(minutes=one, seconds=part)) for one, part in (
        (44, 59), (45, 0), (59, 59), (60, 0)
    )]  # fmt: skip
    assert stands == ["in_time", "at_risk", "at_risk", "breached"]


def clocks(shop: Shop, now: datetime, **fields: Any) -> list[tuple[str, str, str]]:
    with reading(shop.gate.engine) as connection:
        found = stage_clocks(connection, now, **fields)
    return [(one.order_number, one.stage, one.standing) for one in found]


@pytest.mark.capability("S69")
def test_each_stage_has_its_clock_and_people_are_alerted_once_before_and_once_after_its_end(
    fresh_shop: Shop,
) -> None:
    shop = fresh_shop
    shop.run(SetStageLimit(status="reserved", minutes=120, warn_minutes=30))
    shop.run(SetStageLimit(status="pick_released", minutes=60, warn_minutes=60))
    tea = shop.item(north=9)
    order = shop.place((tea, 1), number="SO-1")
    assert clocks(shop, after(minutes=89)) == []
    assert clocks(shop, after(minutes=90)) == [("SO-1", "reserved", "at_risk")]
    raised = [shop.run(RaiseStageAlerts(occurred_at=after(minutes=one))) for one in (60, 95, 100, 121, 130)]
    assert [(one["at_risk"], one["breached"]) for one in raised] == [(0, 0), (1, 0), (0, 0), (0, 1), (0, 0)]
    shop.now = after(minutes=140)
    shop.run(ReleasePick(order_id=order.order_id, pick_id=uuid4()))
    assert clocks(shop, after(minutes=141)) == [("SO-1", "pick_released", "at_risk")]
    assert shop.run(RaiseStageAlerts(occurred_at=after(minutes=141)))["at_risk"] == 1
    with reading(shop.gate.engine) as connection:
        told = connection.scalars(
            select(outbox.c.kind)
            .where(outbox.c.aggregate_id == order.order_id, outbox.c.kind.like("OrderStage%"))
            .order_by(outbox.c.version)
        ).all()
    assert told == ["OrderStageAtRisk", "OrderStageBreached", "OrderStageAtRisk"]
    shop.cancel(order)
    assert clocks(shop, after(days=9)) == []


@pytest.mark.capability("S69")
def test_a_channel_has_limits_of_its_own_and_its_terms_say_when_all_must_be_shipped(fresh_shop: Shop) -> None:
    shop = fresh_shop
    shop.run(SetStageLimit(status="reserved", minutes=600))
    shop.run(SetStageLimit(status="reserved", channel_id=shop.web, minutes=60, warn_minutes=10))
    tea = shop.item(cost=10_000, north=9)
    order = shop.place((tea, 1), number="SO-1")
    assert clocks(shop, after(minutes=61)) == [("SO-1", "reserved", "breached")]
    shop.run(SetStageLimit(status="reserved", channel_id=shop.web))
    assert clocks(shop, after(minutes=61)) == []
    agreed(shop, SetChannelTerms(channel_id=shop.web, priority=5, dispatch_hours=8))
    assert clocks(shop, after(hours=5, minutes=59)) == []
    assert clocks(shop, after(hours=6)) == [("SO-1", "dispatch", "at_risk")]
    both = [("SO-1", "dispatch", "breached"), ("SO-1", "reserved", "breached")]
    assert clocks(shop, after(hours=10)) == both
    assert clocks(shop, after(hours=10), standings=("at_risk",)) == []
    shop.ship(order)
    assert clocks(shop, after(hours=10)) == []


@pytest.mark.capability("S69")
def test_a_limit_shorter_than_its_warning_is_malformed_and_only_managers_set_limits(shop: Shop) -> None:
    for minutes, warn in ((10, 11), (0, 0)):
        with pytest.raises(ValidationError, match="limit"):
            SetStageLimit(status="reserved", minutes=minutes, warn_minutes=warn)
    with pytest.raises(ValidationError):
        SetStageLimit(status="shipped", minutes=10)
    clerk = shop.gate.bootstrap_user("clerk", roles=("service",))
    command = SetStageLimit(status="reserved", minutes=10)
    assert isinstance(shop.gate.submit(command, clerk, key=uuid4().hex), Denied)
    assert shop.refused(command.model_copy(update={"channel_id": uuid4()})).code == "not_found"


@pytest.mark.capability("S58")
def test_a_hold_carries_a_code_of_the_catalogue_and_ageing_is_reported_by_code(fresh_shop: Shop) -> None:
    shop = fresh_shop
    tea, cup = shop.item(north=9), shop.item()
    held = shop.place((tea, 2))
    assert shop.refused(HoldOrder(order_id=held.order_id, reason_code="odd_feeling")).code == "unknown_reason"
    shop.run(HoldOrder(order_id=held.order_id, reason_code="address_problem"))
    assert shop.row(held).hold_reason == "address_problem"
    shop.later(2)
    unpaid = shop.place((tea, 1), payment_status="pending")
    shop.place((cup, 3))
    shop.place((tea, 1))
    with reading(shop.gate.engine) as connection:
        found = order_ageing(connection, after(days=3, hours=1))
    assert [(one.code, one.bucket, one.orders, one.units, one.value) for one in found] == [
        ("address_problem", "3 to 7 days", 1, 2, 400_000),
        ("payment_pending", "1 to 3 days", 1, 1, 200_000),
        ("waits_for_stock", "1 to 3 days", 1, 3, 600_000),
    ]
    assert found[0].oldest_since == MONDAY
    shop.release(held)
    shop.cancel(unpaid)
    with reading(shop.gate.engine) as connection:
        assert [one.code for one in order_ageing(connection, after(days=3))] == ["waits_for_stock"]


def test_an_age_of_whole_days_is_in_the_later_bucket() -> None:
    now = datetime(2026, 6, 8, tzinfo=UTC)
    buckets = [age_bucket(now - timedelta(days=days), now) for days in (0, 0.99, 1, 3, 7, 400)]
    assert buckets == [
        "under 1 day", "under 1 day", "1 to 3 days", "3 to 7 days", "7 days and more", "7 days and more"
    ]  # fmt: skip
