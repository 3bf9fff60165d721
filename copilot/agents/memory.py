"""Conversation memory of our own: bounded, per user, in the process and optionally in a small SQLite file.

It holds masked questions, tool calls and shortened results as a model saw them; never the rows of a
table beyond that, never untrusted text.
"""

from __future__ import annotations

import json
import sqlite3
import threading
from collections import OrderedDict
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

TURNS = 12
CONVERSATIONS = 500
CONTENT = 1_500


@dataclass(frozen=True)
class Step:
    """One tool call of a turn with what the model read of its result."""

    id: str
    tool: str
    args: dict[str, Any]
    content: str


@dataclass(frozen=True)
class Turn:
    """One question and its answer."""

    question: str
    steps: tuple[Step, ...] = ()
    answer: str = ""


@dataclass(frozen=True)
class Conversation:
    """The last turns of one user's conversation. `tainted`: a language model saw untrusted text in it."""

    turns: tuple[Turn, ...] = ()
    tainted: bool = False

    def with_turn(self, turn: Turn, tainted: bool) -> Conversation:
        """The conversation with one more turn; the oldest fall out. Taint stays."""
        return Conversation((*self.turns, turn)[-TURNS:], self.tainted or tainted)


@dataclass
class ConversationStore:
    """Conversations by (user, id). Another user's conversation is as good as none."""

    file: Path | None = None
    _held: OrderedDict[tuple[UUID, str], Conversation] = field(default_factory=OrderedDict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def get(self, user: UUID, conversation: str) -> Conversation:
        """The conversation, empty where there is none."""
        with self._lock:
            found = self._held.get((user, conversation))
            if found is None and self.file is not None:
                found = self._load(user, conversation)
            return found or Conversation()

    def put(self, user: UUID, conversation: str, value: Conversation) -> None:
        """Keep the conversation; the least recently used ones go."""
        with self._lock:
            self._held[user, conversation] = value
            self._held.move_to_end((user, conversation))
            while len(self._held) > CONVERSATIONS:
                self._held.popitem(last=False)
            if self.file is not None:
                self._save(user, conversation, value)

    def forget(self, user: UUID, conversation: str) -> None:
        """Drop one conversation."""
        with self._lock:
            self._held.pop((user, conversation), None)
            if self.file is not None:
                with self._open() as connection:
                    connection.execute(
                        "DELETE FROM conversations WHERE user=? AND id=?", (str(user), conversation)
                    )

    def _open(self) -> sqlite3.Connection:
        assert self.file is not None
        self.file.parent.mkdir(parents=True, exist_ok=True)
        connection = sqlite3.connect(self.file, timeout=10)
        connection.execute(
            "CREATE TABLE IF NOT EXISTS conversations (user TEXT, id TEXT, body TEXT, used INTEGER, PRIMARY KEY (user, id))"
        )
        return connection

    def _save(self, user: UUID, conversation: str, value: Conversation) -> None:
        with self._open() as connection:
            (last,) = connection.execute("SELECT coalesce(max(used), 0) FROM conversations").fetchone()
            connection.execute(
                "INSERT OR REPLACE INTO conversations VALUES (?, ?, ?, ?)",
                (str(user), conversation, json.dumps(asdict(value), default=str), last + 1),
            )
            connection.execute("DELETE FROM conversations WHERE used <= ?", (last + 1 - CONVERSATIONS * 10,))

    def _load(self, user: UUID, conversation: str) -> Conversation | None:
        with self._open() as connection:
            row = connection.execute(
                "SELECT body FROM conversations WHERE user=? AND id=?", (str(user), conversation)
            ).fetchone()
        if row is None:
            return None
        body = json.loads(row[0])
        turns = tuple(
            Turn(one["question"], tuple(Step(**step) for step in one["steps"]), one["answer"])
            for one in body["turns"]
        )
        return Conversation(turns, body["tainted"])
