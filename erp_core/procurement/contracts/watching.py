"""Contracts that are called off too slowly, or that will be used up long before they end: a case for the buyer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, select

from erp_core.exceptions.book import Noted, raise_cases, would_change
from erp_core.exceptions.draft import CURRENCY, CaseDraft, by_hand, fact
from erp_core.exceptions.model import cases
from erp_core.exceptions.rules import CLOSED, CaseKey
from erp_core.finance.queries import rates_on
from erp_core.finance.rules import converted
from erp_core.gate.contract import Command, Done, Registration, Registry, Task, Transaction, each
from erp_core.master.queries import list_supplier_items
from erp_core.procurement.contracts.reading import ContractStanding, list_contracts
from erp_core.procurement.contracts.rules import at_this_pace, is_running_out
from erp_core.storage.types import money_text

BEHIND, RUNNING_OUT = "contract_behind", "contract_running_out"
KINDS = (BEHIND, RUNNING_OUT)
TOLD_ITEMS = 10
"""So many items of a contract a case names, those with the most left first."""
Prices = Mapping[tuple[UUID, UUID], int]
"""What a supplier asks for an item without a contract, by (supplier, item), in the supplier's currency."""


class CheckContracts(Command):
    """Raise a case for every contract that is called off too slowly or will run out early, and end those that caught up or are over."""


def contract_cases(connection: Connection, today: date) -> list[CaseDraft]:
    """The cases of the contracts that run, as they stand on the day."""
    running = [one for one in list_contracts(connection, today) if one.state == "running"]
    behind = [one for one in running if one.behind]
    used = [one for one in running if is_running_out(one.passed, one.drawn)]
    if not behind and not used:
        return []
    rates = rates_on(connection, {one.currency for one in (*behind, *used)}, today)
    prices = _prices(connection, used, today)
    return [
        *(_behind(one, rates.get(one.currency), today) for one in behind),
        *(_running_out(one, rates.get(one.currency), prices, today) for one in used),
    ]


def contracts_to_check(connection: Connection, today: date) -> bool:
    """Whether `CheckContracts` has anything to do."""
    now = datetime.combine(today, time.min, UTC)
    return would_change(connection, contract_cases(connection, today), _open_keys(connection), now)


def check_contracts(task: Task[CheckContracts], tx: Transaction) -> Done:
    """Bring the cases up to date."""
    found = contract_cases(tx.connection, tx.today)
    noted = Noted("the contract's call-offs beside its time", task.occurred_at, task.audit_id)
    difference = raise_cases(tx, found, noted, settled=_open_keys(tx.connection))
    return Done({"alerts": len(difference.opened), "settled": len(difference.closed)})


def not_called_off(one: ContractStanding, today: date) -> int:
    """The commitment that will be left when the contract ends, at the pace so far; before breaks, in its currency."""
    gone, days = _days(one, today)
    if one.agreed_value is not None:
        return max(one.agreed_value - at_this_pace(one.called_off_value, gone, days), 0)
    return sum(
        max((line.agreed or 0) - at_this_pace(line.called_off, gone, days), 0) * line.price
        for line in one.lines
    )


def dearer_without(one: ContractStanding, prices: Prices, today: date) -> int:
    """What the units beyond the contract cost more at the prices in force, at the pace so far; in its currency.

    An item that the supplier asks no other price for, or a lower one, costs nothing more.
    """
    gone, days = _days(one, today)
    found = 0
    for line in one.lines:
        wanted = at_this_pace(line.called_off, gone, days)
        beyond = max(wanted - (line.agreed or 0), 0)
        if one.agreed_value is not None:
            value = at_this_pace(one.called_off_value, gone, days)
            beyond = wanted * max(value - one.agreed_value, 0) // max(value, 1)
        found += beyond * max(prices.get((one.supplier_id, line.item_id), 0) - line.price, 0)
    return found


def _days(one: ContractStanding, today: date) -> tuple[int, int]:
    return (today - one.valid_from).days, (one.valid_to - one.valid_from).days


def _prices(connection: Connection, used: Sequence[ContractStanding], today: date) -> Prices:
    if not used:
        return {}
    asked = list_supplier_items(
        connection,
        on=today,
        item_ids={line.item_id for one in used for line in one.lines},
        supplier_ids={one.supplier_id for one in used},
    )
    return {(one.supplier_id, one.item_id): one.price for one in asked}


def _behind(one: ContractStanding, rate: int | None, today: date) -> CaseDraft:
    short = not_called_off(one, today)
    title = f"{one.number}: {one.drawn}% called off from {one.supplier} in {one.passed}% of its time"
    return _case(
        BEHIND,
        one,
        title,
        short,
        rate,
        (
            "not called off when it ends",
            "order what is needed at its price, or end it for what will not be used",
        ),
    )


def _running_out(one: ContractStanding, rate: int | None, prices: Prices, today: date) -> CaseDraft:
    left = "used up" if one.drawn >= 100 else f"{one.drawn}% called off"
    title = f"{one.number}: {left} from {one.supplier} in {one.passed}% of its time"
    return _case(
        RUNNING_OUT,
        one,
        title,
        dearer_without(one, prices, today),
        rate,
        ("dearer at the prices in force", "have more agreed before nothing is left at its price"),
    )


def _case(
    kind: str, one: ContractStanding, title: str, amount: int, rate: int | None, said: tuple[str, str]
) -> CaseDraft:
    label, action = said
    return CaseDraft(
        kind=kind,
        subject_key=str(one.id),
        title=title,
        subjects=(
            ("contract", one.id),
            ("supplier", one.supplier_id),
            *(("item", line.item_id) for line in one.lines),
        ),
        probability=1.0,
        deadline=datetime.combine(one.valid_to, time.min, UTC),
        expected_loss=0 if rate is None else converted(amount, rate),
        residual_loss=0,
        action_cost=0,
        evidence=tuple(_evidence(one, label, amount, rate)),
        action=by_hand(action),
    )


def _evidence(one: ContractStanding, label: str, amount: int, rate: int | None) -> Iterator[dict[str, Any]]:
    yield fact("called off", one.drawn, "percent")
    yield fact("time passed", one.passed, "percent")
    yield fact("ends on", one.valid_to.isoformat(), "day")
    if one.left_value is not None:
        yield fact(f"left of what is agreed, {one.currency}", money_text(one.left_value), CURRENCY)
    most = sorted(one.lines, key=lambda line: -(line.left or 0) * line.price)
    for line in most[:TOLD_ITEMS]:
        if line.left is not None:
            yield fact(f"{line.sku}: left", line.left, "units")
    yield fact(f"{label}, {one.currency}", money_text(amount), CURRENCY)
    if rate is None:
        yield fact("not priced", f"{one.currency} has no rate", "text")


def _open_keys(connection: Connection) -> list[CaseKey]:
    statement = select(cases.c.kind, cases.c.subject_key).where(
        cases.c.kind.in_(KINDS), cases.c.status.not_in(CLOSED)
    )
    return [(kind, key) for kind, key in connection.execute(statement)]


def register(registry: Registry) -> None:
    """Add the command."""
    registry.register(Registration(CheckContracts, each(check_contracts)))
