"""A supplier's risk class is raised at once and lowered with a manager's yes; each change keeps who and why."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest

from erp_core.gate.contract import Executed, Proposed, Refused
from erp_core.gate.queries import list_audit
from erp_core.gate.roles import ROLES, may_run
from erp_core.master.commands import SetSupplierRisk
from erp_core.master.commands.supplier_risk import lowers
from erp_core.master.queries import list_suppliers
from erp_core.storage.engine import reading
from tests.master.market import active_supplier, approve, ask
from tests.shop import Shop


def risk(shop: Shop, supplier_id: UUID) -> str:
    with reading(shop.gate.engine) as connection:
        (found,) = list_suppliers(connection, ids=[supplier_id])
    return found.risk_class


def to(supplier_id: UUID, risk_class: str, reason: str = "assessed", **fields: str) -> SetSupplierRisk:
    values = {"supplier_id": supplier_id, "risk_class": risk_class, "reason_code": reason}
    return SetSupplierRisk.model_validate(values | fields)


def test_only_a_step_down_lowers_a_risk() -> None:
    assert lowers("high", "medium") and lowers("high", "low") and lowers("medium", "low")
    assert not any(lowers(*pair) for pair in (("low", "medium"), ("medium", "high"), ("high", "high")))


@pytest.mark.capability("S5")
def test_a_suppliers_risk_is_raised_at_once_and_lowered_only_when_a_manager_agrees(shop: Shop) -> None:
    supplier_id = active_supplier(shop)
    assert risk(shop, supplier_id) == "medium"
    raised = ask(shop, to(supplier_id, "high", "finances", comment="late accounts"))
    assert isinstance(raised, Executed) and risk(shop, supplier_id) == "high"
    asked = ask(shop, to(supplier_id, "medium"))
    assert isinstance(asked, Proposed) and [one["role"] for one in asked.approvers] == ["manager"]
    assert risk(shop, supplier_id) == "high", "nothing happens before the yes"
    assert isinstance(approve(shop, asked), Executed)
    assert risk(shop, supplier_id) == "medium"


@pytest.mark.capability("S5")
def test_every_change_of_a_suppliers_risk_stays_on_record_with_who_and_why(shop: Shop) -> None:
    supplier_id = active_supplier(shop)
    shop.run(to(supplier_id, "high", "delivery", comment="three late ships"))
    approve(shop, ask(shop, to(supplier_id, "low")))
    with reading(shop.gate.engine) as connection:
        kept = list_audit(connection, command="SetSupplierRisk", outcome="executed", subject_id=supplier_id)
    assert [(one.before["risk_class"], one.after["risk_class"]) for one in reversed(kept)] == [
        ("medium", "high"),
        ("high", "low"),
    ]
    assert [one.after["reason_code"] for one in reversed(kept)] == ["delivery", "assessed"]
    assert kept[-1].payload["comment"] == "three late ships"
    assert all(one.person for one in kept)


@pytest.mark.capability("S5")
def test_a_wish_to_lower_a_risk_goes_stale_when_the_class_changed_meanwhile(shop: Shop) -> None:
    supplier_id = active_supplier(shop)
    asked = ask(shop, to(supplier_id, "low"))
    shop.run(to(supplier_id, "high", "quality"))
    outcome = approve(shop, asked)
    assert not (isinstance(outcome, Executed) and outcome.result.get("status") == "executed")
    assert risk(shop, supplier_id) == "high"


@pytest.mark.capability("S5")
def test_a_change_of_nothing_of_nobody_or_for_a_reason_in_free_words_is_refused(shop: Shop) -> None:
    supplier_id = active_supplier(shop)
    same = shop.refused(to(supplier_id, "medium"))
    assert (same.code, same.field) == ("illegal_transition", "risk_class")
    assert shop.refused(to(supplier_id, "high", "because")).code == "unknown_reason"
    nobody = ask(shop, to(uuid4(), "high"))
    assert isinstance(nobody, Refused) and nobody.error.code == "not_found"
    assert risk(shop, supplier_id) == "medium"


@pytest.mark.capability("S5")
def test_buyers_managers_and_the_administrator_change_risks_and_suppliers_never_their_own() -> None:
    assert {role for role in ROLES if may_run([role], "SetSupplierRisk")} >= {"buyer", "manager", "admin"}
    assert not any(may_run([role], "SetSupplierRisk") for role in ("supplier", "warehouse"))
