"""Commands of planning and their registration."""

from __future__ import annotations

from erp_core.planning.commands.forecasts import CompleteForecast, PublishForecast
from erp_core.planning.commands.models import PublishModel
from erp_core.planning.commands.replenishment import PlanPromotion, PublishReorderPoints, ReorderPoint

__all__ = [
    "CompleteForecast",
    "PlanPromotion",
    "PublishForecast",
    "PublishModel",
    "PublishReorderPoints",
    "ReorderPoint",
]
