"""Lists come in pages: what was asked for, and how many there are in all."""

from __future__ import annotations

from typing import Annotated, Generic, TypeVar

from fastapi import Query
from pydantic import BaseModel

T = TypeVar("T")

Limit = Annotated[int, Query(ge=1, le=500, description="rows of a page")]
Offset = Annotated[int, Query(ge=0, le=1_000_000_000, description="rows to skip")]


class Page(BaseModel, Generic[T]):
    """One page of a list. `total` counts the whole list; None where counting would cost a scan."""

    rows: list[T]
    total: int | None
    limit: int
    offset: int
