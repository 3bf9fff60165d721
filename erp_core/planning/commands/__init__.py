"""Commands of planning and their registration."""

from __future__ import annotations

from erp_core.clock import Clock
from erp_core.gate.contract import Registration, Registry, each
from erp_core.master.commands.records import Today
from erp_core.orders.events import OrdersAlerted
from erp_core.planning.automation.guard import guard_automation
from erp_core.planning.commands import autonomy, promotions
from erp_core.planning.commands.forecasts import (
    CompleteForecast,
    PublishForecast,
    complete_forecast,
    publish_forecast,
)
from erp_core.planning.commands.models import PublishModel, publish_model
from erp_core.planning.commands.promotions import StartPromotion
from erp_core.planning.commands.replenishment import (
    PlanPromotion,
    PublishReorderPoints,
    ReorderPoint,
    plan_promotions,
    publish_reorder_points,
)
from erp_core.planning.delays import follow_delays
from erp_core.planning.outcomes import score
from erp_core.planning.readiness import commands as readiness
from erp_core.procurement.events import PurchaseApproving

__all__ = [
    "CompleteForecast",
    "PlanPromotion",
    "PublishForecast",
    "PublishModel",
    "PublishReorderPoints",
    "ReorderPoint",
    "StartPromotion",
    "register",
]


def register(registry: Registry, *, today: Today = Clock().today) -> None:
    """Register the commands; `today` gives the business date."""
    registry.register(Registration(PublishModel, each(publish_model)))
    registry.register(Registration(PublishForecast, each(publish_forecast)))
    registry.register(Registration(CompleteForecast, each(complete_forecast)))
    registry.register(Registration(PublishReorderPoints, each(publish_reorder_points)))
    registry.register(Registration(PlanPromotion, plan_promotions))
    autonomy.register(registry)
    score.register(registry)
    readiness.register(registry)
    promotions.register(registry, today)
    registry.subscribe(PurchaseApproving, guard_automation)
    registry.subscribe(OrdersAlerted, follow_delays)
