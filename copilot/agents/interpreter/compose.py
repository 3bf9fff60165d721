"""Prose for results: sentences with slots, which the renderer fills and checks. No number is written here."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from copilot.agents.answer import AnswerTable, Option
from copilot.agents.interpreter.lexicon import TIME_DIMENSIONS
from copilot.agents.interpreter.readings import Call, Reading
from copilot.agents.interpreter.wording import listing
from copilot.tools.tool import Failure, ToolOutput

_SHOWN_EVIDENCE = 6


@dataclass(frozen=True)
class Composed:
    """What to say: text with slots, and the answer's status and parts."""

    text: str
    status: str = "answered"
    reason: str | None = None
    partial: str | None = None
    options: tuple[Option, ...] = ()
    notes: tuple[str, ...] = field(default=())


def compose(reading: Reading, results: Sequence[tuple[Call, ToolOutput]]) -> Composed:
    """The answer to a question from the outputs of its calls."""
    call, output = results[-1]
    if output.failure is not None:
        return _failed(output.failure, call, reading)
    made = _TOOLS[call.tool](output, call, reading)
    partial = [f"I left out “{word}”, which I don't know" for word in reading.unread]
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
    if failure.code == "supplier_terms":
        lines[0]["quantity"] = chosen
    elif failure.field in ("supplier", "warehouse"):
        args[failure.field] = chosen
    elif failure.field == "lines":
        lines[0]["item"] = chosen
    text = " and ".join(f"{line['quantity']} of {line['item']}" for line in lines)
    source = f" from {args['supplier']}" if args.get("supplier") else ""
    place = f" for {args['warehouse']}" if args.get("warehouse") else ""
    return f"order {text}{source}{place}"


def _lower(label: str) -> str:
    """A label inside a sentence; abbreviations keep their capitals."""
    return label if label[1:2].isupper() else label[:1].lower() + label[1:]


def _slot(name: str, row: int, column: str) -> str:
    return f"{{{{{name}.r{row}.{column}}}}}"


def _columns(table: AnswerTable, kind: str) -> list[str]:
    return [column["name"] for column in table.columns if column.get("kind") == kind]


def _no_data(table: AnswerTable, notes: Sequence[str]) -> Composed | None:
    metrics = [i for i, column in enumerate(table.columns) if column.get("kind") in ("metric", "derived")]
    if table.rows and any(row[i] is not None for row in table.rows for i in metrics):
        return None
    why = f" {notes[0][:1].upper()}{notes[0][1:]}." if notes else ""
    return Composed(f"There is no data for that.{why}", "cannot_answer", "no_data", notes=tuple(notes))


def _metrics(output: ToolOutput, call: Call, reading: Reading) -> Composed:
    table, name = output.tables[0], output.names[0]
    if missing := _no_data(table, output.notes):
        return missing
    labels = {column["name"]: column["label"] for column in table.columns}
    metrics = _columns(table, "metric")
    by = [dim for dim in call.args.get("by", ()) if dim in labels]
    if call.args.get("grain"):
        by.append(call.args["grain"])
    if not by:
        return Composed(" ".join(_one_row(name, metric, labels) for metric in metrics))
    said = [_leader(table, name, by, metrics[0], labels, call)]
    if len(table.rows) > 1:
        said.append(_whole(table, name, metrics[0], labels, by))
    if table.cut:
        said.append(f"The table shows {{{{{name}.rows}}}} of {{{{{name}.total_rows}}}} rows.")
    return Composed(" ".join(one for one in said if one))


def _one_row(name: str, metric: str, labels: Mapping[str, str]) -> str:
    text = f"{labels[metric]}: {_slot(name, 0, metric)}"
    if f"{metric}_previous" in labels:
        text += f", against {_slot(name, 0, f'{metric}_previous')} before, a change of {_slot(name, 0, f'{metric}_change_pct')}"
    return f"{text}."


def _row_name(name: str, row: int, by: Sequence[str], table: AnswerTable) -> str:
    columns = {column["name"] for column in table.columns}
    parts = []
    for dim in by:
        title = f"{dim}_name"
        parts.append(
            f"{_slot(name, row, title)} ({_slot(name, row, dim)})"
            if title in columns
            else _slot(name, row, dim)
        )
    return " / ".join(parts)


def _leader(
    table: AnswerTable, name: str, by: Sequence[str], metric: str, labels: Mapping[str, str], call: Call
) -> str:
    order = next(iter(call.args.get("order", ())), None)
    position = [column["name"] for column in table.columns].index(metric)
    rows = [i for i, row in enumerate(table.rows) if isinstance(row[position], int | Decimal)]
    if not rows:
        return ""
    if set(by) & set(TIME_DIMENSIONS) and len(by) == 1 and not order:
        first, last = rows[0], rows[-1]
        if first == last:
            return f"{labels[metric]} in {_row_name(name, first, by, table)}: {_slot(name, first, metric)}."
        return (
            f"{labels[metric]} went from {_slot(name, first, metric)} in {_row_name(name, first, by, table)}"
            f" to {_slot(name, last, metric)} in {_row_name(name, last, by, table)}."
        )
    best = rows[0] if order else max(rows, key=lambda i: table.rows[i][position])
    rank = "lowest" if order and order["dir"] == "asc" else "highest"
    text = f"{_row_name(name, best, by, table)} has the {rank} {_lower(labels[metric])}: {_slot(name, best, metric)}"
    if f"{metric}_share" in labels:
        text += f", {_slot(name, best, f'{metric}_share')} of the total"
    if f"{metric}_previous" in labels:
        text += f", against {_slot(name, best, f'{metric}_previous')} before"
    if call.args.get("limit") != 1 and len(rows) > 1:
        following = rows[1] if order else sorted(rows, key=lambda i: -table.rows[i][position])[1]
        text += f", followed by {_row_name(name, following, by, table)} with {_slot(name, following, metric)}"
    return f"{text}."


def _whole(table: AnswerTable, name: str, metric: str, labels: Mapping[str, str], by: Sequence[str]) -> str:
    unit = next(column.get("unit") for column in table.columns if column["name"] == metric)
    overlapping = metric in ("order_count", "po_count", "return_count")
    if unit in ("money", "units") and not table.cut and not overlapping:
        return f"Together: {{{{sum({name}.{metric})}}}}."
    return ""


def _standard(output: ToolOutput, call: Call, reading: Reading) -> Composed:
    said = []
    for table, name in zip(output.tables, output.names, strict=True):
        if not table.rows:
            continue
        columns = [column["name"] for column in table.columns]
        said.append(_STANDARD.get((call.args["name"], columns[0]), _any_table)(table, name, columns))
    text = " ".join(one for one in said if one)
    if not text:
        why = f" {output.notes[0][:1].upper()}{output.notes[0][1:]}." if output.notes else ""
        return Composed(
            f"I found nothing of that kind.{why}",
            "answered" if not output.notes else "cannot_answer",
            None if not output.notes else "no_data",
        )
    return Composed(text, partial="; ".join(output.notes) or None)


def _any_table(table: AnswerTable, name: str, columns: list[str]) -> str:
    values = [column for column in table.columns if column.get("kind") == "metric"]
    dims = [
        column["name"]
        for column in table.columns
        if column.get("kind") == "dimension" and not column["name"].endswith("_name")
    ]
    filled = [column for column in values if table.rows[0][columns.index(column["name"])] is not None]
    if not filled:
        return ""
    figures = listing(f"{_lower(column['label'])} {_slot(name, 0, column['name'])}" for column in filled[:6])
    if set(dims) & set(TIME_DIMENSIONS):
        return ""
    if not dims:
        return f"Overall: {figures}."
    return f"First by {listing(one.replace('_', ' ') for one in dims)}: {_row_name(name, 0, dims, table)} with {figures}."


def _stockouts(table: AnswerTable, name: str, columns: list[str]) -> str:
    loss = f", expected loss {_slot(name, 0, 'expected_loss')}" if "expected_loss" in columns else ""
    return (
        f"{{{{{name}.total_rows}}}} combinations of item, warehouse and channel are at risk. First: {_slot(name, 0, 'item_name')}"
        f" ({_slot(name, 0, 'item')}) at {_slot(name, 0, 'warehouse')} for {_slot(name, 0, 'channel')}, probability"
        f" {_slot(name, 0, 'probability')}, available {_slot(name, 0, 'available')}{loss}."
    )


def _late(table: AnswerTable, name: str, columns: list[str]) -> str:
    return (
        f"{{{{{name}.total_rows}}}} purchase order lines are late. First: {_slot(name, 0, 'po_number')} of {_slot(name, 0, 'supplier')},"
        f" {_slot(name, 0, 'open_units')} of {_slot(name, 0, 'item')} open, {_slot(name, 0, 'days_late')} late."
    )


def _exposed(table: AnswerTable, name: str, columns: list[str]) -> str:
    return (
        f"{{{{{name}.total_rows}}}} customer order lines are exposed. First: {_slot(name, 0, 'order_number')}, short of"
        f" {_slot(name, 0, 'short_units')} of {_slot(name, 0, 'item')}."
    )


_STANDARD: dict[tuple[str, str], Callable[[AnswerTable, str, list[str]], str]] = {
    ("stockout_risk", "item"): _stockouts,
    ("delayed_inbound", "po_number"): _late,
    ("delayed_inbound", "order_number"): _exposed,
}


def _exceptions(output: ToolOutput, call: Call, reading: Reading) -> Composed:
    name, table = output.names[0], output.tables[0]
    if not table.rows:
        withheld = f" {output.notes[0][:1].upper()}{output.notes[0][1:]}." if output.notes else ""
        return Composed(f"No open exception fits that.{withheld}", "answered", "no_data")
    text = f"{{{{{name}.total_rows}}}} exceptions are open. First: {_slot(name, 0, 'title')}"
    if table.rows[0][3] is not None:
        text += (
            f", expected loss {_slot(name, 0, 'expected_loss')}, worth acting {_slot(name, 0, 'net_benefit')}"
        )
    return Composed(f"{text}, by {_slot(name, 0, 'deadline')}.")


def _explained(output: ToolOutput, call: Call, reading: Reading) -> Composed:
    name, table = output.names[0], output.tables[0]
    said = [
        "{{f.title}} is on the list with a probability of {{f.probability}}, to be acted on by {{f.deadline}}."
    ]
    shown = []
    for number, row in enumerate(table.rows[:_SHOWN_EVIDENCE]):
        unit = f"|{row[2]}" if row[2] else ""
        shown.append(f"{_slot(name, number, 'label')}: {{{{{name}.r{number}.value{unit}}}}}")
    if shown:
        said.append(f"Evidence: {'; '.join(shown)}.")
    if "expected_loss" in output.facts:
        said.append("If nothing is done it is expected to cost {{f.expected_loss}}.")
    if output.data.get("action"):
        cost = (
            ", which costs {{f.action_cost}} and leaves a loss of {{f.residual_loss}}"
            if "action_cost" in output.facts
            else ""
        )
        said.append(f"The best action: {{{{f.action}}}}{cost}.")
    said += [f"{note[:1].upper()}{note[1:]}." for note in output.notes]
    options: tuple[Option, ...] = ()
    if reading.then == "propose_for_case":
        said = ["The best action for {{f.title}} is no purchase, so I can't propose it."]
        said += ["A buyer can do it: {{f.action}}."] if output.data.get("action") else []
        return Composed(" ".join(said), "cannot_answer", "unsupported")
    if output.data.get("proposable"):
        options = (
            Option(
                label="Propose the best action", question="propose a PO for this exception", slot="action"
            ),
        )
    return Composed(" ".join(said), options=options)


def _definition(output: ToolOutput, call: Call, reading: Reading) -> Composed:
    if "definition" not in output.facts:
        examples = "“net sales by channel last month”, “which suppliers miss lead times”, “why is the top exception on the list”, “order 24 of an item”"
        return Composed(
            "I answer questions about the measures below, by any of the dimensions, with filters and periods. I also list and explain"
            " exceptions, look up documents, forecast demand, cite policies and propose purchase orders. Try "
            + examples.replace("24", "some")
            + "."
        )
    text = f"{output.data['label']}: {{{{f.definition}}}}"
    if "unit" in output.facts:
        text += " It is counted in {{f.unit}}, by {{f.time}}; {{f.owner}} owns it."
    return Composed(text)


def _records(output: ToolOutput, call: Call, reading: Reading) -> Composed:
    name, table = output.names[0], output.tables[0]
    if call.args["kind"] == "stock":
        if missing := _no_data(table, output.notes):
            return missing
        metrics = [c for c in table.columns if c.get("kind") == "metric"]
        figures = [f"{_lower(column['label'])} {{{{sum({name}.{column['name']})}}}}" for column in metrics]
        return Composed(
            f"{table.title}: {listing(figures)}, over {{{{{name}.total_rows}}}} warehouses."
            if not any(c.isdigit() for c in table.title)
            else f"In all: {listing(figures)}, over {{{{{name}.total_rows}}}} warehouses."
        )
    if not table.rows:
        return Composed("No records fit that.", "answered", "no_data")
    columns = [column["name"] for column in table.columns]
    text = f"{{{{{name}.total_rows}}}} records fit."
    if "number" in columns:
        late = f", {_slot(name, 0, 'days_late')} late" if "days_late" in columns else ""
        text += f" First: {_slot(name, 0, 'number')}{late}."
    if output.texts:
        text += " What they wrote is shown beside this answer."
    return Composed(text)


def _record(output: ToolOutput, call: Call, reading: Reading) -> Composed:
    status = next((f for f in ("status", "order_status", "po_status") if f in output.facts), None)
    kind = call.args["kind"].replace("_", " ")
    text = f"{kind[:1].upper()}{kind[1:]} {{{{f.number}}}}" + (f" is {{{{f.{status}}}}}." if status else ".")
    if "supplier_name" in output.facts:
        text += " Supplier: {{f.supplier_name}}."
    if "total" in output.facts:
        text += " Total: {{f.total}}."
    if len(output.tables) > 1:
        text += f" It has {{{{count({output.names[1]})}}}} lines."
    return Composed(text)


def _forecast(output: ToolOutput, call: Call, reading: Reading) -> Composed:
    name, table = output.names[0], output.tables[0]
    first = (
        f" The first week, from {_slot(name, 0, 'week')}: {_slot(name, 0, 'forecast_units')}."
        if table.rows
        else ""
    )
    return Composed(
        f"The forecast is {{{{f.forecast_units}}}} over {{{{f.weeks}}}} weeks.{first}",
        partial="; ".join(output.notes) or None,
    )


def _supplier(output: ToolOutput, call: Call, reading: Reading) -> Composed:
    name, table = output.names[0], output.tables[0]
    metrics = [(i, c) for i, c in enumerate(table.columns) if c.get("kind") == "metric"]
    known = [c for i, c in metrics if table.rows and table.rows[0][i] is not None]
    if not known:
        return Composed(
            f"There is no purchasing record of {output.data['name']} yet.", "cannot_answer", "no_data"
        )
    figures = listing(f"{_lower(column['label'])} {_slot(name, 0, column['name'])}" for column in known)
    late = " {{f.late_lines}} of its lines are late now." if table.rows else ""
    return Composed(f"{output.data['name']}: {figures}. Risk class: {{{{f.risk_class}}}}.{late}")


def _recommended(output: ToolOutput, call: Call, reading: Reading) -> Composed:
    name, table = output.names[0], output.tables[0]
    if not output.data["lines"]:
        return Composed(
            "Nothing needs to be ordered there now: the stock position is above the reorder point."
            if table.rows
            else "Nothing needs to be ordered there now."
        )
    row = next(i for i, cells in enumerate(table.rows) if cells[3])
    line = output.data["lines"][0]
    text = (
        f"{{{{f.items}}}} orders are recommended. First: {_slot(name, row, 'quantity')} of {_slot(name, row, 'name')} ({_slot(name, row, 'item')})"
        f" from {_slot(name, row, 'supplier')} for {_slot(name, row, 'warehouse')}."
    )
    question = f"order {line['quantity']} of {line['item']} from {line['supplier']} for {line['warehouse']}"
    return Composed(text, options=(Option(label="Propose this order", question=question, slot="action"),))


def _proposals(output: ToolOutput, call: Call, reading: Reading) -> Composed:
    name, table = output.names[0], output.tables[0]
    status = str(call.args.get("status", "pending")).replace("_", " ")
    if not table.rows:
        return Composed(f"There are no {status} proposals.")
    return Composed(
        f"{{{{{name}.rows}}}} {status} proposals. First: {_slot(name, 0, 'title')}, asked for by {_slot(name, 0, 'requester')}."
    )


def _proposed(output: ToolOutput, call: Call, reading: Reading) -> Composed:
    roles = listing(str(entry["role"]) for entry in output.data.get("approvers", ())) or "nobody yet"
    amount = " It costs {{f.amount}}." if "amount" in output.facts else ""
    return Composed(
        f"I proposed a purchase order to {output.data['supplier_name']} for {output.data['warehouse']}.{amount}"
        f" Nothing is ordered until it is approved by: {roles}.",
        "proposed",
    )


def _knowledge(output: ToolOutput, call: Call, reading: Reading) -> Composed:
    if not output.passages:
        return Composed("I found nothing about that in our documents.", "cannot_answer", "no_data")
    first = output.passages[0]
    text = f"{first['text']}\nSource: {first['document']}, {first['heading']}."
    others = dict.fromkeys(f"{one['document']}, {one['heading']}" for one in output.passages[1:])
    if others:
        text += f" See also: {'; '.join(others)}."
    return Composed(text)


_TOOLS: dict[str, Callable[[ToolOutput, Call, Reading], Composed]] = {
    "query_metrics": _metrics,
    "standard_question": _standard,
    "list_exceptions": _exceptions,
    "explain_exception": _explained,
    "describe_vocabulary": _definition,
    "find_records": _records,
    "get_record": _record,
    "forecast_demand": _forecast,
    "assess_supplier": _supplier,
    "recommend_replenishment": _recommended,
    "list_proposals": _proposals,
    "propose_purchase_order": _proposed,
    "search_knowledge": _knowledge,
}
