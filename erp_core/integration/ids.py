"""Identifiers of imports and of the master records that they create."""

from __future__ import annotations

from datetime import date
from uuid import NAMESPACE_URL, UUID, uuid5

from erp_core.storage.derived import derived_id

EPOCH = date(2000, 1, 1)


def import_id(source: str, sha256: str, as_of: date) -> UUID:
    """The one import of this content from this source as of this day."""
    return uuid5(NAMESPACE_URL, f"quartermaster:import:{source}:{sha256}:{as_of}")


def record_id(kind: str, code: str) -> UUID:
    """The id of a master record that an import creates: the same code gives the same id everywhere."""
    return derived_id(EPOCH, kind, code)
