"""Columns of text as numbers, so that a million rows are judged and kept as arrays."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from erp_core.integration.fields import FieldError

Numbers = NDArray[np.int32]
Ints = NDArray[np.int64]
UNREADABLE: Final = 0


class Numbered(dict[str, int]):
    """The texts of a column as numbers of their values; each different text is parsed once.

    `given[number]` is the value; `facts` gives the integer that rows are judged by. Number 0 stands for every
    text that cannot be read. Values are numbered in order of appearance.
    """

    def __init__(self, parse: Callable[[str], Any], fact: Callable[[Any], int]) -> None:
        super().__init__()
        self.given: list[Any] = [None]
        self._parse, self._fact = parse, fact
        self._facts = array("q", [0])
        self._numbers: dict[Any, int] = {}

    def __missing__(self, text: str) -> int:
        number = self[text] = self._number(text)
        return number

    def _number(self, text: str) -> int:
        try:
            value = self._parse(text)
        except FieldError:
            return UNREADABLE
        number = self._numbers.setdefault(value, len(self.given))
        if number == len(self.given):
            self.given.append(value)
            self._facts.append(self._fact(value))
        return number

    def number_of(self, value: object) -> int:
        """The number of a value; `UNREADABLE`, which no row that can be read has, where it did not appear."""
        return self._numbers.get(value, UNREADABLE)

    def read(self, texts: Sequence[str]) -> Numbers:
        """The number of each text."""
        return np.fromiter(map(self.__getitem__, texts), np.int32, len(texts))

    def facts(self, numbers: Numbers) -> Ints:
        """The fact of each value."""
        return np.frombuffer(self._facts, np.int64)[numbers]

    def of(self, numbers: Numbers) -> list[Any]:
        """The values of these numbers."""
        return list(map(self.given.__getitem__, numbers.tolist()))
