"""How often a process that works for long looks for garbage that refers to itself."""

from __future__ import annotations

import gc

NEW_OBJECTS = 20_000
"""Objects made and not freed before the youngest are looked at; Python's own 700 is a few rows of a batch."""


def collect_seldom() -> None:
    """Leave what start-up made out of every search, and search less often; call it once everything is loaded.

    Commands make many rows and hardly any cycles: `make bench ARGS=ledger` shows what a batch costs, and without this call
    it takes a tenth to a quarter more processor time. Memory is not held longer: reference counts free nearly all of it.
    """
    gc.freeze()
    gc.set_threshold(NEW_OBJECTS, 20, 20)
