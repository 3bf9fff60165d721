"""Every command of the catalogue as an endpoint of its own, typed by the command's model."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel

from api.auth import Actor, OfCompany
from api.outcomes import OUTCOMES, ExecutedBody, Key, answer
from api.plans import first_sentence
from erp_core.gate.contract import Command, Registry
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
    router = APIRouter(prefix="/commands", tags=["commands"])

    @router.get("")
    def catalogue(actor: Actor) -> list[CommandInfo]:
        """All commands, with what one may do oneself."""
        return [_info(registry, name, actor) for name in registry.names()]

    for name in registry.names():
        registration = registry.get(name)
        assert registration is not None
        router.add_api_route(
            f"/{name}",
            _endpoint(registration.command),
            methods=["POST"],
            name=name,
            summary=name,
            description=(registration.command.__doc__ or "").strip(),
            response_model=ExecutedBody,
            responses=OUTCOMES,
        )
    return router


def _endpoint(kind: type[Command]) -> Callable[..., Any]:
    def submit(command: Any, actor: Any, company: Any, key: Any) -> Any:
        return answer(company.gate.submit(command, actor, key=key))

    submit.__annotations__ = {
        "command": kind,
        "actor": Actor,
        "company": OfCompany,
        "key": Key,
        "return": Any,
    }
    return submit


def _info(registry: Registry, name: str, actor: Principal) -> CommandInfo:
    registration = registry.get(name)
    assert registration is not None
    return CommandInfo(
        name=name,
        about=first_sentence(registration.command),
        roles=who_may(name),
        allowed=actor.may_run(name),
        governed=registration.governed,
    )
