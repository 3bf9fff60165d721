"""Worlds: simulated companies that post through the gate, with a truth that only scorers open."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Engine

from erp_core.gate.submission import Gate
from evals.worlds.company import Summary, WorldRefused, build
from evals.worlds.parameters import DEMO, SIZES, TINY, WorldParameters
from evals.worlds.truth import read_truth, truth_path

__all__ = [
    "DEMO",
    "SIZES",
    "TINY",
    "Summary",
    "WorldParameters",
    "WorldRefused",
    "build",
    "read_truth",
    "tiny",
    "truth_path",
]


def tiny(gate: Gate, engine: Engine, *, home: Path, seed: int = 7, password: str | None = None) -> Summary:
    """The tiny world for tests and evals: 20 items, 4 suppliers, three months, in about two seconds."""
    return build(gate, engine, seed=seed, home=home, size="tiny", password=password)
