"""The knowledge base: offline, fused search, citations, resolved cases."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from copilot.agents.agent import Agent
from copilot.agents.knowledge import KnowledgeBase, add_resolved_case, build_index, built_in_passages
from erp_core.gate.principals import Principal
from erp_core.gate.submission import Gate


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> KnowledgeBase:
    return build_index(tmp_path_factory.mktemp("knowledge"))


@pytest.mark.parametrize(
    ("question", "document"),
    [
        ("who may approve a purchase order above 10000", "approvals"),
        ("what happens to damaged returns", "returns"),
        ("the supplier delivered more than we ordered", "receiving"),
        ("how is safety stock determined", "planning"),
        ("can I approve my own request", "approvals"),
        ("what do I do about excess stock", "overstock"),
        ("does a write-off need approval", "stock-adjustments"),
        ("how is on-time rate measured for suppliers", "suppliers"),
    ],
)
def test_a_question_finds_the_right_document(base: KnowledgeBase, question: str, document: str) -> None:
    assert document in {one.id.partition("#")[0] for one in base.search(question, limit=3)}


def test_words_that_no_document_has_find_nothing(base: KnowledgeBase) -> None:
    assert base.search("quantum chromodynamics") == []


def test_there_are_documents_with_a_heading_for_every_passage() -> None:
    passages = built_in_passages()
    assert len({one.id.partition("#")[0] for one in passages}) >= 15
    assert len({one.id for one in passages}) == len(passages)
    assert all(one.heading and one.text for one in passages)


def test_a_resolved_case_is_found_after_the_next_build_and_is_marked_as_such(tmp_path: Path) -> None:
    build_index(tmp_path)
    add_resolved_case(tmp_path, "1", "Kettle stockout", "Moved 40 kettles from Hamburg; call jan@example.com")
    (found, *_) = build_index(tmp_path).search("kettle stockout in hamburg", limit=1)
    assert found.origin == "case" and "jan@" not in found.text


def test_a_policy_question_is_answered_with_its_source(
    base: KnowledgeBase, company: Gate, buyer: Principal
) -> None:
    answer = Agent(company, knowledge=base).ask("who may approve a purchase order above 10000?", buyer)
    assert answer.status == "answered" and "Source:" in answer.text
    assert answer.sources[0].kind == "document" and answer.sources[0].detail["text"]


def test_an_index_that_was_closed_can_be_built_anew_in_a_folder_that_was_replaced(tmp_path: Path) -> None:
    for _ in range(2):
        shutil.rmtree(tmp_path / "home", ignore_errors=True)
        built = build_index(tmp_path / "home")
        assert built.search("safety stock")
        built.close()
        assert (tmp_path / "home" / "knowledge" / "chroma.sqlite3").exists()
