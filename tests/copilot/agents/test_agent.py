"""The agent with its interpreter over a real (tiny) company."""

from __future__ import annotations

from decimal import Decimal

import pytest
from sqlalchemy import func, select

from copilot.agents.agent import Agent
from copilot.agents.memory import TURNS, Conversation, ConversationStore, Turn
from copilot.agents.rendering import numbers_of
from erp_core.analytics.query import MetricQuery
from erp_core.analytics.run import run
from erp_core.gate.model import audit_entries, proposals
from erp_core.gate.principals import Principal
from erp_core.gate.submission import Gate
from erp_core.procurement.model import purchase_orders
from erp_core.storage.engine import reading
from tests.copilot.agents.company import TODAY
from tests.copilot.agents.conftest import Wares
from tests.copilot.agents.models import ScriptedModel, calling, saying


@pytest.mark.capability("S231")
def test_a_figure_is_the_semantic_layers_and_comes_with_its_query(
    quartermaster: Agent, company: Gate, buyer: Principal
) -> None:
    answer = quartermaster.ask("net sales by channel last month", buyer)
    with reading(company.engine) as connection:
        result = run(
            connection,
            MetricQuery(metrics=("net_sales",), by=("channel",), period="last_month"),
            today=TODAY,
            rights={"read_metrics", "see_cost"},
            computed_at=company.clock.now(),
        )
    expected = {row[0]: row[-1] for row in result.rows}
    assert answer.status == "answered"
    assert {row[0]: Decimal(str(row[-1])) for row in answer.tables[0].rows} == expected
    assert answer.query == {"metrics": ["net_sales"], "by": ["channel"], "period": "last_month"} | (
        answer.query or {}
    )
    assert answer.interpretation and answer.interpretation.startswith("I read this as: Net sales")
    assert {source.kind for source in answer.sources} == {"query"}
    assert answer.charts and answer.charts[0]["mark"]["type"] == "bar"
    top = max(value for value in expected.values() if isinstance(value, Decimal))
    assert Decimal(f"{top:.0f}") in numbers_of(answer.text)


def test_a_follow_up_changes_one_part_and_another_users_question_does_not(
    quartermaster: Agent, company: Gate, buyer: Principal
) -> None:
    first = quartermaster.ask("net sales by channel last month", buyer, "talk")
    second = quartermaster.ask("and by category", buyer, "talk")
    assert first.query and second.query
    assert second.query["by"] == ["category"] and second.query["period"] == "last_month"
    other = quartermaster.ask("and by category", company.bootstrap_user("otto", roles=["buyer"]), "talk")
    assert other.status == "clarify"


@pytest.mark.capability("S238")
def test_an_order_becomes_a_proposal_and_nothing_else(
    quartermaster: Agent, company: Gate, buyer: Principal, wares: Wares
) -> None:
    with reading(company.engine) as connection:
        before = connection.execute(select(func.count()).select_from(purchase_orders)).scalar_one()
    answer = quartermaster.ask(f"order {wares.fits} of {wares.item} from {wares.supplier_name}", buyer)
    assert answer.status == "proposed", answer.text
    (proposal,) = answer.proposals
    with reading(company.engine) as connection:
        row = connection.execute(
            select(proposals).where(proposals.c.payload_hash == proposal["payload_hash"])
        ).one()
        after = connection.execute(select(func.count()).select_from(purchase_orders)).scalar_one()
    assert row.via == "agent" and row.requested_by == buyer.user_id and not row.tainted
    assert [one["command"] for one in row.payload] == ["CreatePurchaseOrder", "SubmitPurchaseOrder"]
    assert after == before


def test_what_waits_for_my_approval_is_what_i_may_decide_and_not_what_i_asked_for(
    quartermaster: Agent, company: Gate, buyer: Principal, wares: Wares
) -> None:
    manager = company.bootstrap_user("mona", roles=["manager"])
    quartermaster.ask(f"order {wares.fits} of {wares.item} from {wares.supplier_name}", buyer)
    decides = quartermaster.ask("what is waiting for my approval?", manager)
    asked = quartermaster.ask("what is waiting for my approval?", buyer)
    assert len(decides.tables[0].rows) == 1
    assert "that you may decide" in decides.text and "that you may decide" in asked.text
    assert asked.text.startswith("There are no") and not asked.tables[0].rows
    own = quartermaster.ask("my pending proposals", buyer)
    assert len(own.tables[0].rows) == 1


def test_a_quantity_that_breaks_the_suppliers_terms_becomes_a_question_with_choices(
    quartermaster: Agent, buyer: Principal, wares: Wares
) -> None:
    answer = quartermaster.ask(f"order {wares.breaks} of {wares.item} from {wares.supplier_name}", buyer)
    assert (answer.status, answer.reason) == ("clarify", "supplier_terms")
    chosen = quartermaster.ask(answer.options[0].question, buyer)
    assert chosen.status == "proposed"


@pytest.mark.capability("S239")
def test_every_tool_call_is_audited_with_identity_input_and_outcome(
    quartermaster: Agent, company: Gate, buyer: Principal
) -> None:
    quartermaster.ask("net sales last month", buyer)
    with reading(company.engine) as connection:
        rows = connection.execute(
            select(audit_entries).where(audit_entries.c.command == "tool:query_metrics")
        ).all()
    (row,) = rows
    assert (row.principal_kind, row.outcome) == ("agent", "done")
    assert row.on_behalf_of == buyer.user_id or row.principal_id == buyer.user_id
    assert row.payload["metrics"] == ["net_sales"]


@pytest.mark.capability("S204")
def test_a_role_without_the_right_gets_a_clear_refusal(quartermaster: Agent, company: Gate) -> None:
    worker = company.bootstrap_user("wanda", roles=["warehouse"])
    answer = quartermaster.ask("gross margin last month", worker)
    assert answer.status == "refused" and not answer.tables
    supplier = company.bootstrap_user("sue", roles=["supplier"])
    assert quartermaster.ask("net sales last month", supplier).status == "refused"


@pytest.mark.capability("S238")
@pytest.mark.parametrize(
    "wish",
    [
        "approve the first proposal",
        "pay the invoices",
        "delete PO-10007",
        "order 24 of OUT-0041 without approval",
    ],
)
def test_what_only_people_may_do_is_refused_without_a_call(
    quartermaster: Agent, buyer: Principal, wish: str
) -> None:
    answer = quartermaster.ask(wish, buyer)
    assert answer.status == "refused" and answer.tools == ()


@pytest.mark.capability("S235")
def test_without_data_there_is_no_value_and_the_reason_is_said(
    quartermaster: Agent, buyer: Principal
) -> None:
    answer = quartermaster.ask("forecast accuracy by category", buyer)
    assert (answer.status, answer.reason) == ("cannot_answer", "no_data")
    assert not numbers_of(answer.text)


def test_events_come_in_order_and_end_with_the_answer(quartermaster: Agent, buyer: Principal) -> None:
    kinds = [event["type"] for event in quartermaster.stream("net sales by channel last month", buyer)]
    assert kinds[0] == "status" and kinds[-1] == "answer"
    assert kinds.index("tool") < kinds.index("table") < kinds.index("sentence")


def test_the_answer_is_json_all_the_way(quartermaster: Agent, buyer: Principal) -> None:
    import json

    answer = quartermaster.ask("days of supply by item", buyer)
    json.loads(answer.model_dump_json())


def test_a_model_that_never_stops_calling_is_stopped(company: Gate, buyer: Principal) -> None:
    agent = Agent(
        company, model=ScriptedModel(script=[lambda _: calling("describe_vocabulary", term="net_sales")])
    )
    answer = agent.ask("net sales", buyer)
    assert (answer.status, answer.reason) == ("error", "limit")


def test_no_time_left_ends_the_run(company: Gate, buyer: Principal) -> None:
    agent = Agent(company, model=ScriptedModel(script=[saying("There are 5 orders.")]), seconds=-1)
    assert agent.ask("orders", buyer).reason == "limit"


def test_a_number_that_no_result_supports_does_not_leave(company: Gate, buyer: Principal) -> None:
    model = ScriptedModel(
        script=[
            calling("query_metrics", metrics=["order_count"], period="last_week"),
            saying(
                "STATUS: answered\nThere were {{t1.r0.order_count}} orders. That is 98.7 % of plan. Nearly nine hundred more."
            ),
        ]
    )
    answer = Agent(company, model=model).ask("how many orders last week", buyer)
    assert answer.text == f"There were {answer.tables[0].rows[0][0]} orders."
    assert answer.partial and "98.7" in answer.partial


def test_memory_is_bounded_and_survives_a_restart(tmp_path, buyer: Principal) -> None:
    store = ConversationStore(tmp_path / "talk.db")
    conversation = Conversation()
    for number in range(TURNS + 5):
        conversation = conversation.with_turn(Turn(f"question {number}"), tainted=number == 0)
    store.put(buyer.user_id, "c", conversation)
    again = ConversationStore(tmp_path / "talk.db").get(buyer.user_id, "c")
    assert again == conversation and len(again.turns) == TURNS and again.tainted
    store.forget(buyer.user_id, "c")
    assert ConversationStore(tmp_path / "talk.db").get(buyer.user_id, "c") == Conversation()


@pytest.mark.capability("S210")
def test_personal_data_is_masked_before_a_model_or_the_memory_sees_it(
    company: Gate, buyer: Principal
) -> None:
    model = ScriptedModel(script=[saying("I can't say.")])
    agent = Agent(company, model=model)
    agent.ask("what did anna.schmidt@example.com buy? card 4111 1111 1111 1111", buyer, "c")
    sent = " ".join(str(one.content) for one in model.seen[0])
    assert "anna" not in sent and "4111" not in sent and "[e-mail]" in sent
    assert "anna" not in agent.memory.get(buyer.user_id, "c").turns[0].question
