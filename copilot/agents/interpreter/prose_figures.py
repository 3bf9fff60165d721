"""Prose for figures: metric queries and the standing questions. No number is written here, only slots."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal

from copilot.agents.answer import AnswerTable
from copilot.agents.interpreter.composed import Composed
from copilot.agents.interpreter.lexicon import TIME_DIMENSIONS
from copilot.agents.interpreter.readings import Call, Reading
from copilot.agents.interpreter.wording import listing
from copilot.tools.tool import ToolOutput
from erp_core.analytics.metrics import Total, catalogue


def lower(label: str) -> str:
    """A label inside a sentence; abbreviations keep their capitals."""
    return label if label[1:2].isupper() else label[:1].lower() + label[1:]


def slot(name: str, row: int, column: str) -> str:
    return f"{{{{{name}.r{row}.{column}}}}}"


def _columns(table: AnswerTable, kind: str) -> list[str]:
    return [column["name"] for column in table.columns if column.get("kind") == kind]


def no_data(table: AnswerTable, notes: Sequence[str]) -> Composed | None:
    metrics = [i for i, column in enumerate(table.columns) if column.get("kind") in ("metric", "derived")]
    if table.rows and any(row[i] is not None for row in table.rows for i in metrics):
        return None
    why = f" {notes[0][:1].upper()}{notes[0][1:]}." if notes else ""
    return Composed(f"There is no data for that.{why}", "cannot_answer", "no_data", notes=tuple(notes))


def metrics(output: ToolOutput, call: Call, reading: Reading) -> Composed:
    table, name = output.tables[0], output.names[0]
    if missing := no_data(table, output.notes):
        return missing
    labels = {column["name"]: column["label"] for column in table.columns}
    metrics = _columns(table, "metric")
    by = [dim for dim in call.args.get("by", ()) if dim in labels]
    if call.args.get("grain"):
        by.append(call.args["grain"])
    if not by:
        return Composed(" ".join(_one_row(name, metric, labels, table) for metric in metrics))
    said = [_leader(table, name, by, metrics[0], labels, call)]
    if len(table.rows) > 1:
        said.append(_whole(table, name, metrics[0], labels, by))
    if table.cut:
        said.append(f"The table shows {{{{{name}.rows}}}} of {{{{{name}.total_rows}}}} rows.")
    return Composed(" ".join(one for one in said if one))


def _one_row(name: str, metric: str, labels: Mapping[str, str], table: AnswerTable) -> str:
    text = f"{labels[metric]}: {slot(name, 0, metric)}"
    if f"{metric}_previous" in labels:
        text += f", against {slot(name, 0, f'{metric}_previous')} before, a change of {slot(name, 0, f'{metric}_change_pct')}"
        text += _verdict(table, metric)
    return f"{text}."


_VERDICTS = {
    ("up_good", True): ": up, which is better",
    ("up_good", False): ": down, which is worse",
    ("down_good", True): ": up, which is worse",
    ("down_good", False): ": down, which is better",
    ("neutral", True): ": up",
    ("neutral", False): ": down",
}


def _verdict(table: AnswerTable, metric: str) -> str:
    """Up or down, and whether that is good by the measure's own direction; nothing where nothing changed."""
    columns = [column["name"] for column in table.columns]
    now, before = (table.rows[0][columns.index(name)] for name in (metric, f"{metric}_previous"))
    if not isinstance(now, int | Decimal) or not isinstance(before, int | Decimal) or now == before:
        return ""
    return _VERDICTS[catalogue().metrics[metric].direction, now > before]


def _row_name(name: str, row: int, by: Sequence[str], table: AnswerTable) -> str:
    columns = {column["name"] for column in table.columns}
    parts = []
    for dim in by:
        title = f"{dim}_name"
        parts.append(
            f"{slot(name, row, title)} ({slot(name, row, dim)})" if title in columns else slot(name, row, dim)
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
            return f"{labels[metric]} in {_row_name(name, first, by, table)}: {slot(name, first, metric)}."
        return (
            f"{labels[metric]} went from {slot(name, first, metric)} in {_row_name(name, first, by, table)}"
            f" to {slot(name, last, metric)} in {_row_name(name, last, by, table)}."
        )
    if order and order["by"] == f"{metric}_change":
        moved = "fell" if order["dir"] == "asc" else "rose"
        change = table.rows[0][[column["name"] for column in table.columns].index(order["by"])]
        if not isinstance(change, int | Decimal) or (change < 0) != (moved == "fell"):
            return f"None {moved}."
        return (
            f"{_row_name(name, rows[0], by, table)}: {lower(labels[metric])} {moved} most, by"
            f" {slot(name, rows[0], f'{metric}_change')}, from {slot(name, rows[0], f'{metric}_previous')}"
            f" to {slot(name, rows[0], metric)}."
        )
    best = rows[0] if order else max(rows, key=lambda i: table.rows[i][position])
    rank = "lowest" if order and order["dir"] == "asc" else "highest"
    text = f"{_row_name(name, best, by, table)} has the {rank} {lower(labels[metric])}: {slot(name, best, metric)}"
    if f"{metric}_share" in labels:
        text += f", {slot(name, best, f'{metric}_share')} of the total"
    if f"{metric}_previous" in labels:
        text += f", against {slot(name, best, f'{metric}_previous')} before"
    if call.args.get("limit") != 1 and len(rows) > 1:
        following = rows[1] if order else sorted(rows, key=lambda i: -table.rows[i][position])[1]
        text += f", followed by {_row_name(name, following, by, table)} with {slot(name, following, metric)}"
    return f"{text}."


def _whole(table: AnswerTable, name: str, metric: str, labels: Mapping[str, str], by: Sequence[str]) -> str:
    unit = next(column.get("unit") for column in table.columns if column["name"] == metric)
    adds_up = isinstance(catalogue().metrics[metric].formula, Total)
    if unit in ("money", "units") and not table.cut and adds_up:
        return f"Together: {{{{sum({name}.{metric})}}}}."
    return ""


def standard(output: ToolOutput, call: Call, reading: Reading) -> Composed:
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
    figures = listing(f"{lower(column['label'])} {slot(name, 0, column['name'])}" for column in filled[:6])
    if set(dims) & set(TIME_DIMENSIONS):
        return ""
    if not dims:
        return f"Overall: {figures}."
    return f"First by {listing(one.replace('_', ' ') for one in dims)}: {_row_name(name, 0, dims, table)} with {figures}."


def _stockouts(table: AnswerTable, name: str, columns: list[str]) -> str:
    loss = f", expected loss {slot(name, 0, 'expected_loss')}" if "expected_loss" in columns else ""
    return (
        f"{{{{{name}.total_rows}}}} combinations of item, warehouse and channel are at risk. First: {slot(name, 0, 'item_name')}"
        f" ({slot(name, 0, 'item')}) at {slot(name, 0, 'warehouse')} for {slot(name, 0, 'channel')}, probability"
        f" {slot(name, 0, 'probability')}, available {slot(name, 0, 'available')}{loss}."
    )


def _late(table: AnswerTable, name: str, columns: list[str]) -> str:
    return (
        f"{{{{{name}.total_rows}}}} purchase order lines are late. First: {slot(name, 0, 'po_number')} of {slot(name, 0, 'supplier')},"
        f" {slot(name, 0, 'open_units')} of {slot(name, 0, 'item')} open, {slot(name, 0, 'days_late')} late."
    )


def _exposed(table: AnswerTable, name: str, columns: list[str]) -> str:
    return (
        f"{{{{{name}.total_rows}}}} customer order lines are exposed. First: {slot(name, 0, 'order_number')}, short of"
        f" {slot(name, 0, 'short_units')} of {slot(name, 0, 'item')}."
    )


_STANDARD: dict[tuple[str, str], Callable[[AnswerTable, str, list[str]], str]] = {
    ("stockout_risk", "item"): _stockouts,
    ("delayed_inbound", "po_number"): _late,
    ("delayed_inbound", "order_number"): _exposed,
}
