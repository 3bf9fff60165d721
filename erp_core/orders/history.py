"""Past sales that an import brings: orders, their lines and the demand they were.

History is not stock: nothing here reserves, moves or costs anything. Rows carry their `import_id` and
are seen by readers only when that import is complete.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import chain, islice, repeat
from operator import mul, sub
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import Connection

from erp_core.orders.model import order_lines, orders
from erp_core.storage.columnar import insert_columns
from erp_core.storage.derived import line_id

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class PastOrders:
    """Orders that are history, by column; known on the day they were placed. Ids are `derived_id`s.

    `lines` says how many of `PastLines` each has.
    """

    id: Sequence[UUID]
    number: Sequence[str]
    external_ref: Sequence[str]
    channel_id: Sequence[UUID]
    customer_id: Sequence[UUID | None]
    customer_country: Sequence[str]
    ordered_at: Sequence[datetime]
    ordered_on: Sequence[date]
    promised_on: Sequence[date | None]
    shipped_on: Sequence[date | None]
    lines: Sequence[int]


@dataclass(frozen=True, slots=True)
class PastLines:
    """Lines as they were sold, by column, order by order; what was not cancelled was shipped.

    Prices in ten-thousandths.
    """

    line_no: Sequence[int]
    item_id: Sequence[UUID]
    location_id: Sequence[UUID]
    quantity: Sequence[int]
    cancelled: Sequence[int]
    unit_price: Sequence[int]
    list_price: Sequence[int]


def write_past_orders(
    connection: Connection, past: PastOrders, lines: PastLines, *, import_id: UUID, audit_id: UUID
) -> None:
    """Write orders and lines; their sums are for `past_sums.add_up_past_lines`."""
    left = list(map(sub, lines.quantity, lines.cancelled))
    rest = iter(left)
    shipped = [any(list(islice(rest, count))) for count in past.lines]
    insert_columns(
        connection,
        orders,
        {
            "id": past.id,
            "number": past.number,
            "external_ref": past.external_ref,
            "channel_id": past.channel_id,
            "customer_id": past.customer_id,
            "customer_country": past.customer_country,
            "status": ["shipped" if any_left else "cancelled" for any_left in shipped],
            "ordered_at": past.ordered_at,
            "ordered_on": past.ordered_on,
            "known_on": past.ordered_on,
            "promised_on": past.promised_on,
            "shipped_on": _where(shipped, past.shipped_on),
            "cancel_reason": [None if any_left else "customer" for any_left in shipped],
            "freight_cost": 0,
            "shipments": list(map(int, shipped)),
            "version": 1,
            "import_id": import_id,
            "audit_id": audit_id,
        },
    )

    def of_order(values: Iterable[T]) -> list[T]:
        return list(chain.from_iterable(map(repeat, values, past.lines)))

    order_ids = of_order(past.id)
    promises: dict[str, Any] = {"shipped_by_promise": 0}
    if any(past.promised_on):
        in_time = of_order(map(_in_time, past.shipped_on, past.promised_on))
        promises = {
            "promised_on": of_order(past.promised_on),
            "shipped_by_promise": list(map(mul, left, in_time)),
        }
    insert_columns(
        connection,
        order_lines,
        {
            "id": list(map(line_id, order_ids, lines.line_no)),
            "order_id": order_ids,
            "line_no": lines.line_no,
            "item_id": lines.item_id,
            "location_id": lines.location_id,
            "channel_id": of_order(past.channel_id),
            "customer_country": of_order(past.customer_country),
            "ordered_on": of_order(past.ordered_on),
            "shipped_on": _where(left, of_order(past.shipped_on)),
            "quantity": lines.quantity,
            "reserved_quantity": 0,
            "shipped_quantity": left,
            "cancelled_quantity": lines.cancelled,
            "unit_price": lines.unit_price,
            "list_price": lines.list_price,
            "import_id": import_id,
            **promises,
        },
    )


def _where(conditions: Iterable[object], values: Iterable[T]) -> list[T | None]:
    return [value if condition else None for condition, value in zip(conditions, values, strict=True)]


def _in_time(shipped_on: date | None, promised_on: date | None) -> bool:
    return promised_on is not None and shipped_on is not None and shipped_on <= promised_on
