"""OpenID Connect: log-in at the company's identity provider (authorization code with PKCE).

Nothing of the provider is believed that its signature, issuer, audience, nonce and times do not vouch for. A
subject that no active account is linked to stays outside, unless making accounts is configured. Where roles are
mapped from a claim, a session has those of the account that the claim grants too: the provider narrows, never adds.
"""

from __future__ import annotations

import secrets
import time
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from hashlib import sha256
from typing import Any
from urllib.parse import urlencode, urlsplit

import httpx
import jwt
from sqlalchemy import Connection, delete, func, select

from erp_core.gate.model import login_flows
from erp_core.settings import Settings, is_safe_address
from erp_core.storage.bulk import insert_rows

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA")
FLOW_LIFETIME = timedelta(minutes=10)
MOST_FLOWS = 1_000
_LEEWAY = 60
_METADATA_SECONDS = 3_600.0
_KEYS_SECONDS = 30.0
_REQUIRED = ["exp", "iat", "iss", "aud", "sub", "nonce"]


class SignOnRefused(Exception):
    """The provider's answer does not let anybody in; `why` is safe to show and to audit."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


@dataclass(frozen=True, slots=True)
class Flow:
    """A log-in under way: what only who started it knows, and where it goes on."""

    nonce: str
    verifier: str
    next: str


def open_flow(connection: Connection, next_: str, now: datetime) -> tuple[str, Flow]:
    """Start a log-in; gives its state, which is taken once. Raises `SignOnRefused` when too many are under way."""
    connection.execute(delete(login_flows).where(login_flows.c.expires_at <= now))
    if (connection.scalar(select(func.count()).select_from(login_flows)) or 0) >= MOST_FLOWS:
        raise SignOnRefused("too many log-ins are under way")
    state = secrets.token_urlsafe(32)
    flow = Flow(secrets.token_urlsafe(32), secrets.token_urlsafe(64), next_[:500])
    row = {
        "state_hash": _hash(state),
        "nonce": flow.nonce,
        "verifier": flow.verifier,
        "next": flow.next,
        "expires_at": now + FLOW_LIFETIME,
    }
    insert_rows(connection, login_flows, [row])
    return state, flow


def take_flow(connection: Connection, state: str, now: datetime) -> Flow:
    """The log-in of this state, which nobody can take again. Raises `SignOnRefused`."""
    row = connection.execute(
        delete(login_flows)
        .where(login_flows.c.state_hash == _hash(state), login_flows.c.expires_at > now)
        .returning(login_flows.c.nonce, login_flows.c.verifier, login_flows.c.next)
    ).one_or_none()
    if row is None:
        raise SignOnRefused("this log-in was used already, or took too long")
    return Flow(row.nonce, row.verifier, row.next)


class Provider:
    """The configured identity provider, spoken to over HTTP. Safe to share between threads."""

    def __init__(self, settings: Settings) -> None:
        self.issuer, self._client_id = settings.oidc_issuer or "", settings.oidc_client_id or ""
        self._secret = settings.oidc_client_secret
        self._role_claim, self._roles = settings.oidc_role_claim, settings.oidc_roles
        self._metadata: tuple[float, Mapping[str, Any]] | None = None
        self._keys: tuple[float, jwt.PyJWKSet] | None = None

    @cached_property
    def _http(self) -> httpx.Client:
        return httpx.Client(timeout=10.0, follow_redirects=False)

    def address(self, state: str, flow: Flow, redirect: str) -> str:
        """Where the browser is sent to log in."""
        challenge = urlsafe_b64encode(sha256(flow.verifier.encode()).digest()).rstrip(b"=").decode()
        query = {
            "response_type": "code",
            "client_id": self._client_id,
            "redirect_uri": redirect,
            "scope": "openid profile email",
            "state": state,
            "nonce": flow.nonce,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        endpoint = self._endpoint("authorization_endpoint")
        return f"{endpoint}{'&' if urlsplit(endpoint).query else '?'}{urlencode(query)}"

    def claims(self, code: str, flow: Flow, redirect: str) -> Mapping[str, Any]:
        """What the provider says about who logged in, verified. Raises `SignOnRefused`."""
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect,
            "client_id": self._client_id,
            "code_verifier": flow.verifier,
        }
        basic = None if self._secret is None else (self._client_id, self._secret.get_secret_value())
        try:
            answer = self._http.post(
                self._endpoint("token_endpoint"), data=form, auth=basic or httpx.USE_CLIENT_DEFAULT
            )
            token = answer.json().get("id_token") if answer.status_code == 200 else None
        except (httpx.HTTPError, ValueError, AttributeError) as error:
            raise SignOnRefused("the identity provider does not answer") from error
        if not isinstance(token, str):
            raise SignOnRefused("the identity provider did not accept the log-in")
        return self._verified(token, flow)

    def roles(self, claims: Mapping[str, Any]) -> frozenset[str] | None:
        """The roles that the provider's claim is mapped to; None where no claim is configured."""
        if self._role_claim is None:
            return None
        told = claims.get(self._role_claim, ())
        values = [told] if isinstance(told, str) else told if isinstance(told, list) else []
        return frozenset(self._roles[one] for one in values if isinstance(one, str) and one in self._roles)

    def _verified(self, token: str, flow: Flow) -> Mapping[str, Any]:
        try:
            header = jwt.get_unverified_header(token)
            if header.get("alg") not in ALGORITHMS:
                raise SignOnRefused("the token is not signed in a way that counts")
            claims: dict[str, Any] = jwt.decode(
                token,
                self._key(header.get("kid")),
                algorithms=[header["alg"]],
                audience=self._client_id,
                issuer=self.issuer,
                leeway=_LEEWAY,
                options={"require": _REQUIRED},
            )
        except jwt.ExpiredSignatureError as error:
            raise SignOnRefused("the token has expired") from error
        except jwt.InvalidAudienceError as error:
            raise SignOnRefused("the token is for another application") from error
        except jwt.InvalidIssuerError as error:
            raise SignOnRefused("the token is from another issuer") from error
        except jwt.PyJWTError as error:
            raise SignOnRefused("the token does not verify") from error
        if not secrets.compare_digest(str(claims["nonce"]), flow.nonce):
            raise SignOnRefused("the token belongs to another log-in")
        if (
            isinstance(claims["aud"], list)
            and len(claims["aud"]) > 1
            and claims.get("azp") != self._client_id
        ):
            raise SignOnRefused("the token is for another application")
        return claims

    def _key(self, kid: str | None) -> jwt.PyJWK:
        found = self._find(kid, fresh=False) or self._find(kid, fresh=True)
        if found is None:
            raise SignOnRefused("the token is signed with a key that is not the provider's")
        return found

    def _find(self, kid: str | None, *, fresh: bool) -> jwt.PyJWK | None:
        age = float("inf") if self._keys is None else time.monotonic() - self._keys[0]
        if age > _METADATA_SECONDS or (fresh and age > _KEYS_SECONDS):
            self._keys = (time.monotonic(), jwt.PyJWKSet.from_dict(self._get(self._endpoint("jwks_uri"))))
        assert self._keys is not None
        signing = [one for one in self._keys[1].keys if one.public_key_use in (None, "sig")]
        if kid is None:
            return signing[0] if len(signing) == 1 else None
        return next((one for one in signing if one.key_id == kid), None)

    def _endpoint(self, name: str) -> str:
        known = self._metadata
        if known is None or time.monotonic() - known[0] > _METADATA_SECONDS:
            document = self._get(self.issuer.rstrip("/") + "/.well-known/openid-configuration")
            if document.get("issuer") != self.issuer:
                raise SignOnRefused("the identity provider calls itself by another name")
            known = self._metadata = (time.monotonic(), document)
        endpoint = str(known[1].get(name, ""))
        _require_safe(endpoint)
        return endpoint

    def _get(self, address: str) -> dict[str, Any]:
        try:
            answer = self._http.get(address)
            answer.raise_for_status()
            document = answer.json()
        except (httpx.HTTPError, ValueError) as error:
            raise SignOnRefused("the identity provider does not answer") from error
        if not isinstance(document, dict):
            raise SignOnRefused("the identity provider's answer cannot be read")
        return document


def _require_safe(address: str) -> None:
    """Secrets travel over TLS, or stay on this machine."""
    if not is_safe_address(address):
        raise SignOnRefused("the identity provider must be reached over https")


def _hash(state: str) -> str:
    return sha256(state.encode()).hexdigest()
