"""Documents as passages: one for each heading of a markdown file."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files

from copilot.agents.untrusted import BUILT_IN_KNOWLEDGE


@dataclass(frozen=True, slots=True)
class Passage:
    """One citable piece: a document's title, the heading it stands under, its text.

    `origin` says where it comes from: the built-in documents, or ``case`` for a resolved exception.
    """

    id: str
    title: str
    heading: str
    text: str
    origin: str = BUILT_IN_KNOWLEDGE

    @property
    def searched(self) -> str:
        """What search looks at."""
        return f"{self.title}. {self.heading}. {self.text}"


def passages_of(name: str, markdown: str, origin: str = BUILT_IN_KNOWLEDGE) -> list[Passage]:
    """The passages of one document. Text before the first heading goes under the title."""
    title, heading, found = name, "", []
    for block in re.split(r"^(?=#{1,6} )", markdown, flags=re.MULTILINE):
        lines = block.strip().splitlines()
        if not lines:
            continue
        if lines[0].startswith("# "):
            title = lines[0].removeprefix("# ").strip()
            heading, body = title, lines[1:]
        elif lines[0].startswith("#"):
            heading, body = lines[0].lstrip("# ").strip(), lines[1:]
        else:
            heading, body = heading or title, lines
        text = "\n".join(body).strip()
        if text:
            slug = re.sub(r"[^a-z0-9]+", "-", heading.casefold()).strip("-")
            found.append(Passage(f"{name}#{slug}", title, heading, text, origin))
    return found


def built_in_passages() -> list[Passage]:
    """The passages of the documents that ship with the product, in a stable order."""
    folder = files(__package__).joinpath("texts")
    documents = sorted(
        (one for one in folder.iterdir() if one.name.endswith(".md")), key=lambda one: one.name
    )
    return [
        passage
        for document in documents
        for passage in passages_of(document.name.removesuffix(".md"), document.read_text("utf-8"))
    ]


def fingerprint(passages: Sequence[Passage]) -> str:
    """A hash that changes when any passage does."""
    text = "\x00".join(f"{one.id}|{one.title}|{one.heading}|{one.text}|{one.origin}" for one in passages)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
