"""Who was turned away by the API or the console, written down without a write for each request."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from fastapi import Request
from sqlalchemy import Engine

from erp_core.gate import refusals
from erp_core.storage.engine import writing

KINDS = {401: "unauthenticated", 403: "denied"}
_WAIT = 5.0
_Key = tuple[str, UUID, str]


class RefusalLog:
    """Counts refusals in memory and writes each kind, principal and route at once when new, then every few seconds."""

    def __init__(self, engine: Engine, now: Callable[[], datetime]) -> None:
        self._engine, self._now = engine, now
        self._pending: dict[_Key, int] = {}
        self._written: dict[_Key, float] = {}
        self._lock = threading.Lock()

    def note(self, status: int, request: Request) -> None:
        """Count a refusal of this request; other answers than 401 and 403 are none."""
        kind = KINDS.get(status)
        if kind is None:
            return
        place = f"{request.method} {_route(request)}"
        key = (kind, getattr(request.state, "principal_id", refusals.NOBODY), place)
        with self._lock:
            self._pending[key] = self._pending.get(key, 0) + 1
            due = time.monotonic() - self._written.get(key, -_WAIT) >= _WAIT
        if due:
            self.flush()

    def flush(self) -> None:
        """Write what is pending."""
        with self._lock:
            pending, self._pending = self._pending, {}
            moment = time.monotonic()
            self._written = {
                key: at for key, at in self._written.items() if moment - at < _WAIT
            } | dict.fromkeys(pending, moment)
        if not pending:
            return
        now = self._now()
        with writing(self._engine) as connection:
            for (kind, principal_id, place), times in sorted(pending.items()):
                refusals.count(connection, kind, place, now, principal_id=principal_id, times=times)


def _route(request: Request) -> str:
    """The route's pattern, never the address as sent: so that nobody fills the log with addresses of their own."""
    pattern = getattr(request.scope.get("route"), "path", None)
    if pattern is None:
        return "no such address"
    path = request.url.path
    within = (
        path[: path.index("/", 5)] if path.startswith("/api/v") and not pattern.startswith("/api/") else ""
    )
    return f"{within}{pattern}"
