"""What payment providers collected from customers and gave back to them, as they report it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any, NamedTuple
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import select

from erp_core.finance.accounts import AccountCode
from erp_core.finance.journal import Journal, JournalSource, own
from erp_core.gate.contract import (
    Command,
    DomainError,
    Done,
    Event,
    Registration,
    Registry,
    Task,
    Transaction,
)
from erp_core.master.commands.records import AlreadyExists
from erp_core.master.values import LARGEST_AMOUNT, Code
from erp_core.orders.customer_accounts import CustomerAccounts, ExceedsDue
from erp_core.orders.expected import expected_charges
from erp_core.orders.model import orders
from erp_core.orders.model_payments import customer_payments, provider_payouts
from erp_core.orders.rules.payments import COMES_IN, PaymentKind, Split, limit_of, take
from erp_core.storage.bulk import insert_rows
from erp_core.storage.locks import lock_names
from erp_core.storage.lookup import AnyRow, fetch_in_pairs, there
from erp_core.storage.types import money_text

Sum = Annotated[int, Field(ge=1, le=LARGEST_AMOUNT, description="money in ten-thousandths, with tax")]
_ORDERS = select(orders.c.id, orders.c.number).where(orders.c.import_id.is_(None))
_PAYMENTS = select(customer_payments)
_PAYOUTS = select(provider_payouts)
_BOOKED: Mapping[str, tuple[str, AccountCode]] = {
    "payment": ("customer_payment", "receivables"),
    "chargeback": ("chargeback", "receivables"),
    "refund": ("refund", "refunds_payable"),
    "returned_refund": ("returned_refund", "refunds_payable"),
}
"""The event of a kind in the journal, and the account of what it settles."""


class PaymentLine(BaseModel):
    """A movement of money for one order, with tax. `reference` is the provider's own of this movement.

    A *payment* came from the customer, a *refund* went back; a *chargeback* takes a payment back (a failed debit, too), a
    *returned refund* did not reach the customer.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    payment_id: UUID
    order_id: UUID
    kind: PaymentKind
    reference: Code
    amount: Sum


class RecordCustomerPayments(Command):
    """Record what a payment provider (or the bank) collected and gave back, as it reports it: all of it, or nothing.

    A movement whose reference is known from the provider is left as it is, so that a report may come twice. Payments close
    what was invoiced; before the invoice they are advances. More than is due of an order is refused.
    """

    report_id: UUID
    provider: Code
    lines: Annotated[tuple[PaymentLine, ...], Field(min_length=1, max_length=5_000)]

    @property
    def subject(self) -> tuple[str, UUID]:
        """The report."""
        return ("payment_report", self.report_id)


class ReferenceTaken(DomainError):
    """The provider used this reference for something else."""

    code = "reference_taken"


class _Entered(NamedTuple):
    line: PaymentLine
    split: Split


_REMEDIES: Mapping[str, str] = {
    "payment": "record what the order is invoiced or still to be delivered for, and give the rest back at the provider;"
    " an invoice that is missing is issued first (IssueSalesInvoices)",
    "chargeback": "record no more than was received of the order",
    "refund": "credit the order first (DisposeReturn, CreditOrder); what is still owed of it is set off"
    " (SetOffCustomerCredit)",
    "returned_refund": "record no more than was refunded of the order",
}


def record_payments(
    tasks: Sequence[Task[RecordCustomerPayments]], tx: Transaction
) -> Sequence[Done | DomainError]:
    """Enter the movements of reports in their order, each report whole."""
    tx.flush()
    connection, commands = tx.connection, [task.command for task in tasks]
    lock_names(connection, sorted({provider_lock(one.provider) for one in commands}))
    references = {(one.provider, line.reference) for one in commands for line in one.lines}
    columns = (customer_payments.c.provider, customer_payments.c.reference)
    known: dict[tuple[str, str], PaymentLine] = {
        (row.provider, row.reference): _line(row)
        for row in fetch_in_pairs(connection, _PAYMENTS, columns, list(references))
    }
    ids = there(
        connection, customer_payments.c.id, (line.payment_id for one in commands for line in one.lines)
    )
    reports = there(connection, customer_payments.c.report_id, (one.report_id for one in commands))
    accounts = CustomerAccounts(tx, (line.order_id for one in commands for line in one.lines))
    outcomes: list[Done | DomainError] = []
    rows: list[dict[str, Any]] = []
    journal = Journal.of(tx)
    for task in tasks:
        try:
            entered = _entered(task, tx, accounts, known, ids, reports)
        except DomainError as error:
            accounts.drop()
            outcomes.append(error)
            continue
        accounts.keep()
        known |= {(task.command.provider, one.line.reference): one.line for one in entered}
        ids |= {one.line.payment_id for one in entered}
        if entered:
            reports.add(task.command.report_id)
        rows += [_row(one, task) for one in entered]
        _post(entered, task, journal)
        outcomes.append(_recorded(task, entered))
    insert_rows(connection, customer_payments, rows)
    return outcomes


def provider_lock(provider: str) -> str:
    """The name under which the money of a provider changes."""
    return f"payments of {provider}"


def _line(row: AnyRow) -> PaymentLine:
    return PaymentLine(
        payment_id=row.id,
        order_id=row.order_id,
        kind=row.kind,
        reference=row.reference,
        amount=row.settled + row.in_advance,
    )


def _entered(
    task: Task[RecordCustomerPayments],
    tx: Transaction,
    accounts: CustomerAccounts,
    known: Mapping[tuple[str, str], PaymentLine],
    ids: set[UUID],
    reports: set[UUID],
) -> list[_Entered]:
    """What is new in a report. Raises for the first movement that does not fit."""
    command, entered = task.command, []
    new: dict[str, PaymentLine] = {}
    new_ids: set[UUID] = set()
    for line in command.lines:
        before = known.get((command.provider, line.reference)) or new.get(line.reference)
        if before is not None:
            _require_same(before, line)
            continue
        repeated = line.payment_id in ids or line.payment_id in new_ids
        if repeated or command.report_id in reports:
            raise AlreadyExists(
                "a payment or report with this id is recorded already",
                field="lines.payment_id" if repeated else "report_id",
                remedy="make new ids for another report",
            )
        entered.append(_Entered(line, _enter(line, task, accounts, tx)))
        new[line.reference] = line
        new_ids.add(line.payment_id)
    return entered


def _enter(
    line: PaymentLine, task: Task[RecordCustomerPayments], accounts: CustomerAccounts, tx: Transaction
) -> Split:
    """Enter a movement. Raises `NotFound`, `ExceedsDue` or `TaxUndetermined`."""
    account, kind = accounts.of(line.order_id), line.kind
    expected = 0
    if kind == "payment" and line.amount > account.receivable:
        expected = expected_charges(tx, [line.order_id], task.occurred_on).get(line.order_id, 0)
    limit = limit_of(kind, account, expected)
    if line.amount > limit.amount:
        raise ExceedsDue(
            f"{line.reference}: a {kind.replace('_', ' ')} of {money_text(line.amount)} for order"
            f" {accounts.number(line.order_id)}, of which {money_text(limit.amount)} may be",
            field="lines.amount",
            remedy=_REMEDIES[kind],
            reference=line.reference,
            due=limit.amount,
        )
    return take(kind, account, line.amount, limit)


def _require_same(before: PaymentLine, line: PaymentLine) -> None:
    if (before.order_id, before.kind, before.amount) != (line.order_id, line.kind, line.amount):
        raise ReferenceTaken(
            f"{line.reference} is a {before.kind.replace('_', ' ')} of {money_text(before.amount)} already",
            field="lines.reference",
            remedy="give each movement the provider's own reference",
            reference=line.reference,
        )


def _row(one: _Entered, task: Task[RecordCustomerPayments]) -> dict[str, Any]:
    line = one.line
    return {
        "id": line.payment_id,
        "report_id": task.command.report_id,
        "order_id": line.order_id,
        "kind": line.kind,
        "provider": task.command.provider,
        "reference": line.reference,
        "settled": one.split.settled,
        "in_advance": one.split.in_advance,
        "paid_on": task.occurred_on,
        "audit_id": task.audit_id,
    }


def _post(entered: Iterable[_Entered], task: Task[RecordCustomerPayments], journal: Journal) -> None:
    for line, split in entered:
        event, account = _BOOKED[line.kind]
        sign = COMES_IN[line.kind]
        source = JournalSource(
            event, "payment_report", task.command.report_id, task.occurred_on, task.audit_id
        )
        journal.post("payments_in_transit", account, own(sign * split.settled), source)
        journal.post("payments_in_transit", "customer_prepayments", own(sign * split.in_advance), source)


def _recorded(task: Task[RecordCustomerPayments], entered: Sequence[_Entered]) -> Done:
    sums = {kind: sum(one.line.amount for one in entered if one.line.kind == kind) for kind in COMES_IN}
    told = {
        "report_id": str(task.command.report_id),
        "recorded": len(entered),
        "known": len(task.command.lines) - len(entered),
        "amounts": {kind: amount for kind, amount in sums.items() if amount},
    }
    event = Event("CustomerPaymentsRecorded", "payment_report", task.command.report_id, 1, told)
    return Done(told, (event,) if entered else (), after=told)


def register(registry: Registry) -> None:
    """Add the command."""
    registry.register(
        Registration(
            RecordCustomerPayments,
            record_payments,
            compensation="RecordCustomerPayments with a chargeback, or a returned refund",
        )
    )
