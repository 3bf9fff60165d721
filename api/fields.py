"""Fields that not everybody sees: costs need the right `see_cost`, customers' data `see_customers`.

A record goes out as a model of its own in which such fields may be missing (null).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import fields, is_dataclass
from functools import cache, reduce
from operator import or_
from types import UnionType
from typing import Any, get_args, get_origin, get_type_hints

from pydantic import BaseModel, create_model

GUARDED: Mapping[str, Mapping[str, frozenset[str]]] = {
    "see_cost": {
        "Item": frozenset({"standard_cost"}),
        "Component": frozenset({"standard_cost"}),
        "DueCount": frozenset({"value"}),
        "Supplier": frozenset({"minimum_order"}),
        "Source": frozenset({"price"}),
        "PriceRecord": frozenset({"price", "breaks"}),
        "PurchaseOrderHeader": frozenset({"total", "freight_cost", "expedite_cost"}),
        "PurchaseOrderLine": frozenset({"unit_price", "reference_price"}),
        "OpenLine": frozenset({"unit_price"}),
        "HeldGoods": frozenset({"unit_price"}),
        "Offer": frozenset({"price"}),
        "Lane": frozenset({"rates"}),
        "Order": frozenset({"freight_cost"}),
        "Parcel": frozenset({"freight_cost"}),
        "PickList": frozenset({"freight_price"}),
        "OrderLine": frozenset({"cost"}),
        "ReturnLine": frozenset({"cost", "recovered", "written_off"}),
        "WaitingGoods": frozenset({"cost"}),
        "VendorClaim": frozenset({"expected", "credited"}),
        "Case": frozenset({"expected_loss", "residual_loss", "action_cost", "net_benefit"}),
        "KindSummary": frozenset({"expected_loss", "net_benefit"}),
    },
    "see_customers": {
        "Order": frozenset({"customer_id"}),
        "LotShipment": frozenset({"customer_id"}),
        "Customer": frozenset({"name", "email"}),
        "ReturnLine": frozenset({"comment"}),
    },
}


def hidden_fields(record: str, rights: Collection[str]) -> frozenset[str]:
    """The fields of a record that the holder of these rights may not see."""
    return frozenset().union(
        *(guarded.get(record, frozenset()) for right, guarded in GUARDED.items() if right not in rights)
    )


@cache
def public(record: type[Any]) -> type[BaseModel]:
    """The model in which a dataclass goes out: guarded fields may be null, nested records likewise."""
    guarded = frozenset().union(*(names.get(record.__name__, frozenset()) for names in GUARDED.values()))
    hints = get_type_hints(record)
    definition: dict[str, Any] = {}
    for part in fields(record):
        kind = _public_type(hints[part.name])
        definition[part.name] = (kind | None, None) if part.name in guarded else (kind, ...)
    return create_model(record.__name__, __doc__=record.__doc__, **definition)


def public_in(container: Any, record: Any) -> Any:
    """A generic model or list of the records' public models, for a route's `response_model`."""
    return container[public(record)]


def _public_type(kind: Any) -> Any:
    if _is_record(kind):
        return public(kind)
    if get_origin(kind) in (tuple, list, Sequence):
        inner = get_args(kind)[0]
        if _is_record(inner):
            return public_in(list, inner)
    if get_origin(kind) is UnionType:
        return reduce(or_, map(_public_type, get_args(kind)))
    return kind


def _is_record(kind: Any) -> bool:
    return isinstance(kind, type) and is_dataclass(kind)


def reveal(record: Any, rights: Collection[str]) -> dict[str, Any]:
    """The fields of a record that the holder of these rights may see; the others are None."""
    hidden = hidden_fields(type(record).__name__, rights)
    return {
        part.name: None if part.name in hidden else _revealed(getattr(record, part.name), rights)
        for part in fields(record)
    }


def _revealed(value: Any, rights: Collection[str]) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return reveal(value, rights)
    if isinstance(value, tuple | list):
        return [_revealed(one, rights) for one in value]
    return value
