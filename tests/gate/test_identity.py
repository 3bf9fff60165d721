"""Who may act: accounts, the people behind them, and what each account may do."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID, uuid4

import pytest

from erp_core.gate.contract import Executed, Refused
from erp_core.gate.credentials import load_principal
from erp_core.gate.principals import Principal
from erp_core.gate.submission import Gate
from erp_core.gate.users import CreateUser
from erp_core.storage.engine import reading

Person = Callable[..., Principal]


@pytest.fixture(autouse=True)
def _policies(gate: Gate) -> None:
    gate.install_policies()


def account(login: str, name: str, **more: object) -> CreateUser:
    return CreateUser.model_validate(
        {"user_id": uuid4(), "login": login, "person_name": name, "roles": ["planner"], **more}
    )


def principal(gate: Gate, user_id: UUID) -> Principal:
    with reading(gate.engine) as connection:
        return load_principal(connection, user_id)


@pytest.mark.capability("S205")
@pytest.mark.parametrize("written", ["Ada Lovelace", "ADA  lovelace", "Áda Lovelace"])
def test_a_second_account_of_somebody_is_refused_until_it_says_whose_it_is(
    gate: Gate, person: Person, written: str
) -> None:
    admin = person(gate, "admin")
    first = account("ada", "Ada Lovelace")
    assert isinstance(gate.submit(first, admin, key="1"), Executed)
    refused = gate.submit(account("ada2", written), admin, key="2")
    assert isinstance(refused, Refused) and refused.error.code == "namesake_exists"
    assert str(first.user_id) in refused.error.remedy

    same = account("ada2", written, person_id=first.user_id)
    other = account("ada3", written, namesake=True)
    assert isinstance(gate.submit(same, admin, key="3"), Executed)
    assert isinstance(gate.submit(other, admin, key="4"), Executed)
    assert principal(gate, same.user_id).person == principal(gate, first.user_id).person
    assert principal(gate, other.user_id).person != principal(gate, first.user_id).person


def test_an_account_cannot_belong_to_a_person_nobody_knows(gate: Gate, person: Person) -> None:
    refused = gate.submit(account("ada", "Ada", person_id=uuid4()), person(gate, "admin"), key="1")
    assert isinstance(refused, Refused) and (refused.error.code, refused.error.field) == (
        "not_found",
        "person_id",
    )


def test_an_agent_is_the_person_it_acts_for(gate: Gate, person: Person) -> None:
    planner = person(gate, "planner")
    assert gate.agent_for(planner).person == planner.person
