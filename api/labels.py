"""Codes and names beside ids, so that a reader of a record needs no second request."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields, is_dataclass
from typing import Any
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy import Connection

from erp_core.master.queries import Names

_KIND_OF = {
    "item_id": "items",
    "supplier_id": "suppliers",
    "location_id": "locations",
    "channel_id": "channels",
}


class Label(BaseModel):
    """What an id stands for."""

    code: str
    name: str


def labels_for(connection: Connection, records: Iterable[Any]) -> dict[UUID, Label]:
    """The labels of all items, suppliers, locations and channels that the records name."""
    wanted: dict[str, set[UUID]] = {kind: set() for kind in _KIND_OF.values()}
    for record in records:
        _collect(record, wanted)
    names = Names.read(connection, **wanted)
    return {id_: Label(code=names.code(id_), name=names.name(id_)) for ids in wanted.values() for id_ in ids}


def _collect(value: Any, wanted: dict[str, set[UUID]]) -> None:
    if isinstance(value, tuple | list):
        for one in value:
            _collect(one, wanted)
    elif is_dataclass(value) and not isinstance(value, type):
        for part in fields(value):
            inner = getattr(value, part.name)
            kind = _KIND_OF.get(part.name)
            if kind is not None and isinstance(inner, UUID):
                wanted[kind].add(inner)
            elif isinstance(inner, tuple | list) or is_dataclass(inner):
                _collect(inner, wanted)
