"""Every command of the catalogue as an endpoint of its own, typed by the command's model."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel

from api.auth import Actor, OfCompany
from api.outcomes import OUTCOMES, ExecutedBody, Key, answer
from api.passwords import require_no_hash
from api.plans import first_sentence
from erp_core.gate.contract import Command, Registration, Registry
from erp_core.gate.principals import Principal
from erp_core.gate.roles import who_may


class CommandInfo(BaseModel):
    """A command of the catalogue and who may run it."""

    name: str
    about: str
    roles: list[str]
    allowed: bool
    governed: bool


def make_router(registry: Registry) -> APIRouter:
    """Routes for all registered commands and a list of them."""
    return _router(tuple(registry.require(name).command for name in registry.names()))


@lru_cache(maxsize=1)
def _router(kinds: tuple[type[Command], ...]) -> APIRouter:
    router = APIRouter(prefix="/commands", tags=["commands"])

    @router.get("")
    def catalogue(actor: Actor, company: OfCompany) -> list[CommandInfo]:
        """All commands, with what one may do oneself."""
        return [_info(company.gate.registry.require(kind.__name__), actor) for kind in kinds]

    for kind in kinds:
        router.add_api_route(
            f"/{kind.__name__}",
            _endpoint(kind),
            methods=["POST"],
            name=kind.__name__,
            summary=kind.__name__,
            description=(kind.__doc__ or "").strip(),
            response_model=ExecutedBody,
            responses=OUTCOMES,
        )
    return router


def _endpoint(kind: type[Command]) -> Callable[..., Any]:
    def submit(command: Any, actor: Any, company: Any, key: Any) -> Any:
        require_no_hash(command)
        return answer(company.gate.submit(command, actor, key=key))

    submit.__annotations__ = {
        "command": kind,
        "actor": Actor,
        "company": OfCompany,
        "key": Key,
        "return": Any,
    }
    return submit


def _info(registration: Registration, actor: Principal) -> CommandInfo:
    name = registration.command.__name__
    return CommandInfo(
        name=name,
        about=first_sentence(registration.command),
        roles=who_may(name),
        allowed=actor.may_run(name),
        governed=registration.governed,
    )
