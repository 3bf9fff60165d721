"""What happened to an order beside its lines: the steps it took, and how its parcels travel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import Connection, select

from erp_core.gate.model import audit_entries, outbox
from erp_core.master.model_fulfilment import carrier_services, carriers
from erp_core.orders.model import pick_lists, shipments
from erp_core.orders.model_documents import deliveries


@dataclass(frozen=True, slots=True)
class OrderStep:
    """An event of the order and the status after it; `shipment_id` names the parcel that left with it."""

    occurred_at: datetime
    event: str
    status: str
    reason: str | None
    shipment_id: UUID | None


@dataclass(frozen=True, slots=True)
class ParcelWay:
    """Who carries a parcel and when it arrives; None where no carrier was chosen, or nobody said that it came."""

    shipment_id: UUID
    carrier: str | None
    service: str | None
    arrives_on: date | None
    delivered_on: date | None


@dataclass(frozen=True, slots=True)
class OrderStory:
    """All of it, the oldest first."""

    steps: Sequence[OrderStep]
    parcels: Sequence[ParcelWay]


def order_story(connection: Connection, order_id: UUID) -> OrderStory:
    """What happened to the order; empty for imported history, of which only the outcome is known."""
    return OrderStory(_steps(connection, order_id), _ways(connection, order_id))


def _steps(connection: Connection, order_id: UUID) -> tuple[OrderStep, ...]:
    event = outbox.c
    rows = connection.execute(
        select(audit_entries.c.occurred_at, event.kind, event.data)
        .join(audit_entries, audit_entries.c.id == event.audit_id)
        .where(event.aggregate_kind == "order", event.aggregate_id == order_id)
        .order_by(event.version, event.recorded_at, event.id)
    )
    return tuple(
        OrderStep(at, kind, data["status"], data.get("reason"), _id(data.get("shipment_id")))
        for at, kind, data in rows
        if "status" in data
    )


def _id(text: str | None) -> UUID | None:
    return None if text is None else UUID(text)


def _ways(connection: Connection, order_id: UUID) -> tuple[ParcelWay, ...]:
    rows = connection.execute(
        select(
            shipments.c.id,
            carriers.c.name,
            carrier_services.c.name,
            pick_lists.c.arrives_on,
            deliveries.c.delivered_on,
        )
        .outerjoin(pick_lists, pick_lists.c.id == shipments.c.pick_id)
        .outerjoin(carrier_services, carrier_services.c.id == pick_lists.c.service_id)
        .outerjoin(carriers, carriers.c.id == carrier_services.c.carrier_id)
        .outerjoin(deliveries, deliveries.c.shipment_id == shipments.c.id)
        .where(shipments.c.order_id == order_id)
        .order_by(shipments.c.shipped_on, shipments.c.id)
    )
    return tuple(ParcelWay(*row) for row in rows)
