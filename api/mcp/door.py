"""Who may come in by MCP: a client that shows an agent's credential, from a place we know, and not too often.

An agent's credential can only read and propose, whichever way in it is used for. Sessions and other keys can do more
than a model may, so they are refused here and should never be given to one.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from ipaddress import ip_address
from urllib.parse import urlsplit
from uuid import UUID

from fastapi import Request

from api.auth import presented_by
from api.company import Company
from api.problems import Problem, unauthenticated
from erp_core.gate.principals import Principal
from erp_core.settings import Settings

MOST_BYTES = 64 * 1024
CALLS_A_MINUTE = 120
_HOW = "make a key with `quartermaster keys issue NAME --agent …` and send it as a bearer token"


class CallRate:
    """How often each credential may call within a minute, counted in this process."""

    def __init__(self, a_minute: int = CALLS_A_MINUTE, clock: Callable[[], float] = time.monotonic) -> None:
        self._most, self._clock = a_minute, clock
        self._left: dict[UUID, tuple[float, float]] = {}
        self._lock = threading.Lock()

    def wait(self, credential_id: UUID) -> float:
        """Take one call of the credential's. Seconds until it may call again; 0 when this call is all right."""
        with self._lock:
            now = self._clock()
            left, then = self._left.get(credential_id, (float(self._most), now))
            left = min(left + (now - then) * self._most / 60, self._most)
            if left < 1:
                self._left[credential_id] = (left, now)
                return (1 - left) * 60 / self._most
            self._left = {one: kept for one, kept in self._left.items() if now - kept[1] < 60}
            self._left[credential_id] = (left - 1, now)
            return 0.0


def admit(request: Request, company: Company, rate: CallRate) -> Principal:
    """The agent for whom the request acts, told by its token alone. Raises `Problem` for every other request."""
    require_own_place(request, company.settings)
    require_short(request)
    presented = presented_by(request, company)
    if presented is None:
        raise unauthenticated("an MCP client needs an agent's key that is valid", _HOW)
    if not presented.principal.is_agent:
        raise Problem(
            403,
            "not_an_agent",
            f"this {presented.kind} is not an agent's: it may do more than a model may",
            remedy=_HOW,
        )
    seconds = rate.wait(presented.id)
    if seconds > 0:
        raise Problem(
            429,
            "too_many_calls",
            f"more than {CALLS_A_MINUTE} calls a minute with this key",
            remedy="ask for more at once, and less often",
            headers={"Retry-After": str(int(seconds) + 1)},
        )
    return presented.principal


def require_own_place(request: Request, settings: Settings) -> None:
    """Refuse what a page of another site sends through somebody's browser, by whichever name it found us.

    A name that another site lets point here (DNS rebinding) stands in `Host`; an address typed in digits cannot.
    """
    host = request.headers.get("host", "")
    public = urlsplit(settings.public_url or "")
    if not _is_own_name(urlsplit(f"//{host}").hostname, public.hostname):
        raise Problem(
            421,
            "unknown_host",
            "this server is not known by that name",
            field="Host",
            remedy="use its address, or set QUARTERMASTER_PUBLIC_URL to how clients reach it",
        )
    origin = request.headers.get("origin")
    if origin is not None and urlsplit(origin).netloc not in {host, public.netloc or host}:
        raise Problem(
            403,
            "cross_site",
            "the request comes from a page of another site",
            field="Origin",
            remedy="let the client send no Origin",
        )


def _is_own_name(name: str | None, public: str | None) -> bool:
    if name is None:
        return False
    try:
        ip_address(name)
    except ValueError:
        return name in {"localhost", public}
    return True


def require_short(request: Request) -> None:
    """Refuse a body that says itself that it is too long; what says nothing is cut off when it gets there."""
    length = request.headers.get("content-length", "")
    if length.isdecimal() and int(length) > MOST_BYTES:
        raise Problem(
            413,
            "too_long",
            f"a message has at most {MOST_BYTES // 1024} KB",
            field="body",
            remedy="give fewer or shorter arguments",
        )
