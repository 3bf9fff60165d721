"""Invoices that wait, in the inbox: raised in the transaction that holds them, over when they are matched or rejected."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from erp_core.exceptions.book import Noted, Raised, open_cases, raise_all
from erp_core.finance.queries import rates_on
from erp_core.gate.contract import Task, Transaction
from erp_core.procurement.invoices.book import Invoice
from erp_core.procurement.invoices.cases import Held, mismatch_case, mismatch_key, possible_causes
from erp_core.procurement.invoices.matcher import Document
from erp_core.procurement.invoices.rules import Finding
from erp_core.procurement.ordering.purchase_orders import PurchaseOrders


class Waiting(NamedTuple):
    """An invoice that is held or disputed, with what was found, and the task that says so."""

    task: Task[Any]
    document: Document
    findings: Sequence[Finding]


def raise_waiting(
    tx: Transaction,
    waiting: Sequence[Waiting],
    why: str = "the invoice waits",
    over: Iterable[tuple[Task[Any], Invoice]] = (),
) -> None:
    """Open or change the cases of invoices that wait, and end those of invoices that no longer do. The orders are loaded."""
    helds = _held(tx, waiting)
    causes = {key for held in helds for key in possible_causes(held).values()}
    there = open_cases(tx.connection, causes) if causes else set()
    raised = [
        Raised(mismatch_key(invoice.id), None, _noted(task, "the invoice no longer waits"))
        for task, invoice in over
    ]
    for one, held in zip(waiting, helds, strict=True):
        draft = mismatch_case(held, there, one.task.occurred_at)
        raised.append(Raised(mismatch_key(held.invoice.id), draft, _noted(one.task, why)))
    raise_all(tx, raised)


def _noted(task: Task[Any], why: str) -> Noted:
    return Noted(why, task.occurred_at, task.audit_id)


def _held(tx: Transaction, waiting: Sequence[Waiting]) -> list[Held]:
    if not waiting:
        return []
    orders, currencies = PurchaseOrders.of(tx), {one.document.invoice.currency for one in waiting}
    rates = rates_on(tx.connection, currencies, max(one.task.occurred_on for one in waiting))
    return [
        Held(
            one.document.invoice,
            one.document.billed,
            one.findings,
            {po_id: orders.get(po_id) for po_id in one.document.po_ids},
            rates.get(one.document.invoice.currency),
        )
        for one in waiting
    ]
