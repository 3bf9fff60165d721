"""Read-sets of plans: joined command by command, asked for in batches, and what cannot be read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, cast
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Connection

from erp_core.gate.contract import (
    Asked,
    Command,
    DomainError,
    NotFound,
    ReadSet,
    Registration,
    Registry,
    each,
)
from erp_core.gate.read_sets import changes_since, read_sets

NOWHERE = cast(Connection, None)
GONE = NotFound("the order was cancelled")


class Buy(Command):
    order: UUID
    price: int | None = 5


class Ship(Command):
    units: int


def nothing(_task: Any, _tx: Any) -> Any:
    raise AssertionError("nothing runs here")


def fact(name: str, value: int) -> dict[str, Any]:
    return {"fact": name, "value": value, "tolerance": 1}


def prices(asked: Sequence[Asked[Buy]], _connection: Connection) -> Sequence[ReadSet | DomainError]:
    return [GONE if one.command.price is None else [fact("price", one.command.price)] for one in asked]


def units(asked: Sequence[Asked[Ship]], _connection: Connection) -> Sequence[ReadSet | DomainError]:
    return [
        GONE if one.command.units < 0 else [fact(f"units after {len(one.preceding)}", one.command.units)]
        for one in asked
    ]


@pytest.fixture
def registry() -> Registry:
    known = Registry()
    known.register(Registration(Buy, each(nothing), read_sets=prices))
    known.register(Registration(Ship, each(nothing), read_sets=units))
    return known


def test_a_plan_rests_on_what_its_commands_rest_on_in_their_order(registry: Registry) -> None:
    plans = [[Ship(units=1), Buy(order=uuid4())], [Buy(order=uuid4(), price=7)], []]
    assert read_sets(plans, registry, NOWHERE) == [
        [fact("units after 0", 1), fact("price", 5)],
        [fact("price", 7)],
        [],
    ]


@pytest.mark.parametrize("broken", [lambda: Buy(order=uuid4(), price=None), lambda: Ship(units=-1)])
def test_facts_that_cannot_be_read_any_more_are_the_change_of_their_plan_alone(
    registry: Registry, broken: Callable[[], Command]
) -> None:
    fresh, moved = Buy(order=uuid4(), price=6), Buy(order=uuid4(), price=8)
    then = [fact("price", 5)]
    assert changes_since([(then, [fresh]), (then, [broken()]), (then, [moved])], registry, NOWHERE) == [
        [],
        [{"fact": "what it rests on", "then": None, "now": "the order was cancelled"}],
        [{"fact": "price", "then": 5, "now": 8}],
    ]
