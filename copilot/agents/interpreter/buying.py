"""Questions that end in an order: proposing one, or asking what should be ordered."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from copilot.agents.interpreter import intents
from copilot.agents.interpreter.inbox import position_in
from copilot.agents.interpreter.lexicon import MemberWord
from copilot.agents.interpreter.readings import Call, Reading, clarify
from copilot.agents.interpreter.spans import Annotated
from copilot.agents.interpreter.subjects import calling, subject, tie, titles


def propose(text: str, annotated: Annotated, last: Call | None) -> Reading | None:
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
    if tied := tie(annotated, text, "item") or tie(annotated, text, "supplier"):
        return tied
    if intents.TOP_EXCEPTION.search(text) and not items:
        position = position_in(text) or 1
        args = {"position": position, **({"kind": kind} if (kind := intents.kind_of_exception(text)) else {})}
        if last is not None and last.tool in ("explain_exception", "list_exceptions"):
            args = {**{k: v for k, v in last.args.items() if k not in ("limit",)}, **args}
            if last.tool == "explain_exception" and not position_in(text):
                args = dict(last.args) or args
        return calling(
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
        return calling(
            "propose",
            "propose_purchase_order",
            {**common, "lines": [{"item": m.code, "quantity": q} for m, q in lines]},
            f"propose a purchase order for {said}{source}",
        )
    if items:
        item = next(m for m in items[0].members if m.dim == "item")
        if not intents.NEEDED.search(text) and re.match(
            r"^\W*(?:please )?(?:restock|replenish)\b", text, re.IGNORECASE
        ):
            return None
        args = {"item": item.code, "warehouse": common["warehouse"]}
        reading = calling(
            "propose",
            "recommend_replenishment",
            args,
            f"order what is needed of {item.title}",
            then="propose_recommended",
        )
        return replace(reading, details={"supplier": common["supplier"]})
    if (
        last is not None
        and last.tool == "recommend_replenishment"
        and re.search(r"\b(?:it|that|this|them|those|these)\b", text, re.IGNORECASE)
    ):
        return calling(
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


def recommend(text: str, annotated: Annotated) -> Reading | None:
    if not intents.RECOMMEND.search(text):
        return None
    if tied := tie(annotated, text, "item"):
        return tied
    args = subject(annotated, "item", "supplier", "warehouse", "category")
    return calling(
        "replenishment",
        "recommend_replenishment",
        dict(args),
        "what should be reordered" + titles(annotated),
    )
