"""What a source of files is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from erp_core.integration.findings import Chunks, Findings
from erp_core.integration.known import Known

Rows = Iterable[tuple[int, list[str]]]


class Source(Protocol):
    """A kind of file.

    `columns` gives, for each field, the titles it goes by in files (matched by letters and digits
    alone); `required` names the fields that must have a column.
    """

    @property
    def name(self) -> str:
        """What it is called in commands."""
        ...

    @property
    def columns(self) -> Mapping[str, Sequence[str]]:
        """Titles by field."""
        ...

    @property
    def required(self) -> Sequence[str]:
        """Fields that must have a column."""
        ...

    def read(self, rows: Rows, places: Mapping[str, int], known: Known, findings: Findings) -> Chunks:
        """Read and validate every row, counting each in `findings`; then give the chunks, made lazily.

        All rows are consumed when this returns; the chunks need neither file nor database.
        """
        ...
