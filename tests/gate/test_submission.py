"""The one door: rights, idempotency, batches."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from uuid import uuid4

import pytest
from sqlalchemy import func, select

from erp_core.gate.commands import SetCompanyFact
from erp_core.gate.contract import Denied, Executed, Invalid, Outcome, Refused, Submission
from erp_core.gate.model import audit_entries, company, outbox, users
from erp_core.gate.principals import Principal
from erp_core.gate.queries import list_audit
from erp_core.gate.role_grants import GrantRole
from erp_core.gate.submission import Gate
from erp_core.gate.users import CreateUser
from erp_core.storage.engine import WriteBesideGate, gate_writing, reading, writing
from tests.conftest import size

Person = Callable[..., Principal]


@pytest.fixture(autouse=True)
def _policies(gate: Gate) -> None:
    gate.install_policies()


def new_user(login: str) -> CreateUser:
    return CreateUser(user_id=uuid4(), login=login, person_name=f"Ada {login}", roles=("planner",))


def count(gate: Gate, table: object) -> int:
    with reading(gate.engine) as connection:
        return connection.scalar(select(func.count()).select_from(table)) or 0


@pytest.mark.capability("S209")
def test_a_command_without_the_right_is_denied_and_audited(gate: Gate, person: Person) -> None:
    planner = person(gate, "planner")
    outcome = gate.submit(SetCompanyFact(key="name", value="Acme"), planner, key="1")
    assert isinstance(outcome, Denied)
    assert "admin" in outcome.remedy
    assert count(gate, company) == 0
    with reading(gate.engine) as connection:
        (entry,) = list_audit(connection, outcome="denied")
    assert (entry.command, entry.principal_id) == ("SetCompanyFact", planner.user_id)


def test_the_same_key_gives_the_same_outcome_and_happens_once(gate: Gate, person: Person) -> None:
    admin = person(gate, "admin")
    command = new_user("newcomer")
    first = gate.submit(command, admin, key="k")
    before = count(gate, users)
    assert gate.submit(command, admin, key="k") == first
    assert count(gate, users) == before


def test_the_same_key_with_another_payload_is_an_error(gate: Gate, person: Person) -> None:
    admin = person(gate, "admin")
    gate.submit(SetCompanyFact(key="name", value="Acme"), admin, key="k")
    outcome = gate.submit(SetCompanyFact(key="name", value="Other"), admin, key="k")
    assert isinstance(outcome, Refused)
    assert outcome.error.code == "key_reused"
    with reading(gate.engine) as connection:
        assert connection.scalar(select(company.c.value)) == "Acme"


def test_keys_of_different_people_do_not_meet(gate: Gate, person: Person) -> None:
    one, two = person(gate, "admin"), person(gate, "admin")
    assert isinstance(gate.submit(SetCompanyFact(key="name", value="A"), one, key="k"), Executed)
    assert isinstance(gate.submit(SetCompanyFact(key="name", value="B"), two, key="k"), Executed)


def test_a_refused_command_is_taken_out_of_a_batch_without_harming_the_rest(
    gate: Gate, person: Person
) -> None:
    admin = person(gate, "admin")
    twice = new_user("taken")
    batch = [new_user("first"), twice, new_user("taken"), new_user("last")]
    outcomes = gate.submit_many([Submission(one, f"k{i}") for i, one in enumerate(batch)], admin)
    assert [type(one) for one in outcomes] == [Executed, Executed, Refused, Executed]
    refused = outcomes[2]
    assert isinstance(refused, Refused) and refused.error.code == "login_taken"
    with reading(gate.engine) as connection:
        logins = set(connection.scalars(select(users.c.login)))
        entries = list_audit(connection, command="CreateUser", principal_id=admin.user_id)
    assert {"first", "taken", "last"} <= logins
    assert sorted(entry.outcome for entry in entries) == ["executed"] * 3 + ["refused"]


def test_twins_inside_one_batch_happen_once(gate: Gate, person: Person) -> None:
    admin = person(gate, "admin")
    command = new_user("twin")
    one, two = gate.submit_many([Submission(command, "k"), Submission(command, "k")], admin)
    assert isinstance(one, Executed)
    assert one == two


def test_concurrent_twins_happen_once_and_both_hear_the_same(gate: Gate, person: Person) -> None:
    admin = person(gate, "admin")
    for round_number in range(size(5, 50)):
        command = new_user(f"racer{round_number}")
        with ThreadPoolExecutor(4) as pool:
            outcomes = list(pool.map(lambda _: gate.submit(command, admin, key=command.login), range(4)))  # noqa: B023
        assert all(isinstance(one, Executed) and one == outcomes[0] for one in outcomes)


def test_an_unknown_command_or_a_malformed_payload_names_the_field(gate: Gate, person: Person) -> None:
    admin = person(gate, "admin")
    unknown = gate.submit_payload("DropTables", {}, admin, key="1")
    assert isinstance(unknown, Invalid)
    malformed = gate.submit_payload(
        "SetCompanyFact", {"key": "colour", "value": "", "extra": 1}, admin, key="2"
    )
    assert isinstance(malformed, Invalid)
    assert {error["field"] for error in malformed.errors} == {"key", "value", "extra"}


@pytest.mark.parametrize(
    "moment", ["2026-01-01T00:00:00", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"]
)
def test_a_moment_without_a_zone_or_beyond_the_calendar_is_named(
    gate: Gate, person: Person, moment: str
) -> None:
    payload = {"key": "name", "value": "Acme", "occurred_at": moment}
    outcome = gate.submit_payload("SetCompanyFact", payload, person(gate, "admin"), key="1")
    assert isinstance(outcome, Invalid)
    assert [error["field"] for error in outcome.errors] == ["occurred_at"]


def test_back_dating_needs_its_right(gate: Gate, person: Person) -> None:
    past = datetime(2026, 1, 1, tzinfo=UTC)
    manager = person(gate, "manager", "service")
    admin = person(gate, "admin")
    command = SetCompanyFact(key="name", value="Acme", occurred_at=past)
    assert isinstance(gate.submit(command, admin, key="1"), Executed)
    refused = gate.submit(
        gate.registry.get("WithdrawProposal").command(proposal_id=uuid4(), occurred_at=past),  # type: ignore[union-attr]
        manager,
        key="2",
    )
    assert isinstance(refused, Refused)
    assert refused.error.code == "backdating_not_allowed"


def test_what_policy_decides_about_is_back_dated_by_replayed_history_alone(
    gate: Gate, person: Person
) -> None:
    past = datetime(2026, 1, 1, tzinfo=UTC)
    admin, user = person(gate, "admin"), person(gate, "planner")
    refused = gate.submit(GrantRole(user_id=user.user_id, role="buyer", occurred_at=past), admin, key="1")
    assert isinstance(refused, Refused) and refused.error.code == "backdating_not_allowed"


@pytest.mark.capability("S210")
def test_names_and_password_hashes_never_reach_the_audit_log(gate: Gate, person: Person) -> None:
    admin = person(gate, "admin")
    command = CreateUser(
        user_id=uuid4(), login="ada", person_name="Ada Lovelace", roles=("planner",), password_hash="$secret$"
    )
    gate.submit(command, admin, key="1")
    with reading(gate.engine) as connection:
        texts = [str(row) for row in connection.execute(select(audit_entries))]
        texts += [str(row) for row in connection.execute(select(outbox))]
    assert not any("Lovelace" in text or "$secret$" in text for text in texts)


@pytest.mark.capability("S209")
def test_nothing_but_the_gate_can_write_a_business_table(gate: Gate) -> None:
    row = {"key": "name", "value": "hacked"}
    with pytest.raises(WriteBesideGate), writing(gate.engine) as connection:
        connection.execute(company.insert(), row)
    with pytest.raises(WriteBesideGate), gate.engine.begin() as connection:
        connection.execute(company.delete())
    assert count(gate, company) == 0


@pytest.mark.parametrize("change", ["UPDATE audit_entries SET rule = 'x'", "DELETE FROM audit_entries"])
def test_the_database_itself_refuses_to_change_the_audit_log(gate: Gate, person: Person, change: str) -> None:
    person(gate, "admin")
    with pytest.raises(Exception, match="append-only"), gate_writing(gate.engine) as connection:
        connection.exec_driver_sql(change)


@pytest.mark.capability("S206")
def test_the_currency_is_set_once_and_the_business_date_only_moves_on(gate: Gate, person: Person) -> None:
    admin = person(gate, "admin")

    def put(key: str, value: str) -> Outcome:
        return gate.submit_payload("SetCompanyFact", {"key": key, "value": value}, admin, key=f"{key}{value}")

    for key, value in (("currency", "EUR"), ("business_date", "2026-06-30"), ("business_date", "2026-07-01")):
        assert isinstance(put(key, value), Executed)
    for key, value in (("currency", "USD"), ("business_date", "2026-06-29")):
        outcome = put(key, value)
        assert isinstance(outcome, Refused) and outcome.error.code == "company_fact_stands"
    for key, value in (("currency", "euro"), ("business_date", "tomorrow")):
        assert isinstance(put(key, value), Invalid)
