"""Returns in memory: one unit of work per transaction, read in bulk and written in bulk."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select

from erp_core.gate.contract import NotFound, Transaction
from erp_core.gate.statuses import require_step
from erp_core.inventory.locks import lock_documents
from erp_core.inventory.rules import NO_LOT
from erp_core.master.feeds import Feeds
from erp_core.procurement.model import vendor_claims, vendor_returns
from erp_core.returns.model import dispositions, return_lines, returns
from erp_core.returns.rules import RETURN_STEPS
from erp_core.storage.bulk import insert_records, insert_rows, update_records
from erp_core.storage.lookup import fetch_in


@dataclass(slots=True)
class Line:
    """A return line; its fields are the columns of `return_lines`."""

    id: UUID
    return_id: UUID
    line_no: int
    order_line_id: UUID | None
    item_id: UUID
    location_id: UUID
    channel_id: UUID
    customer_country: str
    returned_on: date
    shipped_on: date | None
    quantity: int
    reason: str
    refund: int
    cost: int | None = None
    comment: str | None = None
    condition: str | None = None
    packaging: str | None = None
    resale_eligible: bool | None = None
    rule: str | None = None
    rule_because: str | None = None
    disposition: str | None = None
    disposed_on: date | None = None
    recovered: int | None = None
    written_off: int | None = None
    import_id: UUID | None = None
    lots: list[list[Any]] | None = None
    authorised: dict[str, int | None] | None = None

    @property
    def parts(self) -> list[tuple[UUID, int]]:
        """Units by lot; those of an item without lots under no lot."""
        if self.lots is None:
            return [(NO_LOT, self.quantity)]
        return [(UUID(lot_id), units) for lot_id, units in self.lots]


@dataclass(slots=True)
class Return:
    """A return; its fields but `lines` are the columns of `returns`."""

    id: UUID
    number: str
    order_id: UUID | None
    channel_id: UUID
    customer_country: str
    status: str
    returned_on: date
    known_on: date
    version: int
    import_id: UUID | None
    audit_id: UUID
    override_reason: str | None = None
    risk_score: int | None = None
    risk_reasons: list[dict[str, Any]] | None = None
    lines: dict[UUID, Line] = field(default_factory=dict)

    def step_to(self, status: str) -> None:
        """Change the status along the graph. Raises `IllegalTransition`."""
        require_step(RETURN_STEPS, self.status, status, f"return {self.number}")
        self.status = status

    def line(self, line_id: UUID) -> Line:
        """One of its lines. Raises `NotFound`."""
        if line_id not in self.lines:
            raise NotFound(
                f"return {self.number} has no such line",
                field="lines.return_line_id",
                remedy="use a line of this return",
            )
        return self.lines[line_id]


@dataclass(frozen=True, slots=True)
class Decision:
    """One decision about a line; its fields are the columns of `dispositions`."""

    id: UUID
    return_id: UUID
    return_line_id: UUID
    order_id: UUID | None
    disposition: str
    quantity: int
    refund: int
    written_off: int
    against_rule: bool
    reason: str | None
    occurred_at: datetime
    audit_id: UUID


@dataclass(frozen=True, slots=True)
class Claim:
    """What a supplier owes for goods that went back to it; its fields are the columns of `vendor_claims`."""

    id: UUID
    supplier_id: UUID | None
    item_id: UUID
    quantity: int
    expected: int | None
    status: str
    opened_on: date
    version: int
    audit_id: UUID
    return_line_id: UUID | None = None
    vendor_return_id: UUID | None = None
    po_line_id: UUID | None = None


_RETURN_FIELDS = [part.name for part in fields(Return) if part.name != "lines"]
_LINE_FIELDS = [part.name for part in fields(Line)]
_DECISION_FIELDS = [part.name for part in fields(Decision)]
_CLAIM_FIELDS = [part.name for part in fields(Claim)]
_RETURNS = select(*(returns.c[name] for name in _RETURN_FIELDS))
_LINES = select(*(return_lines.c[name] for name in _LINE_FIELDS)).order_by(return_lines.c.line_no)
_RETURN_CHANGES = ["status", "returned_on", "version", "audit_id"]
_LINE_CHANGES = [
    "returned_on",
    "quantity",
    "refund",
    "cost",
    "condition",
    "packaging",
    "resale_eligible",
    "rule",
    "rule_because",
    "disposition",
    "disposed_on",
    "recovered",
    "written_off",
    "lots",
    "authorised",
]


class ReturnBook:
    """The transaction's returns. `load` locks them; what is added and changed is written at flush."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx
        self._returns: dict[UUID, Return] = {}
        self._added: dict[UUID, Return] = {}
        self._changed: dict[UUID, Return] = {}
        self._days: set[date] = set()
        self._decided: list[Decision] = []
        self._claims: list[Claim] = []
        self._sent_back: list[dict[str, Any]] = []

    @classmethod
    def of(cls, tx: Transaction) -> ReturnBook:
        """The transaction's returns."""
        return tx.unit(cls, cls)

    def load(self, ids: Iterable[UUID]) -> None:
        """Read and lock these returns with their lines; those already read stay as they are."""
        wanted = [return_id for return_id in ids if return_id not in self._returns]
        if not wanted:
            return
        for row in lock_documents(self._tx.connection, _RETURNS, returns.c.id, wanted):
            self._returns[row.id] = Return(*tuple(row))
        for row in fetch_in(self._tx.connection, _LINES, return_lines.c.return_id, wanted):
            self._returns[row.return_id].lines[row.id] = Line(*tuple(row))

    def find(self, return_id: UUID) -> Return | None:
        """The loaded return, or None when there is none."""
        return self._returns.get(return_id)

    def get(self, return_id: UUID) -> Return:
        """The loaded return. Raises `NotFound`."""
        if return_id not in self._returns:
            raise NotFound("there is no such return", field="return_id", remedy="look it up by its number")
        return self._returns[return_id]

    def add(self, new: Return) -> None:
        """A new return with its lines."""
        self._returns[new.id] = self._added[new.id] = new

    def changed(self, one: Return, audit_id: UUID) -> None:
        """Note that the return and its lines changed under an audit entry; gives it its next version."""
        one.version += 1
        one.audit_id = audit_id
        if one.id not in self._added:
            self._changed[one.id] = one

    def returns_on(self, day: date) -> None:
        """Note that the company has facts about returns on this day."""
        self._days.add(day)

    def decided(self, decision: Decision) -> None:
        """Note a decision about goods that came back."""
        self._decided.append(decision)

    def claimed(self, claim: Claim) -> None:
        """Note what a supplier owes from now on."""
        self._claims.append(claim)

    def sent_back(self, row: dict[str, Any], claim: Claim) -> None:
        """Note goods that went back to a supplier from stock, a row of `vendor_returns`, and what is owed for them."""
        self._sent_back.append(row)
        self._claims.append(claim)

    def flush(self) -> None:
        """Write what was added and changed."""
        connection, added, changed = self._tx.connection, self._added.values(), self._changed.values()
        insert_records(connection, returns, added, _RETURN_FIELDS)
        insert_records(connection, return_lines, _lines(added), _LINE_FIELDS)
        update_records(connection, returns, changed, _RETURN_CHANGES)
        update_records(connection, return_lines, _lines(changed), _LINE_CHANGES)
        insert_records(connection, dispositions, self._decided, _DECISION_FIELDS)
        insert_rows(connection, vendor_returns, self._sent_back)
        insert_records(connection, vendor_claims, self._claims, _CLAIM_FIELDS)
        if self._days:
            Feeds.of(self._tx).touch("returns", min(self._days), max(self._days))
        self._added, self._changed, self._days = {}, {}, set()
        self._decided, self._claims, self._sent_back = [], [], []

    def discard(self) -> None:
        """Forget everything that was read, added or changed."""
        self._returns, self._added, self._changed, self._days = {}, {}, {}, set()
        self._decided, self._claims, self._sent_back = [], [], []


def _lines(some: Iterable[Return]) -> list[Line]:
    return [line for one in some for line in one.lines.values()]
