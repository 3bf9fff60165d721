"""The composition root of every way in: one FastAPI app over one opened company."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.openapi.utils import get_openapi

from api import problems
from api.company import Company, open_company
from api.limits import BodyLimit
from api.mcp.route import PATH as MCP_PATH
from api.mcp.route import mcp_route
from api.refusal_log import RefusalLog
from api.routers import (
    access,
    ask,
    audit,
    authority,
    autonomy,
    books,
    commands,
    documents,
    exceptions,
    exposures,
    fulfilment,
    health,
    imports,
    jobs,
    lots,
    master,
    metrics,
    order_flow,
    payables,
    policies,
    products,
    proposals,
    quality,
    quotations,
    receiving,
    returns,
    session,
    sourcing,
    stock,
    supplier_channel,
    trade,
    users,
    warehouse,
)
from erp_core.settings import Settings

VERSION = "0.1.0"
PREFIX = "/api/v1"
SECURITY_HEADERS = {
    "Content-Security-Policy": "default-src 'self'; img-src 'self' data:; frame-ancestors 'none'; form-action 'self'; "
    "base-uri 'none'; object-src 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "X-Frame-Options": "DENY",
}
ROUTERS = (
    session,
    users,
    access,
    ask,
    metrics,
    exceptions,
    proposals,
    policies,
    autonomy,
    books,
    authority,
    lots,
    warehouse,
    receiving,
    sourcing,
    quotations,
    stock,
    supplier_channel,
    returns,
    documents,
    order_flow,
    payables,
    exposures,
    trade,
    master,
    products,
    fulfilment,
    quality,
    audit,
    imports,
    jobs,
)


def create_app(settings: Settings, *, company: Company | None = None, console: bool = True) -> FastAPI:
    """The app over the company that `settings` names, or over one already open (whose owner closes it).

    Without `console` it is the API alone. Background work is not part of it: `api.jobs.Runner` does that, in this process or in another.
    """
    served = company or open_company(settings)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        yield
        app.state.refusal_log.flush()
        if company is None:
            served.close()

    app = FastAPI(
        title="Quartermaster",
        version=VERSION,
        description="A governed operations copilot: read freely within your role, change only through commands.",
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        openapi_url=f"{PREFIX}/openapi.json",
        separate_input_output_schemas=False,
    )
    answer_for(app, served)
    problems.install(app)
    app.include_router(health.router)
    for module in ROUTERS:
        app.include_router(module.router, prefix=PREFIX)
    app.include_router(commands.make_router(served.gate.registry), prefix=PREFIX)
    app.router.routes.append(mcp_route(VERSION))
    if console:
        from api.console.mount import mount

        mount(app)
    app.add_middleware(BodyLimit, unlimited=frozenset({f"{PREFIX}/imports"}))
    app.middleware("http")(_with_security_headers)
    _describe(app)
    return app


def answer_for(app: FastAPI, company: Company) -> None:
    """Let the app answer for this company from now on, instead of the one before: one at a time."""
    app.state.company = company
    app.state.refusal_log = RefusalLog(company.engine, company.clock.now)


async def _with_security_headers(
    request: Request, call_next: Callable[[Request], Awaitable[Response]]
) -> Response:
    response = await call_next(request)
    for name, value in SECURITY_HEADERS.items():
        response.headers.setdefault(name, value)
    if request.url.path.startswith((PREFIX, MCP_PATH)):
        response.headers.setdefault("Cache-Control", "no-store")
    return response


def _describe(app: FastAPI) -> None:
    """Let the OpenAPI document tell the truth about errors and credentials."""

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            schema = get_openapi(
                title=app.title, version=app.version, description=app.description, routes=app.routes
            )
            components = schema.setdefault("components", {})
            components.setdefault("schemas", {}).update(problems.SCHEMAS)
            for name in ("HTTPValidationError", "ValidationError"):
                components["schemas"].pop(name, None)
            components["securitySchemes"] = {"bearer": {"type": "http", "scheme": "bearer"}}
            for path, methods in schema["paths"].items():
                if not path.startswith(PREFIX):
                    continue
                for operation in methods.values():
                    operation["responses"].update(problems.RESPONSES)
                    if not path.endswith("/auth/login"):
                        operation["security"] = [{"bearer": []}]
            app.openapi_schema = schema
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]
