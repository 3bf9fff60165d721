"""Errors as RFC 9457 problem details, made here and nowhere else."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.encoders import jsonable_encoder
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ValidationError
from sqlalchemy.exc import DataError
from starlette.exceptions import HTTPException

from erp_core.analytics.errors import QueryError
from erp_core.gate.contract import Denied, DomainError, Executed, Invalid, Outcome, Proposed, Refused

MEDIA_TYPE = "application/problem+json"
_TYPE = "urn:quartermaster:problem:"
_STATUS_OF = {"not_found": 404, "missing_right": 403}


class FieldError(BaseModel):
    """What is wrong with one field, and what to do about it."""

    field: str
    reason: str
    remedy: str = ""


class ProblemBody(BaseModel):
    """An error as every endpoint gives it."""

    type: str
    title: str
    status: int
    detail: str
    remedy: str = ""
    code: str
    field: str | None = None
    errors: list[FieldError] = []
    details: dict[str, Any] = {}


class Problem(Exception):
    """An answer that is not the one asked for. Raised anywhere below an endpoint, rendered once."""

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        *,
        remedy: str = "",
        field: str | None = None,
        errors: Sequence[Mapping[str, Any]] = (),
        details: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.headers = dict(headers or {})
        self.body = ProblemBody(
            type=_TYPE + code,
            title=HTTPStatus(status).phrase,
            status=status,
            detail=detail,
            remedy=remedy,
            code=code,
            field=field,
            errors=[FieldError.model_validate(dict(one)) for one in errors],
            details=dict(details or {}),
        )


def not_found(what: str, remedy: str = "list them first") -> Problem:
    """404: there is no such record, or not for this person."""
    return Problem(404, "not_found", f"there is no such {what}", remedy=remedy)


def unauthenticated(
    detail: str = "log in first", remedy: str = "POST /api/v1/auth/login and send the token as a bearer"
) -> Problem:
    """401: no credential, or one that ended."""
    return Problem(
        401,
        "unauthenticated",
        detail,
        remedy=remedy,
        headers={"WWW-Authenticate": "Bearer"},
    )


def lacks_right(right: str, login: str) -> Problem:
    """403: the person's roles do not carry the right."""
    return Problem(
        403,
        "denied",
        f"{login} may not do this: it needs the right “{right.replace('_', ' ')}”",
        remedy="ask somebody whose role has it",
        details={"right": right},
    )


def refused(error: DomainError, status: int = 409) -> Problem:
    """409: a domain rule said no."""
    body = error.as_dict()
    return Problem(
        status,
        body["code"],
        body["message"],
        remedy=body["remedy"],
        field=body["field"],
        details=body["details"],
    )


def invalid(errors: Sequence[Mapping[str, Any]]) -> Problem:
    """422: malformed, field by field."""
    first = errors[0] if errors else {"field": "", "reason": "is malformed"}
    return Problem(
        422, "invalid", f"{first['field']}: {first['reason']}", remedy=first.get("remedy", ""), errors=errors
    )


def require_known(field: str, given: Iterable[str] | None, known: Iterable[str]) -> None:
    """Raise 422 where one of the values given is none of those known; nothing given is all right."""
    allowed = list(known)
    errors = [
        {
            "field": field,
            "reason": f"there is no {field} {one!r}",
            "remedy": f"use one of {', '.join(allowed)}",
        }
        for one in given or ()
        if one not in allowed
    ]
    if errors:
        raise invalid(errors)


def from_validation(error: ValidationError, *, within: str = "") -> Problem:
    """422 from pydantic's own error; `within` is where in the request the value stood."""
    found = [_field_error(one) for one in error.errors(include_url=False)]
    return invalid([one | {"field": f"{within}.{one['field']}"} if within else one for one in found])


def accepted(outcome: Outcome) -> Executed | Proposed:
    """The outcome when the gate took the command; otherwise the problem that says why not."""
    match outcome:
        case Executed() | Proposed():
            return outcome
        case Denied(message, remedy):
            raise Problem(403, "denied", message, remedy=remedy)
        case Invalid(errors):
            raise invalid(errors)
        case Refused(error):
            raise refused(error)


_REFERENCE = "#/components/schemas/{model}"
SCHEMAS: dict[str, Any] = {
    "ProblemBody": ProblemBody.model_json_schema(ref_template=_REFERENCE, mode="serialization"),
    "FieldError": FieldError.model_json_schema(mode="serialization"),
}
SCHEMAS["ProblemBody"].pop("$defs", None)
RESPONSES: dict[str, dict[str, Any]] = {
    str(status): {
        "description": HTTPStatus(status).phrase,
        "content": {MEDIA_TYPE: {"schema": {"$ref": _REFERENCE.format(model="ProblemBody")}}},
    }
    for status in (401, 403, 404, 409, 422)
}


Page = Callable[[Request, Problem], Response]


def install(app: FastAPI) -> None:
    """Let every error of the app come out as problem details; on the console's pages as `app.state.problem_page` shows it."""
    app.state.problem_page = None
    app.add_exception_handler(Problem, _on_problem)
    app.add_exception_handler(RequestValidationError, _on_malformed)
    app.add_exception_handler(HTTPException, _on_http)
    app.add_exception_handler(DomainError, _on_domain_error)
    app.add_exception_handler(DataError, _on_unstorable)
    app.add_exception_handler(Exception, _on_failure)


def response(problem: Problem, request: Request) -> Response:
    """The problem as it goes out."""
    page: Page | None = request.app.state.problem_page
    if (
        page is not None
        and "text/html" in request.headers.get("accept", "")
        and not request.url.path.startswith("/api/")
    ):
        return page(request, problem)
    content = jsonable_encoder(problem.body, exclude_defaults=True) | {"instance": request.url.path}
    return JSONResponse(content, problem.status, headers=problem.headers, media_type=MEDIA_TYPE)


def _on_problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, Problem)
    request.app.state.refusal_log.note(error.status, request)
    return response(error, request)


def _on_malformed(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    return response(invalid([_field_error(one) for one in error.errors()]), request)


def _on_domain_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, DomainError)
    status = _STATUS_OF.get(error.code, 422 if isinstance(error, QueryError) else 409)
    return response(refused(error, status), request)


_REMEDIES = {
    400: "send JSON, in UTF-8 and not too deeply nested",
    404: "GET /api/v1/openapi.json lists the addresses",
    405: "GET /api/v1/openapi.json lists what each address takes",
    413: "send less at once; files go to /api/v1/imports",
}


def _on_http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    status = HTTPStatus(error.status_code)
    problem = Problem(
        status.value,
        status.phrase.lower().replace(" ", "_"),
        str(error.detail),
        remedy=_REMEDIES.get(status.value, "correct the request and send it again"),
        headers=error.headers,
    )
    return response(problem, request)


def _on_unstorable(request: Request, error: Exception) -> Response:
    """422: the database takes no such value (a NUL character, a number beyond its range)."""
    assert isinstance(error, DataError)
    detail = f"a value cannot be stored: {str(error.orig).splitlines()[0]}"
    remedy = "leave out control characters and numbers of more than 18 digits"
    return response(Problem(422, "invalid", detail, remedy=remedy), request)


def _on_failure(request: Request, _error: Exception) -> Response:
    """500: a fault of the product; the server raises it on, so that it stands in the log."""
    remedy = "try again; if it stays so, give the time and the address to who runs the server"
    return response(Problem(500, "internal_error", "this went wrong on our side", remedy=remedy), request)


def _field_error(error: Mapping[str, Any]) -> dict[str, str]:
    if error["type"] == "json_invalid":
        told = f"{error.get('ctx', {}).get('error', 'cannot be read')} at position {error['loc'][-1]}"
        return {"field": "body", "reason": f"is not JSON: {told}", "remedy": "send one JSON value"}
    if tuple(error["loc"]) == ("body",):
        remedy = "send a JSON object with the header Content-Type: application/json"
        return {"field": "body", "reason": "is not a JSON object", "remedy": remedy}
    where = [str(part) for part in error["loc"] if part not in ("body", "query", "path", "header")]
    field = ".".join(where) or str(error["loc"][0] if error["loc"] else "body")
    if error["type"] in ("uuid_parsing", "uuid_type"):
        return {"field": field, "reason": "is no id", "remedy": "copy the whole id from where it is listed"}
    return {
        "field": field,
        "reason": error["msg"].removeprefix("Value error, "),
        "remedy": "correct this field and send it again",
    }
