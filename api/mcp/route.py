"""Streamable HTTP: one POST, one answer, no session. A request is authenticated for itself and leaves nothing behind."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from fastapi import Request
from starlette.concurrency import run_in_threadpool
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from api.mcp.door import MOST_BYTES, CallRate, admit

if TYPE_CHECKING:
    from mcp.server.lowlevel import Server

PATH = "/mcp"


class McpEndpoint:
    """The MCP server behind its door. The protocol's library is loaded by the first request that is let in."""

    path = PATH

    def __init__(self, version: str) -> None:
        self._version = version
        self._rate = CallRate()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        scope["route"] = self
        request = Request(scope, receive)
        request.state.agent = await run_in_threadpool(admit, request, request.app.state.company, self._rate)
        server = await run_in_threadpool(prepared, self._version)
        from mcp.server.streamable_http_manager import StreamableHTTPSessionManager

        manager = StreamableHTTPSessionManager(
            server, stateless=True, json_response=True, max_request_body_size=MOST_BYTES
        )
        async with manager.run():
            await manager.handle_request(scope, receive, send)


def mcp_route(version: str) -> Route:
    """The route of the MCP endpoint."""
    return Route(PATH, McpEndpoint(version), methods=["POST"])


@lru_cache(maxsize=1)
def prepared(version: str) -> Server[Any]:
    """The MCP server, which loads its libraries when it is first asked for."""
    from api.mcp.tools import make_server

    return make_server(version)
