"""Commands of the inbox: a scan's findings, and what people do with a case."""

from __future__ import annotations

from datetime import date, datetime
from functools import cached_property
from hashlib import sha256
from typing import Any, Literal, NamedTuple
from uuid import UUID

from pydantic import Field

from erp_core.exceptions.draft import CaseDraft
from erp_core.gate.contract import Command
from erp_core.storage.types import canonical_json

Resolution = Literal["acted_on", "already_handled", "false_alarm", "accepted_risk", "duplicate", "data_error"]


class Withheld(NamedTuple):
    """What a scan could not judge: how many subjects of a kind, and why."""

    kind: str
    reason: str
    subjects: int


class RecordScan(Command):
    """The findings of one scan, priced. Only differences to the inbox are written.

    `kinds` are those the scan judged: only their cases can vanish. The audit log keeps counts and SHA-256.
    """

    scan_id: UUID
    as_of: date
    kinds: tuple[str, ...] = Field(min_length=1)
    drafts: tuple[CaseDraft, ...] = Field(max_length=50_000)
    withheld: tuple[Withheld, ...] = ()

    @property
    def subject(self) -> tuple[str, UUID]:
        return ("scan", self.scan_id)


class _OnCase(Command):
    case_id: UUID

    @property
    def subject(self) -> tuple[str, UUID]:
        return ("case", self.case_id)


class AssignCase(_OnCase):
    """Give a case an owner."""

    owner_id: UUID


class SnoozeCase(_OnCase):
    """Put a case aside until a moment; the next scan from then on wakes it."""

    until: datetime
    note: str = Field(default="", max_length=500)


class ResolveCase(_OnCase):
    """Close a case with a reason from the catalogue."""

    resolution: Resolution
    note: str = Field(default="", max_length=500)
