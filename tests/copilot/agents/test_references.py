"""What "the second one" and "there" stand for: read from what the last answer showed."""

from __future__ import annotations

import json

import pytest

from copilot.agents.interpreter.reading import Memory, read
from copilot.agents.interpreter.readings import Call
from copilot.agents.interpreter.references import Shown, shown_in
from tests.copilot.agents.company import TODAY, lexicon

SALES = Call("query_metrics", {"metrics": ["net_sales"], "by": ["brand"], "period": "last_month"})
BRANDS = Shown("Net sales", ({"brand": "Lumina"}, {"brand": "Hearth"}, {"brand": "Tinker"}))


def content(rows: list[list[object]]) -> str:
    table = {"name": "t1", "title": "Net sales", "columns": ["brand", "net_sales (money)"], "rows": rows}
    return json.dumps({"tables": [table]})


def test_rows_are_read_from_what_was_shown() -> None:
    shown = shown_in(content([["Lumina", 12.5], ["Hearth", 7]]))
    assert shown.title == "Net sales"
    assert shown.rows == ({"brand": "Lumina", "net_sales": 12.5}, {"brand": "Hearth", "net_sales": 7})


def test_a_result_cut_short_keeps_its_whole_rows() -> None:
    whole = content([["Lumina", 12.5], ["Hearth", 7], ["Tinker", 3]])
    assert [row["brand"] for row in shown_in(whole[: whole.index("Tinker")]).rows] == ["Lumina", "Hearth"]
    assert shown_in('{"error": {"code": "no_right"}}') == Shown()


@pytest.mark.capability("S231")
@pytest.mark.parametrize(
    ("said", "brand"),
    [("only the second one", "Hearth"), ("the last one by week", "Tinker"), ("number 1", "Lumina")],
)
def test_a_row_is_meant_by_its_place(said: str, brand: str) -> None:
    args = read(said, lexicon(), TODAY, Memory((SALES,), "sales by brand", shown=BRANDS)).calls[0].args
    assert args["where"] == [{"dim": "brand", "op": "eq", "values": [brand]}]


def test_a_place_that_was_not_shown_is_asked_for() -> None:
    reading = read("the ninth one", lexicon(), TODAY, Memory((SALES,), "sales by brand", shown=BRANDS))
    assert reading.status == "clarify"


def test_an_explained_case_is_meant_by_there_and_it() -> None:
    explained = Call("explain_exception", {"position": 2})
    shown = Shown("Evidence: Stoneware Mug Blue (MUG-001) at WH-N runs out in about 5 days")
    memory = Memory((explained,), "the second one", shown=shown)
    args = read("how many do we have there?", lexicon(), TODAY, memory).calls[0].args
    assert {one["dim"]: one["values"] for one in args["where"]} == {
        "item": ["MUG-001"],
        "warehouse": ["WH-N"],
    }
