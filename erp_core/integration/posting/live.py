"""What an import brings to life: opening stock and open orders, by the same handlers as everybody's."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, time
from typing import Any
from uuid import UUID

from erp_core.finance.commands import OpeningCost, SetOpeningCost, set_opening_cost
from erp_core.gate.contract import Command, DomainError, Done, Handler, each
from erp_core.integration.posting.base import Posting, to_day
from erp_core.integration.posting.history import ensure_customers
from erp_core.integration.rows import OrderLineRow, OrderRow, StockRow, document_number
from erp_core.inventory.commands.stock import PostOpeningStock, StockLine, post_opening_stock
from erp_core.orders.commands.place import OrderLine, PlaceOrder
from erp_core.orders.commands.placing import place_orders
from erp_core.storage.derived import derived_id, line_id


def _run(handler: Handler, commands: Iterable[tuple[Command, datetime]], posting: Posting) -> None:
    """Let a context's own handler do the work; its refusal refuses the chunk."""
    tasks = [replace(posting.task, command=command, occurred_at=moment) for command, moment in commands]
    outcomes: Sequence[Done | DomainError] = handler(tasks, posting.tx) if tasks else ()
    for outcome in outcomes:
        if isinstance(outcome, DomainError):
            raise outcome


def post_stock(parts: dict[str, list[list[Any]]], posting: Posting) -> None:
    """Post opening stock at the end of the as-of day, and value it where the file says at what cost."""
    rows = [StockRow(*cells) for cells in parts["stock"]]
    item_ids = posting.items({row.sku for row in rows})
    location_ids = posting.locations({row.location for row in rows})
    moment = datetime.combine(posting.row.as_of, time(23, 59, 59), UTC)
    places: defaultdict[str, list[StockLine]] = defaultdict(list)
    for row in rows:
        line = StockLine(
            item_id=item_ids[row.sku],
            quantity=row.quantity,
            lot_code=row.lot_code,
            expires_on=to_day(row.expires_on),
            serials=tuple(row.serials),
        )
        places[row.location].append(line)
    _run(
        post_opening_stock,
        (
            (
                PostOpeningStock(
                    document_id=derived_id(posting.row.as_of, posting.audit_id, "opening", place),
                    location_id=location_ids[place],
                    lines=tuple(lines),
                ),
                moment,
            )
            for place, lines in places.items()
        ),
        posting,
    )
    costs: dict[UUID, int] = {item_ids[row.sku]: row.unit_cost for row in rows if row.unit_cost is not None}
    if costs:
        command = SetOpeningCost(
            document_id=derived_id(posting.row.as_of, posting.audit_id, "opening_cost"),
            lines=tuple(OpeningCost(item_id=item, unit_cost=cost) for item, cost in costs.items()),
        )
        _run(each(set_opening_cost), [(command, moment)], posting)


def post_orders(parts: dict[str, list[list[Any]]], posting: Posting) -> None:
    """Place open orders at the moment they were made: what is available is reserved, the rest waits."""
    rows = [
        OrderRow(*cells)._replace(lines=tuple(OrderLineRow(*line) for line in cells[-1]))
        for cells in parts["orders"]
    ]
    customer_ids = ensure_customers(posting, {row.customer: row.country for row in rows if row.customer})
    item_ids = posting.items({line.sku for row in rows for line in row.lines})
    location_ids = posting.locations({line.location for row in rows for line in row.lines if line.location})
    channel_ids = posting.channels({row.channel for row in rows})
    commands = []
    for row in rows:
        moment = datetime.fromisoformat(row.ordered_at)
        order = derived_id(moment.date(), posting.import_id, "order", row.external_ref)
        command = PlaceOrder(
            order_id=order,
            external_ref=row.external_ref,
            number=document_number(row.channel, row.external_ref),
            channel_id=channel_ids[row.channel],
            customer_id=customer_ids[row.customer] if row.customer else None,
            customer_country=row.country,
            promised_on=to_day(row.promised_on),
            lines=tuple(
                OrderLine(
                    line_id=line_id(order, line.line_no),
                    item_id=item_ids[line.sku],
                    quantity=line.quantity,
                    unit_price=line.unit_price,
                    list_price=line.list_price,
                    location_id=location_ids[line.location] if line.location else None,
                )
                for line in row.lines
            ),
        )
        commands.append((command, moment))
    _run(place_orders, commands, posting)
