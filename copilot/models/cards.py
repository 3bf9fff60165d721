"""Model cards: what a model is for, what it was trained on, how good it was beside its baseline, when not to use it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from copilot.models.anomaly import FALSE_SHARE, Anomalies
from copilot.models.delay import DelayModel
from copilot.models.demand import DemandModel
from erp_core.analytics.panels import DemandPanel, PurchaseLines


def demand_card(model: DemandModel, panel: DemandPanel) -> dict[str, Any]:
    """The card of a demand model."""
    n, length = panel.units.shape
    return {
        "model": "demand",
        "purpose": "Daily demand by item and location with quantiles, for replenishment, exceptions and reports.",
        "method": "Discounted Poisson-gamma smoothing with weekday, season and promotion factors; a pooled"
        " gradient-boosted correction where it helps; negative binomial quantiles.",
        "data": {
            "from": str(panel.days[0]),
            "to": str(panel.days[-1]),
            "series": n,
            "days": length,
            "out_of_stock_share": float((~panel.in_stock).mean()),
            "promoted_share": float(panel.promoted.mean()),
        },
        "horizon_days": model.horizon,
        "seed": model.seed,
        "baseline": "Seasonal naive: the mean of the last four same weekdays.",
        "results": model.card,
        "limits": [
            "Promotions that ran in a backtest window count as planned before it.",
            "A season is learned only from about 13 months of history on.",
            "Level changes after the last day of history are not known to it.",
        ],
        "do_not_use": [
            "for items without any sale whose category has none either",
            "where ordered units are capped by a quota that is not recorded as out of stock",
        ],
    }


def delay_card(model: DelayModel, lines: PurchaseLines) -> dict[str, Any]:
    """The card of a supplier delay model."""
    return {
        "model": "supplier_delay",
        "purpose": "Probability and days of delay of open purchase order lines against their first promise.",
        "method": "Gradient boosting and logistic regression on as-of rates, averaged, calibrated by a sigmoid on rolling origins."
        if model.method == "learned"
        else "The supplier's own share of late lines, shrunk to the company's.",
        "data": {"as_of": str(lines.as_of), "lines": len(lines.line_ids)},
        "baseline": "The supplier's share of late lines known when a line was sent.",
        "results": model.card,
        "limits": [
            "Lines without a promised date are not judged.",
            "A change in how a supplier works shows only after some of its lines have come in.",
        ],
        "do_not_use": [
            "to compare suppliers whose lines are few: read the scorecard with its counts instead"
        ],
    }


def anomaly_card(panel: DemandPanel, found: Anomalies) -> dict[str, Any]:
    """The card of the demand anomaly detector, with its alarm share on the last window."""
    return {
        "model": "demand_anomaly",
        "purpose": "Finds demand that departs from what was expected before, in the last 28 days.",
        "method": "Tests runs of 1 to 28 days of each item, over all its locations and at each, against the base"
        " forecast made before the window; what a run is worth is learned from the four windows before.",
        "data": {"to": str(panel.days[-1]), "series": panel.units.shape[0]},
        "baseline": f"Alarms by Benjamini and Hochberg's rule at {100 * FALSE_SHARE:g} % of false ones.",
        "results": {
            "bound": found.calibration.bound,
            "alarm_day_share": found.alarm_share,
            "items_found": len(found.series),
        },
        "limits": ["A promotion that nobody recorded looks like a spike.", "Needs 98 days of history."],
        "do_not_use": ["on items that sell less than about three units in four weeks"],
    }


def markdown(card: Mapping[str, Any]) -> str:
    """The card as a page to read."""
    lines = [f"# Model card: {card['model']}", "", str(card["purpose"]), ""]
    for name, value in card.items():
        if name not in ("model", "purpose"):
            lines += [f"## {name.replace('_', ' ').capitalize()}", "", *_block(value, ""), ""]
    return "\n".join(lines)


def _block(value: Any, indent: str) -> list[str]:
    if isinstance(value, Mapping):
        lines = []
        for name, part in value.items():
            if isinstance(part, Mapping | list | tuple):
                lines += [f"{indent}- {name}:", *_block(part, indent + "  ")]
            else:
                lines.append(f"{indent}- {name}: {_text(part)}")
        return lines
    if isinstance(value, list | tuple):
        return [
            f"{indent}- {', '.join(f'{k} {_text(v)}' for k, v in part.items()) if isinstance(part, Mapping) else _text(part)}"
            for part in value
        ]
    return [f"{indent}{_text(value)}"]


def _text(value: Any) -> str:
    if value is None:
        return "no value"
    return f"{value:.4g}" if isinstance(value, float) else str(value)
