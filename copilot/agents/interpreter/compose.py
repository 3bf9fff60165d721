"""The answer to a question from the outputs of its calls, or from their failure."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from copilot.agents.answer import Option
from copilot.agents.interpreter import prose_figures, prose_records
from copilot.agents.interpreter.composed import Composed
from copilot.agents.interpreter.readings import Call, Reading
from copilot.tools.tool import Failure, ToolOutput


def compose(reading: Reading, results: Sequence[tuple[Call, ToolOutput]]) -> Composed:
    """The answer to a question from the outputs of its calls."""
    call, output = results[-1]
    if output.failure is not None:
        return _failed(output.failure, call, reading)
    made = _TOOLS[call.tool](output, call, reading)
    partial = [f"I left out “{word}”, which I don't know" for word in reading.unread]
    partial += [f"I left out “{words}”, which has no place in this answer" for words in reading.unused]
    if made.partial:
        partial.append(made.partial)
    if made.status in ("answered", "proposed") and partial:
        return Composed(
            made.text,
            made.status,
            made.reason or ("unknown_word" if reading.unread else None),
            "; ".join(partial),
            made.options,
        )
    return made


_REASONS = {
    "no_right": "refused",
    "missing_right": "refused",
    "forbidden": "refused",
    "unknown_member": "clarify",
    "unknown_name": "clarify",
    "ambiguous": "clarify",
    "ambiguous_member": "clarify",
    "supplier_terms": "clarify",
    "unknown_unit": "clarify",
    "missing_warehouse": "clarify",
    "missing_supplier": "clarify",
    "no_supplier": "clarify",
    "not_sold": "clarify",
    "limit": "error",
    "error": "error",
    "invalid": "cannot_answer",
}


def _failed(failure: Failure, call: Call, reading: Reading) -> Composed:
    status = _REASONS.get(failure.code, "cannot_answer")
    if "right" in failure.code:
        status = "refused"
    reason = {
        "missing_right": "no_right",
        "no_exception": "no_data",
        "dimension_not_carried": "unsupported",
    }.get(failure.code, failure.code)
    text = failure.message[:1].upper() + failure.message[1:].rstrip(".")
    text += "" if text.endswith("?") else "."
    if failure.remedy:
        text += f" {failure.remedy[:1].upper()}{failure.remedy[1:].rstrip('.')}" + (
            "" if failure.remedy.endswith("?") else "."
        )
    options: tuple[Option, ...] = ()
    if failure.nearest and status == "clarify":
        options = tuple(
            Option(label=one, question=_with(call, failure, one), slot=failure.field or "value")
            for one in failure.nearest[:4]
        )
    return Composed(text, status, reason, options=options)


def _with(call: Call, failure: Failure, choice: str) -> str:
    """The question that a choice stands for."""
    chosen = choice.partition(" (")[0]
    if call.tool != "propose_purchase_order":
        return chosen
    args = dict(call.args)
    lines = [dict(line) for line in args["lines"]]
    if failure.code in ("supplier_terms", "unknown_unit"):
        lines[0] = {"item": lines[0]["item"], "quantity": chosen}
    elif failure.field in ("supplier", "warehouse"):
        args[failure.field] = chosen
    elif failure.field == "lines":
        lines[0]["item"] = chosen
    text = " and ".join(f"{line['quantity']} of {line['item']}" for line in lines)
    source = f" from {args['supplier']}" if args.get("supplier") else ""
    place = f" for {args['warehouse']}" if args.get("warehouse") else ""
    day = f" by {args['need_by']}" if args.get("need_by") else ""
    return f"order {text}{source}{place}{day}"


_TOOLS: dict[str, Callable[[ToolOutput, Call, Reading], Composed]] = {
    "query_metrics": prose_figures.metrics,
    "standard_question": prose_figures.standard,
    "list_exceptions": prose_records.exceptions,
    "explain_exception": prose_records.explained,
    "describe_vocabulary": prose_records.definition,
    "find_records": prose_records.records,
    "get_record": prose_records.record,
    "forecast_demand": prose_records.forecast,
    "assess_supplier": prose_records.supplier,
    "recommend_replenishment": prose_records.recommended,
    "list_proposals": prose_records.proposals,
    "propose_purchase_order": prose_records.proposed,
    "search_knowledge": prose_records.knowledge,
}
