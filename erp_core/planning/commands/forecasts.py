"""Forecast versions, published in chunks and visible when complete."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from datetime import date
from functools import cached_property
from hashlib import sha256
from typing import Any, Literal, Self
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from erp_core.gate.contract import Command

CHUNK = 2_000


class PublishForecast(Command):
    """A chunk of a forecast version: n series over h days at q quantile levels.

    `mean`, `baseline` and `actual` are base64 of little-endian float32 (n, h), `quantiles` of (n, q, h);
    `packed` makes them from arrays. `actual` is for backtests only. A version's chunks agree in all but
    their series. The audit log keeps ids, counts and the SHA-256 of the numbers.
    """

    version_id: UUID
    as_of: date
    start_on: date
    horizon_days: int = Field(ge=1, le=366)
    levels: tuple[str, ...] = Field(min_length=1, max_length=19, description='as text: "0.1", "0.5"')
    purpose: Literal["live", "backtest"] = "live"
    model_version_id: UUID | None = None
    series: tuple[tuple[UUID, UUID], ...] = Field(
        min_length=1, max_length=CHUNK, description="(item_id, location_id)"
    )
    mean: str
    quantiles: str
    baseline: str
    actual: str | None = None

    @classmethod
    def packed(
        cls,
        *,
        version_id: UUID,
        as_of: date,
        start_on: date,
        levels: Sequence[str],
        series: Sequence[tuple[UUID, UUID]],
        mean: NDArray[Any],
        quantiles: NDArray[Any],
        baseline: NDArray[Any],
        actual: NDArray[Any] | None = None,
        purpose: Literal["live", "backtest"] = "live",
        model_version_id: UUID | None = None,
    ) -> Self:
        """The command for up to 2,000 series from arrays: mean, baseline, actual (n, h), quantiles (n, q, h)."""
        return cls(
            version_id=version_id,
            as_of=as_of,
            start_on=start_on,
            horizon_days=mean.shape[1],
            levels=tuple(levels),
            purpose=purpose,
            model_version_id=model_version_id,
            series=tuple(series),
            mean=_pack(mean),
            quantiles=_pack(quantiles),
            baseline=_pack(baseline),
            actual=None if actual is None else _pack(actual),
        )

    @property
    def subject(self) -> tuple[str, UUID]:
        return ("forecast_version", self.version_id)

    @cached_property
    def numbers_sha256(self) -> str:
        """SHA-256 over the chunk's series and numbers."""
        digest = sha256()
        for item_id, location_id in self.series:
            digest.update(item_id.bytes + location_id.bytes)
        for part in (self.mean, self.quantiles, self.baseline, self.actual or ""):
            digest.update(part.encode() + b"|")
        return digest.hexdigest()

    def recorded(self) -> dict[str, Any]:
        """The header, the count of series and the digest of the numbers; never the numbers."""
        header = self.model_dump(
            mode="json", exclude={"series", "mean", "quantiles", "baseline", "actual"}, exclude_none=True
        )
        return header | {"series": len(self.series), "sha256": self.numbers_sha256}


class CompleteForecast(Command):
    """Make a forecast version visible, when it holds as many series as were meant to be published."""

    version_id: UUID
    series: int = Field(ge=1)

    @property
    def subject(self) -> tuple[str, UUID]:
        return ("forecast_version", self.version_id)


def _pack(values: NDArray[Any]) -> str:
    return b64encode(np.ascontiguousarray(values, dtype="<f4").tobytes()).decode()
