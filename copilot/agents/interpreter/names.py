"""When a word of the question is a part of a record's name, and when it is just an ordinary word."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from functools import lru_cache
from importlib.resources import files

from copilot.agents.interpreter.tokenize import stem

_BEFORE_A_NAME = frozenset(
    {"of", "for", "and", "or", "order", "buy", "call", "named", "item", "sku", "product"}
)
_GROUPS = frozenset({"by", "per", "each", "every"})
_ARTICLES = frozenset({"the", "our", "a", "an", "any", "all", "only"})
_AFTER_A_NAME = frozenset({"one", "ones", "item", "sku", "product", "version", "variant", "model"})


@lru_cache(maxsize=1)
def ordinary_words() -> frozenset[str]:
    """Ordinary words (`ordinary.toml`), as written and as compared."""
    table = tomllib.loads(files(__package__).joinpath("ordinary.toml").read_text("utf-8"))
    written = [word for group in table.values() for word in group.split()]
    return frozenset((*written, *(stem(word) for word in written)))


def is_ordinary(words: Sequence[str], at: int) -> bool:
    """Whether the word at this place is an ordinary one that stands where no name belongs.

    A name belongs after "of" or "for" at the end of the phrase, and before "one" or "item"; a group after "per".
    """
    if words[at] not in ordinary_words():
        return False
    after = words[at + 1] if at + 1 < len(words) else ""
    before = next((word for word in reversed(words[:at]) if word not in _ARTICLES), "")
    if before in _GROUPS:
        return False
    named = after in _AFTER_A_NAME or (before in _BEFORE_A_NAME and after in ("", "in", "last", "this", "by"))
    return not named
