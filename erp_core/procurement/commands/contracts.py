"""Agreeing on blanket contracts with suppliers, and ending them early."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, model_validator
from sqlalchemy import Connection, select

from erp_core.finance.queries import rates_on
from erp_core.finance.rules import converted
from erp_core.gate.contract import (
    Asked,
    Command,
    DomainError,
    Done,
    Event,
    Facts,
    NotFound,
    Registration,
    Registry,
    Task,
    Transaction,
    each,
)
from erp_core.gate.statuses import require_step
from erp_core.inventory.locks import lock_documents
from erp_core.master.commands.price_facts import PriceFacts
from erp_core.master.commands.prices import SetSupplierPrice
from erp_core.master.commands.records import Today, day_of
from erp_core.master.queries import list_items, list_suppliers
from erp_core.master.queries.reasons import Reasons
from erp_core.master.rules.periods import Period, contradicts
from erp_core.master.rules.prices import price_at
from erp_core.master.values import Amount, ReasonCode, Units
from erp_core.procurement.commands.buyable import require_active, require_buyable
from erp_core.procurement.contracts.rules import CONTRACT_STEPS
from erp_core.procurement.model.contracts import contract_lines, supplier_contracts
from erp_core.storage.bulk import insert_rows, update_rows
from erp_core.storage.ids import short_number
from erp_core.storage.locks import lock_names
from erp_core.storage.lookup import there


class ContractExists(DomainError):
    """A contract with this id is there already."""

    code = "contract_exists"


class ContractOverlap(DomainError):
    """Two contracts with a supplier would set the price of an item on the same day."""

    code = "contract_overlap"


class ContractLine(BaseModel):
    """An item with its agreed price, with `breaks` (from quantity, price), and the units that are agreed on."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    item_id: UUID
    price: Amount
    breaks: Annotated[tuple[tuple[Units, Amount], ...], Field(max_length=20)] = ()
    quantity: Units | None = None

    @model_validator(mode="after")
    def _breaks_rise(self) -> Self:
        starts = [start for start, _ in self.breaks]
        if starts != sorted(set(starts)):
            raise ValueError("breaks: give each quantity once, the smallest first")
        return self


class AgreeContract(Command):
    """Agree with a supplier on prices for some time, up to a quantity of each item or a value in all.

    It runs from `valid_from` up to, and not on, `valid_to`; money in the supplier's currency. Governed.
    """

    contract_id: UUID
    supplier_id: UUID
    valid_from: date
    valid_to: date
    lines: tuple[ContractLine, ...] = Field(min_length=1, max_length=500)
    agreed_value: Annotated[int, Field(ge=1)] | None = None
    reason: str = Field(min_length=1, max_length=500)

    @property
    def subject(self) -> tuple[str, UUID]:
        """The contract."""
        return ("contract", self.contract_id)

    @model_validator(mode="after")
    def _is_bounded(self) -> Self:
        if self.valid_to <= self.valid_from:
            raise ValueError("valid_to: the contract has no day")
        if len({one.item_id for one in self.lines}) < len(self.lines):
            raise ValueError("lines: give each item once")
        if self.agreed_value is None and any(one.quantity is None for one in self.lines):
            raise ValueError("give a quantity for each item, or agreed_value for the contract")
        return self

    @property
    def amount(self) -> int:
        """What it comes to at most, in the supplier's currency: the value, else the quantities at their prices."""
        if self.agreed_value is not None:
            return self.agreed_value
        return sum(
            one.quantity * price_at(one.price, one.breaks, one.quantity)
            for one in self.lines
            if one.quantity is not None
        )


class EndContract(Command):
    """A contract holds no more from today on; what was called off stays."""

    contract_id: UUID
    reason_code: ReasonCode

    @property
    def subject(self) -> tuple[str, UUID]:
        """The contract."""
        return ("contract", self.contract_id)


@dataclass(frozen=True, slots=True)
class ContractFacts:
    """What approval policy is told of a contract; `today` gives the business date."""

    today: Today

    def __call__(
        self, asked: Sequence[Asked[AgreeContract]], connection: Connection
    ) -> Sequence[Facts | DomainError]:
        """`amount` is what it comes to at most in company currency, `price_change` the furthest that a price moves.

        Without a rate there is no amount, and no policy holds.
        """
        known = {
            one.id: one for one in list_suppliers(connection, ids={one.command.supplier_id for one in asked})
        }
        days = [day_of(one, self.today) for one in asked]
        rates = rates_on(connection, {one.currency for one in known.values()}, max(days)) if known else {}
        found: list[Facts | DomainError] = []
        for one in asked:
            supplier = known.get(one.command.supplier_id)
            if supplier is None:
                found.append(_no_supplier())
                continue
            moved = PriceFacts(self.today).of_prices(_priced(one), connection)
            changes = [fact["price_change"] for fact in moved if fact["price_change"] is not None]
            rate = rates.get(supplier.currency)
            amount = {} if rate is None else {"amount": converted(one.command.amount, rate)}
            found.append(
                {
                    "price_change": max(changes, default=None),
                    "back_dated": any(fact["back_dated"] for fact in moved),
                    "supplier": supplier.code,
                    "supplier_group": supplier.segment,
                    "supplier_risk": supplier.risk_class,
                    **amount,
                }
            )
        return found


def _priced(one: Asked[AgreeContract]) -> list[Asked[SetSupplierPrice]]:
    command = one.command
    return [
        Asked(
            SetSupplierPrice(
                supplier_id=command.supplier_id,
                item_id=line.item_id,
                price=line.price,
                breaks=line.breaks,
                valid_from=command.valid_from,
                valid_to=command.valid_to,
            ),
            one.preceding,
            one.occurred_at,
        )
        for line in command.lines
    ]


def agree_contract(task: Task[AgreeContract], tx: Transaction) -> Done:
    """Write the contract with its lines."""
    command, connection = task.command, tx.connection
    lock_names(connection, [f"contracts with {command.supplier_id}"])
    if there(connection, supplier_contracts.c.id, [command.contract_id]):
        raise ContractExists("it is there already", field="contract_id", remedy="use a new id")
    found = list_suppliers(connection, ids=[command.supplier_id])
    supplier = require_active(found[0] if found else None)
    skus = _check_items(command, connection)
    _check_alone(command, skus, connection)
    number = short_number("BC", command.contract_id)
    insert_rows(
        connection,
        supplier_contracts,
        [
            {
                "id": command.contract_id,
                "number": number,
                "currency": supplier.currency,
                "status": "agreed",
                "ended_on": None,
                "agreed_by": task.principal.user_id,
                "agreed_on": task.occurred_on,
                "proposal_id": task.proposal_id,
                "version": 1,
                "audit_id": task.audit_id,
            }
            | command.model_dump(include={"supplier_id", "valid_from", "valid_to", "agreed_value", "reason"})
        ],
    )
    insert_rows(
        connection,
        contract_lines,
        [
            {
                "contract_id": command.contract_id,
                "item_id": line.item_id,
                "price": line.price,
                "breaks": [list(pair) for pair in line.breaks],
                "agreed_quantity": line.quantity,
            }
            for line in command.lines
        ],
    )
    told: dict[str, Any] = {"number": number, "status": "agreed", "supplier": supplier.code}
    event = Event("ContractAgreed", "contract", command.contract_id, 1, told)
    return Done(told, events=(event,), after=told | {"items": len(command.lines)})


def _check_items(command: AgreeContract, connection: Connection) -> dict[UUID, str]:
    known = {one.id: one for one in list_items(connection, ids={line.item_id for line in command.lines})}
    for line in command.lines:
        require_buyable(known.get(line.item_id))
    return {id_: item.sku for id_, item in known.items()}


def _check_alone(command: AgreeContract, skus: dict[UUID, str], connection: Connection) -> None:
    """Refuse a contract that claims a day of another one with the supplier for the same item."""
    contract, line = supplier_contracts.c, contract_lines.c
    rows = connection.execute(
        select(contract.number, contract.valid_from, contract.valid_to, contract.ended_on, line.item_id)
        .join(contract_lines, line.contract_id == contract.id)
        .where(contract.supplier_id == command.supplier_id, line.item_id.in_(list(skus)))
    )
    own = Period(command.valid_from, command.valid_to)
    for row in rows:
        until = row.valid_to if row.ended_on is None else min(row.valid_to, row.ended_on)
        if contradicts(own, Period(row.valid_from, until)):
            raise ContractOverlap(
                f"contract {row.number} sets the price of {skus[row.item_id]} until {until}",
                field="valid_from",
                remedy=f"let it begin on {until}, or end the other one first",
                contract=row.number,
            )


def end_contract(task: Task[EndContract], tx: Transaction) -> Done:
    """Note the day from which it holds no more."""
    command = task.command
    Reasons.of(tx).require("contract_end", command.reason_code, field="reason_code")
    table = supplier_contracts.c
    header = select(table.id, table.number, table.status, table.version)
    rows = lock_documents(tx.connection, header, table.id, [command.contract_id])
    if not rows:
        raise NotFound("there is no such contract", field="contract_id", remedy="list the contracts")
    (row,) = rows
    require_step(CONTRACT_STEPS, row.status, "ended", f"contract {row.number}")
    change = {"status": "ended", "ended_on": task.occurred_on, "version": row.version + 1}
    update_rows(tx.connection, supplier_contracts, [{"id": row.id, "audit_id": task.audit_id} | change])
    told = {"number": row.number, "status": "ended", "reason": command.reason_code}
    event = Event("ContractEnded", "contract", command.contract_id, row.version + 1, told)
    return Done(told, events=(event,), before={"status": row.status}, after=told)


def _no_supplier() -> NotFound:
    return NotFound("there is no such supplier", field="supplier_id", remedy="look it up by its code")


def register(registry: Registry, today: Today) -> None:
    """Add the commands; `today` gives the business date."""
    registry.register(
        Registration(
            AgreeContract,
            each(agree_contract),
            governed=True,
            facts=ContractFacts(today),
            compensation="EndContract; what was called off stays",
        )
    )
    registry.register(Registration(EndContract, each(end_contract)))
