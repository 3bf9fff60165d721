"""The books against the records they rest on: stock, what is received and not invoiced, invoices, payments in advance,
landed cost, claims on suppliers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from sqlalchemy import ColumnElement, Connection, case, func, select

from erp_core.finance.accounts import AccountCode
from erp_core.finance.books import account_amounts, trial_balance, worthless_open_items
from erp_core.finance.journal import own_currency
from erp_core.finance.layers import layer_differences
from erp_core.finance.queries import valuation
from erp_core.orders.queries.customer_accounts import sales_balances
from erp_core.procurement.books.accruals import accruals
from erp_core.procurement.claims.balances import claimed, credits_to_be_taken
from erp_core.procurement.invoices.payables import payables
from erp_core.procurement.model.invoices import invoice_steps, supplier_invoice_charges, supplier_invoices
from erp_core.procurement.model.landed import landed_charges, landed_reversals


@dataclass(frozen=True, slots=True)
class BookDifference:
    """An account that is not what its records add up to at the end of a day, in ten-thousandths of the currency.

    `currency` None: in company currency. `open_items`: that many items of it are closed and keep a value.
    """

    account: AccountCode | str
    currency: str | None
    in_journal: int
    in_records: int
    open_items: int = 0


def journal_differences(connection: Connection, day: date) -> list[BookDifference]:
    """Where an account is not what its records add up to at the end of a day: none, if all is well.

    Stock is compared in company currency with the valuation; received and not invoiced, invoices, payments in advance,
    landed cost accrued, claims on suppliers and their credits to be taken in their currencies, with the documents. Kits
    being assembled are worth nothing when the day ends. The accounts of sales are compared in company currency, with documents,
    payments and payouts.
    """
    stock = sum(value for _, value in account_amounts(connection, "stock", day).values())
    worth = sum(one.value for one in valuation(connection, day))
    kits = sum(value for _, value in account_amounts(connection, "kit_assembly", day).values())
    found = [BookDifference("stock", None, stock, worth)] if stock != worth else []
    found += [
        BookDifference(
            "stock", None, sum(one.valued.value for one in apart), sum(one.layers.value for one in apart)
        )
        for apart in (layer_differences(connection, day),)
        if apart
    ]
    found += [BookDifference("kit_assembly", None, kits, 0)] if kits else []
    received: dict[str, int] = {}
    for one in accruals(connection, day):
        received[one.currency] = received.get(one.currency, 0) + one.value
    records: dict[AccountCode, Mapping[str, int]] = {
        "goods_received_not_invoiced": received,
        "payables": payables(connection, day),
        "prepayments": prepaid(connection, day),
        "landed_cost_accrued": landed_accrued(connection, day),
        "claims_receivable": claimed(connection, day),
        "supplier_credits": credits_to_be_taken(connection, day),
    }
    for account, expected in records.items():
        held = {
            currency: amount for currency, (amount, _) in account_amounts(connection, account, day).items()
        }
        found += [
            BookDifference(account, currency, held.get(currency, 0), expected.get(currency, 0))
            for currency in sorted(held.keys() | expected.keys())
            if held.get(currency, 0) != expected.get(currency, 0)
        ]
    balances = {one.code: one.balance for one in trial_balance(connection, day)}
    found += [
        BookDifference(account, None, balances.get(account, 0), expected)
        for account, expected in sales_balances(connection, day).items()
        if balances.get(account, 0) != expected
    ]
    left: dict[tuple[str, str], int] = {}
    for code, _, currency in worthless_open_items(connection, day):
        left[code, currency] = left.get((code, currency), 0) + 1
    return found + [BookDifference(code, currency, 0, 0, count) for (code, currency), count in left.items()]


def prepaid(connection: Connection, day: date) -> dict[str, int]:
    """What was paid suppliers in advance, less what they deducted, on invoices payable at the end of a day, by currency."""
    return _charged(connection, day, supplier_invoice_charges.c.kind != "freight")


def landed_accrued(connection: Connection, day: date) -> dict[str, int]:
    """Landed cost booked and not taken back by the end of a day, in company currency, less freight on invoices payable then,
    by currency. Below zero where freight was billed that nobody booked.
    """
    charge, back = landed_charges.c, landed_reversals.c
    booked = connection.scalar(select(func.sum(charge.amount)).where(charge.booked_on <= day))
    taken_back = connection.scalar(
        select(func.sum(charge.amount))
        .join(landed_reversals, back.charge_id == charge.id)
        .where(back.reversed_on <= day)
    )
    owed = {
        currency: -amount
        for currency, amount in _charged(
            connection, day, supplier_invoice_charges.c.kind == "freight"
        ).items()
    }
    own = own_currency(connection)
    owed[own] = owed.get(own, 0) + int(booked or 0) - int(taken_back or 0)
    return {currency: amount for currency, amount in owed.items() if amount}


def _charged(connection: Connection, day: date, of_kind: ColumnElement[bool]) -> dict[str, int]:
    """What invoices payable at the end of a day charge of a kind, less deductions and credit notes, by currency."""
    charge, invoice = supplier_invoice_charges.c, supplier_invoices.c
    sign = case((invoice.kind == "credit_note", -1), else_=1) * case(
        (charge.kind == "deduction", -1), else_=1
    )
    statement = (
        select(invoice.currency, func.sum(charge.amount * sign * invoice_steps.c.booked))
        .join(supplier_invoices, invoice.id == charge.invoice_id)
        .join(invoice_steps, invoice_steps.c.invoice_id == charge.invoice_id)
        .where(of_kind, invoice_steps.c.happened_on <= day)
        .group_by(invoice.currency)
    )
    return {currency: int(amount) for currency, amount in connection.execute(statement) if amount}
