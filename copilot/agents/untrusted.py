"""What a model may see of text from outside: the rule, and every exception to it.

The rule: supplier messages, comments on returns, and pasted text stay behind an opaque handle. People see
the text beside the answer; a model sees the handle and fields that deterministic code extracted.

The exceptions, all of them:

- `LABELS`: names of items, suppliers, categories and other members, and case and proposal titles made of
  them. Without names no answer is readable. They are cut to 80 characters, stripped of line breaks and
  control characters, and count as untrusted where they come from an import: see `taints`.
- `BUILT_IN_KNOWLEDGE`: passages of the documents that ship with the product. They are reviewed like code.
  Passages added later (resolved cases) are shown to a model and taint what it proposes afterwards.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import date, datetime
from typing import Any

LABEL_CHARACTERS = 120
BUILT_IN_KNOWLEDGE = "built-in"

_FENCE = re.compile(r"```.*?(?:```|\Z)|\"\"\".*?(?:\"\"\"|\Z)", re.DOTALL)
_QUOTED = re.compile(r"(?:^[ \t]*>.*(?:\n|\Z))+", re.MULTILINE)
_MAIL = re.compile(
    r"^-{2,} ?(?:original message|forwarded message).*\Z|^(?:from|von): .+\n(?:.*\n)*?(?:subject|sent|to|date): .*\Z",
    re.IGNORECASE | re.MULTILINE | re.DOTALL,
)
_INSTRUCTION = re.compile(
    r"\b(?:ignore|disregard|forget|override)\b.{0,40}\b(?:instruction|rule|prompt|above|previous|polic)|\bsystem prompt\b"
    r"|\byou (?:must|are now|should now)\b|\bassistant\s*:|\bsystem\s*:|\bapprove (?:all|every|the|this)\b",
    re.IGNORECASE | re.DOTALL,
)
_DATE = re.compile(r"\b\d{4}-\d{2}-\d{2}\b|\b\d{1,2}[./]\d{1,2}[./]\d{2,4}\b")
_QUANTITY = re.compile(r"\b(\d{1,6})\s*(?:units?|pcs|pieces|st(?:ü|u)ck|ea)\b", re.IGNORECASE)
_DOCUMENT = re.compile(r"\b(?:PO|SO|RMA)-[\w-]+\b", re.IGNORECASE)


def label(text: str) -> str:
    """A name as models and people see it: one line of printable characters, at most 120 of them."""
    printable = "".join(" " if unicodedata.category(one)[0] == "C" else one for one in text)
    line = re.sub(r"\s+", " ", printable).strip()
    if _INSTRUCTION.search(line):
        return "[name withheld: it reads like an instruction]"
    return line if len(line) <= LABEL_CHARACTERS else line[: LABEL_CHARACTERS - 1] + "…"


def model_cell(value: Any) -> Any:
    """A table cell as a model may see it."""
    return label(value) if isinstance(value, str) else value


def split_pasted(question: str) -> tuple[str, dict[str, str]]:
    """The user's own words, and pasted blocks (fences, quoted lines, forwarded mail) by handle."""
    texts: dict[str, str] = {}

    def replace(match: re.Match[str]) -> str:
        handle = f"pasted-{len(texts) + 1}"
        texts[handle] = match.group()
        return f" [{handle}] "

    own = question
    for pattern in (_FENCE, _MAIL, _QUOTED):
        own = pattern.sub(replace, own)
    return own.strip(), texts


def extract(text: str, received: datetime | None = None) -> dict[str, Any]:
    """Typed fields of an outside text: dates, quantities and document numbers that stand in it, and its length.

    Never any of its words. A field is what the text says, not what is true.
    """
    dates = sorted({found for one in _DATE.findall(text) if (found := _day(one))})
    quantities = [int(one) for one in _QUANTITY.findall(text)][:5]
    documents = sorted({one.upper()[:20] for one in _DOCUMENT.findall(text)})[:5]
    return {
        "dates": [one.isoformat() for one in dates[:5]],
        "quantities": quantities,
        "documents": documents,
        "characters": len(text),
        "received_on": received.date().isoformat() if received else None,
    }


def _day(text: str) -> date | None:
    for pattern in ("%Y-%m-%d", "%d.%m.%Y", "%d/%m/%Y", "%d.%m.%y", "%d/%m/%y"):
        try:
            return datetime.strptime(text, pattern).date()
        except ValueError:
            continue
    return None


def taints(origin: str) -> bool:
    """Whether a language model that saw a passage of this origin proposes under taint from then on."""
    return origin != BUILT_IN_KNOWLEDGE
