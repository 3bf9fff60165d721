"""Planning: the forecast, how good it was, and service to demand."""

from __future__ import annotations

from erp_core.analytics.metrics.definition import Metric, Ratio, ratio, total

_FORECAST = ("forecast",)
_BACKTEST = ("backtest",)
_WEEK = "forecast week"

METRICS = (
    Metric(
        "forecast_units",
        "Forecast units",
        "Mean demand that the newest live forecast expects, by week; a week belongs to the month of its Monday.",
        "units",
        total("forecast.units"),
        _WEEK,
        "planning",
        "neutral",
        (
            "forecast",
            "demand forecast",
            "expected demand",
            "predicted demand",
            "predicted units",
            "forecast demand",
        ),
        _FORECAST,
    ),
    Metric(
        "forecast_wape",
        "Forecast error (WAPE)",
        "Sum of absolute errors over the sum of actual units, by item, location and week, on forecasts made without knowing "
        "those weeks (backtests). Forecast accuracy is one less this. No actual units: no value.",
        "percent",
        ratio("accuracy.absolute_error", "accuracy.actual"),
        _WEEK,
        "planning",
        "down_good",
        (
            "wape",
            "forecast accuracy",
            "forecast error",
            "accuracy of forecasts",
            "how accurate are forecasts",
            "accurate forecasts",
            "forecast quality",
            "prediction error",
        ),
        _BACKTEST,
    ),
    Metric(
        "forecast_bias",
        "Forecast bias",
        "Sum of forecast less actual over the sum of actual units on the same backtests. Above 0 is over-forecast.",
        "percent",
        ratio("accuracy.error", "accuracy.actual"),
        _WEEK,
        "planning",
        "neutral",
        (
            "bias",
            "over-forecast",
            "under-forecast",
            "overforecasting",
            "underforecasting",
            "forecasting bias",
        ),
        _BACKTEST,
    ),
    Metric(
        "naive_wape",
        "Seasonal naive error (WAPE)",
        "The same error for the seasonal naive forecast, the baseline a forecast must beat.",
        "percent",
        ratio("accuracy.naive_absolute_error", "accuracy.actual"),
        _WEEK,
        "planning",
        "neutral",
        ("naive error", "baseline error", "seasonal naive error", "naive forecast error", "baseline wape"),
        _BACKTEST,
    ),
    Metric(
        "promo_units",
        "Promotion units",
        "Ordered units less customer cancellations on days when a promotion ran for the item in the channel.",
        "units",
        total("promoted.units"),
        "order day",
        "planning",
        "neutral",
        (
            "promotional units",
            "units on promotion",
            "promo sales units",
            "promotion demand",
            "units sold on promotion",
        ),
        ("sales",),
    ),
    Metric(
        "service_level",
        "Service level",
        "Share of item-location-days with demand that closed with stock available: one less the stockout rate.",
        "percent",
        Ratio(total("availability.stockout_days"), total("availability.demand_days"), complement=True),
        "day of demand",
        "planning",
        "up_good",
        ("availability", "in-stock rate", "in stock rate", "stock availability", "on-shelf availability"),
        ("stock", "sales"),
    ),
)
