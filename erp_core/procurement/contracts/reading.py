"""Reads of blanket contracts: which one counts for an item on a day, what was called off, and what is left."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Select, func, or_, select

from erp_core.master.model import items, suppliers
from erp_core.procurement.contracts.rules import (
    CALLED_OFF,
    ContractTerms,
    Drawn,
    State,
    is_behind,
    percent,
    state_on,
)
from erp_core.procurement.model import po_lines, purchase_orders
from erp_core.procurement.model.contracts import contract_lines, supplier_contracts
from erp_core.storage.lookup import AnyRow, fetch_in, fetch_in_pairs

Asked = tuple[UUID, UUID, date]
"""Supplier, item, day."""

_CONTRACT, _LINE = supplier_contracts.c, contract_lines.c
_TERMS: Select[Any] = select(
    _CONTRACT.supplier_id,
    _LINE.item_id,
    _CONTRACT.valid_from,
    _CONTRACT.valid_to,
    _CONTRACT.ended_on,
    _CONTRACT.id,
    _CONTRACT.number,
    _LINE.price,
    _LINE.breaks,
    _LINE.agreed_quantity,
    _CONTRACT.agreed_value,
).join(supplier_contracts, _CONTRACT.id == _LINE.contract_id)


def running_terms(connection: Connection, asked: Iterable[Asked]) -> dict[Asked, ContractTerms]:
    """The contract that counts for each (supplier, item) on its day, with what was called off so far.

    One statement where no contract is concerned.
    """
    wanted = set(asked)
    pairs = {(supplier, item) for supplier, item, _ in wanted}
    known: dict[tuple[UUID, UUID], list[AnyRow]] = {}
    for row in fetch_in_pairs(connection, _TERMS, (_CONTRACT.supplier_id, _LINE.item_id), pairs):
        known.setdefault((row.supplier_id, row.item_id), []).append(row)
    if not known:
        return {}
    found = {
        (supplier, item, day): row
        for supplier, item, day in wanted
        for row in known.get((supplier, item), ())
        if state_on(day, row.valid_from, row.valid_to, row.ended_on) == "running"
    }
    drawn = called_off(connection, {row.id for row in found.values()})
    return {key: _terms(row, drawn) for key, row in found.items()}


def contract_terms(
    connection: Connection, contract_ids: Iterable[UUID]
) -> dict[tuple[UUID, UUID], ContractTerms]:
    """The terms by (contract, item), with what was called off."""
    rows = fetch_in(connection, _TERMS, _CONTRACT.id, contract_ids)
    drawn = called_off(connection, {row.id for row in rows})
    return {(row.id, row.item_id): _terms(row, drawn) for row in rows}


def called_off(connection: Connection, contract_ids: Iterable[UUID]) -> dict[tuple[UUID, UUID], Drawn]:
    """What orders took of each item of these contracts: what was cancelled, or never came of a closed order, not."""
    wanted = po_lines.c.quantity - po_lines.c.cancelled_quantity
    statement = (
        select(
            po_lines.c.contract_id,
            po_lines.c.item_id,
            func.sum(wanted),
            func.sum(wanted * po_lines.c.unit_price),
        )
        .join(purchase_orders, purchase_orders.c.id == po_lines.c.po_id)
        .where(purchase_orders.c.status.in_(CALLED_OFF))
        .group_by(po_lines.c.contract_id, po_lines.c.item_id)
    )
    rows = fetch_in(connection, statement, po_lines.c.contract_id, contract_ids)
    return {(contract, item): Drawn(int(units), int(value)) for contract, item, units, value in rows}


def _terms(row: AnyRow, drawn: dict[tuple[UUID, UUID], Drawn]) -> ContractTerms:
    terms = ContractTerms(
        row.id,
        row.number,
        row.item_id,
        row.price,
        tuple((start, price) for start, price in row.breaks),
        row.agreed_quantity,
        row.agreed_value,
    )
    value = sum(one.value for (contract, _), one in drawn.items() if contract == row.id)
    return replace(terms, drawn=drawn.get((row.id, row.item_id), Drawn()), value_drawn=value)


@dataclass(frozen=True, slots=True)
class ContractLineStanding:
    """What was called off of an item, what came of it, and what is left. `left` is None where a value is agreed."""

    item_id: UUID
    sku: str
    price: int
    agreed: int | None
    called_off: int
    received: int
    left: int | None
    value: int


@dataclass(frozen=True, slots=True)
class ContractStanding:
    """A contract and how far it is drawn. `drawn` and `passed` are percent of what was agreed and of its time.

    `behind`: so little was called off that much of it will be left when it ends.
    """

    id: UUID
    number: str
    supplier_id: UUID
    supplier: str
    currency: str
    valid_from: date
    valid_to: date
    ended_on: date | None
    state: State
    reason: str
    agreed_value: int | None
    called_off_value: int
    left_value: int | None
    drawn: int
    passed: int
    behind: bool
    lines: Sequence[ContractLineStanding]


def list_contracts(
    connection: Connection, today: date, *, supplier_id: UUID | None = None, over: bool = False
) -> list[ContractStanding]:
    """Contracts that run or are to come, the first to end first; with `over` also those that are over."""
    statement = select(supplier_contracts, suppliers.c.code).join(
        suppliers, suppliers.c.id == _CONTRACT.supplier_id
    )
    if supplier_id is not None:
        statement = statement.where(_CONTRACT.supplier_id == supplier_id)
    if not over:
        statement = statement.where(
            _CONTRACT.valid_to > today, or_(_CONTRACT.ended_on.is_(None), _CONTRACT.ended_on > today)
        )
    rows = connection.execute(statement.order_by(_CONTRACT.valid_to, _CONTRACT.number)).all()
    lines = _lines_by_contract(connection, [row.id for row in rows])
    return [_standing(row, lines.get(row.id, []), today) for row in rows]


def _standing(row: AnyRow, lines: Sequence[ContractLineStanding], today: date) -> ContractStanding:
    value = sum(line.value for line in lines)
    agreed = row.agreed_value
    drawn = (
        percent(value, agreed)
        if agreed is not None
        else percent(sum(line.called_off for line in lines), sum(line.agreed or 0 for line in lines))
    )
    state = state_on(today, row.valid_from, row.valid_to, row.ended_on)
    days = min(max((today - row.valid_from).days, 0), (row.valid_to - row.valid_from).days)
    passed = percent(days, (row.valid_to - row.valid_from).days)
    return ContractStanding(
        row.id,
        row.number,
        row.supplier_id,
        row.code,
        row.currency,
        row.valid_from,
        row.valid_to,
        row.ended_on,
        state,
        row.reason,
        agreed,
        value,
        None if agreed is None else agreed - value,
        drawn,
        passed,
        state == "running" and is_behind(passed, drawn),
        lines,
    )


def _lines_by_contract(
    connection: Connection, contract_ids: Sequence[UUID]
) -> dict[UUID, list[ContractLineStanding]]:
    drawn = called_off(connection, contract_ids)
    came = (
        select(po_lines.c.contract_id, po_lines.c.item_id, func.sum(po_lines.c.accepted_quantity))
        .join(purchase_orders, purchase_orders.c.id == po_lines.c.po_id)
        .group_by(po_lines.c.contract_id, po_lines.c.item_id)
    )
    received = {
        (contract, item): int(units)
        for contract, item, units in fetch_in(connection, came, po_lines.c.contract_id, contract_ids)
    }
    columns = (
        select(_LINE.contract_id, _LINE.item_id, items.c.sku, _LINE.price, _LINE.agreed_quantity)
        .join(items, items.c.id == _LINE.item_id)
        .order_by(items.c.sku)
    )
    found: dict[UUID, list[ContractLineStanding]] = {}
    for row in fetch_in(connection, columns, _LINE.contract_id, contract_ids):
        key, agreed = (row.contract_id, row.item_id), row.agreed_quantity
        taken = drawn.get(key, Drawn())
        found.setdefault(row.contract_id, []).append(
            ContractLineStanding(
                row.item_id,
                row.sku,
                row.price,
                agreed,
                taken.units,
                received.get(key, 0),
                None if agreed is None else agreed - taken.units,
                taken.value,
            )
        )
    return found
