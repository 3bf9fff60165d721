"""The catalogue of reason codes in force, and asking it inside a transaction."""

from __future__ import annotations

from typing import Self

from sqlalchemy import Connection, select

from erp_core.gate.contract import DomainError, Transaction
from erp_core.master.model import reason_codes
from erp_core.master.rules.reasons import REASONS, Reason


class UnknownReason(DomainError):
    """The catalogue has no such active code of this kind."""

    code = "unknown_reason"


def reason_catalogue(connection: Connection, kind: str | None = None) -> list[Reason]:
    """All reason codes by kind and code, those switched off as well."""
    known = _known(connection)
    return [known[key] for key in sorted(known) if kind is None or key[0] == kind]


def losses(connection: Connection) -> set[str]:
    """The codes in force of stock adjustments that write off what they take away."""
    known = reason_catalogue(connection, "stock_adjustment")
    return {one.code for one in known if one.active and one.effect == "loss"}


def _known(connection: Connection) -> dict[tuple[str, str], Reason]:
    own = connection.execute(select(reason_codes)).all()
    return dict(REASONS) | {
        (row.kind, row.code): Reason(row.kind, row.code, row.label, row.effect, row.active) for row in own
    }


class Reasons:
    """The catalogue as a transaction sees it: read once."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx
        self._known: dict[tuple[str, str], Reason] | None = None

    @classmethod
    def of(cls, tx: Transaction) -> Self:
        """The transaction's catalogue."""
        return tx.unit(cls, cls)

    def require(self, kind: str, code: str, *, field: str = "reason_code") -> Reason:
        """The active reason. Raises `UnknownReason`, which lists those there are."""
        if self._known is None:
            self._known = _known(self._tx.connection)
        found = self._known.get((kind, code))
        if found is None or not found.active:
            codes = sorted(one.code for one in self._known.values() if one.kind == kind and one.active)
            raise UnknownReason(
                f"{code} is no reason of kind {kind.replace('_', ' ')}",
                field=field,
                remedy=f"use one of {', '.join(codes)}",
                reasons=codes,
            )
        return found

    def flush(self) -> None:
        """Nothing waits."""

    def discard(self) -> None:
        """Forget what was read."""
        self._known = None
