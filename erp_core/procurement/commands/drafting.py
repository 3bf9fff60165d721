"""Making drafts: supplier, prices and quantities are checked against the terms in force."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from erp_core.gate.contract import DomainError, Done, Event, NotFound, Task, Transaction
from erp_core.master.queries import (
    Item,
    Supplier,
    SupplierItem,
    list_items,
    list_locations,
    list_suppliers,
)
from erp_core.master.queries.calendars import calendars_of
from erp_core.master.queries.documents import documents_in_the_way
from erp_core.master.queries.prices import supplier_items_by_day
from erp_core.master.queries.reasons import Reasons
from erp_core.master.queries.units import SizedUnits
from erp_core.master.rules.calendars import WorkCalendar, open_until
from erp_core.master.rules.documents import DocumentGap
from erp_core.master.rules.prices import price_at
from erp_core.master.values import LARGEST_AMOUNT
from erp_core.procurement.commands.buyable import require_active, require_buyable
from erp_core.procurement.commands.purchase_orders import CreatePurchaseOrder, PurchaseOrderLine
from erp_core.procurement.contracts.reading import running_terms
from erp_core.procurement.contracts.rules import ContractTerms, Drawn
from erp_core.procurement.errors import (
    NeedDayClosed,
    NoSupplierRecord,
    OrderTooLarge,
    PurchaseOrderExists,
    QuantityAgainstTerms,
    SupplierDocumentMissing,
)
from erp_core.procurement.model import po_lines, purchase_orders
from erp_core.procurement.ordering.in_units import in_base_units
from erp_core.procurement.ordering.purchase_orders import Line, PurchaseOrder, PurchaseOrders
from erp_core.procurement.rules import Terms
from erp_core.storage.ids import short_number
from erp_core.storage.lookup import there


@dataclass(frozen=True, slots=True)
class Suppliers:
    """Suppliers, and what is missing of the documents without which nothing is ordered, by day."""

    known: Mapping[UUID, Supplier]
    missing: Mapping[tuple[UUID, date], Sequence[DocumentGap]]

    @classmethod
    def read(cls, connection: Connection, asked: Iterable[tuple[UUID, date]]) -> Suppliers:
        """The suppliers asked for, each with the day on which it is to be ordered from."""
        wanted = set(asked)
        known = {one.id: one for one in list_suppliers(connection, ids={id_ for id_, _ in wanted})}
        asked_of = [(id_, known[id_].segment, day) for id_, day in wanted if id_ in known]
        return cls(known, documents_in_the_way(connection, asked_of))

    def require_active(self, supplier_id: UUID, day: date) -> Supplier:
        """The supplier, when orders may go to it on the day.

        Raises `NotFound`, `InactiveSupplier` or `SupplierDocumentMissing`.
        """
        supplier = require_active(self.known.get(supplier_id))
        gaps = self.missing.get((supplier_id, day))
        if gaps:
            listed = ", ".join(f"{gap.label} ({gap.state.replace('_', ' ')})" for gap in gaps)
            raise SupplierDocumentMissing(
                f"supplier {supplier.code} lacks {listed}",
                field="supplier_id",
                remedy="have the document added first, or choose another supplier",
                supplier=supplier.code,
                documents=[gap.kind for gap in gaps],
            )
        return supplier


@dataclass(frozen=True, slots=True)
class LinePrice:
    """What a line costs and what a variance is measured by; the contract that it draws on.

    `beyond` is a contract that runs but of which less is left than the line asks for.
    """

    price: int
    reference: int
    contract_id: UUID | None = None
    beyond: ContractTerms | None = None


@dataclass(frozen=True, slots=True)
class SupplierTerms:
    """The master data that drafts rest on, each with the day it is ordered on, read in bulk."""

    suppliers: Suppliers
    items: Mapping[UUID, Item]
    records: Mapping[tuple[UUID, UUID, date], SupplierItem]
    contracts: Mapping[tuple[UUID, UUID, date], ContractTerms]
    calendars: Mapping[UUID, WorkCalendar]

    @classmethod
    def read(
        cls, connection: Connection, drafts: Sequence[tuple[CreatePurchaseOrder, date]]
    ) -> SupplierTerms:
        """What these drafts need, with seven queries, and one more where a line is needed on a day."""
        item_ids = {line.item_id for command, _ in drafts for line in command.lines}
        wanted = {
            (command.supplier_id, line.item_id, day) for command, day in drafts for line in command.lines
        }
        return cls(
            Suppliers.read(connection, ((command.supplier_id, day) for command, day in drafts)),
            {item.id: item for item in list_items(connection, ids=item_ids)},
            supplier_items_by_day(connection, wanted),
            running_terms(connection, wanted),
            calendars_of(
                connection,
                {
                    party_id
                    for command, _ in drafts
                    if any(line.need_by is not None for line in command.lines)
                    for party_id in (command.supplier_id, command.location_id)
                },
            ),
        )

    def worked(self, draft: CreatePurchaseOrder) -> list[WorkCalendar]:
        """The calendars of the draft's supplier and place, where they have one."""
        parties = (draft.supplier_id, draft.location_id)
        return [self.calendars[id_] for id_ in parties if id_ in self.calendars]

    def prices(self, draft: CreatePurchaseOrder, day: date) -> list[LinePrice]:
        """What each line costs: the price given, else the contract's of which enough is left, else the one in force.

        Lines of a draft share what is left, the first one first. Raises `NoSupplierRecord`.
        """
        taken: dict[UUID, Drawn] = {}
        value: dict[UUID, int] = {}
        found = []
        for line in draft.lines:
            terms = self.contracts.get((draft.supplier_id, line.item_id, day))
            given = line.unit_price is not None
            if terms is None:
                price = self.price(draft.supplier_id, line, day)
                found.append(LinePrice(price, self.reference_price(draft.supplier_id, line, price, day)))
                continue
            agreed, contract = terms.price_at(line.quantity), terms.contract_id
            enough = terms.takes(line.quantity, taken.get(line.item_id, Drawn()), value.get(contract, 0))
            if enough and not given:
                part = Drawn(line.quantity, line.quantity * agreed)
                taken[line.item_id] = taken.get(line.item_id, Drawn()) + part
                value[contract] = value.get(contract, 0) + part.value
                found.append(LinePrice(agreed, agreed, contract))
                continue
            price = self.price(draft.supplier_id, line, day)
            reference = agreed if enough else self.reference_price(draft.supplier_id, line, price, day)
            found.append(LinePrice(price, reference, beyond=None if given else terms))
        return found

    def price(self, supplier_id: UUID, line: PurchaseOrderLine, day: date) -> int:
        """The price given, else the one in force on the day for the quantity. Raises `NoSupplierRecord`."""
        if line.unit_price is not None:
            return line.unit_price
        record = self.records.get((supplier_id, line.item_id, day))
        if record is None:
            item, supplier = self.items[line.item_id], self.suppliers.known[supplier_id]
            raise NoSupplierRecord(
                f"{supplier.code} has no price for {item.sku} on {day}",
                field="lines.unit_price",
                remedy="give a price, choose another supplier, or record what the supplier asks for the item",
                item=item.sku,
                supplier=supplier.code,
            )
        return price_at(record.price, record.breaks, line.quantity)

    def reference_price(self, supplier_id: UUID, line: PurchaseOrderLine, price: int, day: date) -> int:
        """The price in force, else the standard cost, else the price itself: what a variance is measured by."""
        record = self.records.get((supplier_id, line.item_id, day))
        if record is not None:
            return price_at(record.price, record.breaks, line.quantity)
        standard = self.items[line.item_id].standard_cost
        return price if standard is None else standard


def create_purchase_orders(
    tasks: Sequence[Task[CreatePurchaseOrder]], tx: Transaction
) -> Sequence[Done | DomainError]:
    """Draft purchase orders. A draft commits nothing: no stock, no money, no open order."""
    orders = PurchaseOrders.of(tx)
    commands = [task.command for task in tasks]
    drafts = in_base_units(tx.connection, commands, sized=SizedUnits.of(tx).pairs)
    days = [task.occurred_on for task in tasks]
    terms = SupplierTerms.read(
        tx.connection,
        [(one, day) for one, day in zip(drafts, days, strict=True) if not isinstance(one, DomainError)],
    )
    places = {location.id for location in list_locations(tx.connection)}
    taken = _taken(tx.connection, commands)
    outcomes: list[Done | DomainError] = []
    for asked, draft in zip(tasks, drafts, strict=True):
        try:
            if isinstance(draft, DomainError):
                raise draft
            task = replace(asked, command=draft)
            if task.command.override_reason_code is not None:
                Reasons.of(tx).require(
                    "terms_override", task.command.override_reason_code, field="override_reason_code"
                )
            order = _draft(task, terms, places, taken)
        except DomainError as error:
            outcomes.append(error)
            continue
        orders.add(order)
        taken.update((order.id, order.number, *order.lines))
        result: dict[str, Any] = {
            "po_id": str(order.id),
            "number": order.number,
            "total": order.total,
        }
        beyond = beyond_contracts(task.command, terms, task.occurred_on) if terms.contracts else []
        if beyond:
            result["beyond_contract"] = beyond
        event = Event("PurchaseOrderCreated", "purchase_order", order.id, order.version, result)
        outcomes.append(
            Done(result=result, events=(event,), after={"status": order.status, "total": order.total})
        )
    return outcomes


def _draft(
    task: Task[CreatePurchaseOrder], terms: SupplierTerms, places: set[UUID], taken: set[UUID | str]
) -> PurchaseOrder:
    command = task.command
    number = command.number or short_number("PO", command.po_id)
    line_ids = [line.line_id for line in command.lines]
    if not taken.isdisjoint((command.po_id, number, *line_ids)) or len(set(line_ids)) < len(line_ids):
        raise PurchaseOrderExists(
            f"purchase order {number}, or a line of it, is there already",
            field="po_id",
            remedy="use new ids and number",
        )
    supplier = terms.suppliers.require_active(command.supplier_id, task.occurred_on)
    if command.location_id not in places:
        raise NotFound(
            "there is no such location", field="location_id", remedy="choose a place that holds stock"
        )
    lines = {line.id: line for line in draft_lines(command, terms, task.occurred_on)}
    goods = sum(line.quantity * line.unit_price for line in lines.values())
    total = goods + command.freight_cost + command.expedite_cost
    if total > LARGEST_AMOUNT:
        raise OrderTooLarge("no order comes to so much", field="lines", remedy="check quantities and prices")
    return PurchaseOrder(
        id=command.po_id,
        number=number,
        supplier_id=supplier.id,
        location_id=command.location_id,
        buyer_id=task.principal.user_id,
        currency=supplier.currency,
        status="draft",
        total=total,
        freight_cost=command.freight_cost,
        expedite_cost=command.expedite_cost,
        created_on=task.occurred_on,
        submitted_at=None,
        approved_at=None,
        sent_on=None,
        known_on=task.occurred_on,
        proposal_id=None,
        reason=command.reason,
        version=1,
        import_id=None,
        audit_id=task.audit_id,
        lines=lines,
    )


def draft_lines(
    command: CreatePurchaseOrder, terms: SupplierTerms, day: date, *, first_no: int = 1
) -> list[Line]:
    """The lines of a draft, priced on the day and checked against the supplier's terms. Raises what a draft raises."""
    for line in command.lines:
        _check_line(command, line, terms, day)
    return [
        Line(
            id=line.line_id,
            po_id=command.po_id,
            line_no=line_no,
            item_id=line.item_id,
            quantity=line.quantity,
            unit_price=found.price,
            reference_price=found.reference,
            need_by=line.need_by,
            contract_id=found.contract_id,
        )
        for line_no, (line, found) in enumerate(
            zip(command.lines, terms.prices(command, day), strict=True), start=first_no
        )
    ]


def beyond_contracts(draft: CreatePurchaseOrder, terms: SupplierTerms, day: date) -> list[dict[str, Any]]:
    """The lines for which a contract runs but too little of it is left: they take the price in force."""
    return [
        {"sku": terms.items[line.item_id].sku, "contract": one.beyond.number, "left": one.beyond.left_units()}
        for line, one in zip(draft.lines, terms.prices(draft, day), strict=True)
        if one.beyond is not None
    ]


def _check_line(
    command: CreatePurchaseOrder, wanted: PurchaseOrderLine, terms: SupplierTerms, day: date
) -> None:
    item = require_buyable(terms.items.get(wanted.item_id))
    if command.override_reason_code is not None:
        return
    if wanted.need_by is not None:
        check_need_day(terms.worked(command), wanted.need_by, f"{item.sku} is needed")
    record = terms.records.get((command.supplier_id, wanted.item_id, day))
    if record is not None:
        _check_terms(wanted.quantity, record, item, terms.suppliers.known[command.supplier_id])


def check_need_day(calendars: Sequence[WorkCalendar], need_by: date, what: str) -> None:
    """Pass when supplier and place both work on the day. Raises `NeedDayClosed`, which names the last such day before."""
    if all(calendar.works_on(need_by) for calendar in calendars):
        return
    before = open_until(calendars, need_by)
    ask = "look at the calendars" if before is None else f"ask for it by {before}"
    raise NeedDayClosed(
        f"{what} on {need_by}, when the supplier does not deliver or the place does not receive",
        field="lines.need_by",
        remedy=f"{ask}, or give a reason code of kind terms_override in override_reason_code",
        last_open_day=before,
    )


def _check_terms(quantity: int, record: SupplierItem, item: Item, supplier: Supplier) -> None:
    terms = Terms(record.minimum_quantity, record.order_multiple)
    if terms.accepts(quantity):
        return
    valid = terms.next_valid(quantity)
    raise QuantityAgainstTerms(
        f"{supplier.code} sells {item.sku} from {terms.minimum_quantity} in steps of {terms.order_multiple},"
        f" not {quantity}",
        field="lines.quantity",
        remedy=f"order {valid}, or give a reason code of kind terms_override in override_reason_code",
        item=item.sku,
        supplier=supplier.code,
        next_valid_quantity=valid,
    )


def _taken(connection: Connection, commands: Sequence[CreatePurchaseOrder]) -> set[UUID | str]:
    """Ids and numbers of these commands that stand already."""
    table = purchase_orders
    names = [command.number or short_number("PO", command.po_id) for command in commands]
    lines = [line.line_id for command in commands for line in command.lines]
    return (
        there(connection, table.c.id, (command.po_id for command in commands))
        | there(connection, table.c.number, names)
        | there(connection, po_lines.c.id, lines)
    )
