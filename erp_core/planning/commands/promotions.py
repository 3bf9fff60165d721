"""Starting a promotion: only when its stock is ready, or against the check with a reason."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Annotated
from uuid import UUID

from pydantic import StringConstraints
from sqlalchemy import Connection, select

from erp_core.gate.contract import (
    Asked,
    Command,
    DomainError,
    Done,
    Event,
    Facts,
    Registration,
    Registry,
    Task,
    Transaction,
    each,
)
from erp_core.master.commands.records import Today, day_of
from erp_core.master.values import Units
from erp_core.planning.model import promotion_starts
from erp_core.planning.promotions import PromotionReadiness, promotion_readiness
from erp_core.storage.bulk import insert_rows
from erp_core.storage.locks import lock_names

Reason = Annotated[str, StringConstraints(strip_whitespace=True, min_length=3, max_length=500)]


class PromotionNotReady(DomainError):
    """The channel cannot count on what the promotion will need."""

    code = "promotion_not_ready"


class PromotionOver(DomainError):
    """The promotion runs already, or its days are over."""

    code = "promotion_over"


class StartPromotion(Command):
    """Let a promotion begin on its channel. Governed. Before its stock is ready only with a reason.

    `expected_units` is what people expect it to sell; less than its days sell without it counts for nothing.
    """

    promotion_id: UUID
    expected_units: Units
    override_reason: Reason | None = None

    @property
    def subject(self) -> tuple[str, UUID]:
        """The promotion."""
        return ("promotion", self.promotion_id)


def _checked(connection: Connection, command: StartPromotion, today: date) -> PromotionReadiness:
    """The check. Raises `NotFound`, `PromotionOver`, or `PromotionNotReady` where no reason is given."""
    found = promotion_readiness(connection, command.promotion_id, command.expected_units, today)
    started = select(promotion_starts.c.promotion_id).where(
        promotion_starts.c.promotion_id == command.promotion_id
    )
    if found.ends_on < today or connection.scalar(started) is not None:
        raise PromotionOver(
            "this promotion runs already, or its days are over",
            field="promotion_id",
            remedy="plan another one",
        )
    if not found.ready and command.override_reason is None:
        raise PromotionNotReady(
            f"{found.needed} units are needed, and the channel can count on {found.covered}",
            field="promotion_id",
            remedy="bring in stock, or give an override_reason",
            needed=found.needed,
            covered=found.covered,
            published=found.published,
            inbound=found.inbound,
            owed=found.owed,
        )
    return found


def start_promotion(task: Task[StartPromotion], tx: Transaction) -> Done:
    """Look once more, and start it."""
    command = task.command
    lock_names(tx.connection, [f"promotion {command.promotion_id}"])
    found = _checked(tx.connection, command, task.occurred_on)
    told = {
        "needed": found.needed,
        "covered": found.covered,
        "overridden": not found.ready,
    }
    insert_rows(
        tx.connection,
        promotion_starts,
        [
            {
                "promotion_id": command.promotion_id,
                "started_on": task.occurred_on,
                "needed_units": found.needed,
                "covered_units": found.covered,
                "override_reason": None if found.ready else command.override_reason,
                "audit_id": task.audit_id,
            }
        ],
    )
    event = Event("PromotionStarted", "promotion", command.promotion_id, 2, told)
    return Done(told, (event,), after=told)


class StartFacts:
    """What policy is told: whether starting goes against the check; `today` gives the business date."""

    def __init__(self, today: Today) -> None:
        self._today = today

    def __call__(
        self, asked: Sequence[Asked[StartPromotion]], connection: Connection
    ) -> Sequence[Facts | DomainError]:
        found: list[Facts | DomainError] = []
        for one in asked:
            try:
                found.append(
                    {"override": not _checked(connection, one.command, day_of(one, self._today)).ready}
                )
            except DomainError as error:
                found.append(error)
        return found


def register(registry: Registry, today: Today) -> None:
    """Register the command."""
    registry.register(
        Registration(StartPromotion, each(start_promotion), governed=True, facts=StartFacts(today))
    )
