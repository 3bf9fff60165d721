"""What payment providers report: customers pay as goods are invoiced, credits go back some days later, payouts follow weekly.

A real shop tells its provider what to collect; here the amounts are read from its invoices and credit notes. The money is
reported by provider and day, so that a company of years takes a few thousand commands.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import accumulate
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import Connection, select

from erp_core.gate.contract import Command
from erp_core.master.model import channels
from erp_core.orders.commands import PaymentLine, RecordCustomerPayments, RecordProviderPayout
from erp_core.orders.model import orders
from erp_core.orders.model_documents import sales_documents
from erp_core.orders.rules.payments import PaymentKind
from erp_core.storage.ids import SeededIds
from evals.worlds.parameters import WorldParameters

_COLLECTED_AFTER = {"web": 1, "store": 0}
"""Days from the invoice to the provider's report of its payment, by kind of channel."""
_REFUNDED_AFTER = 3
_PAYOUT_WEEKDAY = 0
_FEE_PERMILLE = 14
_CENT = 100
_REPORTED_AT, _PAID_OUT_AT = time(22, 30), time(23, 30)
_DOCUMENTS = (
    select(
        sales_documents.c.kind,
        sales_documents.c.number,
        sales_documents.c.order_id,
        sales_documents.c.issued_on,
        (sales_documents.c.net + sales_documents.c.tax).label("gross"),
        channels.c.code,
        channels.c.kind.label("channel_kind"),
    )
    .join(orders, orders.c.id == sales_documents.c.order_id)
    .join(channels, channels.c.id == orders.c.channel_id)
    .where(sales_documents.c.net + sales_documents.c.tax > 0)
    .order_by(sales_documents.c.issued_on, sales_documents.c.seller_id, sales_documents.c.sequence)
)


class _Due(NamedTuple):
    """Money that moves: of a document, at a provider, from a day on."""

    day: date
    provider: str
    order_id: UUID
    reference: str
    amount: int


@dataclass(slots=True)
class _Provider:
    """What a provider collected less what it gave back, and what of it is paid out."""

    held: int = 0
    paid_out: int = 0


class Settling:
    """The providers of a world. Documents are read as they come; what is due later waits."""

    def __init__(self, world: WorldParameters, seed: int) -> None:
        self._world = world
        self.ids = SeededIds(seed + 5)
        self._done = 0
        self._payments: list[_Due] = []
        self._credits: list[_Due] = []
        self._paid_on: dict[UUID, date] = {}
        self._providers: dict[str, _Provider] = {}

    def reports(self, connection: Connection, until: int) -> Iterator[tuple[str, list[Command]]]:
        """What is reported of the days up to, and not on, `until`: commands of one kind, each list with its name.

        First payments, then refunds: an order of which anything is still to be paid waits for its refund.
        """
        first, last = self._world.day(self._done), self._world.day(until - 1)
        self._read(connection, first, last)
        paid = [one for one in self._payments if one.day <= last]
        self._payments = [one for one in self._payments if one.day > last]
        dated = [
            one._replace(day=max(one.day, self._paid_on.get(one.order_id, one.day))) for one in self._credits
        ]
        refunded = [one for one in dated if one.day <= last]
        self._credits = [one for one in dated if one.day > last]
        yield "payments", self._reported("payment", paid)
        yield "refunds", self._reported("refund", refunded)
        yield "payouts", self._payouts(paid, refunded, until)
        self._done = until

    def _read(self, connection: Connection, first: date, last: date) -> None:
        on_these_days = sales_documents.c.issued_on.between(first, last)
        for row in connection.execute(_DOCUMENTS.where(on_these_days)):
            days = _REFUNDED_AFTER if row.kind == "credit_note" else _COLLECTED_AFTER[row.channel_kind]
            day = row.issued_on + timedelta(days=days)
            due = _Due(day, f"PAY-{row.code}", row.order_id, row.number, int(row.gross))
            if row.kind == "credit_note":
                self._credits.append(due)
                continue
            self._payments.append(due)
            self._paid_on[row.order_id] = max(day, self._paid_on.get(row.order_id, day))

    def _reported(self, kind: PaymentKind, some: Sequence[_Due]) -> list[Command]:
        reports: dict[tuple[date, str], list[_Due]] = {}
        for one in some:
            reports.setdefault((one.day, one.provider), []).append(one)
        return [
            self._report(kind, day, provider, reports[day, provider]) for day, provider in sorted(reports)
        ]

    def _report(self, kind: PaymentKind, day: date, provider: str, some: Sequence[_Due]) -> Command:
        moment = self._moment(day, _REPORTED_AT)
        return RecordCustomerPayments(
            occurred_at=moment,
            report_id=self.ids(),
            provider=provider,
            lines=tuple(
                PaymentLine(
                    payment_id=self.ids(),
                    order_id=one.order_id,
                    kind=kind,
                    reference=one.reference,
                    amount=one.amount,
                )
                for one in some
            ),
        )

    def _payouts(self, paid: Sequence[_Due], refunded: Sequence[_Due], until: int) -> list[Command]:
        """Weekly what a provider holds, as far as refunds that are known leave it."""
        changes: dict[str, dict[date, int]] = {}
        for sign, some in ((1, paid), (-1, refunded)):
            for one in some:
                by_day = changes.setdefault(one.provider, {})
                by_day[one.day] = by_day.get(one.day, 0) + sign * one.amount
        found: list[Command] = []
        for provider in sorted(changes.keys() | self._providers.keys()):
            found += self._paid_out(provider, changes.get(provider, {}), until)
        return found

    def _paid_out(self, provider: str, changes: Mapping[date, int], until: int) -> Iterator[Command]:
        known = self._providers.setdefault(provider, _Provider())
        days = [self._world.day(index) for index in range(self._done, until)]
        held = list(accumulate((changes.get(day, 0) for day in days), initial=known.held))[1:]
        free = list(accumulate(reversed(held), min))[::-1]
        known.held = held[-1]
        for day, available in zip(days, free, strict=True):
            amount = available - known.paid_out
            if day.weekday() != _PAYOUT_WEEKDAY or amount <= 0:
                continue
            known.paid_out += amount
            fee = amount * _FEE_PERMILLE // 1_000 // _CENT * _CENT
            yield RecordProviderPayout(
                occurred_at=self._moment(day, _PAID_OUT_AT),
                payout_id=self.ids(),
                provider=provider,
                reference=f"PO-{day}",
                amount=amount - fee,
                fee=fee,
            )

    def _moment(self, day: date, at: time) -> datetime:
        moment = datetime.combine(day, at, tzinfo=UTC)
        self.ids.at(moment)
        return moment
