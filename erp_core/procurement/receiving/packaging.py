"""What a supplier or the dock says of packaging, held against the master data. Pure: no database, no clock."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from erp_core.master.values import Units

Millimetres = Annotated[int, Field(ge=1, le=100_000)]
Gtin = Annotated[str, StringConstraints(pattern=r"^([0-9]{8}|[0-9]{12,14})$")]
_SIDES = ("length_mm", "width_mm", "height_mm")


class StatedPackaging(BaseModel):
    """How goods are packed, as stated: size and weight are of a case where `case_pack` is given, else of one unit."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    case_pack: Units | None = Field(default=None, description="base units in a case")
    gtin: Gtin | None = None
    weight_grams: Annotated[int, Field(ge=1, le=100_000_000)] | None = None
    length_mm: Millimetres | None = None
    width_mm: Millimetres | None = None
    height_mm: Millimetres | None = None

    @property
    def sides(self) -> tuple[int | None, ...]:
        """Length, width, height in millimetres."""
        return self.length_mm, self.width_mm, self.height_mm


@dataclass(frozen=True, slots=True)
class KnownUnit:
    """A unit of an item as the master data have it; what is unknown is None."""

    factor: int
    weight_grams: int | None
    sides: tuple[int | None, int | None, int | None]


@dataclass(frozen=True, slots=True)
class KnownPackaging:
    """What the master data know of an item's packaging."""

    gtin: str | None
    units: Sequence[KnownUnit]


def packaging_differences(
    stated: StatedPackaging, known: KnownPackaging, percent: int
) -> Iterator[tuple[str, str, str]]:
    """What is stated otherwise than known, beyond `percent` for sizes and weights: what, as known, as stated.

    What the master data don't know is no difference. A case that was measured lying on another side is the same case.
    """
    if stated.gtin and known.gtin and stated.gtin.zfill(14) != known.gtin.zfill(14):
        yield "gtin", known.gtin, stated.gtin
    factor = stated.case_pack or 1
    unit = next((one for one in known.units if one.factor == factor), None)
    cases = sorted(one.factor for one in known.units if one.factor > 1)
    if stated.case_pack is not None and unit is None and cases:
        yield "case_pack", ", ".join(map(str, cases)), str(stated.case_pack)
    if unit is None:
        return
    if _beyond(unit.weight_grams, stated.weight_grams, percent):
        yield "weight_grams", str(unit.weight_grams), str(stated.weight_grams)
    as_known, as_stated = _in_order(unit.sides, stated.sides)
    for name, was, now in zip(_SIDES, as_known, as_stated, strict=True):
        if _beyond(was, now, percent):
            yield name, str(was), str(now)


def _in_order(
    known: Sequence[int | None], stated: Sequence[int | None]
) -> tuple[Sequence[int | None], Sequence[int | None]]:
    whole = [one for one in known if one is not None], [one for one in stated if one is not None]
    if all(len(sides) == len(_SIDES) for sides in whole):
        return sorted(whole[0], reverse=True), sorted(whole[1], reverse=True)
    return known, stated


def _beyond(known: int | None, stated: int | None, percent: int) -> bool:
    return known is not None and stated is not None and abs(stated - known) * 100 > known * percent
