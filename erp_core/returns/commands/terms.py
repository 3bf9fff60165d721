"""Return terms: what may come back of a channel and category."""

from __future__ import annotations

from sqlalchemy import func, select

from erp_core.gate.contract import Done, NotFound, Task, Transaction
from erp_core.inventory.locks import lock_names
from erp_core.master.commands.records import existing, unknown
from erp_core.master.model import channels, items
from erp_core.master.queries.reasons import Reasons
from erp_core.returns.commands.wishes import SetReturnTerms
from erp_core.returns.errors import TermsExist
from erp_core.returns.model import return_terms
from erp_core.storage.bulk import upsert_replace


def set_terms(task: Task[SetReturnTerms], tx: Transaction) -> Done:
    """Write the terms; one set holds for a channel and category at a time."""
    command = task.command
    if command.channel_id is not None and not existing(tx, channels, [command.channel_id]):
        raise unknown("channel", command.channel_id)
    for code in command.reasons or ():
        Reasons.of(tx).require("return", code, field="reasons")
    _require_category(command, tx)
    lock_names(tx.connection, [f"return terms of {command.channel_id} {command.category}"])
    _require_alone(command, tx)
    shown = command.model_dump(mode="json", exclude={"occurred_at", "terms_id"}, exclude_none=True)
    before = existing(tx, return_terms, [command.terms_id]).get(command.terms_id)
    values = command.model_dump(exclude={"occurred_at", "terms_id"})
    if values["reasons"] is not None:
        values["reasons"] = sorted(values["reasons"])
    row = {"id": command.terms_id, **values, "audit_id": task.audit_id}
    upsert_replace(tx.connection, return_terms, [row], [name for name in row if name != "id"])
    was = before and {name: before[name] for name in ("window_days", "fault_window_days", "resale", "active")}
    return Done({"terms_id": str(command.terms_id)}, before=was, after=shown)


def _require_category(command: SetReturnTerms, tx: Transaction) -> None:
    if command.category is None:
        return
    known = select(items.c.id).where(items.c.category == command.category).limit(1)
    if tx.connection.scalar(known) is None:
        raise NotFound(
            f"no item is of the category {command.category}",
            field="category",
            remedy="use a category as it stands on items",
        )


def _require_alone(command: SetReturnTerms, tx: Transaction) -> None:
    if not command.active:
        return
    same = select(func.count()).where(
        return_terms.c.active,
        return_terms.c.channel_id.is_not_distinct_from(command.channel_id),
        return_terms.c.category.is_not_distinct_from(command.category),
        return_terms.c.id != command.terms_id,
    )
    if tx.connection.scalar(same):
        raise TermsExist(
            "other terms hold for this channel and category",
            field="terms_id",
            remedy="change those, or withdraw them first",
        )
