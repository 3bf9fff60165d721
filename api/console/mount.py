"""Hang the console into the app: its pages, static files, and errors as pages."""

from __future__ import annotations

from fastapi import FastAPI, Request, Response
from fastapi.staticfiles import StaticFiles

from api.console import (
    access_pages,
    approval_pages,
    ask_pages,
    audit_pages,
    authority_pages,
    automation_pages,
    books_pages,
    buying_pages,
    case_pages,
    claim_pages,
    data_pages,
    exposure_pages,
    governance_pages,
    order_pages,
    pages,
    policy_pages,
    proposal_pages,
    quotation_pages,
    receiving_pages,
    sign_on_pages,
    stock_pages,
)
from api.console.rendering import STATIC
from api.console.view import LogInFirst, problem_page, to_login


def mount(app: FastAPI) -> None:
    """Add the console to the app."""
    for module in (
        pages,
        sign_on_pages,
        ask_pages,
        case_pages,
        order_pages,
        quotation_pages,
        buying_pages,
        claim_pages,
        approval_pages,
        proposal_pages,
        receiving_pages,
        governance_pages,
        policy_pages,
        authority_pages,
        access_pages,
        automation_pages,
        data_pages,
        audit_pages,
        books_pages,
        exposure_pages,
        stock_pages,
    ):
        app.include_router(module.router)
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    app.add_exception_handler(LogInFirst, _on_nobody)
    app.state.problem_page = problem_page


def _on_nobody(request: Request, _error: Exception) -> Response:
    return to_login(request)
