"""Events about invoices, payments, contracts and quotations as commands. Their ids are drawn apart from all others."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from uuid import UUID

from erp_core.gate.contract import Command
from erp_core.procurement.commands import (
    AgreeContract,
    AwardQuotation,
    ContractLine,
    InvoiceCharge,
    InvoiceLine,
    QuotationWish,
    QuotedLine,
    RecordQuotation,
    RecordSupplierInvoice,
    RequestQuotation,
)
from erp_core.procurement.commands.paying import PaySupplierInvoices
from erp_core.procurement.commands.resolving import AcceptSupplierInvoice, RejectSupplierInvoice
from erp_core.storage.ids import SeededIds
from evals.worlds.engine import Premise
from evals.worlds.events import Agreed, Asked, Awarded, Bill, Event, Paid, Quoted
from evals.worlds.masterdata import CURRENCY, MasterIds

BY = {
    "AgreeContract": "buyer",
    "RequestQuotation": "buyer",
    "RecordQuotation": "buyer",
    "AwardQuotation": "buyer",
    "RecordSupplierInvoice": "finance",
    "RejectSupplierInvoice": "finance",
    "AcceptSupplierInvoice": "buyer",
    "PaySupplierInvoices": "payments",
}
"""Who does what: who matches an invoice does not pay it, and somebody else agrees to pay beyond the match."""

_IDS = 4
_FIRST_ROUND = 1
_AWARD_REASON = "service"
"""Told where the comparison recommends another supplier; kept with the award only then."""

Purchases = Mapping[int, tuple[UUID, list[UUID]]]
"""The ids of purchase orders and of their lines, by number; it grows while the story is posted."""


class Papers:
    """Makes the commands. `make` gives for each kind of event how."""

    def __init__(self, premise: Premise, master: MasterIds, purchases: Purchases) -> None:
        self._premise = premise
        self._master = master
        self._purchases = purchases
        self._ids = SeededIds(premise.seed + _IDS)
        self._known: dict[tuple[str | int, ...], UUID] = {}
        self.make: Mapping[str, Callable[[Event, datetime], Command]] = {
            "AgreeContract": self._agree,
            "RequestQuotation": self._request,
            "RecordQuotation": self._quote,
            "AwardQuotation": self._award,
            "RecordSupplierInvoice": self._record,
            "RejectSupplierInvoice": self._reject,
            "AcceptSupplierInvoice": self._accept,
            "PaySupplierInvoices": self._pay,
        }

    def _id(self, moment: datetime, kind: str, *parts: int) -> UUID:
        """The id of a document, drawn when it first appears."""
        if (kind, *parts) not in self._known:
            self._ids.at(moment)
            self._known[kind, *parts] = self._ids()
        return self._known[kind, *parts]

    def _invoice(self, number: int, moment: datetime) -> UUID:
        return self._id(moment, "supplier invoice", number)

    def _record(self, event: Event, moment: datetime) -> Command:
        bill: Bill = event.data
        day = self._premise.world.day
        return RecordSupplierInvoice(
            occurred_at=moment,
            invoice_id=self._invoice(event.document[1], moment),
            supplier_id=self._master.suppliers[bill.supplier],
            number=bill.number,
            kind="invoice" if bill.credits is None else "credit_note",
            credits=None if bill.credits is None else self._invoice(bill.credits, moment),
            currency=CURRENCY,
            invoiced_on=day(bill.invoiced),
            due_on=day(bill.due),
            lines=tuple(
                InvoiceLine(
                    po_id=self._purchases[one.purchase][0],
                    po_line_id=self._purchases[one.purchase][1][one.line],
                    quantity=one.units,
                    unit_price=one.price,
                    price_only=bill.credits is not None,
                )
                for one in bill.lines
            ),
            charges=tuple(
                InvoiceCharge(po_id=self._purchases[purchase][0], kind="freight", amount=amount)
                for purchase, amount in bill.freight
            ),
            total=bill.total,
        )

    def _reject(self, event: Event, moment: datetime) -> Command:
        invoice_id = self._invoice(event.document[1], moment)
        return RejectSupplierInvoice(occurred_at=moment, invoice_id=invoice_id, reason_code=event.data)

    def _accept(self, event: Event, moment: datetime) -> Command:
        return AcceptSupplierInvoice(
            occurred_at=moment,
            invoice_id=self._invoice(event.document[1], moment),
            round=_FIRST_ROUND,
            reason_code=event.data,
        )

    def _pay(self, event: Event, moment: datetime) -> Command:
        paid: Paid = event.data
        return PaySupplierInvoices(
            occurred_at=moment,
            payment_id=self._id(moment, "supplier payment", event.document[1]),
            supplier_id=self._master.suppliers[paid.supplier],
            invoice_ids=tuple(self._invoice(number, moment) for number in paid.invoices),
        )

    def _agree(self, event: Event, moment: datetime) -> Command:
        agreed: Agreed = event.data
        return AgreeContract(
            occurred_at=moment,
            contract_id=self._id(moment, "contract", event.document[1]),
            supplier_id=self._master.suppliers[agreed.supplier],
            valid_from=self._premise.world.day(agreed.start),
            valid_to=self._premise.world.day(agreed.stop),
            lines=tuple(
                ContractLine(item_id=self._master.items[item], price=price, quantity=units)
                for item, price, units in agreed.lines
            ),
            reason=agreed.reason,
        )

    def _request(self, event: Event, moment: datetime) -> Command:
        asked: Asked = event.data
        request_id = self._id(moment, "quotation request", event.document[1])
        return RequestQuotation(
            occurred_at=moment,
            request_id=request_id,
            location_id=self._master.locations[asked.location],
            supplier_ids=tuple(self._master.suppliers[one] for one in asked.suppliers),
            deadline_on=self._premise.world.day(asked.deadline),
            lines=tuple(
                QuotationWish(
                    line_id=self._id(moment, "quotation line", event.document[1], number),
                    item_id=self._master.items[item],
                    quantity=units,
                    need_by=self._premise.world.day(asked.need_by),
                )
                for number, (item, units) in enumerate(asked.lines)
            ),
        )

    def _quote(self, event: Event, moment: datetime) -> Command:
        quoted: Quoted = event.data
        request_id = self._id(moment, "quotation request", event.document[1])
        return RecordQuotation(
            occurred_at=moment,
            request_id=request_id,
            quotation_id=self._id(moment, "quotation", event.document[1], quoted.supplier),
            supplier_id=self._master.suppliers[quoted.supplier],
            reference=f"Q{1_000 + 37 * quoted.supplier + event.document[1]}",
            valid_until=self._premise.world.day(quoted.valid_until),
            lines=tuple(
                QuotedLine(
                    line_id=self._id(moment, "quotation line", event.document[1], line),
                    unit_price=price,
                    minimum_quantity=minimum,
                    order_multiple=multiple,
                    lead_time_days=quoted.lead,
                )
                for line, price, minimum, multiple in quoted.lines
            ),
        )

    def _award(self, event: Event, moment: datetime) -> Command:
        awarded: Awarded = event.data
        return AwardQuotation(
            occurred_at=moment,
            quotation_id=self._id(moment, "quotation", event.document[1], awarded.supplier),
            po_id=self._id(moment, "awarded order", event.document[1]),
            reason_code=_AWARD_REASON,
        )
