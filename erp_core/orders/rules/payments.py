"""Pure rules of customers' money: what a payment of an order pays, and what may still be paid or given back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple, get_args

PaymentKind = Literal["payment", "chargeback", "refund", "returned_refund"]
PAYMENT_KINDS: tuple[PaymentKind, ...] = get_args(PaymentKind)
COMES_IN: Mapping[str, int] = {"payment": 1, "chargeback": -1, "refund": -1, "returned_refund": 1}
"""Whether a kind brings money (1) or takes it (-1)."""


@dataclass(slots=True)
class OrderAccount:
    """What is open of an order, in ten-thousandths; no figure is ever below zero.

    `receivable` is invoiced and not paid, `prepaid` was paid before an invoice and not used, `refund_due` was credited and not
    paid back. `received` of what was invoiced was paid, `refunded` was given back: as much may be charged back, or return.
    """

    receivable: int = 0
    prepaid: int = 0
    refund_due: int = 0
    received: int = 0
    refunded: int = 0


class Split(NamedTuple):
    """A payment's parts: against what is owed, and before an invoice."""

    settled: int
    in_advance: int


class Limit(NamedTuple):
    """The most that a payment of a kind may come to."""

    settled: int
    in_advance: int

    @property
    def amount(self) -> int:
        """Both together."""
        return self.settled + self.in_advance


def limit_of(kind: PaymentKind, account: OrderAccount, expected: int) -> Limit:
    """What of an order may be paid, charged back or refunded now; `expected` is what will still be invoiced.

    What a customer still owes of the order is not refunded: it is set off.
    """
    if kind == "payment":
        return Limit(account.receivable, max(expected - account.prepaid, 0))
    if kind == "chargeback":
        return Limit(account.received, account.prepaid)
    if kind == "refund":
        return Limit(max(account.refund_due - account.receivable, 0), account.prepaid)
    return Limit(account.refunded, 0)


def take(kind: PaymentKind, account: OrderAccount, amount: int, limit: Limit) -> Split:
    """Enter an amount within the limit; the account remembers it. What was prepaid is charged back first."""
    if kind == "chargeback":
        in_advance = min(amount, limit.in_advance)
    else:
        in_advance = max(amount - limit.settled, 0)
    split = Split(amount - in_advance, in_advance)
    _ENTER[kind](account, split)
    return split


def _pay(account: OrderAccount, split: Split) -> None:
    account.receivable -= split.settled
    account.received += split.settled
    account.prepaid += split.in_advance


def _charge_back(account: OrderAccount, split: Split) -> None:
    account.receivable += split.settled
    account.received -= split.settled
    account.prepaid -= split.in_advance


def _refund(account: OrderAccount, split: Split) -> None:
    account.refund_due -= split.settled
    account.prepaid -= split.in_advance
    account.refunded += split.settled + split.in_advance


def _return(account: OrderAccount, split: Split) -> None:
    account.refund_due += split.settled
    account.refunded -= split.settled


_ENTER: Mapping[str, Callable[[OrderAccount, Split], None]] = {
    "payment": _pay,
    "chargeback": _charge_back,
    "refund": _refund,
    "returned_refund": _return,
}
