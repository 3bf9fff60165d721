"""Field types that commands of all contexts share: what a valid code, amount or quantity is."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field, StringConstraints

LARGEST_AMOUNT = 10**15


def _not_zero(quantity: int) -> int:
    if quantity == 0:
        raise ValueError("a change of 0 units is none: give units above or below zero")
    return quantity


Code = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=40)]
Sku = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=60)]
Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=120)]
Country = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=60)]
Currency = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]
Amount = Annotated[int, Field(ge=0, le=LARGEST_AMOUNT, description="money in ten-thousandths")]
Units = Annotated[int, Field(ge=1, le=LARGEST_AMOUNT, description="base units, at least one")]
SignedUnits = Annotated[
    int,
    Field(ge=-LARGEST_AMOUNT, le=LARGEST_AMOUNT, description="base units, not zero"),
    AfterValidator(_not_zero),
]
ReasonCode = Annotated[
    str,
    StringConstraints(pattern=r"^[a-z][a-z0-9_]{1,29}$"),
    Field(description="a code of the catalogue of reasons; free text is refused"),
]
Comment = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=300)]
