"""Log-in at the identity provider: in with a linked, active account and a token that holds; else outside."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from sqlalchemy import Engine, func, select
from starlette.testclient import TestClient

from api.auth import COOKIE
from api.company import Company
from api.composition import make_gate
from erp_core.clock import Clock
from erp_core.gate.audit.sealing import Sealer
from erp_core.gate.contract import Executed
from erp_core.gate.model import users
from erp_core.gate.principals import Principal
from erp_core.gate.queries import list_audit
from erp_core.gate.sign_in import LinkIdentity
from erp_core.gate.users import SetUserActive
from erp_core.settings import Settings
from erp_core.storage.engine import reading
from tests.api.conftest import app_over
from tests.api.identity_provider import CLIENT, KEY_ID, SECRET, IdentityProvider

pytestmark = pytest.mark.capability("S204")
CALLBACK = "/login/provider/callback"


@pytest.fixture
def provider(monkeypatch: pytest.MonkeyPatch) -> Iterator[IdentityProvider]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    provider = IdentityProvider()
    yield provider
    provider.close()


class House:
    """A company whose people log in at the provider."""

    def __init__(
        self, engine: Engine, clock: Clock, home: Path, provider: IdentityProvider, **more: Any
    ) -> None:
        settings = Settings.model_validate(
            {
                "home": home,
                "oidc_issuer": provider.issuer,
                "oidc_client_id": CLIENT,
                "oidc_client_secret": SECRET,
                **more,
            }
        )
        self.provider = provider
        self.gate = make_gate(engine, clock, home=home)
        self.gate.install_policies()
        self.admin = self.gate.bootstrap_user("admin", ["admin"])
        self.planner = self.gate.bootstrap_user("planner", ["planner", "buyer"])
        self.company = Company(settings, engine, clock, self.gate, Sealer(engine, home))
        self.http = TestClient(app_over(self.company), follow_redirects=False)

    def link(self, user: Principal, subject: str = "subject-1") -> None:
        command = LinkIdentity(user_id=user.user_id, issuer=self.provider.issuer, subject_id=subject)
        assert isinstance(self.gate.submit(command, self.admin, key=str(uuid4())), Executed)

    def there_and_back(self) -> str:
        """The browser goes to the provider and gets the address it is sent back to."""
        sent = self.http.get("/login/provider", params={"next": "/exceptions"})
        assert sent.status_code == 303
        back = httpx.get(sent.headers["location"], trust_env=False).headers["location"]
        return back.removeprefix("http://testserver")

    def who(self) -> dict[str, Any]:
        token = self.http.cookies.get(COOKIE)
        answer = self.http.get("/api/v1/me", headers={"Authorization": f"Bearer {token}"})
        assert answer.status_code == 200, answer.text
        return answer.json()

    def refused(self, back: str | None = None) -> str:
        """What the page says when the log-in at the provider lets nobody in."""
        page = self.http.get(back or self.there_and_back())
        assert page.status_code == 401 and COOKIE not in self.http.cookies
        return page.text.lower()


@pytest.fixture
def house(engine: Engine, clock: Clock, tmp_path: Path, provider: IdentityProvider) -> House:
    return House(engine, clock, tmp_path, provider)


@pytest.fixture
def sqlite_house(sqlite_engine: Engine, clock: Clock, tmp_path: Path, provider: IdentityProvider) -> House:
    return House(sqlite_engine, clock, tmp_path, provider)


def test_the_button_is_there_only_where_a_provider_is_configured(
    house: House, clock: Clock, tmp_path: Path
) -> None:
    assert 'href="/login/provider' in house.http.get("/login").text
    settings = Settings(home=tmp_path)
    alone = Company(settings, house.company.engine, clock, house.gate, house.company.sealer)
    with TestClient(app_over(alone), follow_redirects=False) as plain:
        assert "/login/provider" not in plain.get("/login").text
        assert plain.get("/login/provider").headers["location"] == "/login"


def test_a_linked_account_gets_a_session_and_goes_on_where_it_wanted(house: House) -> None:
    house.link(house.planner)
    page = house.http.get(house.there_and_back())
    assert page.status_code == 200 and "url=/exceptions" in page.text
    assert house.who()["login"] == "planner"
    with reading(house.gate.engine) as connection:
        (entry,) = list_audit(connection, command="LogIn", outcome="executed")
    assert entry.payload == {"by": "provider"}


def test_a_state_is_taken_once_and_only_in_the_browser_that_started(house: House) -> None:
    house.link(house.planner)
    back = house.there_and_back()
    state = dict(house.http.cookies)
    stranger = TestClient(house.http.app, follow_redirects=False)
    assert stranger.get(back).status_code == 401
    assert house.http.get(back).status_code == 200
    house.http.cookies.clear()
    house.http.cookies.update(state)
    assert "used already" in house.refused(back)


Spoil = Callable[[IdentityProvider, dict[str, Any]], dict[str, Any]]
WRONG_CLAIMS: dict[str, tuple[Spoil, str]] = {
    "another audience": (lambda _, claims: claims | {"aud": "another"}, "another application"),
    "several audiences": (lambda _, claims: claims | {"aud": [CLIENT, "another"]}, "another application"),
    "another issuer": (lambda _, claims: claims | {"iss": "https://evil.example"}, "another issuer"),
    "expired": (lambda _, claims: claims | {"exp": int(time.time()) - 600}, "expired"),
    "another log-in's nonce": (lambda _, claims: claims | {"nonce": "other"}, "another log-in"),
    "no nonce": (lambda _, claims: {k: v for k, v in claims.items() if k != "nonce"}, "does not verify"),
    "no expiry": (lambda _, claims: {k: v for k, v in claims.items() if k != "exp"}, "does not verify"),
}


def test_a_token_whose_claims_do_not_hold_lets_nobody_in(sqlite_house: House) -> None:
    house = sqlite_house
    house.link(house.planner)
    for wrong, (spoil, says) in WRONG_CLAIMS.items():
        house.provider.spoil = lambda claims: spoil(house.provider, claims)  # noqa: B023
        assert says in house.refused(), wrong


WRONG_SIGNATURES: dict[str, Callable[[IdentityProvider, dict[str, Any]], str]] = {
    "another key under the provider's id": lambda _, claims: jwt.encode(
        claims, rsa.generate_private_key(public_exponent=65537, key_size=2048), "RS256", {"kid": KEY_ID}
    ),
    "a key that is not published": lambda provider, claims: jwt.encode(
        claims, provider.key, "RS256", {"kid": "key-2"}
    ),
    "no signature": lambda _, claims: jwt.encode(claims, None, "none", {"kid": KEY_ID}),
    "a shared secret": lambda _, claims: jwt.encode(claims, SECRET * 3, "HS256", {"kid": KEY_ID}),
    "a changed payload": lambda provider, claims: _changed(provider.signed(claims)),
    "no token at all": lambda *_: "nonsense",
}


def _changed(token: str) -> str:
    head, body, signature = token.split(".")
    return f"{head}.{body[:-4]}{'AAAA' if body[-4:] != 'AAAA' else 'BBBB'}.{signature}"


def test_a_token_that_the_provider_did_not_sign_lets_nobody_in(sqlite_house: House) -> None:
    house = sqlite_house
    house.link(house.planner)
    for wrong, sign in WRONG_SIGNATURES.items():
        house.provider.sign = lambda claims: sign(house.provider, claims)  # noqa: B023
        assert "the token" in house.refused() or wrong == "no token at all"


def test_somebody_unknown_or_inactive_stays_outside_and_the_failure_is_audited(house: House) -> None:
    assert "no account is linked" in house.refused()
    house.link(house.planner)
    house.gate.submit(SetUserActive(user_id=house.planner.user_id, active=False), house.admin, key="out")
    assert "not active" in house.refused()
    with reading(house.gate.engine) as connection:
        entries = list_audit(connection, command="LogIn", outcome="denied")
        people = connection.scalar(select(func.count()).select_from(users))
    assert len(entries) == 2 and people == 2
    assert not any("subject-1" in str(entry.payload) for entry in entries)


def test_the_provider_narrows_roles_and_never_adds_one(
    sqlite_engine: Engine, clock: Clock, tmp_path: Path, provider: IdentityProvider
) -> None:
    mapped = {"plan": "planner", "boss": "manager"}
    house = House(sqlite_engine, clock, tmp_path, provider, oidc_role_claim="groups", oidc_roles=mapped)
    house.link(house.planner)
    provider.spoil = lambda claims: claims | {"groups": ["plan", "boss", "unmapped"]}
    assert house.http.get(house.there_and_back()).status_code == 200
    assert house.who()["roles"] == ["planner"]
    house.http.cookies.clear()
    provider.spoil = lambda claims: claims | {"groups": ["boss"]}
    assert "none of the account&#39;s roles" in house.refused()


def test_an_account_is_made_only_where_configured_and_never_with_power(
    sqlite_engine: Engine, clock: Clock, tmp_path: Path, provider: IdentityProvider
) -> None:
    more = {
        "oidc_role_claim": "groups",
        "oidc_roles": {"plan": "planner", "boss": "manager"},
        "oidc_create_users": True,
    }
    house = House(sqlite_engine, clock, tmp_path, provider, **more)
    house.gate.bootstrap_user("manager", ["manager"])
    provider.spoil = lambda claims: claims | {"groups": ["boss"]}
    assert "no account is linked" in house.refused()
    provider.spoil = lambda claims: claims
    assert "no account is linked" in house.refused()
    provider.spoil = lambda claims: claims | {"groups": ["plan"]}
    assert house.http.get(house.there_and_back()).status_code == 200
    assert (house.who()["login"], house.who()["roles"]) == ("nova", ["planner"])


def test_no_account_with_power_is_made_even_before_there_is_a_manager(
    sqlite_engine: Engine, clock: Clock, tmp_path: Path, provider: IdentityProvider
) -> None:
    more = {"oidc_role_claim": "groups", "oidc_roles": {"boss": "manager"}, "oidc_create_users": True}
    house = House(sqlite_engine, clock, tmp_path, provider, **more)
    provider.spoil = lambda claims: claims | {"groups": ["boss"]}
    assert "no account is linked" in house.refused()
