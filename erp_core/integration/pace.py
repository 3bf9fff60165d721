"""How many chunks one transaction posts: as many as let others wait little."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from erp_core.integration.staging import StagedChunk

SECONDS = 0.16
GAP = 0.003
MOST = 16


@dataclass(slots=True)
class Pace:
    """Sizes batches of chunks by how long the last one took, so that a batch takes about `SECONDS`.

    On SQLite nobody else writes meanwhile. A batch holds chunks of one kind, for what one kind makes the
    next may need; each kind begins with a single chunk.
    """

    size: int = 1

    def batches(self, chunks: Sequence[StagedChunk]) -> Iterator[list[StagedChunk]]:
        """The chunks in their order, in batches; tell `took` before taking the next."""
        for _, run in groupby(chunks, key=lambda chunk: chunk.kind):
            waiting = list(run)
            self.size = 1
            while waiting:
                batch, waiting = waiting[: self.size], waiting[self.size :]
                yield batch

    def took(self, chunks: int, seconds: float) -> None:
        """Size the next batch; it grows to twice the last one at most, and shrinks at once."""
        fitting = int(SECONDS * chunks / seconds) if seconds > 0 else MOST
        self.size = max(1, min(fitting, 2 * chunks, MOST))
