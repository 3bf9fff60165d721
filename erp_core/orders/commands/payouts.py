"""What payment providers pay out to the bank, and credits of customers that are set off against what they owe."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from pydantic import model_validator
from sqlalchemy import select

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
from erp_core.master.values import Amount, Code
from erp_core.orders.commands.payments import ReferenceTaken, Sum, provider_lock
from erp_core.orders.customer_accounts import CustomerAccounts, ExceedsDue
from erp_core.orders.model_payments import customer_set_offs, provider_payouts
from erp_core.orders.queries.customer_accounts import in_transit
from erp_core.orders.rules.payments import OrderAccount
from erp_core.storage.bulk import insert_rows
from erp_core.storage.locks import lock_names
from erp_core.storage.lookup import fetch_in_pairs, there
from erp_core.storage.types import money_text

_PAYOUTS = select(provider_payouts)


class RecordProviderPayout(Command):
    """Record that a payment provider paid out to the bank what it collected, less its fee. Never more than it holds."""

    payout_id: UUID
    provider: Code
    reference: Code
    amount: Amount
    fee: Amount = 0

    @property
    def subject(self) -> tuple[str, UUID]:
        """The payout."""
        return ("provider_payout", self.payout_id)

    @model_validator(mode="after")
    def _something(self) -> RecordProviderPayout:
        if not self.amount + self.fee:
            raise ValueError("a payout has an amount or a fee")
        return self


class SetOffCustomerCredit(Command):
    """Set what a customer is to get back of an order off against what is still owed of it; no money moves."""

    set_off_id: UUID
    order_id: UUID
    amount: Sum

    @property
    def subject(self) -> tuple[str, UUID]:
        """The order."""
        return ("order", self.order_id)


def record_payouts(
    tasks: Sequence[Task[RecordProviderPayout]], tx: Transaction
) -> Sequence[Done | DomainError]:
    """Move what providers held to the bank, and their fees to expenses."""
    tx.flush()
    connection, commands = tx.connection, [task.command for task in tasks]
    providers = sorted({one.provider for one in commands})
    lock_names(connection, map(provider_lock, providers))
    columns = (provider_payouts.c.provider, provider_payouts.c.reference)
    pairs = list({(one.provider, one.reference) for one in commands})
    known = {
        (row.provider, row.reference): (row.amount, row.fee)
        for row in fetch_in_pairs(connection, _PAYOUTS, columns, pairs)
    }
    ids = there(connection, provider_payouts.c.id, (one.payout_id for one in commands))
    held = in_transit(connection, providers)
    outcomes: list[Done | DomainError] = []
    rows: list[dict[str, Any]] = []
    journal = Journal.of(tx)
    for task in tasks:
        command = task.command
        key, sums = (command.provider, command.reference), (command.amount, command.fee)
        told = {"payout_id": str(command.payout_id), "amount": command.amount, "fee": command.fee}
        if known.get(key) == sums:
            outcomes.append(Done(told | {"known": True}, after=told))
            continue
        refusal = _payout_refusal(command, key in known, command.payout_id in ids, held[command.provider])
        if refusal is not None:
            outcomes.append(refusal)
            continue
        known[key] = sums
        ids.add(command.payout_id)
        held[command.provider] -= command.amount + command.fee
        written = {"paid_on": task.occurred_on, "audit_id": task.audit_id}
        columns_of = command.model_dump(include={"provider", "reference", "amount", "fee"})
        rows.append({"id": command.payout_id} | columns_of | written)
        source = JournalSource(
            "payout", "provider_payout", command.payout_id, task.occurred_on, task.audit_id
        )
        journal.post("bank", "payments_in_transit", own(command.amount), source)
        journal.post("payment_fees", "payments_in_transit", own(command.fee), source)
        event = Event("ProviderPaidOut", "provider_payout", command.payout_id, 1, told)
        outcomes.append(Done(told | {"known": False}, (event,), after=told))
    insert_rows(connection, provider_payouts, rows)
    return outcomes


def _payout_refusal(
    command: RecordProviderPayout, other: bool, id_taken: bool, held: int
) -> DomainError | None:
    if other:
        return ReferenceTaken(
            f"{command.reference} is another payout of {command.provider} already",
            field="reference",
            remedy="give the provider's own reference of this payout",
        )
    if id_taken:
        return AlreadyExists(
            "this payout is recorded already",
            field="payout_id",
            remedy="make a new id for another payout",
        )
    if command.amount + command.fee > held:
        return ExceedsDue(
            f"{command.provider} holds {money_text(held)}",
            field="amount",
            remedy="record what it collected first (RecordCustomerPayments)",
            due=held,
        )
    return None


def set_off_credits(
    tasks: Sequence[Task[SetOffCustomerCredit]], tx: Transaction
) -> Sequence[Done | DomainError]:
    """Let credits close what is owed of the same orders."""
    tx.flush()
    accounts = CustomerAccounts(tx, (task.command.order_id for task in tasks))
    taken = there(tx.connection, customer_set_offs.c.id, (task.command.set_off_id for task in tasks))
    outcomes: list[Done | DomainError] = []
    rows: list[dict[str, Any]] = []
    journal = Journal.of(tx)
    for task in tasks:
        command = task.command
        try:
            account = accounts.of(command.order_id)
            refusal = _set_off_refusal(command, account, accounts, command.set_off_id in taken)
        except DomainError as error:
            refusal = error
        if refusal is not None:
            accounts.drop()
            outcomes.append(refusal)
            continue
        account.receivable -= command.amount
        account.refund_due -= command.amount
        accounts.keep()
        taken.add(command.set_off_id)
        head = {"id": command.set_off_id, "order_id": command.order_id, "amount": command.amount}
        rows.append(head | {"set_off_on": task.occurred_on, "audit_id": task.audit_id})
        source = JournalSource(
            "set_off", "customer_set_off", command.set_off_id, task.occurred_on, task.audit_id
        )
        journal.post("refunds_payable", "receivables", own(command.amount), source)
        told = {"order_id": str(command.order_id), "amount": command.amount}
        left = {"receivable": account.receivable, "refund_due": account.refund_due}
        event = Event("CustomerCreditSetOff", "customer_set_off", command.set_off_id, 1, told)
        outcomes.append(Done(told | left, (event,), after=told | left))
    insert_rows(tx.connection, customer_set_offs, rows)
    return outcomes


def _set_off_refusal(
    command: SetOffCustomerCredit, account: OrderAccount, accounts: CustomerAccounts, taken: bool
) -> DomainError | None:
    if taken:
        return AlreadyExists(
            "this credit is set off already", field="set_off_id", remedy="make a new id for another"
        )
    due = min(account.receivable, account.refund_due)
    if command.amount > due:
        return ExceedsDue(
            f"order {accounts.number(command.order_id)} owes {money_text(account.receivable)} and is to get"
            f" {money_text(account.refund_due)} back",
            field="amount",
            remedy=f"set off {money_text(due)} or less" if due else "nothing of it can be set off",
            due=due,
        )
    return None


def register(registry: Registry) -> None:
    """Add the commands."""
    registry.register(
        Registration(
            RecordProviderPayout, record_payouts, compensation="none: the provider's next payout is less"
        )
    )
    registry.register(
        Registration(SetOffCustomerCredit, set_off_credits, compensation="none: pay what is owed then")
    )
