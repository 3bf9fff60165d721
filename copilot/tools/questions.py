"""The six standing questions of operations, each with its complete answer."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from copilot.agents.answer import AnswerTable, Source
from copilot.agents.untrusted import label
from copilot.tools.figures import from_result
from copilot.tools.members import find_member
from copilot.tools.tool import Tool, ToolContext, ToolError, ToolInput, ToolOutput, table
from erp_core.analytics.query import Between, Where
from erp_core.analytics.questions import QUESTIONS, QuestionTable, answer_question

ROWS = 100
_SUBJECTS = ("item", "supplier", "warehouse", "channel", "category")


class StandardQuestion(ToolInput):
    """Which of the six questions; the subjects narrow its tables where they have such a column."""

    name: Literal[
        "stockout_risk",
        "delayed_inbound",
        "excess",
        "supplier_reliability",
        "forecast_accuracy",
        "margin_effects",
    ]
    item: str | None = Field(default=None, max_length=120)
    supplier: str | None = Field(default=None, max_length=160)
    warehouse: str | None = Field(default=None, max_length=120)
    channel: str | None = Field(default=None, max_length=120)
    category: str | None = Field(default=None, max_length=80)
    exclude: dict[Literal["item", "supplier", "warehouse", "channel", "category"], list[str]] = Field(
        default_factory=dict, description="what to leave out, by subject: codes or names"
    )
    period: Between | str | None = Field(
        default=None, description="for suppliers, forecasts and margin; the others are about today"
    )
    limit: int = Field(default=20, ge=1, le=ROWS)


def standard_question(given: StandardQuestion, context: ToolContext) -> ToolOutput:
    """The complete answer: metric tables and record tables with their notes.

    A name that cuts none of them is refused: an answer about everything must not be taken for one about it.
    """
    wanted: dict[str, str] = {}
    excluded: dict[str, frozenset[str]] = {}
    with context.reading() as connection:
        for name in _SUBJECTS:
            if (text := getattr(given, name)) is not None:
                wanted[name] = find_member(connection, name, text, name).code
        for subject, texts in given.exclude.items():
            found = (find_member(connection, subject, text, "exclude") for text in texts)
            excluded[subject] = frozenset(one.code for one in found)
        answer = answer_question(
            connection,
            given.name,
            today=context.today,
            rights=context.rights,
            computed_at=context.gate.clock.now(),
            limit=1_000 if wanted or excluded else given.limit,
            period=given.period,
            where=_filters(wanted, excluded),
        )
    figures = [from_result(one) for one in answer.results]
    tables = [*(_records(one) for one in answer.tables), *(one.tables[0] for one in figures)]
    cut_by = {one.dim for result in answer.results for one in result.query.where}
    left = [name for name in (*wanted, *excluded) if name not in cut_by | _column_names(tables)]
    if left:
        raise ToolError(
            "unsupported",
            f"{answer.title} cannot be cut by {' or '.join(left)}",
            field=left[0],
            remedy="leave it out, or ask for one figure",
        )
    narrowed = _narrowed(tables, wanted, excluded, given.limit)
    sources: list[Source] = [source for one in figures for source in one.sources]
    sources.append(Source(kind="records", id=given.name, label=QUESTIONS[given.name].title))
    return ToolOutput(
        tables=tuple(narrowed),
        sources=tuple(sources),
        notes=answer.notes,
        data={"name": given.name, "title": answer.title},
        as_of=context.today,
    )


def _filters(wanted: dict[str, str], excluded: dict[str, frozenset[str]]) -> tuple[Where, ...]:
    return (
        *(Where(dim=name, op="eq", values=(code,)) for name, code in wanted.items()),
        *(Where(dim=name, op="not_in", values=tuple(sorted(codes))) for name, codes in excluded.items()),
    )


def _column_names(tables: list[AnswerTable]) -> set[str]:
    return {column["name"] for one in tables for column in one.columns}


def _records(one: QuestionTable) -> AnswerTable:
    columns: list[tuple[str, str, str | None]] = [(c.name, c.label, c.unit) for c in one.columns]
    rows = [tuple(label(cell) if isinstance(cell, str) else cell for cell in row) for row in one.rows]
    return table(one.title, columns, rows, total=one.total_rows)


def _narrowed(
    tables: list[AnswerTable], wanted: dict[str, str], excluded: dict[str, frozenset[str]], limit: int
) -> list[AnswerTable]:
    """The tables with only what is wanted and nothing of what is left out."""
    found = []
    for one in tables:
        names = [column["name"] for column in one.columns]
        only = {names.index(name): code for name, code in wanted.items() if name in names}
        never = {names.index(name): codes for name, codes in excluded.items() if name in names}
        if only or never:
            rows = tuple(
                row
                for row in one.rows
                if all(row[at] == code for at, code in only.items())
                and not any(row[at] in codes for at, codes in never.items())
            )
            one = one.model_copy(
                update={"rows": rows[:limit], "total_rows": len(rows), "cut": len(rows) > limit}
            )
        elif len(one.rows) > limit:
            one = one.model_copy(update={"rows": one.rows[:limit], "cut": True})
        found.append(one)
    return found


TOOLS: tuple[Tool[Any], ...] = (
    Tool(
        "standard_question",
        "Complete answers to the standing questions: stockout risk, delayed inbound and exposed orders, excess, supplier reliability, forecast accuracy, margin effects.",
        StandardQuestion,
        "read_metrics",
        "read",
        ROWS,
        standard_question,
    ),
)
