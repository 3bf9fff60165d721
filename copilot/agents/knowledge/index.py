"""The index: Chroma by hashed word and character n-grams, BM25 beside it, fused by reciprocal rank.

Offline: no weights, no download. The index lies under the home folder, or on a Chroma server by
`Settings.chroma_url`. One process writes it; readers of an older one rebuild it when the documents changed.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlparse

from copilot.agents.knowledge.documents import Passage, built_in_passages, fingerprint
from copilot.agents.masking import mask

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

COLLECTION = "knowledge"
DIMENSIONS = 1024
RANK_CONSTANT = 60
FOUND_PER_WAY = 12
_CASES = "cases.jsonl"


@lru_cache(maxsize=1)
def _vectorizers() -> tuple[Any, Any]:
    from sklearn.feature_extraction.text import HashingVectorizer

    words = HashingVectorizer(
        n_features=DIMENSIONS // 2, ngram_range=(1, 2), stop_words="english", alternate_sign=False, norm="l2"
    )
    letters = HashingVectorizer(
        n_features=DIMENSIONS // 2, analyzer="char_wb", ngram_range=(3, 5), alternate_sign=False, norm="l2"
    )
    return words, letters


def embed(texts: Sequence[str]) -> NDArray[np.float32]:
    """Unit vectors (n, 1024) float32: half from word pairs, half from letters within words."""
    import numpy as np

    words, letters = _vectorizers()
    parts = [one.transform(texts).toarray() for one in (words, letters)]
    joined = np.hstack(parts)
    norms = np.linalg.norm(joined, axis=1, keepdims=True)
    vectors: NDArray[np.float32] = (joined / np.where(norms == 0, 1, norms)).astype(np.float32)
    return vectors


class _Precomputed:
    """Chroma wants an embedding function; ours is applied outside, so that nothing is downloaded."""

    def __call__(self, input: Sequence[str]) -> Any:
        return list(embed(list(input)))

    def embed_query(self, input: Sequence[str]) -> Any:
        return self(input)

    @staticmethod
    def name() -> str:
        return "quartermaster-hashed-ngrams"

    @staticmethod
    def is_legacy() -> bool:
        return False

    @staticmethod
    def default_space() -> str:
        return "cosine"

    @staticmethod
    def supported_spaces() -> list[str]:
        return ["cosine"]

    @staticmethod
    def build_from_config(config: dict[str, Any]) -> _Precomputed:
        return _Precomputed()

    def get_config(self) -> dict[str, Any]:
        return {"dimensions": DIMENSIONS}


def _client(home: Path, url: str | None) -> Any:
    import chromadb
    from chromadb.config import Settings as ChromaSettings

    settings = ChromaSettings(anonymized_telemetry=False)
    if url:
        parts = urlparse(url)
        return chromadb.HttpClient(
            host=parts.hostname or "127.0.0.1",
            port=parts.port or 8000,
            ssl=parts.scheme == "https",
            settings=settings,
        )
    folder = home / "knowledge"
    folder.mkdir(parents=True, exist_ok=True)
    return chromadb.PersistentClient(path=str(folder), settings=settings)


def _stems(texts: Sequence[str]) -> list[list[str]]:
    from copilot.agents.interpreter.lexicon import vocabulary
    from copilot.agents.interpreter.tokenize import stems

    stop = {word for word in vocabulary()["words"]["stop"].split() if len(word) <= 4}
    return [[word for word in stems(text.replace("-", " ")) if word not in stop] or [""] for text in texts]


class KnowledgeBase:
    """Search over passages. Safe to share between threads for reading. `close` lets go of its files."""

    def __init__(self, client: Any, collection: Any, passages: Sequence[Passage]) -> None:
        import bm25s

        self._client = client
        self._collection = collection
        self._passages = {one.id: one for one in passages}
        self._order = [one.id for one in passages]
        self._words = [set(words) for words in _stems([one.searched for one in passages])]
        self._bm25 = bm25s.BM25()
        self._bm25.index(_stems([one.searched for one in passages]), show_progress=False)

    def __len__(self) -> int:
        return len(self._order)

    def close(self) -> None:
        """Let go of the index. Chroma otherwise keeps one open per path, also where its folder is replaced."""
        self._client.close()

    def search(self, query: str, limit: int = 4) -> list[Passage]:
        """The best passages; none where no word of the query occurs in any."""
        asked = _stems([query])[0]
        if not any(set(asked) & words for words in self._words):
            return []
        scores: dict[str, float] = {}
        for ranking in (self._by_words(asked), self._by_vectors(query)):
            for rank, id_ in enumerate(ranking):
                scores[id_] = scores.get(id_, 0.0) + 1 / (RANK_CONSTANT + rank)
        best = sorted(scores, key=lambda one: (-scores[one], one))
        return [self._passages[one] for one in best[:limit]]

    def _by_words(self, asked: list[str]) -> list[str]:
        count = min(FOUND_PER_WAY, len(self._order))
        found, scores = self._bm25.retrieve([asked], k=count, show_progress=False)
        return [self._order[int(i)] for i, score in zip(found[0], scores[0], strict=True) if score > 0]

    def _by_vectors(self, query: str) -> list[str]:
        count = min(FOUND_PER_WAY, len(self._order))
        found = self._collection.query(query_embeddings=[embed([query])[0].tolist()], n_results=count)
        return [one for one in found["ids"][0] if one in self._passages]


def build_index(home: Path, *, chroma_url: str | None = None) -> KnowledgeBase:
    """The knowledge base under `home`, (re)built where its documents changed. Call it in the writing process."""
    passages = [*built_in_passages(), *_stored_cases(home)]
    client = _client(home, chroma_url)
    try:
        return KnowledgeBase(client, _indexed(client, passages), passages)
    except BaseException:
        client.close()
        raise


def _indexed(client: Any, passages: Sequence[Passage]) -> Any:
    collection = client.get_or_create_collection(COLLECTION, embedding_function=_Precomputed())
    wanted = fingerprint(passages)
    if (collection.metadata or {}).get("fingerprint") == wanted and collection.count() == len(passages):
        return collection
    client.delete_collection(COLLECTION)
    collection = client.create_collection(
        COLLECTION, embedding_function=_Precomputed(), metadata={"fingerprint": wanted}
    )
    collection.add(
        ids=[one.id for one in passages],
        documents=[one.searched for one in passages],
        embeddings=embed([one.searched for one in passages]).tolist(),
        metadatas=[{"title": one.title, "heading": one.heading, "origin": one.origin} for one in passages],
    )
    return collection


class LazyKnowledge:
    """The knowledge base of a home folder, opened (and brought up to date) at its first search."""

    def __init__(self, home: Path, chroma_url: str | None = None) -> None:
        self._home = home
        self._url = chroma_url
        self._lock = threading.Lock()
        self._base: KnowledgeBase | None = None

    def search(self, query: str, limit: int = 4) -> list[Passage]:
        """The best passages for the query."""
        with self._lock:
            if self._base is None:
                self._base = build_index(self._home, chroma_url=self._url)
        return self._base.search(query, limit)


def add_resolved_case(home: Path, case_id: str, title: str, resolution: str) -> None:
    """Keep how an exception was resolved, so that it can be found; personal data is masked. Index it with `build_index`."""
    folder = home / "knowledge"
    folder.mkdir(parents=True, exist_ok=True)
    entry = {"id": case_id, "title": mask(title)[:200], "text": mask(resolution)[:2_000]}
    with (folder / _CASES).open("a", encoding="utf-8") as file:
        file.write(json.dumps(entry, ensure_ascii=False) + "\n")


def _stored_cases(home: Path) -> list[Passage]:
    file = home / "knowledge" / _CASES
    if not file.exists():
        return []
    entries = {}
    for line in file.read_text("utf-8").splitlines():
        entry = json.loads(line)
        entries[entry["id"]] = entry
    return [
        Passage(f"case#{id_}", "Resolved exceptions", entry["title"], entry["text"], origin="case")
        for id_, entry in entries.items()
    ]
