"""Which lots came back: those that went out to the customer, and no others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from erp_core.gate.contract import DomainError, Transaction
from erp_core.inventory.checks import check_items
from erp_core.inventory.lots.book import LotBook
from erp_core.inventory.lots.rules import LotFields, named_lots
from erp_core.orders.queries.lots import lots_shipped
from erp_core.returns.book import Line, Return
from erp_core.returns.commands.wishes import ReceiveReturn


class LotNotShipped(DomainError):
    """The lot or numbered unit that came back never went out with the order."""

    code = "lot_not_shipped"


class LotsThatCameBack:
    """The lots of a batch of returns. Nothing more than the items is read where none is tracked."""

    def __init__(self, tx: Transaction, some: Sequence[Return]) -> None:
        self._book = LotBook.of(tx)
        self._tracking = check_items(
            tx, {line.item_id for one in some for line in one.lines.values()}
        ).tracking
        order_ids = {
            one.order_id
            for one in some
            if one.order_id is not None and any(self.tracked(line) for line in one.lines.values())
        }
        self._shipped = lots_shipped(tx.connection, order_ids)

    def tracked(self, line: Line) -> bool:
        """Whether the line's item has lots or serial numbers."""
        return line.item_id in self._tracking

    def lots(
        self, one: Return, command: ReceiveReturn, arrived: Mapping[UUID, int]
    ) -> dict[UUID, list[list[Any]]]:
        """Lot ids with units by line, of the lines with tracked items.

        Raises `LotRequired`, `NotTracked`, `NotFound`, `SerialTwice` or `LotNotShipped`.
        """
        said: dict[UUID, LotFields] = {part.return_line_id: part for part in command.lines}
        found: dict[UUID, list[list[Any]]] = {}
        units: dict[UUID, int] = {}
        for line in one.lines.values():
            fields = said.get(line.id, LotFields())
            named = named_lots(
                line.item_id, self._tracking.get(line.item_id), arrived[line.id], fields, arriving=False
            )
            if not named:
                continue
            self._book.require_outside([part for part in named if part.serial])
            parts = self._book.find(named)
            for lot, count in parts:
                units[lot.id] = units.get(lot.id, 0) + count
                sent = self._shipped.get((one.order_id, lot.id), 0) if one.order_id is not None else count
                if units[lot.id] > sent:
                    raise LotNotShipped(
                        f"{units[lot.id]} units of {lot.code} came back, {sent} went out with the order",
                        field="lines.lot_code",
                        remedy="check the label; goods of another order are another return",
                        lot=lot.code,
                        shipped=sent,
                    )
            found[line.id] = [[str(lot.id), count] for lot, count in parts]
        return found
