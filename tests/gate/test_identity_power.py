"""Power over accounts: given by nobody alone, never to oneself, and never so that nobody is left."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from uuid import uuid4

import pytest

from erp_core.gate import credentials
from erp_core.gate.contract import Command, Denied, Executed, Outcome, Proposed, Refused
from erp_core.gate.credentials import authenticate, roles_of
from erp_core.gate.decisions import ApproveProposal
from erp_core.gate.policies.commands import default_commands
from erp_core.gate.principals import Principal
from erp_core.gate.role_grants import GrantRole, RevokeRole
from erp_core.gate.roles import POWER_ROLES
from erp_core.gate.submission import Gate
from erp_core.gate.users import CreateUser, SetUserActive
from erp_core.storage.engine import reading, writing

Person = Callable[..., Principal]
pytestmark = pytest.mark.capability("S204", "S205")


@pytest.fixture(autouse=True)
def _policies(gate: Gate) -> None:
    gate.install_policies()


def do(gate: Gate, command: Command, who: Principal) -> Outcome:
    return gate.submit(command, who, key=str(uuid4()))


def approve(gate: Gate, held: Outcome, who: Principal) -> Outcome:
    assert isinstance(held, Proposed), held
    return do(gate, ApproveProposal(proposal_id=held.proposal_id, payload_hash=held.payload_hash), who)


def code(outcome: Outcome) -> str:
    assert isinstance(outcome, Refused), outcome
    return outcome.error.code


def roles(gate: Gate, user: Principal) -> frozenset[str]:
    with reading(gate.engine) as connection:
        return roles_of(connection, user.user_id)


def test_a_role_without_power_is_given_at_once_and_one_with_power_waits_for_a_second_person(
    gate: Gate, person: Person
) -> None:
    admin, manager, buyer = person(gate, "admin"), person(gate, "manager"), person(gate, "buyer")
    assert isinstance(do(gate, GrantRole(user_id=buyer.user_id, role="planner"), admin), Executed)
    held = do(gate, GrantRole(user_id=buyer.user_id, role="finance"), admin)
    assert roles(gate, buyer) == {"buyer", "planner"}
    approve(gate, held, manager)
    assert roles(gate, buyer) == {"buyer", "planner", "finance"}
    assert isinstance(do(gate, RevokeRole(user_id=buyer.user_id, role="finance"), admin), Executed)
    assert roles(gate, buyer) == {"buyer", "planner"}


def test_before_there_is_anybody_to_ask_the_first_approver_is_made_by_the_administrator(
    gate: Gate, person: Person
) -> None:
    admin, first, second = person(gate, "admin"), person(gate, "buyer"), person(gate, "buyer")
    assert isinstance(do(gate, GrantRole(user_id=first.user_id, role="manager"), admin), Executed)
    assert isinstance(do(gate, GrantRole(user_id=second.user_id, role="manager"), admin), Proposed)


def test_nobody_gives_power_to_themself_with_whichever_account(gate: Gate, person: Person) -> None:
    admin, manager = person(gate, "admin"), person(gate, "manager")
    assert code(do(gate, GrantRole(user_id=admin.user_id, role="planner"), admin)) == "own_account"
    second = CreateUser(user_id=uuid4(), login="admins-other", person_name="other", person_id=admin.person)
    assert isinstance(do(gate, second, admin), Executed)
    assert code(do(gate, GrantRole(user_id=second.user_id, role="planner"), admin)) == "own_account"
    other_admin = person(gate, "admin")
    held = do(gate, GrantRole(user_id=manager.user_id, role="executive"), other_admin)
    outcome = approve(gate, held, manager)
    assert isinstance(outcome, Executed) and outcome.result["failed"]["code"] == "own_account"
    assert roles(gate, manager) == {"manager"}


def test_an_account_is_not_made_with_power_in_one_step(gate: Gate, person: Person) -> None:
    admin, _ = person(gate, "admin"), person(gate, "manager")
    new = CreateUser(user_id=uuid4(), login="boss", person_name="Boss", roles=("manager",))
    assert code(do(gate, new, admin)) == "personal_data_in_proposal"


def test_the_last_administrator_and_the_last_approver_stay(gate: Gate, person: Person) -> None:
    admin, manager = person(gate, "admin"), person(gate, "manager")
    for one, role in ((admin, "admin"), (manager, "manager")):
        assert code(do(gate, SetUserActive(user_id=one.user_id, active=False), admin)) == "last_of_role"
        assert code(do(gate, RevokeRole(user_id=one.user_id, role=role), admin)) == "last_of_role"
    second = person(gate, "admin")
    assert isinstance(do(gate, SetUserActive(user_id=admin.user_id, active=False), second), Executed)
    assert code(do(gate, RevokeRole(user_id=second.user_id, role="admin"), second)) == "last_of_role"


def test_a_service_account_is_nobody_who_could_take_the_last_persons_place(
    gate: Gate, person: Person
) -> None:
    admin = person(gate, "admin")
    gate.bootstrap_user("robot", ["admin"], kind="service")
    assert code(do(gate, SetUserActive(user_id=admin.user_id, active=False), admin)) == "last_of_role"


def test_keeping_somebody_out_ends_what_they_hold_and_letting_them_in_again_does_not_revive_it(
    gate: Gate, person: Person
) -> None:
    admin, planner = person(gate, "admin"), person(gate, "planner")
    now = gate.clock.now()
    with writing(gate.engine) as connection:
        tokens = [
            credentials.issue(connection, planner.user_id, "session", now),
            credentials.issue(connection, planner.user_id, "agent", now, run_id=uuid4()),
        ]
    for active in (False, True):
        assert isinstance(do(gate, SetUserActive(user_id=planner.user_id, active=active), admin), Executed)
        with reading(gate.engine) as connection:
            assert [authenticate(connection, one, gate.clock.now()) for one in tokens] == [None, None]


def test_letting_somebody_with_power_in_again_needs_a_second_person(gate: Gate, person: Person) -> None:
    admin, manager, finance = person(gate, "admin"), person(gate, "manager"), person(gate, "finance")
    assert isinstance(do(gate, SetUserActive(user_id=finance.user_id, active=False), admin), Executed)
    held = do(gate, SetUserActive(user_id=finance.user_id, active=True), admin)
    assert isinstance(approve(gate, held, manager), Executed)


def test_two_roles_that_check_each_other_are_not_one_persons_through_several_accounts(
    gate: Gate, person: Person
) -> None:
    admin, worker, manager = person(gate, "admin"), person(gate, "warehouse"), person(gate, "manager")
    second = CreateUser(user_id=uuid4(), login="second", person_name="w", person_id=worker.person)
    assert isinstance(do(gate, second, admin), Executed)
    held = do(gate, GrantRole(user_id=second.user_id, role="finance"), admin)
    outcome = approve(gate, held, manager)
    assert isinstance(outcome, Executed) and outcome.result["failed"]["code"] == "toxic_roles"
    both = CreateUser(user_id=uuid4(), login="both", person_name="B", roles=("warehouse", "finance"))
    assert code(do(gate, both, admin)) in ("toxic_roles", "personal_data_in_proposal")


def test_no_agent_changes_accounts_and_a_service_has_no_password(
    gate: Gate, person: Person, agent: Callable[[Principal], Principal]
) -> None:
    admin = person(gate, "admin")
    new = CreateUser(user_id=uuid4(), login="new", person_name="N", roles=("planner",))
    assert isinstance(do(gate, new, agent(admin)), Denied)
    service = CreateUser(
        user_id=uuid4(), login="svc", person_name="S", kind="service", password_hash="$argon2$hash"
    )
    assert code(do(gate, service, admin)) == "service_with_password"


def test_a_role_change_holds_for_the_next_request_of_an_open_session(gate: Gate, person: Person) -> None:
    admin, buyer = person(gate, "admin"), person(gate, "buyer")
    with writing(gate.engine) as connection:
        token = credentials.issue(connection, buyer.user_id, "session", gate.clock.now())
    do(gate, RevokeRole(user_id=buyer.user_id, role="buyer"), admin)
    with reading(gate.engine) as connection:
        principal = authenticate(connection, token, gate.clock.now())
    assert principal is not None and principal.roles == frozenset()


def test_every_role_that_the_first_policies_ask_for_approval_counts_as_power() -> None:
    asked = {one.role for policy in default_commands() for one in policy.approvers}
    assert asked <= POWER_ROLES


def test_a_session_idle_for_too_long_has_ended_and_a_key_in_use_has_not(gate: Gate, person: Person) -> None:
    planner = person(gate, "planner")
    now = gate.clock.now()
    with writing(gate.engine) as connection:
        token = credentials.issue(connection, planner.user_id, "session", now)
    later = now + credentials.IDLE + timedelta(seconds=1)
    with reading(gate.engine) as connection:
        assert authenticate(connection, token, now + credentials.IDLE - timedelta(seconds=1)) is not None
        assert authenticate(connection, token, later) is None
    with writing(gate.engine) as connection:
        presented = credentials.present(connection, token, now)
        assert presented is not None and not presented.is_stale(now)
        credentials.touch(connection, presented.id, later - timedelta(minutes=1))
        assert authenticate(connection, token, later) is not None
        assert authenticate(connection, token, now + credentials.LIFETIMES["session"]) is None


def test_an_account_let_in_again_does_not_bring_a_second_role_that_checks_the_first(
    gate: Gate, person: Person
) -> None:
    admin, manager, finance = person(gate, "admin"), person(gate, "manager"), person(gate, "finance")
    second = CreateUser(user_id=uuid4(), login="second", person_name="f", person_id=finance.person)
    assert isinstance(do(gate, second, admin), Executed)
    assert isinstance(do(gate, SetUserActive(user_id=finance.user_id, active=False), admin), Executed)
    approve(gate, do(gate, GrantRole(user_id=second.user_id, role="warehouse"), admin), manager)
    held = do(gate, SetUserActive(user_id=finance.user_id, active=True), admin)
    outcome = approve(gate, held, manager)
    assert isinstance(outcome, Executed) and outcome.result["failed"]["code"] == "toxic_roles"


def test_nobody_makes_an_account_with_roles_for_themself(gate: Gate, person: Person) -> None:
    admin, _ = person(gate, "admin"), person(gate, "manager")
    new = CreateUser(
        user_id=uuid4(), login="mine", person_name="Me", person_id=admin.person, roles=("buyer",)
    )
    assert code(do(gate, new, admin)) == "own_account"


def test_a_role_of_the_systems_services_is_no_persons(gate: Gate, person: Person) -> None:
    admin = person(gate, "admin")
    new = CreateUser(user_id=uuid4(), login="replay", person_name="Replay", roles=("simulator",))
    assert code(do(gate, new, admin)) == "toxic_roles"
