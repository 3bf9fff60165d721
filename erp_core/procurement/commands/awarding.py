"""Awarding a quotation: its prices come into force for their days, and what was quoted is drafted as an order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from pydantic import Field
from sqlalchemy import Connection

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
from erp_core.master.commands.agreed_terms import AgreedTerms, agree_terms
from erp_core.master.commands.price_facts import PriceFacts
from erp_core.master.commands.prices import SetSupplierPrice
from erp_core.master.commands.records import Today, day_of
from erp_core.master.queries import list_suppliers
from erp_core.master.queries.calendars import calendars_of
from erp_core.master.queries.reasons import Reasons
from erp_core.master.rules.calendars import open_until
from erp_core.master.values import Comment, ReasonCode
from erp_core.procurement.commands.drafting import create_purchase_orders
from erp_core.procurement.commands.purchase_orders import CreatePurchaseOrder, PurchaseOrderLine
from erp_core.procurement.commands.quotations import QuotationClosed, load_requests, write_request
from erp_core.procurement.commands.requisitions import mark_ordered
from erp_core.procurement.model.quotations import quotation_awards, quotation_requests
from erp_core.procurement.ordering.purchase_orders import PurchaseOrders
from erp_core.procurement.quotations import reading
from erp_core.procurement.quotations.reading import LineComparison, compare_quotations, requests_of_quotations
from erp_core.procurement.quotations.rules import OPEN, QUOTATION_STEPS, Quotation, QuotedTerms
from erp_core.storage.bulk import insert_rows


class AwardNotPossible(DomainError):
    """The quotation does not hold any more, a later one took its place, or it does not quote the line."""

    code = "award_not_possible"


class AwardNeedsReason(DomainError):
    """Another quotation than the recommended one, or an award before all answered, needs a reason."""

    code = "award_needs_reason"


class AwardQuotation(Command):
    """Buy what a supplier quoted: its prices hold until its quotation ends, and a draft orders the lines.

    Without `line_ids` all lines that it quotes and that are open. Governed, as prices are; the order itself is approved
    when it is submitted. `reason_code` says why it is not the recommended one, or why before all answered.
    """

    quotation_id: UUID
    po_id: UUID
    line_ids: tuple[UUID, ...] = Field(default=(), max_length=200)
    reason_code: ReasonCode | None = None
    comment: Comment | None = None

    @property
    def subject(self) -> tuple[str, UUID]:
        """The quotation."""
        return ("quotation", self.quotation_id)


@dataclass(frozen=True, slots=True)
class Award:
    """What an award is about: the request, the quotation that counts, the lines with how they compare."""

    asked: reading.Asked
    quotation: Quotation
    lines: Sequence[LineComparison]
    early: bool

    @property
    def override(self) -> bool:
        """Whether it needs a reason: it is early, or a line goes to another than the recommended supplier."""
        return self.early or any(one.recommended_id != self.quotation.supplier_id for one in self.lines)

    def terms(self, one: LineComparison) -> QuotedTerms:
        """What is quoted for a line of the award."""
        found = self.quotation.line(one.line.id)
        assert found is not None
        return found

    def agreed(self, day: date) -> list[AgreedTerms]:
        """The terms that come into force."""
        assert self.quotation.valid_until is not None
        until = self.quotation.valid_until + timedelta(days=1)
        reference = self.quotation.reference or self.asked.request.number
        return [
            AgreedTerms(
                self.quotation.supplier_id,
                one.line.item_id,
                terms.unit_price,
                terms.breaks,
                terms.minimum_quantity,
                terms.order_multiple,
                terms.lead_time_days,
                self.quotation.currency,
                day,
                until,
                reference,
            )
            for one in self.lines
            for terms in (self.terms(one),)
        ]


def read_award(
    command: AwardQuotation, asked: reading.Asked | None, connection: Connection, day: date
) -> Award:
    """What the command awards. Raises `NotFound`, `QuotationClosed` or `AwardNotPossible`."""
    if asked is None:
        raise NotFound(
            "there is no such quotation", field="quotation_id", remedy="list the quotations of a request"
        )
    request = asked.request
    if request.status not in OPEN:
        raise QuotationClosed(
            f"{request.number} is {request.status}", field="quotation_id", remedy="ask for quotations anew"
        )
    quotation = next(
        (
            one.quotation
            for one in asked.invited
            if one.quotation is not None and one.quotation.id == command.quotation_id
        ),
        None,
    )
    if quotation is None or not quotation.valid_on(day):
        raise AwardNotPossible(
            "the supplier sent a later quotation"
            if quotation is None
            else f"it was valid until {quotation.valid_until}"
            if quotation.valid_until
            else "the supplier declined",
            field="quotation_id",
            remedy="award one that holds, or ask for quotations anew",
        )
    compared = {one.line.id: one for one in compare_quotations(connection, asked, day)}
    lines = [compared[id_] for id_ in _awarded(command, asked, quotation)]
    return Award(asked, quotation, lines, day <= request.deadline_on and asked.waiting)


def _awarded(command: AwardQuotation, asked: reading.Asked, quotation: Quotation) -> list[UUID]:
    open_lines = {line.id for line in asked.lines if line.quotation_id is None}
    quoted = {line.line_id for line in quotation.lines}
    wanted = list(dict.fromkeys(command.line_ids)) or [
        line.id for line in asked.lines if line.id in open_lines & quoted
    ]
    if not wanted or not set(wanted) <= open_lines & quoted:
        raise AwardNotPossible(
            "a line is awarded already, or the supplier does not quote it",
            field="line_ids",
            remedy="name lines of the request that are open and that it quotes",
        )
    return wanted


@dataclass(frozen=True, slots=True)
class AwardFacts:
    """What approval policy is told of an award, and what a proposal of one rests on; `today` is the business date."""

    today: Today

    def facts(
        self, asked: Sequence[Asked[AwardQuotation]], connection: Connection
    ) -> Sequence[Facts | DomainError]:
        """`price_change` is the furthest that a price moves from the one in force; `override` whether a reason is asked."""
        found: list[Facts | DomainError] = []
        for one, award in zip(asked, self._read(asked, connection), strict=True):
            if isinstance(award, DomainError):
                found.append(award)
                continue
            prices = PriceFacts(self.today)
            moved = prices.of_prices(self._priced(one, award), connection)
            (supplier,) = list_suppliers(connection, ids=[award.quotation.supplier_id])
            changes = [fact["price_change"] for fact in moved if fact["price_change"] is not None]
            found.append(
                {
                    "price_change": max(changes, default=None),
                    "back_dated": any(fact["back_dated"] for fact in moved),
                    "domain_owner": moved[0]["domain_owner"],
                    "override": award.override,
                    "supplier": supplier.code,
                    "supplier_group": supplier.segment,
                    "supplier_risk": supplier.risk_class,
                }
            )
        return found

    def read_sets(
        self, asked: Sequence[Asked[AwardQuotation]], connection: Connection
    ) -> Sequence[ReadSet | DomainError]:
        """The request as it stands, and the prices in force that are to change."""
        found: list[ReadSet | DomainError] = []
        for one, award in zip(asked, self._read(asked, connection), strict=True):
            if isinstance(award, DomainError):
                found.append(award)
                continue
            request = award.asked.request
            entry = {
                "fact": f"version of quotation request {request.number}",
                "value": request.version,
                "tolerance": 0,
            }
            prices = PriceFacts(self.today).read_sets(self._priced(one, award), connection)
            found.append([entry, *(line for part in prices for line in part)])
        return found

    def _read(
        self, asked: Sequence[Asked[AwardQuotation]], connection: Connection
    ) -> list[Award | DomainError]:
        requests = requests_of_quotations(connection, (one.command.quotation_id for one in asked))
        known = reading.read_requests(connection, set(requests.values()))
        found: list[Award | DomainError] = []
        for one in asked:
            request_id = requests.get(one.command.quotation_id)
            try:
                stands = None if request_id is None else known.get(request_id)
                found.append(read_award(one.command, stands, connection, day_of(one, self.today)))
            except DomainError as error:
                found.append(error)
        return found

    def _priced(self, one: Asked[AwardQuotation], award: Award) -> list[Asked[SetSupplierPrice]]:
        return [
            Asked(
                SetSupplierPrice(
                    supplier_id=terms.supplier_id,
                    item_id=terms.item_id,
                    price=terms.price,
                    breaks=terms.breaks,
                    valid_from=terms.valid_from,
                    valid_to=terms.valid_to,
                ),
                one.preceding,
                one.occurred_at,
            )
            for terms in award.agreed(day_of(one, self.today))
        ]


def award_quotation(task: Task[AwardQuotation], tx: Transaction) -> Done:
    """Set the prices, draft the order, and note to whom each line went and whom the comparison recommended."""
    command, day = task.command, task.occurred_on
    if command.reason_code is not None:
        Reasons.of(tx).require("quotation_award", command.reason_code, field="reason_code")
    request_id = requests_of_quotations(tx.connection, [command.quotation_id]).get(command.quotation_id)
    stands = None if request_id is None else load_requests([request_id], tx).get(request_id)
    award = read_award(command, stands, tx.connection, day)
    if award.override and command.reason_code is None:
        raise AwardNeedsReason(
            "somebody who was asked has not answered yet"
            if award.early
            else "the comparison recommends another supplier",
            field="reason_code",
            remedy="give a reason code of kind quotation_award, or award the recommended one after the deadline",
        )
    request = award.asked.request
    moved = agree_terms(tx, award.agreed(day), task.audit_id)
    made = _draft(award, task, tx)
    insert_rows(tx.connection, quotation_awards, [_row(one, award, task) for one in award.lines])
    mark_ordered(
        tx,
        _requisitions(request.id, tx.connection),
        {one.line.item_id for one in award.lines},
        command.po_id,
        task.audit_id,
    )
    taken = {one.line.id for one in award.lines}
    left = [line for line in award.asked.lines if line.quotation_id is None and line.id not in taken]
    status = "partly_awarded" if left else "awarded"
    if status != request.status:
        require_step(QUOTATION_STEPS, request.status, status, f"quotation request {request.number}")
    write_request(tx, award.asked, status, task.audit_id)
    told = {
        **made.result,
        "request": request.number,
        "status": status,
        "lines": len(award.lines),
        "as_recommended": not award.override,
    }
    event = Event("QuotationAwarded", "quotation_request", request.id, request.version + 1, told)
    return Done(
        told,
        events=(*made.events, event),
        before={"status": request.status, "prices": list(moved.before)},
        after=told | {"prices": list(moved.after), "reason": command.reason_code},
    )


def _draft(award: Award, task: Task[Any], tx: Transaction) -> Done:
    offers = {
        one.line.id: next(offer for offer in one.offers if offer.supplier_id == award.quotation.supplier_id)
        for one in award.lines
        if any(offer.supplier_id == award.quotation.supplier_id for offer in one.offers)
    }
    place_id = award.asked.request.location_id
    calendars = list(calendars_of(tx.connection, (award.quotation.supplier_id, place_id)).values())
    command = CreatePurchaseOrder(
        po_id=task.command.po_id,
        supplier_id=award.quotation.supplier_id,
        location_id=place_id,
        lines=tuple(
            PurchaseOrderLine(
                line_id=tx.new_id(),
                item_id=one.line.item_id,
                quantity=offers[one.line.id].quantity if one.line.id in offers else one.line.quantity,
                need_by=None if one.line.need_by is None else open_until(calendars, one.line.need_by),
            )
            for one in award.lines
        ),
        reason=f"quotation {award.quotation.reference or ''} of {award.asked.request.number}",
    )
    made = create_purchase_orders([replace(task, command=command)], tx)[0]
    if isinstance(made, DomainError):
        raise made
    PurchaseOrders.of(tx).flush()
    return made


def _row(one: LineComparison, award: Award, task: Task[AwardQuotation]) -> dict[str, Any]:
    return {
        "line_id": one.line.id,
        "quotation_id": award.quotation.id,
        "po_id": task.command.po_id,
        "recommended_id": one.recommended_id,
        "reason_code": task.command.reason_code if award.override else None,
        "comment": task.command.comment,
        "awarded_by": task.principal.user_id,
        "awarded_on": task.occurred_on,
        "proposal_id": task.proposal_id,
        "audit_id": task.audit_id,
    }


def _requisitions(request_id: UUID, connection: Connection) -> list[UUID]:
    table = quotation_requests
    kept = connection.scalar(
        table.select().with_only_columns(table.c.requisition_ids).where(table.c.id == request_id)
    )
    return [UUID(id_) for id_ in kept or ()]


def register(registry: Registry, today: Today) -> None:
    """Add the command; `today` gives the business date."""
    facts = AwardFacts(today)
    registry.register(
        Registration(
            AwardQuotation,
            each(award_quotation),
            governed=True,
            facts=facts.facts,
            read_sets=facts.read_sets,
            compensation="CancelPurchaseOrder for the draft; SetSupplierPrice corrects the prices",
        )
    )
