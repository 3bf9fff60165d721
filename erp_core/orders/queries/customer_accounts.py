"""What customers owe and are owed, by order, and what the accounts of sales come to by their records.

All in company currency, in which sales are made and invoiced.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import Column, Connection, Select, case, func, select

from erp_core.finance.accounts import AccountCode
from erp_core.orders.model_documents import revenue_entries, sales_documents
from erp_core.orders.model_payments import (
    applied_prepayments,
    customer_payments,
    customer_set_offs,
    provider_payouts,
)
from erp_core.orders.rules.payments import COMES_IN, OrderAccount
from erp_core.storage.lookup import AnyRow, fetch_in

_DOCUMENT, _PAYMENT, _APPLIED = sales_documents.c, customer_payments.c, applied_prepayments.c
_SET_OFF, _ENTRY, _PAYOUT = customer_set_offs.c, revenue_entries.c, provider_payouts.c
_SIGN = case(COMES_IN, value=_PAYMENT.kind)
_BY_DOCUMENTS = select(
    _DOCUMENT.order_id, _DOCUMENT.kind, func.sum(_DOCUMENT.net + _DOCUMENT.tax).label("amount")
).group_by(_DOCUMENT.order_id, _DOCUMENT.kind)
_BY_PAYMENTS = select(
    _PAYMENT.order_id,
    _PAYMENT.kind,
    func.sum(_PAYMENT.settled).label("settled"),
    func.sum(_PAYMENT.in_advance).label("in_advance"),
).group_by(_PAYMENT.order_id, _PAYMENT.kind)
_BY_APPLIED = select(_APPLIED.order_id, func.sum(_APPLIED.amount).label("amount")).group_by(_APPLIED.order_id)
_BY_SET_OFFS = select(_SET_OFF.order_id, func.sum(_SET_OFF.amount).label("amount")).group_by(
    _SET_OFF.order_id
)
_PREPAID = (
    select(_PAYMENT.order_id, func.sum(_SIGN * _PAYMENT.in_advance).label("amount"))
    .where(_PAYMENT.in_advance > 0)
    .group_by(_PAYMENT.order_id)
)


@dataclass(frozen=True, slots=True)
class CustomerAccount:
    """What is open of an order: invoiced and not paid, paid before an invoice and not used, credited and not refunded."""

    order_id: UUID
    receivable: int
    prepaid: int
    refund_due: int


def order_accounts(
    connection: Connection, order_ids: Iterable[UUID] | None = None, *, until: date | None = None
) -> dict[UUID, OrderAccount]:
    """The accounts of these orders, or of all that ever had an invoice or a payment; `until` the end of a day."""
    wanted = None if order_ids is None else list(order_ids)

    def rows(statement: Select[Any], order: Column[Any], day: Column[Any]) -> Sequence[AnyRow]:
        dated = statement if until is None else statement.where(day <= until)
        if wanted is None:
            return connection.execute(dated).all()
        return fetch_in(connection, dated, order, wanted)

    found: dict[UUID, OrderAccount] = {one: OrderAccount() for one in wanted or ()}

    def of(row: AnyRow) -> OrderAccount:
        return found.setdefault(row.order_id, OrderAccount())

    for row in rows(_BY_DOCUMENTS, _DOCUMENT.order_id, _DOCUMENT.issued_on):
        if row.kind == "invoice":
            of(row).receivable += int(row.amount)
        else:
            of(row).refund_due += int(row.amount)
    for row in rows(_BY_PAYMENTS, _PAYMENT.order_id, _PAYMENT.paid_on):
        _enter(of(row), row.kind, int(row.settled), int(row.in_advance))
    for row in rows(_BY_APPLIED, _APPLIED.order_id, _APPLIED.applied_on):
        account, amount = of(row), int(row.amount)
        account.receivable -= amount
        account.prepaid -= amount
        account.received += amount
    for row in rows(_BY_SET_OFFS, _SET_OFF.order_id, _SET_OFF.set_off_on):
        account, amount = of(row), int(row.amount)
        account.receivable -= amount
        account.refund_due -= amount
    return found


def _enter(account: OrderAccount, kind: str, settled: int, in_advance: int) -> None:
    sign = COMES_IN[kind]
    account.prepaid += sign * in_advance
    if kind in ("payment", "chargeback"):
        account.receivable -= sign * settled
        account.received += sign * settled
    else:
        account.refund_due += sign * settled
        account.refunded -= sign * (settled + in_advance)


def customer_accounts(
    connection: Connection, *, until: date | None = None, order_id: UUID | None = None
) -> list[CustomerAccount]:
    """Orders of which something is open, in the order of their ids; of one order its account in any case."""
    found = order_accounts(connection, None if order_id is None else [order_id], until=until)
    return [
        CustomerAccount(id_, one.receivable, one.prepaid, one.refund_due)
        for id_, one in sorted(found.items())
        if order_id is not None or one.receivable or one.prepaid or one.refund_due
    ]


def prepaid_of(connection: Connection, order_ids: Iterable[UUID]) -> dict[UUID, int]:
    """What was paid of these orders before an invoice and is not used; none where nothing was. Locks nothing."""
    found = {
        row.order_id: int(row.amount)
        for row in fetch_in(connection, _PREPAID, _PAYMENT.order_id, order_ids)
        if row.amount
    }
    for row in fetch_in(connection, _BY_APPLIED, _APPLIED.order_id, found):
        found[row.order_id] -= int(row.amount)
    return found


def in_transit(connection: Connection, providers: Iterable[str]) -> dict[str, int]:
    """What these providers collected for the company, less what they gave back and paid out."""
    wanted = list(providers)
    found = dict.fromkeys(wanted, 0)
    collected = select(
        _PAYMENT.provider, func.sum(_SIGN * (_PAYMENT.settled + _PAYMENT.in_advance)).label("amount")
    ).group_by(_PAYMENT.provider)
    paid_out = select(_PAYOUT.provider, func.sum(-_PAYOUT.amount - _PAYOUT.fee).label("amount")).group_by(
        _PAYOUT.provider
    )
    for statement, column in ((collected, _PAYMENT.provider), (paid_out, _PAYOUT.provider)):
        for row in fetch_in(connection, statement, column, wanted):
            found[row.provider] += int(row.amount)
    return found


def sales_balances(connection: Connection, day: date) -> Mapping[AccountCode, int]:
    """What each account of sales comes to at the end of a day by the records behind it, on the account's own side."""

    def one(statement: Select[Any]) -> tuple[int, ...]:
        return tuple(int(value or 0) for value in connection.execute(statement).one())

    invoice = case((_DOCUMENT.kind == "invoice", 1), else_=0)
    gross = _DOCUMENT.net + _DOCUMENT.tax
    invoiced, credited, tax = one(
        select(
            func.sum(invoice * gross),
            func.sum((1 - invoice) * gross),
            func.sum((2 * invoice - 1) * _DOCUMENT.tax),
        ).where(_DOCUMENT.issued_on <= day)
    )
    sold, returned, deferred = one(
        select(
            func.sum(case((_ENTRY.recognised > 0, _ENTRY.recognised), else_=0)),
            func.sum(case((_ENTRY.recognised < 0, _ENTRY.recognised), else_=0)),
            func.sum(_ENTRY.deferred),
        ).where(_ENTRY.booked_on <= day)
    )
    received = case((_PAYMENT.kind.in_(("payment", "chargeback")), 1), else_=0)
    paid, refunded, advanced = one(
        select(
            func.sum(received * _SIGN * _PAYMENT.settled),
            func.sum((received - 1) * _SIGN * _PAYMENT.settled),
            func.sum(_SIGN * _PAYMENT.in_advance),
        ).where(_PAYMENT.paid_on <= day)
    )
    (applied,) = one(select(func.sum(_APPLIED.amount)).where(_APPLIED.applied_on <= day))
    (set_off,) = one(select(func.sum(_SET_OFF.amount)).where(_SET_OFF.set_off_on <= day))
    paid_out, fees = one(
        select(func.sum(_PAYOUT.amount), func.sum(_PAYOUT.fee)).where(_PAYOUT.paid_on <= day)
    )
    return {
        "receivables": invoiced - paid - applied - set_off,
        "customer_prepayments": advanced - applied,
        "refunds_payable": credited - refunded - set_off,
        "sales_tax_payable": tax,
        "revenue": sold,
        "sales_returns": returned,
        "deferred_revenue": deferred,
        "payments_in_transit": paid - refunded + advanced - paid_out - fees,
        "payment_fees": fees,
    }
