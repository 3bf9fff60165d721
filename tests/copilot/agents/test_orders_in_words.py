"""Orders as people say them: in packs, by a day, never for less than one, changed in the next sentence."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from copilot.agents.agent import Agent
from erp_core.gate.principals import Principal
from erp_core.gate.submission import Gate
from erp_core.master.model import item_units, items
from erp_core.storage.engine import reading
from tests.copilot.agents.conftest import Wares

_PROPOSE = "propose_purchase_order"


def _carton(company: Gate, wares: Wares) -> int:
    """Units in one carton of the item."""
    with reading(company.engine) as connection:
        return connection.execute(
            select(item_units.c.factor)
            .join(items, items.c.id == item_units.c.item_id)
            .where(items.c.sku == wares.item, item_units.c.unit == "carton")
        ).scalar_one()


def _quantity(answer: object) -> object:
    table = answer.tables[0]  # type: ignore[attr-defined]
    return table.rows[0][[column["name"] for column in table.columns].index("quantity")]


@pytest.mark.capability("S231")
def test_an_order_in_cartons_is_converted_by_the_items_own_carton(
    company: Gate, quartermaster: Agent, buyer: Principal, wares: Wares
) -> None:
    cartons = wares.fits
    answer = quartermaster.ask(f"order {cartons} cartons of {wares.item} from {wares.supplier_name}", buyer)
    assert answer.status == "proposed", answer.text
    assert _quantity(answer) == cartons * _carton(company, wares)


@pytest.mark.capability("S231")
def test_a_unit_that_the_item_has_no_factor_for_is_asked_back_with_options(
    quartermaster: Agent, buyer: Principal, wares: Wares
) -> None:
    answer = quartermaster.ask(f"order 2 pallets of {wares.item} from {wares.supplier_name}", buyer)
    assert (answer.status, answer.reason, answer.proposals) == ("clarify", "unknown_unit", ())
    assert [option.label for option in answer.options] == ["2 carton", "2 units"]


@pytest.mark.capability("S231")
def test_the_day_by_which_goods_are_needed_reaches_the_proposal_and_is_said(
    quartermaster: Agent, buyer: Principal, wares: Wares
) -> None:
    answer = quartermaster.ask(
        f"order {wares.fits} {wares.item} from {wares.supplier_name}, needed by end of August", buyer
    )
    assert answer.status == "proposed", answer.text
    assert answer.tools[0]["args"]["need_by"] == "2026-08-31"
    assert "needed by 2026-08-31" in answer.text
    assert answer.partial is None


@pytest.mark.capability("S231")
@pytest.mark.parametrize("said", ["-{n}", "minus {n}", "0", "2.5"])
def test_no_order_is_tried_for_less_than_one_or_for_a_part(
    said: str, quartermaster: Agent, buyer: Principal, wares: Wares
) -> None:
    answer = quartermaster.ask(f"order {said.format(n=wares.fits)} {wares.item}", buyer)
    assert (answer.status, answer.reason) == ("clarify", "invalid_quantity")
    assert answer.tools == ()
    assert answer.options
    assert answer.text.startswith("“")


@pytest.mark.capability("S231")
@pytest.mark.parametrize("day", ["31 February", "2026-01-05"])
def test_a_day_that_does_not_exist_or_has_passed_is_asked_back(
    day: str, quartermaster: Agent, buyer: Principal, wares: Wares
) -> None:
    answer = quartermaster.ask(f"order {wares.fits} {wares.item} by {day}", buyer)
    assert (answer.status, answer.reason, answer.proposals) == ("clarify", "invalid_date", ())
    assert len(answer.options) == 3


@pytest.mark.capability("S231")
def test_the_next_sentence_can_change_the_order_just_proposed(
    quartermaster: Agent, buyer: Principal, wares: Wares
) -> None:
    first = quartermaster.ask(f"order {wares.fits} {wares.item} from {wares.supplier_name}", buyer)
    changed = quartermaster.ask(f"make it {wares.fits_too}", buyer, first.conversation_id)
    assert changed.status == "proposed", changed.text
    assert _quantity(changed) == wares.fits_too
    assert changed.tools[0]["tool"] == _PROPOSE


@pytest.mark.capability("S231")
def test_an_answer_to_a_question_back_picks_one_of_its_options(
    quartermaster: Agent, buyer: Principal
) -> None:
    asked = quartermaster.ask("fill rate last month", buyer)
    assert asked.status == "clarify"
    picked = quartermaster.ask("the supplier one", buyer, asked.conversation_id)
    assert picked.query is not None
    assert picked.query["metrics"] == ["supplier_fill_rate"]


@pytest.mark.capability("S231")
@pytest.mark.parametrize(
    "question",
    [
        "fill rate last month",
        "net sales by flavour",
        "order 20 of unobtainium",
        "order something",
        "by channel",
    ],
)
def test_a_question_back_always_offers_something_to_choose(
    question: str, quartermaster: Agent, buyer: Principal
) -> None:
    answer = quartermaster.ask(question, buyer)
    assert answer.status == "clarify"
    assert answer.options
    assert len(answer.text) > len("Which one?")


@pytest.mark.capability("S231")
def test_a_running_year_is_compared_with_the_same_days_of_the_year_before(
    quartermaster: Agent, buyer: Principal
) -> None:
    answer = quartermaster.ask("are net sales up or down on last year?", buyer)
    assert answer.query is not None
    assert answer.query["compare"] == "previous_year"
    assert answer.query["period"] == {"from": "2026-01-01", "to": "2026-06-30"}


@pytest.mark.capability("S231")
def test_what_was_understood_but_has_no_place_in_the_answer_is_named(
    quartermaster: Agent, buyer: Principal
) -> None:
    answer = quartermaster.ask("net sales in May 2026 and in 2025", buyer)
    assert answer.partial is not None
    assert "in 2025" in answer.partial
