"""Questions for something that has a name: documents, records, definitions, forecasts, suppliers, policies."""

from __future__ import annotations

import re
from typing import Any

from copilot.agents.answer import Option
from copilot.agents.interpreter import intents
from copilot.agents.interpreter.filters import read_filters
from copilot.agents.interpreter.lexicon import Lexicon
from copilot.agents.interpreter.parts import Parts
from copilot.agents.interpreter.readings import Call, Reading, clarify
from copilot.agents.interpreter.spans import Annotated
from copilot.agents.interpreter.subjects import calling, subject, tie, titles
from copilot.agents.interpreter.wording import listing

Horizon = tuple[int, int, int] | None


_STANDARD_TEXT = {
    "stockout_risk": "which items are at immediate stockout risk, by channel and warehouse",
    "delayed_inbound": "what inbound is delayed, and which customer orders are exposed",
    "excess": "where excess stock builds up, and what capital it ties up",
    "supplier_reliability": "which suppliers miss lead times or ship incomplete",
    "forecast_accuracy": "how accurate the forecasts are by category, and where a planner is needed",
    "margin_effects": "what freight, returns, markdowns and purchase price variance do to margin",
}


_OVER_TIME = ("supplier_reliability", "forecast_accuracy", "margin_effects")


_NARROWED_BY = ("warehouse", "channel", "category", "supplier", "item")


def standard(text: str, annotated: Annotated, lexicon: Lexicon) -> Reading | None:
    name = intents.standard_question(text)
    if name is None or (annotated.idiom and annotated.idiom.complement):
        return None
    parts = Parts()
    read_filters(annotated.spans, parts, lexicon)
    left_out = [member for dim, excluded, member in parts.filters if excluded and dim in _NARROWED_BY]
    exclude: dict[str, list[str]] = {}
    for member in left_out:
        exclude.setdefault(member.dim, []).append(member.code)
    named = {dim: code for dim, code in subject(annotated, *_NARROWED_BY).items() if dim not in exclude}
    args: dict[str, Any] = {
        "name": name,
        **named,
        "exclude": exclude or None,
        "period": annotated.period.value if annotated.period and name in _OVER_TIME else None,
    }
    without = f", without {listing(member.title for member in left_out)}" if left_out else ""
    kept = "" if left_out and not named else titles(annotated)
    return calling("standard_question", "standard_question", args, _STANDARD_TEXT[name] + kept + without)


def document(text: str, annotated: Annotated) -> Reading | None:
    if not annotated.documents or intents.ORDER.search(text):
        return None
    kind, number = annotated.documents[0]
    if kind == "purchase_order" and intents.WHY.search(text):
        return calling(
            "explain_exception",
            "explain_exception",
            {"purchase_order": number},
            f"why {number} is an exception",
        )
    return calling(
        "record", "get_record", {"kind": kind, "number": number}, f"{kind.replace('_', ' ')} {number}"
    )


def define(text: str, annotated: Annotated, lexicon: Lexicon) -> Reading | None:
    metrics = annotated.of("metric")
    dims = annotated.of("dim")
    plain = (
        intents.WHAT_IS.match(text)
        and (metrics or dims)
        and not (metrics and dims)
        and not (annotated.idiom and annotated.idiom.metric)
        and not annotated.period
        and not annotated.of("member")
        and not re.search(r"\b(?:our|my|the|current|total|now|like|doing|worth)\b", text, re.IGNORECASE)
    )
    explained = (
        intents.EXPLAIN.match(text)
        and metrics
        and not (annotated.period or annotated.of("member") or intents.EXCEPTION.search(text))
    )
    if not (intents.DEFINE.search(text) or plain or explained):
        return None
    if intents.DEFINE.search(text) and annotated.of("member") and not metrics:
        return None
    if metrics:
        span = max(metrics, key=lambda one: one.last - one.first)
        names = span.names("metric")
        if len(names) > 1:
            options = tuple(
                Option(
                    label=lexicon.metrics[n].label,
                    question=f"What does {lexicon.metrics[n].label} mean?",
                    slot="metric",
                )
                for n in names
            )
            labels = " or ".join(option.label for option in options)
            return clarify(
                f"“{span.text}” can mean {labels}. Which one?",
                "ambiguous",
                options,
                slot="metric",
                word=span.text,
            )
        return calling(
            "definition",
            "describe_vocabulary",
            {"term": names[0]},
            f"the definition of {lexicon.metrics[names[0]].label}",
        )
    if dims:
        return calling(
            "definition",
            "describe_vocabulary",
            {"term": dims[0].name},
            f"what {lexicon.dimensions[dims[0].name].label} stands for",
        )
    return calling(
        "knowledge", "search_knowledge", {"query": text}, "a question about our terms and policies"
    )


def forecast(text: str, annotated: Annotated, last: Call | None, horizon: Horizon) -> Reading | None:
    if not intents.FORECAST.search(text) or intents.NOT_FORECAST.search(text):
        return None
    grouped = [span for span in annotated.of("dim") if span.name not in ("week", "day", "month")]
    if annotated.period or grouped or (not horizon and annotated.of("dim") and not annotated.members("item")):
        return None
    if tied := tie(annotated, text, "item"):
        return tied
    unknown = [
        span.text
        for span in annotated.of("unknown")
        if not re.match(r"forecast|predict|project|expect|anticipat|demand|future", span.text, re.IGNORECASE)
    ]
    args: dict[str, Any] = {**subject(annotated, "item", "category", "brand", "warehouse")}
    if unknown and not args:
        return clarify(
            f"I don't know “{' '.join(unknown)}”. For which item or category should I give the forecast?",
            "unknown_word",
            word=unknown[0],
        )
    if not args and not horizon and not re.search(r"\bforecast\b", text, re.IGNORECASE):
        return None
    if not args and last is not None and last.tool == "forecast_demand":
        args = dict(last.args)
    if horizon:
        args["weeks"] = min(horizon[0], 52)
    weeks = f" for the next {args['weeks']} weeks" if "weeks" in args else ""
    return calling("forecast", "forecast_demand", args, f"the demand forecast{titles(annotated)}{weeks}")


def assess(text: str, annotated: Annotated) -> Reading | None:
    suppliers = annotated.members("supplier")
    if not intents.ASSESS.search(text) or (
        annotated.of("metric")
        and not re.search(r"\b(?:scorecard|assess|evaluate|reliable)\b", text, re.IGNORECASE)
    ):
        return None
    if not suppliers:
        return None
    if tied := tie(annotated, text, "supplier"):
        return tied
    return calling(
        "supplier",
        "assess_supplier",
        {"supplier": suppliers[0].code},
        f"an assessment of {suppliers[0].title}",
    )


def proposals(text: str, annotated: Annotated) -> Reading | None:
    if not intents.PROPOSALS.search(text) or re.search(
        r"\bhow many\b|\bnumber of\b|\b(?:cycle|time) \b|\bhow do(?:es)?\b|\bwho\b|\bwhen\b|\bpolic(?:y|ies)\b|\brules?\b|\bby \w+$",
        text,
        re.IGNORECASE,
    ):
        return None
    status = next((name for name, pattern in intents.PROPOSAL_STATUS if pattern.search(text)), "pending")
    args: dict[str, Any] = {"status": status}
    if re.search(r"\b(?:my|mine|i)\b", text, re.IGNORECASE):
        args["mine"] = True
    return calling("proposals", "list_proposals", args, f"the {status.replace('_', ' ')} proposals")


def stock(text: str, annotated: Annotated) -> Reading | None:
    if not intents.STOCK.search(text) or any(
        len(span.names("metric")) and span.name not in ("on_hand_units", "available_units")
        for span in annotated.of("metric")
    ):
        return None
    if annotated.of("dim") or annotated.period or not annotated.members("item"):
        return None
    if tied := tie(annotated, text, "item"):
        return tied
    args = subject(annotated, "item", "warehouse")
    return calling("record", "find_records", {"kind": "stock", **args}, "the stock" + titles(annotated))


_LISTING = re.compile(
    r"\b(?:show|list|display|open|see|pull up|look up|which|what are|any|find|give me)\b", re.IGNORECASE
)


def records(text: str, annotated: Annotated) -> Reading | None:
    kind = intents.record_kind(text)
    if kind is None or not intents.SHOW.search(text) or annotated.idiom:
        return None
    if re.search(
        r"\bhow (?:many|much)\b|\bnumber of\b|\bcount\b|\b(?:rate|value|share|average|trend|total|percentage)\b",
        text,
        re.IGNORECASE,
    ):
        return None
    dims = [
        span
        for span in annotated.of("dim")
        if span.name
        not in ("customer_country", "item", "supplier", "warehouse", "channel", "order_status", "po_status")
    ]
    if (
        annotated.cues()
        & {"by", "share", "rank", "running", "trend", "most", "least", "best", "worst", "gt", "lt"}
        or annotated.comparison
        or dims
    ):
        return None
    args: dict[str, Any] = {
        "kind": kind,
        **subject(
            annotated,
            "item",
            "supplier",
            "warehouse",
            "channel",
            "category",
            "customer_country",
            "order_status",
            "po_status",
        ),
    }
    if kind == "orders" and "supplier" in args:
        args["kind"] = "purchase_orders"
    if intents.LATE.search(text):
        args["late"] = True
    if intents.OPEN.search(text):
        args["open"] = True
    if annotated.period:
        args["period"] = annotated.period.value
    if annotated.of("unknown") and not args.keys() - {"kind"}:
        word = annotated.of("unknown")[0].text
        return clarify(f"I don't know the word “{word}”.", "unknown_word", word=word)
    if not args.keys() - {"kind", "period"} and not _LISTING.search(text):
        return None
    flags = " ".join(flag for flag in ("late", "open") if args.get(flag))
    return calling(
        "records",
        "find_records",
        args,
        f"the {flags} {args['kind'].replace('_', ' ')}".replace("  ", " ") + titles(annotated),
    )


def knowledge(text: str, annotated: Annotated) -> Reading | None:
    if not intents.KNOWLEDGE.search(text):
        return None
    figures = re.search(r"\b(?:how much|how many)\b", text, re.IGNORECASE) or annotated.period
    if figures or annotated.members("item") or annotated.members("supplier"):
        return None
    return calling(
        "knowledge", "search_knowledge", {"query": text}, "a question about our policies and procedures"
    )


def changed(text: str, annotated: Annotated, last: Call | None, horizon: Horizon) -> Reading | None:
    """Follow-ups to a list, a forecast or an assessment: the same with another subject or horizon."""
    if last is None or last.tool in ("query_metrics",) or annotated.of("metric"):
        return None
    if not intents.FOLLOW_UP.search(text) and not annotated.of("member") and not horizon:
        return None
    named = subject(annotated)
    if last.tool == "assess_supplier":
        named = {k: v for k, v in named.items() if k == "supplier"}
    if last.tool not in (
        "list_exceptions",
        "forecast_demand",
        "assess_supplier",
        "recommend_replenishment",
        "standard_question",
        "find_records",
    ):
        return None
    args: dict[str, Any] = {**last.args, **named}
    if horizon and last.tool == "forecast_demand":
        args["weeks"] = min(horizon[0], 52)
    if last.tool == "list_exceptions" and (kind := intents.kind_of_exception(text)):
        args["kind"] = kind
    numbers = [
        int(span.number) for span in annotated.of("number") if span.number and span.number == int(span.number)
    ]
    if numbers and last.tool in ("list_exceptions", "find_records", "recommend_replenishment"):
        args["limit"] = max(1, min(numbers[0], 200))
    if args == dict(last.args):
        return None
    return calling(last.tool, last.tool, args, "the same question" + titles(annotated))
