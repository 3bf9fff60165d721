"""In which order events are posted so that few, large batches have the same outcome as one by one.

Chronological order is a chain of small batches. Most events commute, though: two sales of different items,
a receipt and a shipment of goods already reserved. An event must follow, in its batch or a later one,

* every earlier event of the same document, or of an order that it serves or brings back;
* if it takes stock: earlier arrivals in the cell that it could not do without, and earlier shortages there;
* if it found a cell short: all earlier takings from it;
* if it brings stock: earlier takings that found the cell short, and cancellations that left its queue;
* if it serves those that wait: earlier arrivals in the cell, so that everybody is served from the same delivery.

Batches are (round, rank): within a round the kinds follow each other by `RANKS`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from evals.worlds.events import ORDER, Event

RANKS = {
    kind: rank
    for rank, kind in enumerate(
        (
            "PlanPromotion",
            "SetSupplierItem",
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
        )
    )
}

Position = tuple[int, int]
_START: Position = (0, 0)


def batches(events: Iterable[Event]) -> Iterator[list[Event]]:
    """Batches of one kind each, in posting order.

    `events` must be in the order in which the simulation let them happen; all before them are posted.
    """
    placed = _positions(events)
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
        for order in event.others:
            after = max(after, documents.get((ORDER, order), _START))
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
        for order in event.others:
            documents[ORDER, order] = position
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
