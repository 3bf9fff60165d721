"""Questions that are not metric queries: the standing six, exceptions, records, forecasts, proposals, policies."""

from __future__ import annotations

import re
from typing import Any

from copilot.agents.answer import Option
from copilot.agents.interpreter import intents
from copilot.agents.interpreter.lexicon import Lexicon, MemberWord
from copilot.agents.interpreter.numbers import ORDINALS
from copilot.agents.interpreter.readings import Call, Reading, clarify
from copilot.agents.interpreter.spans import Annotated

Horizon = tuple[int, int, int] | None
_SUBJECTS = ("item", "supplier", "warehouse", "category", "channel", "brand")
_STANDARD_TEXT = {
    "stockout_risk": "which items are at immediate stockout risk, by channel and warehouse",
    "delayed_inbound": "what inbound is delayed, and which customer orders are exposed",
    "excess": "where excess stock builds up, and what capital it ties up",
    "supplier_reliability": "which suppliers miss lead times or ship incomplete",
    "forecast_accuracy": "how accurate the forecasts are by category, and where a planner is needed",
    "margin_effects": "what freight, returns, markdowns and purchase price variance do to margin",
}


def read(
    text: str, annotated: Annotated, lexicon: Lexicon, last: Call | None, horizon: Horizon
) -> Reading | None:
    """The reading, or None where this is a question about figures."""
    return (
        _propose(text, annotated, last)
        or _document(text, annotated)
        or _explain_exception(text, annotated, lexicon, last)
        or _define(text, annotated, lexicon)
        or _proposals(text, annotated)
        or _standard(text, annotated)
        or _exceptions(text, annotated, last)
        or _forecast(text, annotated, last, horizon)
        or _recommend(text, annotated)
        or _stock(text, annotated)
        or _assess(text, annotated)
        or _records(text, annotated)
        or _knowledge(text, annotated)
        or _changed(text, annotated, last, horizon)
    )


def _one(intent: str, tool: str, args: dict[str, Any], text: str, then: str | None = None) -> Reading:
    given = {name: value for name, value in args.items() if value is not None}
    return Reading(intent, calls=(Call(tool, given),), then=then, text=f"I read this as: {text}.")


def _subject(annotated: Annotated, *dims: str) -> dict[str, str]:
    """The members named, one a dimension, as tool arguments."""
    found: dict[str, str] = {}
    for dim in dims or _SUBJECTS:
        members = annotated.members(dim)
        tied = [span for span in annotated.of("member") if len({m.code for m in span.members}) > 1]
        if members and not any(members[0] in span.members for span in tied):
            found[dim] = members[0].code
    return found


def _tie(annotated: Annotated, text: str, dim: str) -> Reading | None:
    for span in annotated.of("member"):
        members = [member for member in span.members if member.dim == dim]
        if len(members) > 1:
            options = tuple(
                Option(label=m.title, question=re.sub(re.escape(span.text), m.code, text, count=1), slot=dim)
                for m in members[:6]
            )
            names = ", ".join(option.label for option in options)
            return clarify(
                f"“{span.text}” can mean more than one {dim}: {names}. Which one?",
                "ambiguous",
                options,
                slot=dim,
                word=span.text,
            )
    return None


def _titles(annotated: Annotated) -> str:
    names = [span.members[0].title for span in annotated.of("member") if len(span.members) == 1]
    return f" for {', '.join(dict.fromkeys(names))}" if names else ""


def _standard(text: str, annotated: Annotated) -> Reading | None:
    name = intents.standard_question(text)
    if name is None:
        return None
    args: dict[str, Any] = {
        "name": name,
        **_subject(annotated, "warehouse", "channel", "category", "supplier", "item"),
    }
    return _one("standard_question", "standard_question", args, _STANDARD_TEXT[name] + _titles(annotated))


def _propose(text: str, annotated: Annotated, last: Call | None) -> Reading | None:
    if not intents.ORDER.search(text) or re.search(
        r"^\W*(?:what|how much|how many|which|when|should|why|who|where)\b", text, re.IGNORECASE
    ):
        return None
    if (
        intents.PROPOSALS.search(text)
        and not annotated.of("member")
        and not re.search(r"\bpropose\b", text, re.IGNORECASE)
    ):
        return None
    supplier = annotated.members("supplier")
    items = [span for span in annotated.of("member") if any(m.dim == "item" for m in span.members)]
    if tied := _tie(annotated, text, "item") or _tie(annotated, text, "supplier"):
        return tied
    if intents.TOP_EXCEPTION.search(text) and not items:
        position = _position(text) or 1
        args = {"position": position, **({"kind": kind} if (kind := intents.kind_of_exception(text)) else {})}
        if last is not None and last.tool in ("explain_exception", "list_exceptions"):
            args = {**{k: v for k, v in last.args.items() if k not in ("limit",)}, **args}
            if last.tool == "explain_exception" and not _position(text):
                args = dict(last.args) or args
        return _one(
            "propose",
            "explain_exception",
            args,
            "propose the best action of this exception",
            then="propose_for_case",
        )
    lines = _lines(annotated, items)
    warehouse = annotated.members("warehouse")
    common = {
        "supplier": supplier[0].code if supplier else None,
        "warehouse": warehouse[0].code if warehouse else None,
    }
    if items and lines and all(quantity for _, quantity in lines):
        said = " and ".join(f"{quantity} of {member.title}" for member, quantity in lines)
        source = f" from {supplier[0].title}" if supplier else ""
        return _one(
            "propose",
            "propose_purchase_order",
            {**common, "lines": [{"item": m.code, "quantity": q} for m, q in lines]},
            f"propose a purchase order for {said}{source}",
        )
    if items:
        item = next(m for m in items[0].members if m.dim == "item")
        if intents.NEEDED.search(text) or (
            re.search(r"\b(?:propose|create|draft|place|raise|order|buy|purchase)\b", text, re.IGNORECASE)
            and not re.match(r"^\W*(?:please )?(?:restock|replenish|reorder|re-order)\b", text, re.IGNORECASE)
        ):
            return _one(
                "propose",
                "recommend_replenishment",
                {"item": item.code, **{k: v for k, v in common.items() if k == "warehouse"}},
                f"order what is needed of {item.title}",
                then="propose_recommended",
            )
        if not re.match(r"^\W*(?:please )?(?:restock|replenish)\b", text, re.IGNORECASE):
            return _one(
                "propose",
                "recommend_replenishment",
                {"item": item.code, **{k: v for k, v in common.items() if k == "warehouse"}},
                f"order what is needed of {item.title}",
                then="propose_recommended",
            )
        return None
    if (
        last is not None
        and last.tool == "recommend_replenishment"
        and re.search(r"\b(?:it|that|this|them|those|these)\b", text, re.IGNORECASE)
    ):
        return _one(
            "propose",
            "recommend_replenishment",
            dict(last.args),
            "order what was recommended",
            then="propose_recommended",
        )
    if annotated.of("unknown") or not re.search(r"\b(?:orders?|pos?) by\b", text):
        unknown = " ".join(span.text for span in annotated.of("unknown"))
        if unknown:
            return clarify(
                f"I don't know an item called “{unknown}”. Which item, how many, and from which supplier?",
                "unknown_word",
                word=annotated.of("unknown")[0].text,
            )
        if not annotated.of("metric"):
            return clarify(
                "Which item should be ordered, how many, and from which supplier?",
                "missing_item",
                slot="item",
            )
    return None


def _lines(annotated: Annotated, items: list[Any]) -> list[tuple[MemberWord, int]]:
    """Items with the quantities beside them: the nearest number before, else after."""
    numbers = [
        span
        for span in annotated.of("number")
        if span.number is not None and span.number == int(span.number) and span.number > 0
    ]
    lines, used = [], set()
    for span in items:
        member = next(m for m in span.members if m.dim == "item")
        before = [n for n in numbers if n.last < span.first and n.first not in used]
        after = [n for n in numbers if n.first > span.last and n.first not in used]
        chosen = before[-1] if before else after[0] if after else None
        if chosen is not None:
            used.add(chosen.first)
        lines.append((member, int(chosen.number) if chosen and chosen.number else 0))
    return lines


def _document(text: str, annotated: Annotated) -> Reading | None:
    if not annotated.documents or intents.ORDER.search(text):
        return None
    kind, number = annotated.documents[0]
    return _one(
        "record", "get_record", {"kind": kind, "number": number}, f"{kind.replace('_', ' ')} {number}"
    )


def _position(text: str) -> int | None:
    lowered = text.casefold()
    for word, value in ORDINALS.items():
        if re.search(rf"\b{word}\b", lowered):
            return value
    if match := re.search(r"(?:#|number |no\.? ?|exception |case )(\d{1,3})\b", lowered):
        return int(match[1])
    if re.search(r"\b(?:top|biggest|most (?:urgent|expensive|important)|worst)\b", lowered):
        return 1
    return None


def _explain_exception(
    text: str, annotated: Annotated, lexicon: Lexicon, last: Call | None
) -> Reading | None:
    bare_why = re.fullmatch(
        r"\W*(?:but |and )?(?:why|why is that|why so|how come|explain|reason|why not)\W*", text, re.IGNORECASE
    )
    if bare_why and last is not None:
        if last.tool in ("list_exceptions", "explain_exception"):
            asked = {k: v for k, v in last.args.items() if k != "limit"}
            return _one(
                "explain_exception",
                "explain_exception",
                asked or {"position": 1},
                "why this exception is on the list",
            )
        if last.tool == "query_metrics":
            metric = last.args["metrics"][0]
            return _one(
                "definition",
                "describe_vocabulary",
                {"term": metric},
                f"how {metric.replace('_', ' ')} is made up",
            )
        return None
    if not intents.EXPLAIN_EXCEPTION.search(text) or (
        intents.DEFINE.search(text) and annotated.of("metric") and not intents.EXCEPTION.search(text)
    ):
        return None
    if not intents.EXCEPTION.search(text) and not re.search(
        r"\b(?:here|there|at risk|urgent|flag\w*|listed|list)\b", text, re.IGNORECASE
    ):
        return None
    if tied := _tie(annotated, text, "item"):
        return tied
    args: dict[str, Any] = dict(_subject(annotated, "item", "supplier", "warehouse"))
    if (kind := intents.kind_of_exception(text)) is not None:
        args["kind"] = kind
    if annotated.documents and annotated.documents[0][0] == "purchase_order":
        args["purchase_order"] = annotated.documents[0][1]
    position = _position(text)
    if position and not args:
        args["position"] = position
    if not args and last is not None and last.tool in ("explain_exception", "list_exceptions"):
        args = {k: v for k, v in last.args.items() if k != "limit"}
    if not args and annotated.of("unknown"):
        word = annotated.of("unknown")[0].text
        options = tuple(
            Option(label=label, question=text.replace(word, name), slot=slot)
            for slot, name, label in lexicon.nearest(word)
        )
        return clarify(f"I don't know “{word}”.", "unknown_word", options, word=word)
    return _one(
        "explain_exception",
        "explain_exception",
        args or {"position": 1},
        "why this exception is on the list" + _titles(annotated),
    )


def _define(text: str, annotated: Annotated, lexicon: Lexicon) -> Reading | None:
    metrics = annotated.of("metric")
    dims = annotated.of("dim")
    plain = (
        intents.WHAT_IS.match(text)
        and (metrics or dims)
        and not annotated.period
        and not annotated.of("member")
        and not re.search(r"\b(?:our|my|the|current|total|now)\b", text, re.IGNORECASE)
    )
    if not intents.DEFINE.search(text) and not plain:
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
        return _one(
            "definition",
            "describe_vocabulary",
            {"term": names[0]},
            f"the definition of {lexicon.metrics[names[0]].label}",
        )
    if dims:
        return _one(
            "definition",
            "describe_vocabulary",
            {"term": dims[0].name},
            f"what {lexicon.dimensions[dims[0].name].label} stands for",
        )
    return _one("knowledge", "search_knowledge", {"query": text}, "a question about our terms and policies")


def _exceptions(text: str, annotated: Annotated, last: Call | None) -> Reading | None:
    if not intents.LIST_EXCEPTIONS.search(text) or re.search(
        r"\b(?:how many|count|number of|resolution time|expected loss by|by (?:kind|type))\b",
        text,
        re.IGNORECASE,
    ):
        return None
    if (
        intents.KNOWLEDGE.search(text)
        and not annotated.of("member")
        and not re.search(r"\b(?:look at|work on|do first|worry)\b", text, re.IGNORECASE)
    ):
        return None
    if any(
        "rate" in span.text.casefold() or "days" in span.text.casefold() for span in annotated.of("metric")
    ):
        return None
    args: dict[str, Any] = dict(_subject(annotated))
    kind = intents.kind_of_exception(text)
    if kind:
        args["kind"] = kind
    numbers = [
        int(span.number) for span in annotated.of("number") if span.number and span.number == int(span.number)
    ]
    if numbers and 1 <= numbers[0] <= 200:
        args["limit"] = numbers[0]
    what = (
        f"open exceptions of kind {kind.replace('_', ' ')}"
        if kind
        else "the open exceptions, the most money first"
    )
    return _one("exceptions", "list_exceptions", args, what + _titles(annotated))


def _forecast(text: str, annotated: Annotated, last: Call | None, horizon: Horizon) -> Reading | None:
    if not intents.FORECAST.search(text) or intents.NOT_FORECAST.search(text):
        return None
    if not horizon and (annotated.of("dim") or annotated.period) and not annotated.members("item"):
        return None
    if tied := _tie(annotated, text, "item"):
        return tied
    unknown = [
        span.text
        for span in annotated.of("unknown")
        if not re.match(r"forecast|predict|project|expect|anticipat|demand|future", span.text, re.IGNORECASE)
    ]
    args: dict[str, Any] = {**_subject(annotated, "item", "category", "brand", "warehouse")}
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
    return _one("forecast", "forecast_demand", args, f"the demand forecast{_titles(annotated)}{weeks}")


def _recommend(text: str, annotated: Annotated) -> Reading | None:
    if not intents.RECOMMEND.search(text):
        return None
    if tied := _tie(annotated, text, "item"):
        return tied
    args = _subject(annotated, "item", "supplier", "warehouse", "category")
    return _one(
        "replenishment",
        "recommend_replenishment",
        dict(args),
        "what should be reordered" + _titles(annotated),
    )


def _assess(text: str, annotated: Annotated) -> Reading | None:
    suppliers = annotated.members("supplier")
    if not intents.ASSESS.search(text) or (
        annotated.of("metric")
        and not re.search(r"\b(?:scorecard|assess|evaluate|reliable)\b", text, re.IGNORECASE)
    ):
        return None
    if not suppliers:
        return None
    if tied := _tie(annotated, text, "supplier"):
        return tied
    return _one(
        "supplier",
        "assess_supplier",
        {"supplier": suppliers[0].code},
        f"an assessment of {suppliers[0].title}",
    )


def _proposals(text: str, annotated: Annotated) -> Reading | None:
    if not intents.PROPOSALS.search(text) or re.search(
        r"\bhow many\b|\b(?:cycle|time) \b|\bhow do(?:es)?\b|\bwho\b|\bwhen\b|\bpolicy\b|\bby \w+$",
        text,
        re.IGNORECASE,
    ):
        return None
    status = next((name for name, pattern in intents.PROPOSAL_STATUS if pattern.search(text)), "pending")
    args: dict[str, Any] = {"status": status}
    if re.search(r"\b(?:my|mine|i)\b", text, re.IGNORECASE):
        args["mine"] = True
    return _one("proposals", "list_proposals", args, f"the {status.replace('_', ' ')} proposals")


def _stock(text: str, annotated: Annotated) -> Reading | None:
    if not intents.STOCK.search(text) or any(
        len(span.names("metric")) and span.name not in ("on_hand_units", "available_units")
        for span in annotated.of("metric")
    ):
        return None
    if annotated.of("dim") or annotated.period or not annotated.members("item"):
        return None
    if tied := _tie(annotated, text, "item"):
        return tied
    args = _subject(annotated, "item", "warehouse")
    return _one("record", "find_records", {"kind": "stock", **args}, "the stock" + _titles(annotated))


def _records(text: str, annotated: Annotated) -> Reading | None:
    kind = intents.record_kind(text)
    if kind is None or not intents.SHOW.search(text):
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
        **_subject(
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
    flags = " ".join(flag for flag in ("late", "open") if args.get(flag))
    return _one(
        "records",
        "find_records",
        args,
        f"the {flags} {args['kind'].replace('_', ' ')}".replace("  ", " ") + _titles(annotated),
    )


def _knowledge(text: str, annotated: Annotated) -> Reading | None:
    if not intents.KNOWLEDGE.search(text):
        return None
    figures = re.search(r"\b(?:how much|how many)\b", text, re.IGNORECASE) or annotated.period
    if figures or annotated.members("item") or annotated.members("supplier"):
        return None
    return _one(
        "knowledge", "search_knowledge", {"query": text}, "a question about our policies and procedures"
    )


def _changed(text: str, annotated: Annotated, last: Call | None, horizon: Horizon) -> Reading | None:
    """Follow-ups to a list, a forecast or an assessment: the same with another subject or horizon."""
    if last is None or last.tool in ("query_metrics",) or annotated.of("metric"):
        return None
    if not intents.FOLLOW_UP.search(text) and not annotated.of("member") and not horizon:
        return None
    subject = _subject(annotated)
    if last.tool == "assess_supplier":
        subject = {k: v for k, v in subject.items() if k == "supplier"}
    if last.tool not in (
        "list_exceptions",
        "forecast_demand",
        "assess_supplier",
        "recommend_replenishment",
        "standard_question",
        "find_records",
    ):
        return None
    args: dict[str, Any] = {**last.args, **subject}
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
    return _one(last.tool, last.tool, args, "the same question" + _titles(annotated))
