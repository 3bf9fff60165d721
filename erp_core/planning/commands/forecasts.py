"""Forecast versions, published in chunks and visible when complete."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Sequence
from datetime import date, timedelta
from functools import cached_property
from hashlib import sha256
from typing import Any, Literal, Self
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator
from sqlalchemy import Row, func, select, update

from erp_core.gate.contract import Command, DomainError, Done, Event, NotFound, Task, Transaction
from erp_core.planning.model import forecast_series, forecast_versions, forecast_weeks
from erp_core.storage.bulk import insert_missing, insert_rows

CHUNK = 2_000


class ForecastComplete(DomainError):
    """The version is complete; it is never edited."""

    code = "forecast_complete"


class ChunkMismatch(DomainError):
    """A chunk differs from its version in what all chunks must share."""

    code = "chunk_mismatch"


class ForecastIncomplete(DomainError):
    """The version holds another number of series than meant."""

    code = "forecast_incomplete"


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

    @model_validator(mode="after")
    def _sizes_and_values_fit(self) -> Self:
        for name in ("mean", "quantiles", "baseline", "actual"):
            if getattr(self, name) is not None and not np.all(self.array(name) >= 0):
                raise ValueError(f"{name} holds a negative or missing number")
        if self.purpose == "live" and self.actual is not None:
            raise ValueError("a live forecast has no actual demand")
        return self

    def array(self, name: Literal["mean", "quantiles", "baseline", "actual"]) -> NDArray[np.float32]:
        """One of the packed arrays: (n, h), quantiles (n, q, h). Raises `ValueError` when the size is wrong."""
        flat = np.frombuffer(b64decode(getattr(self, name)), "<f4")
        levels = (len(self.levels),) if name == "quantiles" else ()
        shape = (len(self.series), *levels, self.horizon_days)
        if flat.size != np.prod(shape):
            raise ValueError(f"{name} holds {flat.size} numbers where the series need {np.prod(shape)}")
        return flat.reshape(shape)

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


def publish_forecast(task: Task[PublishForecast], tx: Transaction) -> Done:
    """Store a chunk; the first one opens the version. A chunk that is there already is left as it is."""
    command = task.command
    header = {
        "as_of": command.as_of,
        "start_on": command.start_on,
        "horizon_days": command.horizon_days,
        "levels": list(command.levels),
        "purpose": command.purpose,
        "model_version_id": command.model_version_id,
    }
    row = _version(command.version_id, tx)
    if row is None:
        fixed = {"complete": 0, "published_at": task.occurred_at, "audit_id": task.audit_id}
        insert_rows(tx.connection, forecast_versions, [{"id": command.version_id} | header | fixed])
    else:
        _check_chunk(row, header)
    key = [
        {"version_id": command.version_id, "item_id": item, "location_id": place}
        for item, place in command.series
    ]
    mean, quantiles = command.array("mean"), command.array("quantiles")
    insert_missing(
        tx.connection,
        forecast_series,
        [key[n] | {"mean": mean[n].tobytes(), "quantiles": quantiles[n].tobytes()} for n in range(len(key))],
    )
    insert_missing(tx.connection, forecast_weeks, _week_rows(command, key))
    return Done(result={"series": len(key)})


def complete_forecast(task: Task[CompleteForecast], tx: Transaction) -> Done:
    """Make the version visible. Refused while it holds fewer or more series than meant."""
    command = task.command
    row = _version(command.version_id, tx)
    if row is None:
        raise NotFound(
            "there is no such forecast version", field="version_id", remedy="publish its chunks first"
        )
    if row.complete:
        raise ForecastComplete("the forecast version is complete already", field="version_id")
    count = tx.connection.scalar(
        select(func.count()).select_from(forecast_series).where(forecast_series.c.version_id == row.id)
    )
    if count != command.series:
        raise ForecastIncomplete(
            f"the version holds {count} series, not {command.series}",
            field="series",
            remedy="publish the missing chunks, then complete it",
        )
    tx.connection.execute(
        update(forecast_versions).where(forecast_versions.c.id == row.id).values(complete=1)
    )
    result = {"series": count, "purpose": row.purpose, "as_of": row.as_of.isoformat()}
    return Done(
        result=result,
        events=(Event("ForecastCompleted", "forecast_version", row.id, 1, result),),
        after=result,
    )


def _version(version_id: UUID, tx: Transaction) -> Row[Any] | None:
    return tx.connection.execute(
        select(forecast_versions).where(forecast_versions.c.id == version_id).with_for_update()
    ).one_or_none()


def _check_chunk(row: Row[Any], header: dict[str, Any]) -> None:
    if row.complete:
        raise ForecastComplete(
            "the forecast version is complete", field="version_id", remedy="publish a new version"
        )
    for name, value in header.items():
        if getattr(row, name) != value:
            raise ChunkMismatch(
                f"{name} differs from the version's first chunk",
                field=name,
                remedy="publish chunks of one version with the same header",
            )


def _week_rows(command: PublishForecast, key: list[dict[str, UUID]]) -> list[dict[str, Any]]:
    """One row per series and week: sums of the days that lie inside the horizon."""
    days = [command.start_on + timedelta(days=day) for day in range(command.horizon_days)]
    starts = [0, *(n for n in range(1, len(days)) if days[n].weekday() == 0)]
    weeks = [days[n] - timedelta(days=days[n].weekday()) for n in starts]
    mean, baseline = (
        np.add.reduceat(command.array(name), starts, axis=1, dtype=float).tolist()
        for name in ("mean", "baseline")
    )
    actual = None
    if command.actual is not None:
        actual = (
            np.add.reduceat(command.array("actual"), starts, axis=1, dtype=float).round().astype(int).tolist()
        )
    return [
        series
        | {
            "week": week,
            "mean_units": mean[n][w],
            "baseline_units": baseline[n][w],
            "actual_units": None if actual is None else actual[n][w],
        }
        for n, series in enumerate(key)
        for w, week in enumerate(weeks)
    ]
