"""Questions for something that has a name: documents, records, definitions, forecasts, suppliers, policies."""

from __future__ import annotations

import re
from typing import Any

from copilot.agents.answer import Option
from copilot.agents.interpreter import intents, standing, states
from copilot.agents.interpreter.lexicon import Lexicon
from copilot.agents.interpreter.readings import Call, Reading, clarify
from copilot.agents.interpreter.spans import Annotated
from copilot.agents.interpreter.subjects import calling, subject, tie, titles, unsettled

Horizon = tuple[int, int, int] | None


def document(text: str, annotated: Annotated) -> Reading | None:
    if not annotated.documents or intents.ORDER.search(text):
        return None
    kind, number = annotated.documents[0]
    if kind == "purchase_order" and intents.REASONS.search(text):
        return calling(
            "explain_exception",
            "explain_exception",
            {"purchase_order": number},
            f"why {number} is an exception",
        )
    return calling(
        "record", "get_record", {"kind": kind, "number": number}, f"{kind.replace('_', ' ')} {number}"
    )


_POLICY = re.compile(
    r"\b(?:polic(?:y|ies)|procedures?|process(?:es)?|sops?|playbooks?|guidelines?)\b", re.IGNORECASE
)
_THAT_FIGURE = re.compile(
    r"\b(?:that|this|it|the) ?(?:figure|number|measure|metric|kpi|value|rate|one)?\b", re.IGNORECASE
)


def define(text: str, annotated: Annotated, lexicon: Lexicon, last: Call | None) -> Reading | None:
    metrics = annotated.of("metric")
    shown = last is not None and last.tool == "query_metrics" and not metrics and not annotated.of("dim")
    if shown and last is not None and intents.DEFINE.search(text) and _THAT_FIGURE.search(text):
        name = last.args["metrics"][0]
        label = lexicon.metrics[name].label
        return calling("definition", "describe_vocabulary", {"term": name}, f"the definition of {label}")
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
    if not (intents.DEFINE.search(text) or plain or explained) or _POLICY.search(text):
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
    grouped = [
        span
        for index, span in enumerate(annotated.spans)
        if span.kind == "dim"
        and (
            span.name not in ("week", "day", "month")
            or span.text.casefold().startswith(("by ", "per "))
            or (index and "by" in annotated.spans[index - 1].names("cue"))
        )
    ]
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


_ITEM_CARD = re.compile(
    r"\b(?:who (?:supplies|makes|delivers|sells us|ships)|(?:preferred|main|usual|regular|default|which|what) (?:suppliers?|vendors?)|(?:suppliers?|vendors?) (?:of|for)"
    r"|where do we (?:buy|get|source)|prices? (?:of|for)|(?:how much|what) (?:does|do|is|are) .{1,60}\bcosts?|pack sizes?|carton sizes?|barcode|ean|master data|(?:item|product|article|sku) (?:card|record|sheet|profile|details?|page|master|data)|(?:card|record|data ?sheet|details|fact ?sheet) (?:of|for|on))\b",
    re.IGNORECASE,
)


_SHOWN = re.compile(
    r"(?:please |pls |(?:can|could) (?:you|i) (?:please )?)?(?:show|open|pull up|look up|find|get|give|see|view|display|tell)"
    r"(?: me)?(?: about)?(?: the| our)?(?: item| product| article| sku)?|(?:item|product|article|sku)",
    re.IGNORECASE,
)


def item_card(text: str, annotated: Annotated) -> Reading | None:
    """Who supplies an item and what it costs stands in its record; so does all of an item that is named alone."""
    items = annotated.members("item")
    figures = [span for span in annotated.of("metric") if not span.is_weak]
    asked = _ITEM_CARD.search(text) or _SHOWN.fullmatch(_besides_names(annotated))
    if not items or figures or annotated.period or not asked:
        return None
    if tied := tie(annotated, text, "item"):
        return tied
    args = {"kind": "item", "number": items[0].code}
    return calling("record", "get_record", args, f"the record of {items[0].title}")


def _besides_names(annotated: Annotated) -> str:
    named = {place for span in annotated.of("member") for place in range(span.first, span.last + 1)}
    words = [token.text for place, token in enumerate(annotated.tokens) if place not in named]
    return " ".join(words).strip(" ?.!")


def proposals(text: str, annotated: Annotated) -> Reading | None:
    if not intents.PROPOSALS.search(text) or re.search(
        r"\bhow many\b|\bnumber of\b|\b(?:cycle|time) \b|\bhow do(?:es)?\b|\bwho\b|\bwhen\b|\bpolic(?:y|ies)\b|\brules?\b|\bby \w+$",
        text,
        re.IGNORECASE,
    ):
        return None
    status = next((name for name, pattern in intents.PROPOSAL_STATUS if pattern.search(text)), "pending")
    args: dict[str, Any] = {"status": status}
    if status == "pending" and intents.FOR_MY_DECISION.search(text):
        return calling(
            "proposals",
            "list_proposals",
            {**args, "for_me": True},
            "the proposals that wait for your decision",
        )
    if re.search(r"\b(?:my|mine|i)\b", text, re.IGNORECASE):
        args["mine"] = True
    return calling("proposals", "list_proposals", args, f"the {status.replace('_', ' ')} proposals")


def stock(text: str, annotated: Annotated) -> Reading | None:
    if not intents.STOCK.search(text) or any(
        len(span.names("metric")) and span.name not in ("on_hand_units", "available_units")
        for span in annotated.of("metric")
    ):
        return None
    groups = [span for span in annotated.of("dim") if span.text.casefold() != "stored"]
    if groups or annotated.period or not annotated.members("item"):
        return None
    if tied := tie(annotated, text, "item"):
        return tied
    args = subject(annotated, "item", "warehouse")
    return calling("record", "find_records", {"kind": "stock", **args}, "the stock" + titles(annotated))


_LISTING = re.compile(
    r"\b(?:show|list|display|open|see|pull up|look up|which|what are|any|find|give me)\b", re.IGNORECASE
)


_RECORDED_BY = (
    "item",
    "supplier",
    "warehouse",
    "channel",
    "category",
    "customer_country",
)


def by_status(text: str, annotated: Annotated, lexicon: Lexicon) -> Reading | None:
    """A list of orders or purchase orders in statuses that are named: no other reading knows a status."""
    dim = states.STATUS_OF.get(intents.record_kind(text) or "")
    return records(text, annotated, lexicon) if dim and states.named(text, dim, lexicon) else None


def records(text: str, annotated: Annotated, lexicon: Lexicon) -> Reading | None:
    kind = intents.record_kind(text)
    if kind == "orders" and annotated.members("supplier"):
        kind = "purchase_orders"
    status_dim = states.STATUS_OF.get(kind or "")
    statuses = states.named(text, status_dim, lexicon) if status_dim else ()
    idiom = annotated.idiom.metric if annotated.idiom else None
    listed = statuses or (kind in ("purchase_orders", "po_lines") and idiom == "late_po_lines")
    if kind is None or not intents.SHOW.search(text) or (annotated.idiom and not listed):
        return None
    if re.search(
        r"(?<!\bby )\bhow (?:many|much)\b|\bnumber of\b|\bcount\b|\b(?:rate|value|share|average|trend|total|percentage)\b",
        text,
        re.IGNORECASE,
    ):
        return None
    dims = [span for span in annotated.of("dim") if span.name not in _RECORDED_BY or span.name == "category"]
    if (
        annotated.cues()
        & {
            "by",
            "share",
            "rank",
            "running",
            "trend",
            "most",
            "least",
            "slow",
            "fast",
            "best",
            "worst",
            "gt",
            "lt",
        }
        or annotated.comparison
        or dims
    ):
        return None
    if open_question := unsettled(annotated, text, _RECORDED_BY):
        return open_question
    args: dict[str, Any] = {
        "kind": kind,
        **subject(annotated, *_RECORDED_BY),
    }
    if status_dim and statuses:
        codes = [one.code for one in statuses]
        args[status_dim] = codes[0] if len(codes) == 1 else codes
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
        f"the {flags} {kind.replace('_', ' ')}".replace("  ", " ")
        + titles(annotated, *_RECORDED_BY)
        + (f" with status {' or '.join(one.name.replace('_', ' ') for one in statuses)}" if statuses else ""),
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
    figure = annotated.of("metric") or (annotated.idiom and annotated.idiom.metric)
    if last is None or last.tool in ("query_metrics",) or figure:
        return None
    if not (intents.FOLLOW_UP.search(text) or annotated.of("member") or annotated.period or horizon):
        return None
    named = subject(annotated, *_RECORDED_BY) if last.tool == "find_records" else subject(annotated)
    if last.tool == "assess_supplier":
        named = {k: v for k, v in named.items() if k == "supplier"}
    if last.tool not in (
        "list_exceptions",
        "forecast_demand",
        "assess_supplier",
        "recommend_replenishment",
        "standard_question",
        "find_records",
        "explain_exception",
    ):
        return None
    args: dict[str, Any] = {**last.args, **named}
    if last.tool == "standard_question" and annotated.period and last.args["name"] in standing.OVER_TIME:
        args["period"] = annotated.period.value
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
