"""One server process: the app on a port, the company's lock, and background work unless it runs elsewhere."""

from __future__ import annotations

import socket
from collections.abc import Callable
from contextlib import ExitStack
from threading import Thread
from typing import TYPE_CHECKING

import structlog

from api.collector import collect_seldom
from api.logs import configure
from api.serving import announced, held
from erp_core.settings import Settings

if TYPE_CHECKING:
    from api.company import Company

log = structlog.get_logger("server")


class NotReady(RuntimeError):
    """The server cannot start; `remedy` says what to do."""

    def __init__(self, message: str, remedy: str) -> None:
        super().__init__(message)
        self.remedy = remedy


def serve_company(
    settings: Settings,
    *,
    host: str | None = None,
    port: int | None = None,
    jobs: bool = True,
    ready: Callable[[Company, str], None] | None = None,
) -> None:
    """Serve until stopped by a signal. `ready` is called with the address once the port is open.

    On SQLite the process holds the company; a second server of the same company raises `CompanyHeld`.
    On PostgreSQL any number of servers may run.
    """
    configure()
    with ExitStack() as stack:
        if settings.database_url is None:
            stack.enter_context(held(settings.home))
        # who finds the company held hears it at once, before the product is loaded
        import uvicorn

        from api.app import create_app
        from api.company import open_company
        from api.jobs import Runner
        from erp_core.storage.schema import is_migrated

        company = open_company(settings)
        stack.callback(company.close)
        if not is_migrated(company.engine):
            raise NotReady(
                f"there is no company in {settings.home}", "run `quartermaster init` or `quartermaster demo`"
            )
        listener = stack.enter_context(
            _listen(host or settings.host, settings.port if port is None else port)
        )
        bound_host, bound_port = listener.getsockname()[:2]
        shown = "127.0.0.1" if bound_host in ("0.0.0.0", "::") else bound_host
        url = f"http://{shown}:{bound_port}"
        address = stack.enter_context(announced(settings.home, url))
        app = create_app(settings, company=company)
        app.state.instance = address.instance
        if jobs:
            runner = Runner(company)
            runner.start()
            stack.callback(runner.stop)
        Thread(target=_prepare_answers, args=(company,), daemon=True).start()
        server = uvicorn.Server(
            uvicorn.Config(app, log_level="warning", access_log=False, timeout_graceful_shutdown=5)
        )
        if ready is None:
            log.info("serving", url=url, home=str(settings.home), jobs=jobs)
        else:
            ready(company, url)
        server.run(sockets=[listener])


def _prepare_answers(company: Company) -> None:
    """Load what answers need, so that the first question or MCP client doesn't wait for libraries, names and the chart engine."""
    from api.app import VERSION
    from api.console.charts import prepare
    from api.mcp.route import prepared

    try:
        company.agent.lexicon()
        prepare()
        prepared(VERSION)
    except Exception as error:
        log.warning("answers could not be prepared, the first question tries again", error=str(error))
    collect_seldom()


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise NotReady(
            f"port {port} on {host} cannot be used: {error.strerror}", "choose another with --port"
        ) from error
    listener.listen(128)
    return listener
