"""The value of kitting: what goes in comes out, to the last ten-thousandth."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from erp_core.finance.costs import Costs, CostSource
from erp_core.finance.rules import shares
from erp_core.gate.contract import DomainError, Transaction
from erp_core.inventory.events import StockConverted
from erp_core.master.queries import Names


class CostUnknown(DomainError):
    """Some of what is converted has a cost and some has none: no value could go over as it is."""

    code = "cost_unknown"


def value_conversion(event: StockConverted, tx: Transaction) -> None:
    """Take what is consumed out as a sale would and put what is made in at the same value.

    Several things that are made share it by their cost as known, or by their units where one has none. Where no
    cost is known on either side nothing is entered. Raises `CostUnknown` where only some are, and
    `ValuationMismatch`.
    """
    costs = Costs.of(tx)
    costs.load(item_id for item_id, _ in (*event.consumed, *event.made))
    without = [item_id for item_id, _ in event.consumed if not costs.known(item_id)]
    source = CostSource(
        "kitting", event.document_kind, event.document_id, event.occurred_at.date(), event.audit_id
    )
    if len(without) == len(event.consumed) and not any(costs.known(item_id) for item_id, _ in event.made):
        for item_id, quantity in event.made:
            costs.receive(item_id, quantity, None, source)
        return
    if without:
        raise _cost_unknown(tx, without)
    bare = [item_id for item_id, _ in event.made if not costs.can_begin(item_id)]
    if bare:
        raise _cost_unknown(tx, bare)
    costs.require(dict(event.consumed))
    expected = [costs.expected_cost(item_id) for item_id, _ in event.made]
    value = sum(costs.issue(item_id, quantity, source) or 0 for item_id, quantity in event.consumed)
    known = [one for one in expected if one is not None]
    weights = [
        quantity * (one if one is not None and len(known) == len(expected) else 1)
        for (_, quantity), one in zip(event.made, expected, strict=True)
    ]
    for (item_id, quantity), part in zip(event.made, shares(value, weights), strict=True):
        costs.receive(item_id, quantity, part, source)


def _cost_unknown(tx: Transaction, item_ids: Iterable[UUID]) -> CostUnknown:
    first = sorted(item_ids)[0]
    sku = Names.read(tx.connection, items=[first]).code(first)
    return CostUnknown(
        f"stock of {sku} has no cost, and what it is converted with has",
        field="kit_item_id",
        remedy="set the opening cost of its stock first",
        item=sku,
    )
