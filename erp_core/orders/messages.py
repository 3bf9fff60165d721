"""What customers are written: handed to the outbox with ids, and never with a name or an address."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from erp_core.gate.contract import Event
from erp_core.orders.rules.alerts import Text


@dataclass(frozen=True, slots=True)
class Message:
    """One message to the customer of an order; `lines` are (line, units, expected on) of what it is about."""

    id: UUID
    order_id: UUID
    channel_id: UUID
    customer_id: UUID | None
    template: str
    text: Text
    lines: tuple[tuple[UUID, int, date | None], ...]

    def _lines(self) -> list[list[Any]]:
        return [[str(id_), units, day.isoformat() if day else None] for id_, units, day in self.lines]

    def row(self, on: date, audit_id: UUID) -> dict[str, Any]:
        """The row that keeps it."""
        return {
            "id": self.id,
            "order_id": self.order_id,
            "template": self.template,
            "lines": self._lines(),
            "subject": self.text.subject,
            "body": self.text.body,
            "sent_on": on,
            "audit_id": audit_id,
        }

    def event(self) -> Event:
        """What the outbox hands on."""
        data = {
            "order_id": str(self.order_id),
            "channel_id": str(self.channel_id),
            "customer_id": None if self.customer_id is None else str(self.customer_id),
            "template": self.template,
            "subject": self.text.subject,
            "body": self.text.body,
            "lines": self._lines(),
        }
        return Event("CustomerMessage", "customer_message", self.id, 1, data)
