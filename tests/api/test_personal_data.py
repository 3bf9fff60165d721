"""Names and addresses stay where they can be erased: no command lets one into the log, a proposal, a key or an event."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, get_args
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel
from sqlalchemy import Text, cast, select

from api.composition import make_registry
from erp_core.gate.audit import Sealer
from erp_core.gate.contract import Command, Executed, Refused, Registry
from erp_core.gate.erasure import EraseUser
from erp_core.gate.model import audit_entries, idempotency_keys, outbox, proposals, users
from erp_core.gate.principals import Principal
from erp_core.gate.queries import list_audit
from erp_core.gate.sign_in import LinkIdentity
from erp_core.gate.submission import Gate
from erp_core.gate.users import SetUserActive
from erp_core.orders.commands import EraseCustomer, RegisterCustomer
from erp_core.orders.model import customers
from erp_core.storage.engine import reading

SECRET = "Zoë Quist-Andersen"
ABOUT_PEOPLE = ("person_name", "customer_name", "email", "phone", "address", "street", "contact", "iban")
FROM_OUTSIDE = {"body", "comment"}
OF_STAFF = {
    f"{name}.comment"
    for name in (
        *("AdjustStock", "ReverseStock", "ReverseReceipt", "BlockSupplier", "SendBackSupplier"),
        "SetSupplierRisk",
        "ReturnToVendor",
        *("CancelOrder", "CreditOrder", "CancelPurchaseOrder", "ClosePurchaseOrder"),
        *("HoldOrder", "HoldStock", "ReleaseHold", "RecallLot", "ChangePurchaseOrder", "AwardQuotation"),
        *("AcceptSupplierInvoice", "DisputeSupplierInvoice", "RejectSupplierInvoice"),
    )
}


def every_command(gate: Gate) -> dict[str, type[Command]]:
    return {name: gate.registry.require(name).command for name in gate.registry.names()}


def texts_of(model: type[BaseModel]) -> Iterator[str]:
    """The names of the fields that take text, also of the lines inside."""
    for name, field in model.model_fields.items():
        kinds = [field.annotation]
        while kinds:
            kind = kinds.pop()
            kinds += get_args(kind)
            if kind is str:
                yield name
            elif isinstance(kind, type) and issubclass(kind, BaseModel):
                yield from texts_of(kind)


@pytest.mark.capability("S210")
def test_every_field_that_names_a_person_or_comes_from_outside_is_declared(sqlite_gate: Gate) -> None:
    found = set()
    for name, command in every_command(sqlite_gate).items():
        decisions = {"ApproveProposal", "RejectProposal", "SendBackProposal", "CompleteReview"}
        for field in texts_of(command):
            if field in ABOUT_PEOPLE and field not in command.personal:
                found.add(f"{name}.{field}")
            known = field in command.untrusted or f"{name}.{field}" in OF_STAFF or name in decisions
            if field in FROM_OUTSIDE and not known:
                found.add(f"{name}.{field}")
    assert found == set()


@pytest.mark.capability("S210")
@given(told=st.text(min_size=8, max_size=40).filter(lambda text: text.strip() and not text.isdigit()))
def test_what_is_declared_personal_or_from_outside_is_never_recorded(told: str) -> None:
    registry: Registry = make_registry()
    declared = 0
    for name in registry.names():
        command = registry.require(name).command
        for field in command.personal | command.untrusted:
            made = command.model_construct(**{field: told})
            assert told not in str(made.recorded())
            assert field in made.unrecorded()
            declared += 1
    assert declared >= 4


def traces(gate: Gate, wanted: str) -> list[str]:
    """Where the text stands, of all that outlives an erasure."""
    found = []
    with reading(gate.engine) as connection:
        for table in (audit_entries, idempotency_keys, outbox, proposals):
            for column in table.columns:
                if connection.scalar(
                    select(column).where(cast(column, Text).contains(wanted, autoescape=True)).limit(1)
                ):
                    found.append(f"{table.name}.{column.name}")
    return found


@pytest.mark.capability("S207", "S210")
def test_a_user_is_erased_and_the_log_stays_intact(
    gate: Gate, person: Callable[..., Principal], tmp_path: Path
) -> None:
    gate.install_policies()
    admin = person(gate, "admin")
    gone = gate.bootstrap_user("zoe", ("planner",), name=SECRET)
    link = LinkIdentity(user_id=gone.user_id, issuer="https://id.example", subject_id="zoe")
    assert isinstance(gate.submit(link, admin, key="0"), Executed)
    sealer = Sealer(gate.engine, tmp_path)
    sealer.seal(gate.clock.now())
    refused = gate.submit(EraseUser(user_id=gone.user_id), admin, key="1")
    assert isinstance(refused, Refused) and refused.error.code == "still_active"
    out = gate.submit(SetUserActive(user_id=gone.user_id, active=False), admin, key="2")
    assert isinstance(out, Executed), out
    assert isinstance(gate.submit(EraseUser(user_id=gone.user_id), admin, key="3"), Executed)
    sealer.seal(gate.clock.now())
    assert sealer.verify().findings == ()
    assert traces(gate, SECRET) == []
    with reading(gate.engine) as connection:
        row = connection.execute(select(users).where(users.c.id == gone.user_id)).one()
        assert (row.name, row.password_hash, row.subject) == ("erased", None, None) and "zoe" not in row.login
        assert {one.person for one in list_audit(connection, subject_id=gone.user_id)} >= {admin.login}


@pytest.mark.capability("S207", "S210")
def test_a_customer_is_erased_and_the_log_stays_intact(
    gate: Gate, person: Callable[..., Principal], tmp_path: Path
) -> None:
    admin = person(gate, "admin")
    customer_id = uuid4()
    command = RegisterCustomer(
        customer_id=customer_id, code="C-1", country="NL", customer_name=SECRET, email="zoe@example.org"
    )
    assert isinstance(gate.submit(command, admin, key="1"), Executed)
    outcome: Any = gate.submit(EraseCustomer(customer_id=customer_id), admin, key="2")
    assert isinstance(outcome, Executed)
    missing = gate.submit(EraseCustomer(customer_id=uuid4()), admin, key="3")
    assert isinstance(missing, Refused) and missing.error.code == "not_found"
    sealer = Sealer(gate.engine, tmp_path)
    sealer.seal(gate.clock.now())
    assert sealer.verify().findings == ()
    assert traces(gate, SECRET) == [] and traces(gate, "zoe@example.org") == []
    with reading(gate.engine) as connection:
        row = connection.execute(select(customers).where(customers.c.id == customer_id)).one()
        assert (row.name, row.email, row.country) == (None, None, "NL")
        entry = list_audit(connection, command="EraseCustomer", outcome="executed", subject_id=customer_id)[0]
        assert entry.before == {"erased": False} and entry.after == {"erased": True}
