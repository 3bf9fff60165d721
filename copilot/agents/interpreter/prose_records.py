"""Prose for everything that is no metric query: exceptions, documents, forecasts, orders, policies."""

from __future__ import annotations

from copilot.agents.answer import Option
from copilot.agents.interpreter.composed import Composed
from copilot.agents.interpreter.prose_figures import lower, no_data, slot
from copilot.agents.interpreter.readings import Call, Reading
from copilot.agents.interpreter.wording import listing
from copilot.tools.tool import ToolOutput

_SHOWN_EVIDENCE = 6


def exceptions(output: ToolOutput, call: Call, reading: Reading) -> Composed:
    name, table = output.names[0], output.tables[0]
    if not table.rows:
        withheld = f" {output.notes[0][:1].upper()}{output.notes[0][1:]}." if output.notes else ""
        return Composed(f"No open exception fits that.{withheld}", "answered", "no_data")
    text = f"{{{{{name}.total_rows}}}} exceptions are open. First: {slot(name, 0, 'title')}"
    if table.rows[0][3] is not None:
        text += (
            f", expected loss {slot(name, 0, 'expected_loss')}, worth acting {slot(name, 0, 'net_benefit')}"
        )
    return Composed(f"{text}, by {slot(name, 0, 'deadline')}.")


def explained(output: ToolOutput, call: Call, reading: Reading) -> Composed:
    name, table = output.names[0], output.tables[0]
    said = [
        "{{f.title}} is on the list with a probability of {{f.probability}}, to be acted on by {{f.deadline}}."
    ]
    shown = []
    for number, row in enumerate(table.rows[:_SHOWN_EVIDENCE]):
        unit = f"|{row[2]}" if row[2] else ""
        shown.append(f"{slot(name, number, 'label')}: {{{{{name}.r{number}.value{unit}}}}}")
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


def definition(output: ToolOutput, call: Call, reading: Reading) -> Composed:
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


def records(output: ToolOutput, call: Call, reading: Reading) -> Composed:
    name, table = output.names[0], output.tables[0]
    if call.args["kind"] == "stock":
        if missing := no_data(table, output.notes):
            return missing
        metrics = [c for c in table.columns if c.get("kind") == "metric"]
        figures = [f"{lower(column['label'])} {{{{sum({name}.{column['name']})}}}}" for column in metrics]
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
        late = f", {slot(name, 0, 'days_late')} late" if "days_late" in columns else ""
        text += f" First: {slot(name, 0, 'number')}{late}."
    if output.texts:
        text += " What they wrote is shown beside this answer."
    return Composed(text)


def record(output: ToolOutput, call: Call, reading: Reading) -> Composed:
    status = next((f for f in ("status", "order_status", "po_status") if f in output.facts), None)
    kind = call.args["kind"].replace("_", " ")
    text = f"{kind[:1].upper()}{kind[1:]} {{{{f.number}}}}" + (f" is {{{{f.{status}}}}}." if status else ".")
    if "supplier_name" in output.facts:
        text += " Supplier: {{f.supplier_name}}."
    for name, said in (
        ("preferred_supplier", "Preferred supplier"),
        ("list_price", "List price"),
        ("standard_cost", "Standard cost"),
    ):
        if name in output.facts:
            text += f" {said}: {{{{f.{name}}}}}."
    if "total" in output.facts:
        text += " Total: {{f.total}}."
    if len(output.tables) > 1:
        text += f" It has {{{{count({output.names[1]})}}}} lines."
    return Composed(text)


def forecast(output: ToolOutput, call: Call, reading: Reading) -> Composed:
    name, table = output.names[0], output.tables[0]
    first = (
        f" The first week, from {slot(name, 0, 'week')}: {slot(name, 0, 'forecast_units')}."
        if table.rows
        else ""
    )
    return Composed(
        f"The forecast is {{{{f.forecast_units}}}} over {{{{f.weeks}}}} weeks.{first}",
        partial="; ".join(output.notes) or None,
    )


def supplier(output: ToolOutput, call: Call, reading: Reading) -> Composed:
    name, table = output.names[0], output.tables[0]
    metrics = [(i, c) for i, c in enumerate(table.columns) if c.get("kind") == "metric"]
    known = [c for i, c in metrics if table.rows and table.rows[0][i] is not None]
    if not known:
        return Composed(
            f"There is no purchasing record of {output.data['name']} yet.", "cannot_answer", "no_data"
        )
    figures = listing(f"{lower(column['label'])} {slot(name, 0, column['name'])}" for column in known)
    late = " {{f.late_lines}} of its lines are late now." if table.rows else ""
    return Composed(f"{output.data['name']}: {figures}. Risk class: {{{{f.risk_class}}}}.{late}")


def recommended(output: ToolOutput, call: Call, reading: Reading) -> Composed:
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
        f"{{{{f.items}}}} orders are recommended. First: {slot(name, row, 'quantity')} of {slot(name, row, 'name')} ({slot(name, row, 'item')})"
        f" from {slot(name, row, 'supplier')} for {slot(name, row, 'warehouse')}."
    )
    question = f"order {line['quantity']} of {line['item']} from {line['supplier']} for {line['warehouse']}"
    return Composed(text, options=(Option(label="Propose this order", question=question, slot="action"),))


def proposals(output: ToolOutput, call: Call, reading: Reading) -> Composed:
    name, table = output.names[0], output.tables[0]
    status = str(call.args.get("status", "pending")).replace("_", " ")
    whose = " that you may decide" if call.args.get("for_me") else ""
    if not table.rows:
        return Composed(f"There are no {status} proposals{whose}.")
    return Composed(
        f"{{{{{name}.rows}}}} {status} proposals{whose}. First: {slot(name, 0, 'title')}, asked for by {slot(name, 0, 'requester')}."
    )


def proposed(output: ToolOutput, call: Call, reading: Reading) -> Composed:
    roles = listing(str(entry["role"]) for entry in output.data.get("approvers", ())) or "nobody yet"
    amount = " It costs {{f.amount}}." if "amount" in output.facts else ""
    return Composed(
        f"I proposed a purchase order to {output.data['supplier_name']} for {output.data['warehouse']}: {_ordered(output)}.{amount}"
        f" Nothing is ordered until it is approved by: {roles}.",
        "proposed",
    )


def _ordered(output: ToolOutput) -> str:
    """What the order is for, and the day by which it is needed."""
    name, table = output.names[0], output.tables[0]
    shown = listing(
        f"{slot(name, row, 'quantity')} of {slot(name, row, 'name')} ({slot(name, row, 'item')})"
        for row in range(min(3, len(table.rows)))
    )
    more = " and {{f.lines}} lines in all" if len(table.rows) > 3 else ""
    day = ", needed by {{f.need_by}}" if "need_by" in output.facts else ""
    return f"{shown}{more}{day}"


def knowledge(output: ToolOutput, call: Call, reading: Reading) -> Composed:
    if not output.passages:
        return Composed("I found nothing about that in our documents.", "cannot_answer", "no_data")
    first = output.passages[0]
    text = f"{first['text']}\nSource: {first['document']}, {first['heading']}."
    others = dict.fromkeys(f"{one['document']}, {one['heading']}" for one in output.passages[1:])
    if others:
        text += f" See also: {'; '.join(others)}."
    return Composed(text)
