"""Requisitions: somebody needs goods; approved by policy, a buyer puts them into an order with a source compared."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any
from uuid import UUID

from pydantic import Field
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
    ReadSet,
    Registration,
    Registry,
    Task,
    Transaction,
    each,
)
from erp_core.gate.statuses import require_step
from erp_core.master.commands.records import Today, day_of
from erp_core.master.queries import Item, list_items, list_locations, list_supplier_items, list_suppliers
from erp_core.master.queries.calendars import calendars_of
from erp_core.master.queries.reasons import Reasons
from erp_core.master.queries.units import SizedUnits
from erp_core.master.rules.calendars import open_until
from erp_core.master.rules.prices import price_at
from erp_core.master.values import ReasonCode, Units
from erp_core.procurement.commands.buyable import require_buyable
from erp_core.procurement.commands.drafting import create_purchase_orders
from erp_core.procurement.commands.purchase_orders import CreatePurchaseOrder, PurchaseOrderLine
from erp_core.procurement.model import requisitions
from erp_core.procurement.ordering.in_units import InUnit, in_base_units, refuse_sized, unit_facts
from erp_core.procurement.ordering.purchase_orders import PurchaseOrders
from erp_core.procurement.rules import REQUISITION_STEPS
from erp_core.storage.bulk import insert_rows, update_rows
from erp_core.storage.ids import short_number
from erp_core.storage.lookup import AnyRow, fetch_in, there


class RequisitionExists(DomainError):
    """A requisition with this id is there already."""

    code = "requisition_exists"


class RequisitionsDiffer(DomainError):
    """Requisitions of one order are for one place, and each is named once."""

    code = "requisitions_differ"


class RequestPurchase(InUnit, Command):
    """Ask that goods be bought. Governed: until people said yes where policy asks them, there is only a proposal.

    `quantity` is in base units, or in `unit`, one of the item's: it is converted exactly, or refused.
    """

    requisition_id: UUID
    item_id: UUID
    location_id: UUID
    quantity: Units
    need_by: date | None = None
    reason: str = Field(min_length=1, max_length=500)

    @property
    def subject(self) -> tuple[str, UUID]:
        """The requisition."""
        return ("requisition", self.requisition_id)


class OrderRequisitions(Command):
    """Draft a purchase order of approved requisitions for one place; each is ordered once.

    Those of the same item become one line, needed by the earliest day; the supplier's minimum and multiple raise it.
    """

    po_id: UUID
    supplier_id: UUID
    requisition_ids: tuple[UUID, ...] = Field(min_length=1, max_length=500)

    @property
    def subject(self) -> tuple[str, UUID]:
        """The purchase order."""
        return ("purchase_order", self.po_id)


class CancelRequisition(Command):
    """What was asked for is not needed any more."""

    requisition_id: UUID
    reason_code: ReasonCode

    @property
    def subject(self) -> tuple[str, UUID]:
        """The requisition."""
        return ("requisition", self.requisition_id)


@dataclass(frozen=True, slots=True)
class RequestFacts:
    """What approval policy is told of a requisition; `today` gives the business date."""

    today: Today

    def __call__(
        self, asked: Sequence[Asked[RequestPurchase]], connection: Connection
    ) -> Sequence[Facts | DomainError]:
        """Category, base units, and the amount at the cheapest price in force, else at standard cost; none without either."""
        item_ids = {one.command.item_id for one in asked}
        known = {item.id: item for item in list_items(connection, ids=item_ids)}
        day = max((day_of(one, self.today) for one in asked), default=self.today())
        offers: dict[UUID, list[Any]] = {}
        for offer in list_supplier_items(connection, on=day, item_ids=item_ids):
            offers.setdefault(offer.item_id, []).append(offer)
        ids = {offer.supplier_id for listed in offers.values() for offer in listed}
        currencies = {one.id: one.currency for one in list_suppliers(connection, ids=ids)}
        rates = rates_on(connection, set(currencies.values()), day) if currencies else {}
        counted = in_base_units(connection, [one.command for one in asked])
        found: list[Facts | DomainError] = []
        for one, command in zip(asked, counted, strict=True):
            try:
                if isinstance(command, DomainError):
                    raise command
                refuse_sized(one.command, one.preceding)
                item = require_buyable(known.get(command.item_id), "item_id")
            except DomainError as error:
                found.append(error)
                continue
            prices = [
                converted(
                    price_at(offer.price, offer.breaks, command.quantity),
                    rates[currencies[offer.supplier_id]],
                )
                for offer in offers.get(item.id, ())
                if currencies[offer.supplier_id] in rates
            ]
            price = min(prices, default=item.standard_cost)
            amount = {} if price is None else {"amount": price * command.quantity}
            found.append({"category": [item.category], "units": command.quantity, **amount})
        return found


def request_read_sets(
    asked: Sequence[Asked[RequestPurchase]], connection: Connection
) -> Sequence[ReadSet | DomainError]:
    """The size of the unit that was asked in; a request in base units rests on nothing."""
    return unit_facts(connection, [one.command for one in asked])


def request_purchases(
    tasks: Sequence[Task[RequestPurchase]], tx: Transaction
) -> Sequence[Done | DomainError]:
    """Write requisitions that policy let through or people agreed to."""
    commands = [task.command for task in tasks]
    known = {item.id: item for item in list_items(tx.connection, ids={one.item_id for one in commands})}
    places = {place.id for place in list_locations(tx.connection)}
    taken = there(tx.connection, requisitions.c.id, (one.requisition_id for one in commands))
    rows: list[dict[str, Any]] = []
    outcomes: list[Done | DomainError] = []
    counted = in_base_units(tx.connection, commands, sized=SizedUnits.of(tx).pairs)
    for asked, command in zip(tasks, counted, strict=True):
        try:
            if isinstance(command, DomainError):
                raise command
            task = replace(asked, command=command)
            _check(task.command, known.get(task.command.item_id), places, taken)
        except DomainError as error:
            outcomes.append(error)
            continue
        taken.add(task.command.requisition_id)
        rows.append(_row(task))
        told = {"number": rows[-1]["number"], "status": "approved"}
        event = Event("RequisitionApproved", "requisition", task.command.requisition_id, 1, told)
        outcomes.append(Done(told, events=(event,), after=told))
    insert_rows(tx.connection, requisitions, rows)
    return outcomes


def _check(command: RequestPurchase, item: Item | None, places: set[UUID], taken: set[UUID]) -> None:
    if command.requisition_id in taken:
        raise RequisitionExists("it is there already", field="requisition_id", remedy="use a new id")
    require_buyable(item, "item_id")
    if command.location_id not in places:
        raise NotFound(
            "there is no such location", field="location_id", remedy="choose a place that holds stock"
        )


def _row(task: Task[RequestPurchase]) -> dict[str, Any]:
    command = task.command
    return {
        "id": command.requisition_id,
        "number": short_number("RQ", command.requisition_id),
        "item_id": command.item_id,
        "location_id": command.location_id,
        "quantity": command.quantity,
        "need_by": command.need_by,
        "reason": command.reason,
        "requested_by": task.principal.user_id,
        "requested_on": task.occurred_on,
        "status": "approved",
        "po_id": None,
        "proposal_id": task.proposal_id,
        "version": 1,
        "audit_id": task.audit_id,
    }


def order_requisitions(task: Task[OrderRequisitions], tx: Transaction) -> Done:
    """Draft the order, and mark the requisitions as ordered by it."""
    command = task.command
    rows = load_requisitions(command.requisition_ids, tx.connection)
    if (
        len(set(command.requisition_ids)) < len(command.requisition_ids)
        or len({row.location_id for row in rows}) > 1
    ):
        raise RequisitionsDiffer(
            "the requisitions are for several places, or one is named twice",
            field="requisition_ids",
            remedy="order for one place at a time, each requisition once",
        )
    for row in rows:
        require_step(REQUISITION_STEPS, row.status, "ordered", f"requisition {row.number}")
    draft = CreatePurchaseOrder(
        po_id=command.po_id,
        supplier_id=command.supplier_id,
        location_id=rows[0].location_id,
        lines=tuple(_lines(rows, command.supplier_id, task, tx)),
        reason=f"requisitions {', '.join(row.number for row in rows)}"[:500],
    )
    made = create_purchase_orders([Task(draft, task.principal, task.occurred_at, task.audit_id)], tx)[0]
    if isinstance(made, DomainError):
        raise made
    PurchaseOrders.of(tx).flush()
    changes = {"status": "ordered", "po_id": command.po_id, "audit_id": task.audit_id}
    update_rows(
        tx.connection, requisitions, [{"id": row.id, "version": row.version + 1} | changes for row in rows]
    )
    told = {**made.result, "requisitions": [row.number for row in rows]}
    return Done(told, events=made.events, after=told)


def _lines(
    rows: Sequence[AnyRow], supplier_id: UUID, task: Task[OrderRequisitions], tx: Transaction
) -> Iterator[PurchaseOrderLine]:
    wanted: dict[UUID, list[AnyRow]] = {}
    for row in rows:
        wanted.setdefault(row.item_id, []).append(row)
    offers = {
        one.item_id: one
        for one in list_supplier_items(
            tx.connection, on=task.occurred_on, item_ids=wanted, supplier_ids=[supplier_id]
        )
    }
    dated = any(row.need_by is not None for row in rows)
    calendars = list(
        calendars_of(tx.connection, (supplier_id, rows[0].location_id) if dated else ()).values()
    )
    for item_id, asked in wanted.items():
        quantity, offer = sum(row.quantity for row in asked), offers.get(item_id)
        if offer is not None:
            steps = max(-(-max(quantity, offer.minimum_quantity) // offer.order_multiple), 1)
            quantity = steps * offer.order_multiple
        days = [row.need_by for row in asked if row.need_by is not None]
        need_by = open_until(calendars, min(days)) if days else None
        yield PurchaseOrderLine(line_id=tx.new_id(), item_id=item_id, quantity=quantity, need_by=need_by)


def mark_ordered(
    tx: Transaction, ids: Sequence[UUID], item_ids: Collection[UUID], po_id: UUID, audit_id: UUID
) -> None:
    """Those of the requisitions that ask for these items are ordered by the order. Raises `IllegalTransition`."""
    rows = [row for row in load_requisitions(ids, tx.connection) if row.item_id in item_ids] if ids else []
    for row in rows:
        require_step(REQUISITION_STEPS, row.status, "ordered", f"requisition {row.number}")
    changes = {"status": "ordered", "po_id": po_id, "audit_id": audit_id}
    update_rows(
        tx.connection, requisitions, [{"id": row.id, "version": row.version + 1} | changes for row in rows]
    )


def cancel_requisition(task: Task[CancelRequisition], tx: Transaction) -> Done:
    """End one that was not ordered."""
    Reasons.of(tx).require("purchase_order_cancellation", task.command.reason_code, field="reason_code")
    (row,) = load_requisitions([task.command.requisition_id], tx.connection)
    require_step(REQUISITION_STEPS, row.status, "cancelled", f"requisition {row.number}")
    change = {"id": row.id, "status": "cancelled", "version": row.version + 1, "audit_id": task.audit_id}
    update_rows(tx.connection, requisitions, [change])
    told = {"number": row.number, "status": "cancelled", "reason": task.command.reason_code}
    event = Event("RequisitionCancelled", "requisition", row.id, row.version + 1, told)
    return Done(told, events=(event,), before={"status": row.status}, after=told)


def load_requisitions(ids: Sequence[UUID], connection: Connection) -> Sequence[AnyRow]:
    """The requisitions, locked, in the order of their ids. Raises `NotFound`."""
    statement = select(requisitions).order_by(requisitions.c.id).with_for_update()
    rows = fetch_in(connection, statement, requisitions.c.id, ids)
    if len(rows) < len(set(ids)):
        raise NotFound(
            "there is no such requisition", field="requisition_id", remedy="list those that are approved"
        )
    return rows


def register(registry: Registry, today: Today) -> None:
    """Add the commands."""
    registry.register(
        Registration(
            RequestPurchase,
            request_purchases,
            governed=True,
            facts=RequestFacts(today),
            read_sets=request_read_sets,
            compensation="CancelRequisition, while it is not ordered",
        )
    )
    registry.register(Registration(OrderRequisitions, each(order_requisitions)))
    registry.register(Registration(CancelRequisition, each(cancel_requisition)))
