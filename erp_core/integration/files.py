"""Reading CSV files: plain or gzip, UTF-8 or Latin-1, row by row."""

from __future__ import annotations

import codecs
import csv
import gzip
import hashlib
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from erp_core.gate.contract import DomainError

BLOCK = 1 << 20


class UnreadableFile(DomainError):
    """The file as a whole cannot be read: it is not there, not CSV, or lacks a column."""

    code = "unreadable_file"


@dataclass(frozen=True, slots=True)
class FileFacts:
    """What identifies a file: the SHA-256 of its unpacked content, so packing changes nothing."""

    path: Path
    sha256: str
    encoding: str
    size: int


@contextmanager
def _unpacked(path: Path) -> Iterator[BinaryIO]:
    try:
        with path.open("rb") as raw:
            magic = raw.read(2)
            raw.seek(0)
            if magic == b"PK":
                raise UnreadableFile(
                    f"{path.name} is a workbook or zip archive", field="file", remedy="save the sheet as CSV"
                )
            if magic == b"\x1f\x8b":
                with gzip.open(raw) as stream:
                    yield io.BufferedReader(stream, BLOCK)  # type: ignore[type-var,unused-ignore]
            else:
                yield raw
    except FileNotFoundError as error:
        raise UnreadableFile(f"there is no file {path}", field="file", remedy="check the path") from error
    except (IsADirectoryError, PermissionError) as error:
        raise UnreadableFile(
            f"{path} cannot be opened", field="file", remedy="give a readable CSV file"
        ) from error
    except (EOFError, gzip.BadGzipFile) as error:
        raise UnreadableFile(
            f"{path.name} is cut off or damaged", field="file", remedy="copy it again"
        ) from error


def inspect(path: Path) -> FileFacts:
    """Hash the content and find its encoding: UTF-8 where every byte fits, else Latin-1."""
    digest = hashlib.sha256()
    decoder = codecs.getincrementaldecoder("utf-8")()
    encoding, size = "utf-8-sig", 0
    with _unpacked(path) as stream:
        while block := stream.read(BLOCK):
            digest.update(block)
            size += len(block)
            if encoding != "latin-1":
                try:
                    decoder.decode(block)
                except UnicodeDecodeError:
                    encoding = "latin-1"
    return FileFacts(path, digest.hexdigest(), encoding, size)


@contextmanager
def rows_of(facts: FileFacts) -> Iterator[tuple[list[str], Iterator[tuple[int, list[str]]]]]:
    """The header, and the rows with the line each ends on; empty lines are no rows."""
    with _unpacked(facts.path) as binary, io.TextIOWrapper(binary, facts.encoding, newline="") as text:
        reader = csv.reader(text)
        try:
            header = next(reader, [])
        except csv.Error as error:
            raise UnreadableFile(f"line 1: {error}", field="file", remedy="save it as CSV") from error
        if not any(cell.strip() for cell in header):
            raise UnreadableFile(
                f"{facts.path.name} has no header", field="file", remedy="the first line names the columns"
            )
        yield header, _numbered(reader)


def _numbered(reader: Iterator[list[str]]) -> Iterator[tuple[int, list[str]]]:
    try:
        for row in reader:
            if row:
                yield reader.line_num, row  # type: ignore[attr-defined]
    except csv.Error as error:
        raise UnreadableFile(
            f"line {reader.line_num}: {error}",  # type: ignore[attr-defined]
            field="file",
            remedy="check the quotes of that line",
        ) from error


def positions(
    header: Sequence[str], columns: Mapping[str, Sequence[str]], required: Sequence[str]
) -> dict[str, int]:
    """Where each column stands; names match by letters and digits alone.

    Raises `UnreadableFile` for a missing required column or one that stands twice.
    """
    found: dict[str, int] = {}
    known = {_plain(name): column for column, names in columns.items() for name in (column, *names)}
    for place, title in enumerate(header):
        column = known.get(_plain(title))
        if column in found:
            raise UnreadableFile(
                f"the column {title.strip()!r} stands twice", field="file", remedy="keep one of them"
            )
        if column:
            found[column] = place
    if missing := [columns[name][0] if columns[name] else name for name in required if name not in found]:
        raise UnreadableFile(
            f"the header lacks {', '.join(missing)}; it has {', '.join(title.strip() for title in header)}",
            field="file",
            remedy="name the columns as documented in docs/imports.md",
        )
    return found


def _plain(title: str) -> str:
    return re.sub(r"[^a-z0-9]", "", title.lower())
