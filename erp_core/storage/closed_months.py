"""What the database itself refuses about closed months: a row of the books that is dated into one.

The gate refuses such commands before, with better words. The triggers hold for a defect in it, and for whoever writes the
tables directly.
"""

from __future__ import annotations

from erp_core.storage.refusals import Refusal

_DATED_INTO_ONE = (
    "EXISTS (SELECT 1 FROM closed_periods c"
    " WHERE substr(CAST(c.month AS TEXT), 1, 7) >= substr(CAST(NEW.occurred_on AS TEXT), 1, 7))"
)
CLOSED_MONTHS = tuple(
    Refusal(
        f"{table}_in_open_months",
        table,
        ("INSERT",),
        (("the month of the entry is closed", _DATED_INTO_ONE),),
    )
    for table in ("journal_entries", "cost_entries", "cost_layer_entries")
)
