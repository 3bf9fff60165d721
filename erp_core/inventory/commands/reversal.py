"""Undoing what was posted: the opposite moves, once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal
from uuid import UUID

from sqlalchemy import Connection, func, select

from erp_core.gate.contract import (
    Command,
    DomainError,
    Done,
    Event,
    Facts,
    NotFound,
    Registration,
    Registry,
    Task,
    Transaction,
    each,
    facts_each,
)
from erp_core.inventory.checks import check_places
from erp_core.inventory.commands.stock import publish_changes, stock_change
from erp_core.inventory.ledger import Ledger
from erp_core.inventory.lots.book import LotBook
from erp_core.inventory.model import stock_moves
from erp_core.inventory.rules import REASONS, SELLABLE_STATES, VALUED_STATES, VIRTUAL, Bucket, Move
from erp_core.master.queries.reasons import Reasons
from erp_core.master.values import Comment, ReasonCode


class ReverseStock(Command):
    """Undo all moves of an opening, adjustment or transfer by opposite moves. Governed; a document is reversed once."""

    document_kind: Literal["opening", "adjustment", "transfer"]
    document_id: UUID
    reason_code: ReasonCode
    comment: Comment | None = None

    @property
    def subject(self) -> tuple[str, UUID]:
        """The document."""
        return (self.document_kind, self.document_id)


class AlreadyReversed(DomainError):
    """The document's moves were undone before."""

    code = "already_reversed"


def reverse_stock(task: Task[ReverseStock], tx: Transaction) -> Done:
    """Post the opposite of every move of the document."""
    command = task.command
    Reasons.of(tx).require(REASONS, command.reason_code)
    rows = tx.connection.execute(
        select(stock_moves)
        .where(
            stock_moves.c.document_id == command.document_id,
            stock_moves.c.document_kind == command.document_kind,
        )
        .order_by(stock_moves.c.occurred_on, stock_moves.c.id)
    ).all()
    if not rows:
        raise _moved_nothing(command)
    if any(row.event == "reversal" for row in rows):
        raise AlreadyReversed(
            f"{command.document_kind} {command.document_id} was reversed before",
            field="document_id",
            remedy="post a new document instead",
        )
    moves = [
        Move(
            "reversal",
            Bucket(row.item_id, row.to_location_id, row.to_state, row.lot_id, row.owner),
            Bucket(row.item_id, row.from_location_id, row.from_state, row.lot_id, row.owner),
            row.quantity,
            command.document_kind,
            command.document_id,
            task.occurred_at,
            task.audit_id,
            command.reason_code,
            row.id,
        )
        for row in reversed(rows)
    ]
    touched = {
        one.location_id for move in moves for one in (move.source, move.target) if one.state != VIRTUAL
    }
    places = check_places(tx, touched)
    for place in sorted(touched):
        places.require_authority(place, task.principal, "document_id")
    back = {move.target.lot_id for move in moves if move.target.state in SELLABLE_STATES}
    LotBook.of(tx).require_good(back, task.occurred_on)
    Ledger.of(tx).post(moves)
    changes = []
    for move in moves:
        quantity = move.quantity * (
            (move.target.state in VALUED_STATES) - (move.source.state in VALUED_STATES)
        )
        if quantity:
            changes.append(
                stock_change(
                    move.source.item_id,
                    quantity,
                    "reversal",
                    command.document_kind,
                    command.document_id,
                    task,
                )
            )
    publish_changes(tx, changes)
    version = len({row.audit_id for row in rows}) + 1
    event = Event(
        "StockReversed", command.document_kind, command.document_id, version, {"reason": command.reason_code}
    )
    return Done({"document_id": str(command.document_id), "moves": len(moves)}, (event,))


def _moved_nothing(command: ReverseStock) -> NotFound:
    return NotFound(
        f"there is no {command.document_kind} {command.document_id}",
        field="document_id",
        remedy="give the id of a document that moved stock",
    )


def reversal_facts(command: ReverseStock, preceding: Sequence[Command], connection: Connection) -> Facts:
    """What the policy weighs: the units that move back."""
    moved = connection.scalar(
        select(func.sum(stock_moves.c.quantity)).where(
            stock_moves.c.document_id == command.document_id,
            stock_moves.c.document_kind == command.document_kind,
        )
    )
    if moved is None:
        raise _moved_nothing(command)
    return {"units": int(moved), "reason": command.reason_code}


def register(registry: Registry) -> None:
    """Add the reversal."""
    registry.register(
        Registration(
            ReverseStock,
            each(reverse_stock),
            governed=True,
            facts=facts_each(reversal_facts),
            compensation="AdjustStock by the same quantities",
        )
    )
