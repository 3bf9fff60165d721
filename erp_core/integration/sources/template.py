"""What our own CSV templates share: columns with parsers, row by row, and a second look at the whole."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any, ClassVar, Generic, NamedTuple, TypeVar

from erp_core.integration.fields import FieldError, Remembered, choice, optional
from erp_core.integration.findings import Chunks, Findings
from erp_core.integration.known import Codes, Known
from erp_core.integration.rows import ChannelRow, PlaceRow
from erp_core.integration.sources.base import Rows

R = TypeVar("R", bound=tuple[Any, ...])
LINES_PER_CHUNK = 400
LOCATION_KIND = optional(choice("warehouse", "store", "third_party"))
CHANNEL_KIND = optional(choice("web", "marketplace", "store", "wholesale"))


class SetAside(Exception):
    """A row that a stated rule keeps out."""

    def __init__(self, rule: str) -> None:
        super().__init__(rule)
        self.rule = rule


class RowError(Exception):
    """A row that is refused for what it says, by field."""

    def __init__(self, field: str, rule: str, reason: str, remedy: str) -> None:
        super().__init__(reason)
        self.field = field
        self.error = FieldError(rule, reason, remedy)


class Field(NamedTuple):
    """A column: how it is read, whether it must be there, and what it means."""

    name: str
    parse: Callable[[str], Any]
    required: bool
    meaning: str


@dataclass(slots=True)
class Line(Generic[R]):
    """A row that can be read, and the line it stands on."""

    number: int
    row: R


class Template(ABC, Generic[R]):
    """One of our own files. Subclasses say which columns there are and what a row means."""

    name: ClassVar[str]
    record: ClassVar[type[tuple[Any, ...]]]
    fields: ClassVar[Sequence[Field]]

    def __init__(self) -> None:
        self.columns: Mapping[str, Sequence[str]] = {field.name: (field.name,) for field in self.fields}
        self.required: Sequence[str] = [field.name for field in self.fields if field.required]

    def read(self, rows: Rows, places: Mapping[str, int], known: Known, findings: Findings) -> Chunks:
        """Read every row, check it against the books and the rows before it, and lay out documents."""
        check = self.checker(known, findings)
        width = max(places.values()) + 1
        parsers = [(field.name, places.get(field.name), Remembered(_parser(field))) for field in self.fields]
        lines: list[Line[R]] = []
        for number, row in rows:
            findings.read += 1
            record = self._record(number, row, width, parsers, findings)
            if record is None:
                continue
            try:
                lines.append(Line(number, check(record)))
            except SetAside as rule:
                findings.set_aside[rule.rule] += 1
            except RowError as error:
                findings.refuse(number, [(error.field, error.error)])
        chunks = self.lay_out(lines, known, findings)
        findings.accepted = findings.read - findings.refused - findings.set_aside.total()
        return chunks

    def _record(
        self,
        number: int,
        row: Sequence[str],
        width: int,
        parsers: Sequence[tuple[str, int | None, Remembered[Any]]],
        findings: Findings,
    ) -> R | None:
        if len(row) < width:
            reason = f"it has {len(row)} cells instead of {width} or more"
            error = FieldError("too_few_cells", reason, "give every column, and quote commas")
            findings.refuse(number, [("row", error)])
            return None
        values: list[Any] = []
        errors: list[tuple[str, FieldError]] = []
        for name, place, read in parsers:
            try:
                values.append(read["" if place is None else row[place]])
            except FieldError as error:
                errors.append((name, error))
        if errors:
            findings.refuse(number, errors)
            return None
        record: R = self.record(*values)  # type: ignore[assignment]
        return record

    @abstractmethod
    def checker(self, known: Known, findings: Findings) -> Callable[[R], R]:
        """A function that gives a row with its codes as the books write them.

        It raises `SetAside` or `RowError`; it is called in the order of the file and may remember.
        """

    @abstractmethod
    def lay_out(self, lines: Sequence[Line[R]], known: Known, findings: Findings) -> Chunks:
        """The chunks of the accepted rows; what it still refuses is counted before it returns."""


def _parser(field: Field) -> Callable[[str], Any]:
    return field.parse if field.required else optional(field.parse)


def found(codes: Codes, field: str, code: str) -> str:
    """The code as the books write it; raises `RowError` that names the field."""
    try:
        return codes.find(code)
    except FieldError as error:
        raise RowError(field, error.rule, error.reason, error.remedy) from error


class Places:
    """Locations and channels that a file introduces by giving their kind."""

    def __init__(self, known: Known) -> None:
        self._known = known
        self.locations: dict[str, PlaceRow] = {}
        self.channels: dict[str, ChannelRow] = {}

    def location(self, code: str, kind: str | None) -> str:
        """The location, new where a kind is given and the code is not known."""
        if kind and code not in self._known.locations:
            self._known.locations.add(code)
            self.locations[code] = PlaceRow(code, code, kind, None)
        return found(self._known.locations, "location", code)

    def channel(self, code: str, kind: str | None) -> str:
        """The channel, new where a kind is given and the code is not known."""
        if kind and code not in self._known.channels:
            self._known.channels.add(code)
            self.channels[code] = ChannelRow(code, code, kind)
        return found(self._known.channels, "channel", code)


def template_text(name: str) -> str:
    """The template file of a kind, with its header and example rows."""
    return files("erp_core.integration").joinpath("templates", f"{name}.csv").read_text(encoding="utf-8")
