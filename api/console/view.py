"""What all pages share: who looks, the frame around the page, and errors as pages."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated, Any
from urllib.parse import quote
from uuid import uuid4

from fastapi import Depends, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from jinja2 import Environment

from api.auth import OfCompany, principal_of
from api.company import Company
from api.console.rendering import environment
from api.problems import Problem, ProblemBody, lacks_right
from api.proposals import deciding
from erp_core.gate.principals import Principal
from erp_core.gate.queries import company_facts, list_proposals, person_name
from erp_core.gate.reviews import list_reviews
from erp_core.storage.engine import reading

DONE = {
    "approved": "Approved. It waits for somebody else too.",
    "executed": "Approved and executed.",
    "rejected": "Rejected.",
    "sent_back": "Sent back with your comment.",
    "withdrawn": "Withdrawn.",
    "proposed": "Proposed. It waits for approval.",
    "rebased": "Proposed as a new version, on what holds now. Its approvals start anew.",
    "ran": "Done at once: the rule in force asks nobody.",
    "reviewed": "Looked at, with your verdict on record.",
    "lent": "Lent. It can be taken back at any time.",
    "taken_back": "Taken back, from this moment.",
    "stopped": "Automation is stopped.",
    "resumed": "Automation works again.",
    "done": "Done.",
    "received": "Received.",
    "assigned": "It is yours now.",
    "snoozed": "Put aside.",
    "resolved": "Resolved.",
}


@dataclass(frozen=True, slots=True)
class Entry:
    """A page of the navigation, the right it needs, and the command that who comes for it may run."""

    name: str
    label: str
    path: str
    icon: str
    right: str
    command: str | None = None


PAGES = (
    Entry("overview", "Overview", "/", "home", "read_records"),
    Entry("ask", "Ask", "/ask", "ask", "ask"),
    Entry("exceptions", "Exceptions", "/exceptions", "inbox", "read_records"),
    Entry("approvals", "Approvals", "/approvals", "check", "read_records"),
    Entry("orders", "Orders", "/orders", "parcel", "read_records", "HoldOrder"),
    Entry("buying", "Buying", "/buying", "cart", "read_records", "SubmitPurchaseOrder"),
    Entry("receiving", "Receiving", "/receiving", "door", "read_records", "DecideHeldGoods"),
    Entry("stock", "Stock", "/stock", "layers", "read_records", "RequestPurchase"),
    Entry("books", "Books", "/books", "books", "read_books"),
    Entry("exposure", "Exposure", "/exposure", "bars", "read_books"),
    Entry("governance", "Governance", "/governance", "rules", "read_audit"),
    Entry("audit", "Audit", "/audit", "log", "read_audit"),
)


FIT_A_PHONE = 6
"""So many entries stand side by side at the foot of a phone."""


def beyond_a_phone(pages: Sequence[Entry]) -> Sequence[Entry]:
    """The pages that a phone shows under *More*, which then takes a place itself; none where all fit."""
    return pages[FIT_A_PHONE - 1 :] if len(pages) > FIT_A_PHONE else ()


class LogInFirst(Exception):
    """Nobody is logged in; the console shows the log-in page and comes back."""


def _viewer(request: Request, company: OfCompany) -> Principal:
    principal = principal_of(request, company)
    if principal is None or principal.is_agent:
        raise LogInFirst
    return principal


Viewer = Annotated[Principal, Depends(_viewer)]


def seeing(right: str) -> Callable[[Principal], Principal]:
    """A dependency: who looks, when their roles carry the right."""

    def check(viewer: Viewer) -> Principal:
        if not viewer.has_right(right):
            raise lacks_right(right, viewer.login)
        return viewer

    return check


@lru_cache(maxsize=1)
def templates() -> Environment:
    """The console's templates."""
    return environment()


def page(
    request: Request,
    company: Company,
    viewer: Principal,
    template: str,
    here: str,
    *,
    status: int = 200,
    problem: ProblemBody | None = None,
    **values: Any,
) -> HTMLResponse:
    """A page within the frame."""
    with reading(company.engine) as connection:
        currency = company_facts(connection).get("currency", "")
        name = person_name(connection, viewer.user_id)
        views, _ = list_proposals(connection, limit=100)
        decisions = deciding(views, viewer, company.gate, connection)
        reviews = [
            one
            for one in list_reviews(connection)
            if one["role"] in viewer.roles and one["made_by"] != viewer.user_id
        ]
    pages = [
        one
        for one in PAGES
        if viewer.has_right(one.right) and (one.command is None or viewer.may_run(one.command))
    ]
    frame = {
        "me": viewer,
        "my_name": name or viewer.login,
        "here": here,
        "pages": pages,
        "more": beyond_a_phone(pages),
        "waiting": sum(one.may_decide for one in decisions),
        "to_review": len(reviews),
        "currency": currency,
        "done": DONE.get(request.query_params.get("done", "")),
        "problem": problem,
        "key": f"console-{uuid4()}",
        "today": company.clock.today(),
    }
    return HTMLResponse(templates().get_template(template).render(frame | values), status)


def fragment(template: str, **values: Any) -> str:
    """A part of a page, for streaming."""
    return templates().get_template(template).render(values)


def back(path: str, done: str) -> RedirectResponse:
    """To a page, saying what was done."""
    return RedirectResponse(f"{path}{'&' if '?' in path else '?'}done={done}", 303)


def to_login(request: Request) -> RedirectResponse:
    """To the log-in page, and after it to where one wanted to go."""
    wanted = request.url.path if request.method == "GET" else "/"
    query = f"?{request.url.query}" if request.url.query and request.method == "GET" else ""
    return RedirectResponse(f"/login?next={quote(wanted + query)}", 303)


def problem_page(request: Request, problem: Problem) -> Response:
    """An error as a page of the console, within the frame for who is logged in."""
    company: Company = request.app.state.company
    if problem.status == 401:
        return to_login(request)
    viewer = principal_of(request, company) if request.method == "GET" else None
    if viewer is None or viewer.is_agent:
        template = templates().get_template("problem.html")
        return HTMLResponse(template.render({"problem": problem.body}), problem.status)
    return page(
        request, company, viewer, "problem_framed.html", "", status=problem.status, failed=problem.body
    )
