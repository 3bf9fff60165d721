"""API keys: a hash, a scope, an end; and nothing beyond what the owner may do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import select

from erp_core.gate.api_keys import IssueKey, RevokeKey, RotateKey
from erp_core.gate.commands import SetCompanyFact
from erp_core.gate.contract import Command, Denied, Executed, Outcome, Proposed, Refused
from erp_core.gate.credentials import (
    list_credentials,
    new_token,
    present,
    token_hash,
    token_prefix,
    touch,
)
from erp_core.gate.decisions import ApproveProposal
from erp_core.gate.model import audit_entries, credentials, idempotency_keys, outbox
from erp_core.gate.principals import Principal, Scope
from erp_core.gate.requirements import via_of
from erp_core.gate.role_grants import RevokeRole
from erp_core.gate.roles import RIGHTS
from erp_core.gate.submission import Gate
from erp_core.gate.users import CreateUser
from erp_core.storage.engine import reading, writing

Person = Callable[..., Principal]
pytestmark = pytest.mark.capability("S204")


@pytest.fixture(autouse=True)
def _policies(gate: Gate) -> None:
    gate.install_policies()


def do(gate: Gate, command: Command, who: Principal) -> Outcome:
    return gate.submit(command, who, key=str(uuid4()))


def key_for(gate: Gate, owner: Principal, **more: object) -> tuple[str, IssueKey]:
    token = new_token("key")
    fields = {
        "key_id": uuid4(),
        "user_id": owner.user_id,
        "key_name": "nightly feed",
        "token_hash": token_hash(token),
        "prefix": token_prefix(token),
        "expires_at": gate.clock.now() + timedelta(days=30),
    }
    return token, IssueKey.model_validate(fields | more)


def holder(gate: Gate, token: str, after: timedelta = timedelta(0)) -> Principal | None:
    with reading(gate.engine) as connection:
        presented = present(connection, token, gate.clock.now() + after)
    return None if presented is None else presented.principal


def code(outcome: Outcome) -> str:
    assert isinstance(outcome, Refused), outcome
    return outcome.error.code


def test_a_key_may_do_what_its_scope_names_and_nothing_else(gate: Gate, person: Person) -> None:
    admin = person(gate, "admin")
    token, command = key_for(gate, admin, commands=["SetCompanyFact"], rights=["read_records"])
    assert isinstance(do(gate, command, admin), Executed)
    key = holder(gate, token)
    assert key is not None
    assert key.kind == "service" and key.scope == Scope(
        frozenset({"SetCompanyFact"}), frozenset({"read_records"})
    )
    assert key.rights == {"read_records"}
    assert isinstance(do(gate, SetCompanyFact(key="name", value="Acme"), key), Executed)
    denied = do(gate, CreateUser(user_id=uuid4(), login="x1", person_name="X"), key)
    assert isinstance(denied, Denied) and "no API key" in denied.remedy


def test_a_key_loses_what_its_owner_loses(gate: Gate, person: Person) -> None:
    admin, _ = person(gate, "admin"), person(gate, "admin")
    owner = person(gate, "admin", "planner")
    token, command = key_for(gate, owner, commands=["SetCompanyFact"], rights=["see_cost"])
    assert isinstance(do(gate, command, owner), Executed)
    do(gate, RevokeRole(user_id=owner.user_id, role="admin"), admin)
    key = holder(gate, token)
    assert key is not None and key.rights == {"see_cost"}
    assert isinstance(do(gate, SetCompanyFact(key="name", value="Acme"), key), Denied)


@pytest.mark.parametrize(
    "beyond", ["ApproveProposal", "CreateUser", "IssueKey", "ChangePassword", "SetBudget"]
)
def test_no_scope_has_decisions_accounts_or_what_the_owner_may_not_do(
    gate: Gate, person: Person, beyond: str
) -> None:
    admin = person(gate, "admin")
    _, command = key_for(gate, admin, commands=[beyond])
    assert code(do(gate, command, admin)) == "scope_too_wide"


@pytest.mark.capability("S238")
def test_a_key_for_an_agent_proposes_what_its_owner_could_do_at_once(gate: Gate, person: Person) -> None:
    admin = person(gate, "admin")
    scope = {"commands": ["SetCompanyFact"], "rights": ["read_records"]}
    token, command = key_for(gate, admin, agent=True, **scope)
    assert isinstance(do(gate, command, admin), Executed)
    key = holder(gate, token)
    assert key is not None and key.is_agent and key.run_id == command.key_id
    assert via_of(key) == "agent" and key.rights == {"read_records"}
    assert isinstance(do(gate, SetCompanyFact(key="name", value="Acme"), key), Proposed)
    rotation = RotateKey(
        key_id=command.key_id, new_key_id=uuid4(), token_hash=token_hash("next"), prefix="next-one"
    )
    assert isinstance(do(gate, rotation, admin), Executed)
    renewed = holder(gate, "next")
    assert renewed is not None and renewed.is_agent


@pytest.mark.parametrize("kept", ["see_customers", "export", "backdate", "run_jobs"])
def test_no_key_for_an_agent_has_what_is_kept_from_agents(gate: Gate, person: Person, kept: str) -> None:
    owner = person(gate, next(role for role, rights in RIGHTS.items() if kept in rights))
    _, command = key_for(gate, owner, agent=True, rights=[kept])
    assert code(do(gate, command, owner)) == "scope_too_wide"


def test_even_a_key_whose_stored_scope_was_widened_decides_nothing(gate: Gate, person: Person) -> None:
    admin = person(gate, "admin")
    widened = Principal(
        "service",
        admin.user_id,
        admin.login,
        admin.roles,
        scope=Scope(frozenset({"ApproveProposal"}), frozenset()),
    )
    decision = ApproveProposal(proposal_id=uuid4(), payload_hash="0" * 64)
    assert isinstance(do(gate, decision, widened), Denied)


def test_nobody_gets_a_key_of_another_person_and_a_services_key_with_power_needs_a_second_person(
    gate: Gate, person: Person
) -> None:
    admin, manager, planner = person(gate, "admin"), person(gate, "manager"), person(gate, "planner")
    _, stolen = key_for(gate, planner, rights=["read_records"])
    assert code(do(gate, stolen, admin)) == "not_your_account"
    _, others = key_for(gate, admin, rights=["read_records"])
    assert code(do(gate, others, planner)) == "not_your_account"

    feed = gate.bootstrap_user("feed", ["admin"], kind="service")
    token, wanted = key_for(gate, feed, commands=["SetCompanyFact"])
    held = do(gate, wanted, admin)
    assert isinstance(held, Proposed) and holder(gate, token) is None
    do(gate, ApproveProposal(proposal_id=held.proposal_id, payload_hash=held.payload_hash), manager)
    assert holder(gate, token) is not None


def test_every_key_ends_within_the_longest_life(gate: Gate, person: Person) -> None:
    planner = person(gate, "planner")
    now = gate.clock.now()
    for moment in (now + timedelta(days=366), now - timedelta(seconds=1)):
        _, command = key_for(gate, planner, rights=["see_cost"], expires_at=moment)
        assert code(do(gate, command, planner)) == "lifetime_too_long"
    token, command = key_for(gate, planner, rights=["see_cost"])
    do(gate, command, planner)
    assert holder(gate, token, timedelta(days=29)) is not None
    assert holder(gate, token, timedelta(days=31)) is None


def test_a_rotated_key_goes_on_under_a_new_secret_and_a_revoked_one_ends_at_once(
    gate: Gate, person: Person
) -> None:
    planner = person(gate, "planner")
    token, command = key_for(gate, planner, rights=["see_cost"])
    do(gate, command, planner)
    fresh, new_id = new_token("key"), uuid4()
    rotation = RotateKey(
        key_id=command.key_id,
        new_key_id=new_id,
        token_hash=token_hash(fresh),
        prefix=token_prefix(fresh),
        overlap_hours=2,
    )
    assert isinstance(do(gate, rotation, planner), Executed)
    assert holder(gate, token) == holder(gate, fresh)
    assert holder(gate, token, timedelta(hours=3)) is None
    assert isinstance(do(gate, RevokeKey(key_id=new_id), planner), Executed)
    assert holder(gate, fresh) is None
    assert code(do(gate, RevokeKey(key_id=new_id), planner)) == "not_found"


def test_a_list_of_keys_shows_how_to_recognise_them_and_when_they_were_used(
    gate: Gate, person: Person
) -> None:
    planner = person(gate, "planner")
    token, command = key_for(gate, planner, rights=["see_cost"])
    do(gate, command, planner)
    used = gate.clock.now() + timedelta(hours=2)
    with writing(gate.engine) as connection:
        presented = present(connection, token, used)
        assert presented is not None and presented.is_stale(used)
        touch(connection, presented.id, used)
    with reading(gate.engine) as connection:
        (one,) = list_credentials(connection, used, kinds=frozenset({"key"}), user_id=planner.user_id)
    assert (one.name, one.last_used_at) == ("nightly feed", used)
    assert token.startswith(one.prefix) and len(one.prefix) < 16


def test_the_secret_is_stored_nowhere(gate: Gate, person: Person) -> None:
    planner = person(gate, "planner")
    token, command = key_for(gate, planner, rights=["see_cost"])
    do(gate, command, planner)
    with reading(gate.engine) as connection:
        texts = [
            str(row)
            for table in (credentials, audit_entries, outbox, idempotency_keys)
            for row in connection.execute(select(table))
        ]
    assert any(token_hash(token) in text for text in texts)
    assert not any(token in text or token[len(token_prefix(token)) :] in text for text in texts)


def test_an_agents_token_makes_no_key(gate: Gate, person: Person, agent: Callable[..., Principal]) -> None:
    planner = person(gate, "planner")
    _, command = key_for(gate, planner, rights=["see_cost"])
    assert isinstance(do(gate, command, agent(planner)), Denied)


def test_a_new_secret_for_the_key_of_a_service_with_power_waits_like_the_key(
    gate: Gate, person: Person
) -> None:
    admin, _ = person(gate, "admin"), person(gate, "manager")
    robot = gate.bootstrap_user("robot", ["warehouse"], kind="service")
    _, command = key_for(gate, robot, commands=["ReceiveGoods"])
    gate._set_up(command)
    fresh = new_token("key")
    rotation = RotateKey(
        key_id=command.key_id,
        new_key_id=uuid4(),
        token_hash=token_hash(fresh),
        prefix=token_prefix(fresh),
    )
    assert isinstance(do(gate, rotation, admin), Proposed)
    assert holder(gate, fresh) is None
    assert code(do(gate, rotation.model_copy(update={"key_id": uuid4()}), admin)) == "not_found"


def test_a_session_that_the_provider_narrowed_makes_no_wider_key(gate: Gate, person: Person) -> None:
    both = person(gate, "planner", "buyer")
    narrowed = replace(both, roles=frozenset({"planner"}))
    _, command = key_for(gate, both, commands=["SendPurchaseOrder"])
    assert code(do(gate, command, narrowed)) == "scope_too_wide"


def test_to_policy_a_persons_key_is_the_person_and_a_services_key_a_service(
    gate: Gate, person: Person
) -> None:
    buyer, robot = person(gate, "buyer"), gate.bootstrap_user("robot", ["buyer"], kind="service")
    for owner, by, via in ((buyer, buyer, "person"), (robot, person(gate, "admin"), "service")):
        token, command = key_for(gate, owner, rights=["see_cost"])
        assert isinstance(do(gate, command, by), Executed)
        presented = holder(gate, token)
        assert presented is not None and via_of(presented) == via
