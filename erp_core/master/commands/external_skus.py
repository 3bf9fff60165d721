"""What others call our items: said once for each code, and asked before their files are read."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field, StringConstraints
from sqlalchemy import Table, select

from erp_core.exceptions.book import Noted, raise_cases
from erp_core.exceptions.draft import CaseDraft, fact
from erp_core.gate.contract import (
    Command,
    DomainError,
    Done,
    Registration,
    Registry,
    Task,
    Transaction,
    each,
)
from erp_core.master.commands.records import existing, unknown
from erp_core.master.model import channels, items, locations, suppliers
from erp_core.master.model_external import external_skus
from erp_core.master.queries.external_skus import external_items, key_of
from erp_core.storage.bulk import upsert_replace
from erp_core.storage.lookup import fetch_in

KIND = "unmapped_sku"
DAYS_TO_MAP = 2
_TABLES: dict[str, Table] = {"channel": channels, "supplier": suppliers, "location": locations}

Party = Literal["channel", "supplier", "location"]
ExternalCode = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=60)]


class AlreadyMapped(DomainError):
    """The code stands for another item, and nobody said that it no longer does."""

    code = "already_mapped"


class MapExternalSku(Command):
    """A code of a channel, a supplier or a third party's warehouse stands for one of our items.

    Another item takes its place only where `replaces` names the one before.
    """

    party: Party
    party_id: UUID
    code: ExternalCode
    item_id: UUID
    replaces: UUID | None = None

    @property
    def subject(self) -> tuple[str, UUID]:
        """The item."""
        return ("item", self.item_id)


class ResolveExternalSkus(Command):
    """Which of our items a party's codes stand for, before its file is read. It changes no master data.

    A code of no item, or that fits two, has none in the answer and becomes a case `unmapped_sku`, which ends when
    the code is mapped.
    """

    party: Party
    party_id: UUID
    codes: Annotated[tuple[ExternalCode, ...], Field(min_length=1, max_length=10_000)]

    @property
    def subject(self) -> tuple[str, UUID]:
        """The channel, supplier or location."""
        return (self.party, self.party_id)


def map_external_sku(task: Task[MapExternalSku], tx: Transaction) -> Done:
    """Write the mapping, and end the case about the code."""
    command, key = task.command, key_of(task.command.code)
    _require_party(tx, command.party, command.party_id)
    if not existing(tx, items, [command.item_id]):
        raise unknown("item", command.item_id)
    table = external_skus.c
    before = tx.connection.scalar(
        select(table.item_id).where(table.party_id == command.party_id, table.code_key == key)
    )
    if before not in (None, command.item_id, command.replaces):
        raise AlreadyMapped(
            f"{command.code} stands for another item",
            field="code",
            remedy="give that item in `replaces`, or correct the code",
            item=before,
        )
    row = {
        "party_id": command.party_id,
        "code_key": key,
        "party": command.party,
        "code": command.code,
        "item_id": command.item_id,
        "audit_id": task.audit_id,
    }
    upsert_replace(tx.connection, external_skus, [row], ["code", "item_id", "audit_id"])
    noted = Noted("the code was mapped", task.occurred_at, task.audit_id)
    raise_cases(tx, (), noted, settled=[(KIND, _case_key(command.party_id, key))])
    told = {"code": command.code, "item_id": str(command.item_id)}
    return Done(told, before=None if before is None else {"item_id": str(before)}, after=told)


def resolve_external_skus(task: Task[ResolveExternalSkus], tx: Transaction) -> Done:
    """Look the codes up, and bring the cases about them up to date."""
    command = task.command
    party = _require_party(tx, command.party, command.party_id)
    found = external_items(tx.connection, command.party, command.party_id, command.codes)
    near = _skus(tx, (id_ for ids in found.doubts.values() for id_ in ids))
    drafts = [
        _draft(task, party, code, [near[id_] for id_ in ids]) for code, ids in sorted(found.doubts.items())
    ]
    settled = [(KIND, _case_key(command.party_id, key_of(code))) for code in found.items]
    noted = Noted(f"{party} named what is no item of ours", task.occurred_at, task.audit_id)
    raise_cases(tx, drafts, noted, settled=settled)
    counts = {"known": len(found.items), "unmapped": len(found.doubts)}
    known = {code: str(item_id) for code, item_id in sorted(found.items.items())}
    return Done({"items": known, "unmapped": sorted(found.doubts)}, after=counts)


def _require_party(tx: Transaction, party: str, party_id: UUID) -> str:
    row = existing(tx, _TABLES[party], [party_id]).get(party_id)
    if row is None or (party == "location" and not row["physical"]):
        raise unknown(party, party_id, "party_id")
    return str(row["code"])


def _case_key(party_id: UUID, key: str) -> str:
    return f"{party_id}:{key}"


def _skus(tx: Transaction, ids: Iterable[UUID]) -> dict[UUID, str]:
    rows = fetch_in(tx.connection, select(items.c.id, items.c.sku), items.c.id, set(ids))
    return {id_: sku for id_, sku in rows}


def _draft(task: Task[ResolveExternalSkus], party: str, code: str, near: list[str]) -> CaseDraft:
    command = task.command
    what = f"may be {' or '.join(sorted(near))}" if near else "is no item of ours"
    payload = {"party": command.party, "party_id": str(command.party_id), "code": code, "item_id": None}
    return CaseDraft(
        kind=KIND,
        subject_key=_case_key(command.party_id, key_of(code)),
        title=f"{code} of {party} {what}",
        subjects=((command.party, command.party_id),),
        probability=1.0,
        deadline=task.occurred_at + timedelta(days=DAYS_TO_MAP),
        expected_loss=0,
        residual_loss=0,
        action_cost=0,
        evidence=(fact("code", code), *(fact("may be", sku) for sku in sorted(near))),
        action={
            "kind": "decide",
            "label": "say which item it is",
            "commands": [{"command": "MapExternalSku", "payload": payload}],
        },
    )


def register(registry: Registry) -> None:
    """Add the commands."""
    registry.register(Registration(MapExternalSku, each(map_external_sku)))
    registry.register(Registration(ResolveExternalSkus, each(resolve_external_skus)))
