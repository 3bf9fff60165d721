"""What the attacks are let loose on, handed over by whoever starts the suite: evals know no way in by themselves."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import httpx
from sqlalchemy import Engine

from erp_core.clock import Clock
from erp_core.gate.submission import Gate


class MakeGate(Protocol):
    """Makes a gate with every command registered."""

    def __call__(self, engine: Engine, clock: Clock, *, home: Path) -> Gate: ...


@dataclass(frozen=True, slots=True)
class Product:
    """The product under attack.

    `make_gate` must be a function of a module, so that other processes can be given it. `serve` opens the HTTP API
    over a gate and gives a client of it.
    """

    make_gate: MakeGate
    serve: Callable[[Gate], AbstractContextManager[httpx.Client]]
