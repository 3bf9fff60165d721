"""In which order events are posted so that few, large batches have the same outcome as one by one.

Chronological order is a chain of small batches. Most events commute, though: two sales of different items,
a receipt and a shipment of goods already reserved. An event must follow, in its batch or a later one,

* every earlier event of the same document, or of an order that it serves or brings back;
* if it takes stock: earlier arrivals in the cell that it could not do without, and earlier shortages there;
* if it found a cell short: all earlier takings from it;
* if it brings stock: earlier takings that found the cell short, and cancellations that left its queue;
* if it serves those that wait: earlier arrivals in the cell, so that everybody is served from the same delivery.

What is quoted, billed and paid comes after all goods of the same days: an invoice is matched with what was accepted of many orders.
There an event must follow those of the invoices that it credits or pays.

Batches are (round, rank): within a round the kinds follow each other by `RANKS`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from evals.worlds.events import INVOICE, ORDER, PAYMENT, QUOTATION, Event

RANKS = {
    kind: rank
    for rank, kind in enumerate(
        (
            "PlanPromotion",
            "SetSupplierItem",
            "AgreeContract",
            "CreatePurchaseOrder",
            "SubmitPurchaseOrder",
            "ApproveProposal",
            "SendPurchaseOrder",
            "ConfirmPurchaseOrder",
            "RecordSupplierMessage",
            "ChangePurchaseOrderDates",
            "ReceiveGoods",
            "DecideHeldGoods",
            "TransferStock",
            "ReceiveTransfer",
            "ClosePurchaseOrder",
            "CancelPurchaseOrder",
            "PlaceOrder",
            "ReleaseOrder",
            "CancelOrder",
            "ShipOrder",
            "AuthoriseReturn",
            "ReceiveReturn",
            "InspectReturn",
            "DisposeReturn",
            "RequestQuotation",
            "RecordQuotation",
            "AwardQuotation",
            "RecordSupplierInvoice",
            "RejectSupplierInvoice",
            "AcceptSupplierInvoice",
            "PaySupplierInvoices",
        )
    )
}

PAPERS = (QUOTATION, INVOICE, PAYMENT)
"""Documents that move no goods: they rest on goods of the same days, and no goods rest on them."""

Position = tuple[int, int]
_START: Position = (0, 0)


def batches(events: Iterable[Event]) -> Iterator[list[Event]]:
    """Batches of one kind each, in posting order.

    `events` must be in the order in which the simulation let them happen; all before them are posted.
    """
    parts: tuple[list[Event], list[Event]] = [], []
    for event in events:
        parts[event.document[0] in PAPERS].append(event)
    for part in parts:
        placed = _positions(part)
        for position in sorted(placed):
            yield placed[position]


def _positions(events: Iterable[Event]) -> dict[Position, list[Event]]:
    placed: dict[Position, list[Event]] = {}
    documents: dict[tuple[int, int], Position] = {}
    arrivals: dict[int, list[tuple[Position, int]]] = {}
    takings: dict[int, Position] = {}
    queues: dict[int, Position] = {}
    for event in events:
        rank = RANKS[event.kind]
        after = documents.get(event.document, _START)
        family = INVOICE if event.document[0] in PAPERS else ORDER
        for other in event.others:
            after = max(after, documents.get((family, other), _START))
        if event.others:
            after = max((after, *(before for cell, _ in event.gives for before, _ in arrivals.get(cell, ()))))
        for cell, left in event.takes:
            after = max(after, queues.get(cell, _START), _needed(arrivals.get(cell, ()), left))
        for cell in event.short:
            after = max(after, takings.get(cell, _START))
        for cell, _ in event.gives:
            after = max(after, queues.get(cell, _START))
        position = (after[0] if rank >= after[1] else after[0] + 1, rank)
        placed.setdefault(position, []).append(event)
        documents[event.document] = position
        for other in event.others:
            documents[family, other] = position
        for cell, _ in event.takes:
            takings[cell] = max(position, takings.get(cell, _START))
        for cell in event.short:
            queues[cell] = max(position, queues.get(cell, _START))
        for cell, units in event.gives:
            arrivals.setdefault(cell, []).append((position, units))
    return placed


def _needed(arrivals: Iterable[tuple[Position, int]], left: int) -> Position:
    """The latest arrival that a taking must follow, when it left so many units: later ones it can do without."""
    for position, units in sorted(arrivals, reverse=True):
        left -= units
        if left < 0:
            return position
    return _START
