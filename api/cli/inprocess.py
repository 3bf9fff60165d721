"""The API opened inside this process: the same app, the same requests, no port."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import httpx
from anyio.from_thread import BlockingPortal, start_blocking_portal

from api.app import create_app
from api.cli.errors import CliError
from api.collector import collect_seldom
from api.company import open_company
from api.jobs import Runner
from api.logs import configure
from api.serving import held
from erp_core.settings import Settings
from erp_core.storage.schema import is_migrated


class _AppTransport(httpx.BaseTransport):
    """Sends requests of a synchronous client to an ASGI app that runs on an event loop of its own."""

    def __init__(self, app: object, portal: BlockingPortal) -> None:
        self._asgi = httpx.ASGITransport(app=app, raise_app_exceptions=True)  # type: ignore[arg-type]
        self._portal = portal

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.read()
        return self._portal.call(self._send, request)

    async def _send(self, request: httpx.Request) -> httpx.Response:
        sent = httpx.Request(request.method, request.url, headers=request.headers, content=request.content)
        answer = await self._asgi.handle_async_request(sent)
        body = await answer.aread()
        return httpx.Response(answer.status_code, headers=answer.headers, content=body, request=request)


@contextmanager
def client_of(app: object) -> Iterator[httpx.Client]:
    """A client of an app that runs in this process."""
    with (
        start_blocking_portal() as portal,
        httpx.Client(
            transport=_AppTransport(app, portal), base_url="http://quartermaster", timeout=None
        ) as http,
    ):
        yield http


@contextmanager
def open_client(settings: Settings, *, jobs: bool = False) -> Iterator[httpx.Client]:
    """A client of the company, held by this process until the block ends; then the audit log is sealed."""
    configure(logging.WARNING)
    with ExitStack() as stack:
        if settings.database_url is None:
            stack.enter_context(held(settings.home, wait=10.0))
        company = open_company(settings)
        collect_seldom()
        stack.callback(company.close)
        if not is_migrated(company.engine):
            raise CliError(
                f"there is no company in {settings.database_url or settings.home}",
                remedy="run `quartermaster init`, or `quartermaster demo` for the demo company",
                code=3,
            )
        runner = Runner(company)
        app = create_app(settings, company=company, console=False)
        http = stack.enter_context(client_of(app))
        if jobs:
            runner.start()
            stack.callback(runner.stop)
        else:
            stack.callback(runner.seal)
        yield http
