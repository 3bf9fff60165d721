"""How much one request may carry."""

from __future__ import annotations

from fastapi import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MOST_BYTES = 4 * 1024 * 1024


class BodyLimit:
    """Ends a request whose body is longer than `most` bytes with 413, announced or not; `unlimited` paths pass.

    Never holds more of a body than was allowed to arrive.
    """

    def __init__(self, app: ASGIApp, *, unlimited: frozenset[str], most: int = MOST_BYTES) -> None:
        self._app, self._unlimited, self._most = app, unlimited, most

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand the request on, counting what arrives."""
        if scope["type"] != "http" or scope["path"] in self._unlimited:
            await self._app(scope, receive, send)
            return
        arrived = 0

        async def counted() -> Message:
            nonlocal arrived
            message = await receive()
            arrived += len(message.get("body", b""))
            if arrived > self._most:
                raise HTTPException(413, f"the body is longer than {self._most >> 20} MB")
            return message

        await self._app(scope, counted, send)
