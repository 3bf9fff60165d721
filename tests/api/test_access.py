"""Getting in and staying in over HTTP: log-in, lock-out, sessions, passwords, keys, and the log of refusals."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy import Engine, update
from starlette.testclient import TestClient

from api.company import Company
from api.composition import make_gate
from erp_core.clock import Clock
from erp_core.gate import credentials
from erp_core.gate.audit.sealing import Sealer
from erp_core.gate.model import credentials as credential_rows
from erp_core.gate.passwords import WeakPassword, hash_password, require_strong
from erp_core.gate.queries import list_audit
from erp_core.settings import Settings
from erp_core.storage.engine import reading, writing
from tests.api.conftest import User, app_over
from tests.conftest import DELIBERATELY_SLOW_HASHER, TODAY

PASSWORD = "seven green lanterns"
HASH = hash_password(PASSWORD)
ROLES = ("admin", "manager", "planner", "warehouse")
pytestmark = pytest.mark.capability("S204")


@pytest.fixture
def company(sqlite_engine: Engine, tmp_path: Path) -> Company:
    clock = Clock(fixed_business_date=TODAY)
    gate = make_gate(sqlite_engine, clock, home=tmp_path)
    gate.install_policies()
    for role in ROLES:
        gate.bootstrap_user(role, [role], password_hash=HASH)
    return Company(Settings(home=tmp_path), sqlite_engine, clock, gate, Sealer(sqlite_engine, tmp_path))


@pytest.fixture
def http(company: Company) -> Iterator[TestClient]:
    with TestClient(app_over(company)) as client:
        yield client


def user(http: TestClient, login: str, password: str = PASSWORD) -> User:
    return User(http, login, password)


def try_to(http: TestClient, login: str, password: str = "wrong") -> httpx.Response:
    return http.post("/api/v1/auth/login", json={"login": login, "password": password})


def id_of(admin: User, login: str) -> str:
    users: Any = admin.get("/users")
    return next(str(one["id"]) for one in users if one["login"] == login)


def test_who_is_locked_out_hears_until_when_and_an_administrator_lets_them_try_again(
    http: TestClient,
) -> None:
    for _ in range(10):
        assert try_to(http, "planner").status_code == 401
    locked = try_to(http, "planner", PASSWORD)
    assert locked.status_code == 429 and 0 < int(locked.headers["retry-after"]) <= 61
    assert datetime.fromisoformat(locked.json()["details"]["until"]) and "UTC" in locked.json()["remedy"]
    admin = user(http, "admin")
    admin.post("/commands/UnlockLogin", {"user_id": id_of(admin, "planner")})
    assert try_to(http, "planner", PASSWORD).status_code == 200


def test_an_unknown_login_is_refused_and_locked_like_a_known_one(http: TestClient) -> None:
    answers = [[try_to(http, login) for _ in range(11)] for login in ("planner", "nobody-here")]
    plain = [[(one.status_code, one.json()["code"], one.json()["detail"]) for one in row] for row in answers]
    assert plain[0] == plain[1] and plain[0][-1][0] == 429


def test_log_ins_are_audited_a_failed_one_without_what_was_tried(http: TestClient, company: Company) -> None:
    try_to(http, "planner", "a secret guess")
    try_to(http, "my-password-in-the-wrong-field", "x")
    planner = user(http, "planner")
    planner.post("/auth/logout", expect=204)
    with reading(company.engine) as connection:
        ins = list_audit(connection, command="LogIn")
        (out,) = list_audit(connection, command="LogOut")
    done, unknown, wrong = ins
    assert (done.outcome, done.subject_id) == ("executed", out.subject_id)
    assert (wrong.outcome, wrong.subject_id) == ("denied", out.subject_id)
    assert unknown.payload["login_sha256"] == sha256(b"my-password-in-the-wrong-field").hexdigest()
    assert not any("guess" in str(one) or "wrong-field" in str(one) for one in ins)


def test_a_flood_of_failed_log_ins_is_counted_but_not_written_one_by_one(
    http: TestClient, company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.log_in.AUDITED_FAILURES", 3)
    for number in range(6):
        try_to(http, f"somebody-{number}")
    with reading(company.engine) as connection:
        assert len(list_audit(connection, command="LogIn", outcome="denied")) == 3
    admin = user(http, "admin")
    found: Any = admin.get("/refusals")
    assert sum(one["times"] for one in found if one["kind"] == "login") == 6


def test_who_was_turned_away_where_is_on_record(http: TestClient) -> None:
    warehouse = user(http, "warehouse")
    warehouse.get("/audit", expect=403)
    assert http.get("/api/v1/items", headers={"Authorization": "Bearer forged"}).status_code == 401
    admin = user(http, "admin")
    http.app.state.refusal_log.flush()  # type: ignore[attr-defined]
    found: Any = admin.get("/refusals")
    seen = {(one["kind"], one["login"], one["place"]) for one in found}
    assert ("denied", "warehouse", "GET /api/v1/audit") in seen
    assert ("unauthenticated", None, "GET /api/v1/items") in seen
    warehouse.get("/refusals", expect=403)


def test_ones_sessions_are_listed_and_ended_one_by_one_or_all(http: TestClient) -> None:
    here, there, elsewhere = (user(http, "planner") for _ in range(3))
    found: Any = here.get("/auth/sessions")
    assert len(found) == 3 and [one["current"] for one in found].count(True) == 1
    mine: Any = there.get("/me")
    here.post(f"/auth/sessions/{mine['credential_id']}/end")
    there.get("/me", expect=401)
    elsewhere.get("/me")
    here.post("/auth/logout-everywhere")
    for one in (here, elsewhere):
        one.get("/me", expect=401)


def test_nobody_ends_anothers_session_but_an_administrator(http: TestClient) -> None:
    planner, warehouse, admin = (user(http, one) for one in ("planner", "warehouse", "admin"))
    target = {"user_id": id_of(admin, "planner")}
    assert warehouse.post("/commands/EndSessions", target, expect=409)["code"] == "not_your_account"
    mine: Any = planner.get("/me")
    assert warehouse.post(f"/auth/sessions/{mine['credential_id']}/end")["result"] == {"ended": 0}
    planner.get("/me")
    admin.post("/commands/EndSessions", target)
    planner.get("/me", expect=401)


def test_a_session_unused_for_too_long_has_ended(http: TestClient, company: Company) -> None:
    planner = user(http, "planner")
    past = company.clock.now() - company.settings.session_idle - timedelta(seconds=1)
    with writing(company.engine) as connection:
        connection.execute(update(credential_rows).values(last_used_at=past))
    planner.get("/me", expect=401)


def test_use_is_written_down_now_and_then_and_not_at_each_request(http: TestClient, company: Company) -> None:
    planner = user(http, "planner")

    def last_used() -> datetime:
        with reading(company.engine) as connection:
            presented = credentials.present(connection, planner.token, company.clock.now())
        assert presented is not None
        return presented.last_used_at

    first = last_used()
    planner.get("/me")
    assert last_used() == first
    with writing(company.engine) as connection:
        connection.execute(update(credential_rows).values(last_used_at=first - timedelta(minutes=6)))
    planner.get("/me")
    assert last_used() >= first


def test_a_password_is_changed_with_the_old_one_and_all_other_sessions_end(http: TestClient) -> None:
    here, there = user(http, "planner"), user(http, "planner")
    body = {"password": "not it", "new_password": "nine amber umbrellas"}
    assert here.post("/auth/password", body, expect=403)["code"] == "wrong_password"
    weak = here.post("/auth/password", {"password": PASSWORD, "new_password": "planner2026"}, expect=409)
    assert weak["code"] == "weak_password"
    here.post("/auth/password", {**body, "password": PASSWORD})
    here.get("/me")
    there.get("/me", expect=401)
    assert try_to(http, "planner", PASSWORD).status_code == 401
    user(http, "planner", "nine amber umbrellas")


def test_guessing_the_present_password_in_an_open_session_locks_too(http: TestClient) -> None:
    planner = user(http, "planner")
    body = {"password": "not it", "new_password": "nine amber umbrellas"}
    answers = [planner.post("/auth/password", body, expect=status) for status in (*[403] * 10, 429)]
    assert answers[-1]["code"] == "too_many_attempts"


def test_nobody_sets_anothers_password(http: TestClient) -> None:
    admin = user(http, "admin")
    body = {"user_id": id_of(admin, "planner"), "password_hash": HASH}
    assert admin.post("/commands/ChangePassword", body, expect=422)["code"] == "invalid"


def test_a_password_hashed_elsewhere_is_taken_from_nobody(http: TestClient) -> None:
    admin = user(http, "admin")
    own = {"user_id": id_of(admin, "admin"), "password_hash": HASH}
    new = {"user_id": str(uuid4()), "login": "new", "person_name": "New", "password_hash": HASH}
    for command, payload in (("ChangePassword", own), ("CreateUser", new)):
        assert admin.post(f"/commands/{command}", payload, expect=422)["code"] == "invalid"
        plan = {"title": "p", "reason": "r", "commands": [{"command": command, "payload": payload}]}
        assert admin.post("/proposals", plan, expect=422)["code"] == "invalid"


@pytest.mark.parametrize(
    "weak", ["short", "password1234", "qwertyuiop", "aaaaaaaaaaaa", "quartermaster", "Ada Lovelace"]
)
def test_a_password_that_is_short_or_soon_guessed_is_refused(weak: str) -> None:
    with pytest.raises(WeakPassword):
        require_strong(weak, "ada", "Ada Lovelace")


def test_passwords_are_hashed_slowly_with_argon2id_and_salted() -> None:
    """At least 19 MiB of memory and two passes, which the OWASP password storage cheat sheet asks for."""
    hasher = DELIBERATELY_SLOW_HASHER()
    first, second = hasher.hash(PASSWORD), hasher.hash(PASSWORD)
    assert first != second and hasher.verify(PASSWORD, first) and not hasher.verify("another", first)
    _, kind, _, costs, _, _ = first.split("$")
    memory, passes, _ = (int(cost.partition("=")[2]) for cost in costs.split(","))
    assert kind == "argon2id" and memory >= 19 * 1024 and passes >= 2


def test_whoami_says_what_the_credential_is_and_can_says_by_which_role(http: TestClient) -> None:
    planner = user(http, "planner")
    me: Any = planner.get("/me")
    assert (me["login"], me["credential"], me["scope"]) == ("planner", "session", None)
    assert "see_cost" in me["rights"] and me["person_id"] == me["user_id"]
    yes: Any = planner.get("/can/SubmitPurchaseOrder")
    assert (yes["allowed"], yes["by_roles"], yes["governed"], yes["remedy"]) == (
        True,
        ["planner"],
        True,
        None,
    )
    no: Any = planner.get("/can/GrantRole")
    assert (no["allowed"], no["by_roles"], no["remedy"]) == (False, [], "it is for: admin")
    planner.get("/can/DropTables", expect=404)


@pytest.mark.capability("S206")
def test_whoami_names_the_rights_lent_to_one_who_lent_them_and_until_when(http: TestClient) -> None:
    manager, planner = user(http, "manager"), user(http, "planner")
    me: Any = planner.get("/me")
    assert me["lent"] == []
    lent = {
        "delegation_id": str(uuid4()),
        "to_user_id": me["user_id"],
        "role": "manager",
        "starts_on": str(TODAY),
        "ends_on": str(TODAY + timedelta(days=3)),
        "amount_below": 50_000_000,
        "reason": "on leave",
    }
    later = lent | {"delegation_id": str(uuid4()), "starts_on": str(TODAY + timedelta(days=1))}
    for one in (lent, later):
        manager.post("/commands/DelegateAuthority", one)
    shown = {"role": "manager", "lender": "manager", "ends_on": lent["ends_on"], "amount_below": 50_000_000}
    me = planner.get("/me")
    assert (me["lent"], me["roles"]) == ([shown], ["planner"]), "the second begins tomorrow"
    lender: Any = manager.get("/me")
    assert lender["lent"] == []
    manager.post("/commands/EndDelegation", {"delegation_id": lent["delegation_id"]})
    me = planner.get("/me")
    assert me["lent"] == []


def test_a_key_is_made_shown_once_used_within_its_scope_rotated_and_ended(http: TestClient) -> None:
    planner = user(http, "planner")
    made = planner.post("/keys", {"name": "sheet", "rights": ["read_records"], "days": 7})
    (listed,) = planner.get("/keys")  # type: ignore[misc]
    assert made["token"].startswith(listed["prefix"]) and "token" not in listed
    key = User.__new__(User)
    key.http, key.token = http, made["token"]
    me: Any = key.get("/me")
    assert (me["kind"], me["credential"], me["credential_name"]) == ("service", "key", "sheet")
    assert me["scope"] == {"commands": [], "rights": ["read_records"]} and me["rights"] == ["read_records"]
    items: Any = key.get("/items")
    assert all(one["standard_cost"] is None for one in items)
    key.get("/metrics", expect=403)
    key.post("/ask", {"question": "stock"}, expect=403)
    assert "no API key" in key.post("/keys", {"name": "x", "rights": []}, expect=403)["remedy"]
    assert key.post("/auth/password", {"password": "x", "new_password": "y"}, expect=403)["code"] == "denied"

    fresh = planner.post(f"/keys/{made['key_id']}/rotate", {})
    key.get("/me", expect=401)
    key.token = fresh["token"]
    key.get("/me")
    planner.post("/commands/RevokeKey", {"key_id": fresh["key_id"]})
    key.get("/me", expect=401)


def test_a_key_wider_than_its_owner_is_refused(http: TestClient) -> None:
    warehouse = user(http, "warehouse")
    wide = warehouse.post("/keys", {"name": "wide", "rights": ["see_cost"]}, expect=409)
    assert (wide["code"], wide["field"]) == ("scope_too_wide", "rights")


def test_an_agents_token_makes_no_keys_changes_no_accounts_and_logs_nobody_in(
    http: TestClient, company: Company
) -> None:
    admin = user(http, "admin")
    me: Any = admin.get("/me")
    with writing(company.engine) as connection:
        token = credentials.issue(
            connection, UUID(me["user_id"]), "agent", company.clock.now(), run_id=uuid4()
        )
    agent = User.__new__(User)
    agent.http, agent.token = http, token
    assert agent.get("/me")["kind"] == "agent"  # type: ignore[index]
    assert agent.post("/keys", {"name": "x", "rights": ["read_records"]}, expect=403)["code"] == "denied"
    agent.post("/users", {"login": "new", "person_name": "N", "password": PASSWORD}, expect=403)
    agent.post("/commands/GrantRole", {"user_id": me["user_id"], "role": "manager"}, expect=403)
    agent.post("/auth/password", {"password": PASSWORD, "new_password": "nine amber umbrellas"}, expect=403)
    agent.post("/auth/logout-everywhere", expect=403)
    page = http.get("/", headers={"Authorization": f"Bearer {token}"}, follow_redirects=False)
    assert page.status_code == 303
