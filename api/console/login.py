"""The log-in page."""

from __future__ import annotations

from fastapi.responses import HTMLResponse

from api.company import Company
from api.console.view import templates
from api.problems import Problem
from erp_core.gate.queries import company_facts
from erp_core.storage.engine import reading
from erp_core.storage.schema import is_migrated


def own_path(path: str) -> str:
    """The path when it is one of our own pages, else the first page."""
    return path if path.startswith("/") and not path.startswith(("//", "/\\")) else "/"


def show_login(
    company: Company, next_: str, login: str, problem: Problem | None, status: int
) -> HTMLResponse:
    """The page, with what went wrong before and, where one is configured, the way to the identity provider."""
    name = None
    if is_migrated(company.engine):
        with reading(company.engine) as connection:
            name = company_facts(connection).get("name")
    values = {
        "next": own_path(next_),
        "login": login,
        "problem": problem.body if problem else None,
        "company": name,
        "provider": company.settings.oidc_label if company.provider is not None else None,
    }
    return HTMLResponse(templates().get_template("login.html").render(values), status)
