"""Records that arguments name by code or name."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import Connection

from copilot.tools.tool import ToolError
from erp_core.analytics.dimensions import Member, matching, members
from erp_core.analytics.metrics import catalogue
from erp_core.master.queries import list_locations


def find_member(connection: Connection, dimension: str, text: str, field: str | None = None) -> Member:
    """The one member that the text names. Raises `ToolError` with the nearest names for none or several."""
    candidates = members(connection, catalogue().dimensions[dimension])
    found = matching(candidates, text)
    if len(found) == 1:
        return found[0]
    if found:
        codes = tuple(f"{one.code} ({one.name})" for one in found[:6])
        raise ToolError(
            "ambiguous",
            f"{len(found)} records of {dimension} are called {text!r}",
            field=field,
            remedy="use the code",
            nearest=codes,
        )
    near = nearest(candidates, text)
    remedy = f"did you mean {', '.join(near)}?" if near else f"no {dimension} is like it"
    raise ToolError(
        "unknown_member",
        f"there is no {dimension} {text!r}",
        field=field or dimension,
        remedy=remedy,
        nearest=near,
    )


def nearest(candidates: Sequence[Member], text: str) -> tuple[str, ...]:
    """Up to four members that look most like the text."""
    from rapidfuzz import fuzz, process

    choices = {f"{one.code} {one.name}".casefold(): one for one in candidates}
    found = process.extract(text.casefold(), list(choices), scorer=fuzz.WRatio, limit=4, score_cutoff=55)
    return tuple(f"{choices[key].code} ({choices[key].name})" for key, _, _ in found)


def record_id(connection: Connection, dimension: str, text: str | None) -> UUID | None:
    """The id of the record the text names; None for None."""
    if text is None:
        return None
    found = find_member(connection, dimension, text, dimension).id
    return found if isinstance(found, UUID) else None


def receiving_places(connection: Connection) -> set[UUID]:
    """Where suppliers deliver when nobody says otherwise: warehouses, not shops, where there are any."""
    places = list_locations(connection)
    return {one.id for one in places if one.kind in ("warehouse", "third_party")} or {
        one.id for one in places
    }
