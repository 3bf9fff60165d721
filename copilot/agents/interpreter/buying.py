"""Questions that end in an order: proposing one, changing it, or asking what should be ordered."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from copilot.agents.answer import Option
from copilot.agents.interpreter import intents
from copilot.agents.interpreter.due import Due
from copilot.agents.interpreter.inbox import position_in
from copilot.agents.interpreter.lexicon import Lexicon, MemberWord
from copilot.agents.interpreter.quantities import Line, amounts, lines
from copilot.agents.interpreter.readings import Call, Reading, clarify
from copilot.agents.interpreter.references import about
from copilot.agents.interpreter.span import Span
from copilot.agents.interpreter.spans import Annotated
from copilot.agents.interpreter.subjects import calling, subject, tie, titles

_QUESTION = re.compile(
    r"^\W*(?:what|how much|how many|which|when|should|why|who|where|did|have|has|do|does)\b", re.IGNORECASE
)


def asks_to_order(text: str) -> bool:
    """Whether the wording can be an order; `propose` decides with the words linked."""
    if _QUESTION.search(text):
        return False
    return bool(intents.ORDER.search(text) or intents.WANTED.search(text))


def _items_named(annotated: Annotated) -> list[Span]:
    """The spans that name items, the first of each: "the Stoneware Mug in Blue" is one."""
    named: dict[str, Span] = {}
    for span in annotated.of("member"):
        for code in [member.code for member in span.members if member.dim == "item"][:1]:
            named.setdefault(code, span)
    return list(named.values())


def propose(
    text: str, annotated: Annotated, lexicon: Lexicon, last: Call | None, due: Due | None, today: date
) -> Reading | None:
    items = _items_named(annotated)
    if not asks_to_order(text) or (not intents.ORDER.search(text) and not _is_wish(annotated, items)):
        return None
    if (
        intents.PROPOSALS.search(text)
        and not annotated.of("member")
        and not re.search(r"\bpropose\b", text, re.IGNORECASE)
    ):
        return None
    if tied := tie(annotated, text, "item") or tie(annotated, text, "supplier"):
        return tied
    if intents.TOP_EXCEPTION.search(text) and not items:
        return _for_exception(text, last)
    found = lines(annotated, items)
    if wrong := _wrong_amount(found) or _wrong_day(text, due, today):
        return wrong
    if items and all(line.amount for line in found):
        return _order(annotated, found, due)
    if items:
        return _as_needed(text, annotated, items)
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
    if intents.NEEDED.search(text):
        named = about(last) if last is not None and last.tool == "standard_question" else {}
        args = {**named, **subject(annotated, "supplier", "warehouse", "category")}
        kept = {
            dim: code for dim, code in args.items() if dim in ("supplier", "warehouse", "category", "item")
        }
        return calling("replenishment", "recommend_replenishment", kept, "what should be reordered")
    return _without_item(text, annotated, lexicon)


_BESIDE_AN_ORDER = frozenset(["order", "po", "pieces", "piece", "units", "unit"])


def _is_wish(annotated: Annotated, items: list[Span]) -> bool:
    """A number right beside an item, and no figure asked for: "need 40 mugs from Northwind"."""
    figures = [span for span in annotated.of("metric") if span.text.casefold() not in _BESIDE_AN_ORDER]
    groups = [span for span in annotated.of("dim") if span.name != "item"]
    return bool(items) and not figures and not groups and any(_beside(annotated, span) for span in items)


def _beside(annotated: Annotated, item: Span) -> bool:
    """Whether a quantity stands right before the item ("40 pcs of"), or right after it ("x 40")."""
    at = annotated.spans.index(item)
    for amount in amounts(annotated):
        before = annotated.spans[amount.last + 1 : at]
        after = annotated.spans[at + 1 : amount.first]
        if amount.last < at:
            if len(before) < 5 and all(
                one.kind in ("stop", "member") or one.name == "item" for one in before
            ):
                return True
        elif all(one.text.casefold() == "x" for one in after):
            return len(amount.said) < 4 or not amount.said.startswith(("19", "20"))
    return False


def _order(annotated: Annotated, found: list[Line], due: Due | None) -> Reading:
    supplier, warehouse = annotated.members("supplier"), annotated.members("warehouse")
    ordered, said = [], []
    for line in found:
        assert line.amount is not None
        one = {"item": line.item.code, "quantity": int(line.amount.number)}
        ordered.append(one | ({"unit": line.amount.unit} if line.amount.unit else {}))
        said.append(f"{line.amount.said} of {line.item.title}")
    text = f"propose a purchase order for {' and '.join(said)}"
    text += f" from {supplier[0].title}" if supplier else ""
    text += f", needed by {due.day.isoformat()}" if due and due.day else ""
    reading = calling(
        "propose",
        "propose_purchase_order",
        {
            "supplier": supplier[0].code if supplier else None,
            "warehouse": warehouse[0].code if warehouse else None,
            "lines": ordered,
            "need_by": due.day.isoformat() if due and due.day else None,
        },
        text,
    )
    taken = {at for line in found if line.amount for at in range(line.amount.first, line.amount.last + 1)}
    left = [span for at, span in enumerate(annotated.spans) if at not in taken]
    return replace(
        reading,
        unread=tuple(span.text for span in left if span.kind == "unknown"),
        unused=tuple(span.text for span in left if span.kind in ("number", "unused") and span.text != "one"),
    )


def changed_order(text: str, annotated: Annotated, last: Call | None, due: Due | None) -> Reading | None:
    """A change to the order just proposed: "make it 96", "from Northwind instead", "by 1 August"."""
    if last is None or last.tool != "propose_purchase_order" or annotated.of("metric") or annotated.of("dim"):
        return None
    ordered = [dict(line) for line in last.args["lines"]]
    given = amounts(annotated)
    named = subject(annotated, "supplier", "warehouse")
    if _QUESTION.search(text) or annotated.members("item") or not (given or named or (due and due.day)):
        return None
    if given and (len(ordered) > 1 or len(given) > 1):
        options = tuple(
            Option(
                label=f"{given[0].said} of {line['item']}",
                question=f"order {given[0].said} of {line['item']}",
                slot="item",
            )
            for line in ordered
        )
        return clarify("For which item is that quantity?", "ambiguous", options, slot="item")
    if given:
        if wrong := _wrong_amount(
            [Line(MemberWord("item", ordered[0]["item"], ordered[0]["item"]), given[0])]
        ):
            return wrong
        ordered[0] = {"item": ordered[0]["item"], "quantity": int(given[0].number)}
        ordered[0] |= {"unit": given[0].unit} if given[0].unit else {}
    args = {**last.args, "lines": ordered, **named}
    if due and due.day:
        args["need_by"] = due.day.isoformat()
    said = " and ".join(f"{line['quantity']} {line.get('unit') or ''} of {line['item']}" for line in ordered)
    return calling(
        "propose",
        "propose_purchase_order",
        args,
        f"propose a changed purchase order for {' '.join(said.split())}",
    )


def _wrong_amount(found: list[Line]) -> Reading | None:
    for line in found:
        if line.amount is not None and not line.amount.is_whole:
            whole = max(1, abs(int(line.amount.number)))
            options = (
                Option(
                    label=f"{whole} of {line.item.title}",
                    question=f"order {whole} of {line.item.code}",
                    slot="quantity",
                ),
            )
            return clarify(
                f"“{line.amount.said}” is no quantity that can be ordered: only whole, positive numbers are. How many of"
                f" {line.item.title}?",
                "invalid_quantity",
                options,
                slot="quantity",
                word=line.amount.said,
            )
    return None


def _wrong_day(text: str, due: Due | None, today: date) -> Reading | None:
    if due is None or (due.day is not None and due.day >= today):
        return None
    why = "is no day of the calendar" if due.day is None else "is in the past"
    without = f"{text[: due.start]} {text[due.end :]}"
    days = [today + timedelta(days=ahead) for ahead in (14, 28)]
    options = [
        Option(label=f"By {day.isoformat()}", question=f"{without} by {day.isoformat()}", slot="need_by")
        for day in days
    ]
    options.append(Option(label="Without a date", question=without, slot="need_by"))
    return clarify(
        f"“{due.said}” {why}. By which day are the goods needed?",
        "invalid_date",
        tuple(options),
        slot="need_by",
        word=due.said,
    )


def _for_exception(text: str, last: Call | None) -> Reading:
    position = position_in(text) or 1
    args: dict[str, Any] = {"position": position}
    if kind := intents.kind_of_exception(text):
        args["kind"] = kind
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


def _as_needed(text: str, annotated: Annotated, items: list[Span]) -> Reading | None:
    item = next(m for m in items[0].members if m.dim == "item")
    if not intents.NEEDED.search(text) and re.match(
        r"^\W*(?:please )?(?:restock|replenish)\b", text, re.IGNORECASE
    ):
        return None
    args = {"item": item.code, **subject(annotated, "warehouse")}
    reading = calling(
        "propose",
        "recommend_replenishment",
        args,
        f"order what is needed of {item.title}",
        then="propose_recommended",
    )
    supplier = annotated.members("supplier")
    return replace(reading, details={"supplier": supplier[0].code if supplier else None})


def _without_item(text: str, annotated: Annotated, lexicon: Lexicon) -> Reading | None:
    if not annotated.of("unknown") and re.search(r"\b(?:orders?|pos?) by\b", text):
        return None
    if any(not span.is_weak for span in annotated.of("metric")):
        return None
    if unknown := " ".join(span.text for span in annotated.of("unknown")):
        return clarify(
            f"I don't know an item called “{unknown}”. Which item, how many, and from which supplier?",
            "unknown_word",
            tuple(
                Option(label=label, question=text.replace(unknown, name), slot=kind)
                for kind, name, label in lexicon.nearest(unknown)
                if kind == "item"
            ),
            word=annotated.of("unknown")[0].text,
        )
    if any(span.text.casefold() not in ("order", "orders", "purchase") for span in annotated.of("metric")):
        return None
    return clarify(
        "Which item should be ordered, how many, and from which supplier?", "missing_item", slot="item"
    )


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
