"""Numbers of documents in a question: purchase orders, orders and returns."""

from __future__ import annotations

import re
from dataclasses import dataclass

_DOCUMENTS = (
    ("purchase_order", re.compile(r"\b(?:PO|P\.O\.)(?:[-#]\d[\w-]*| ?\d{4,}[\w-]*)\b", re.IGNORECASE)),
    (
        "order",
        re.compile(
            r"\b(?:SO|ORD|ORDER)[-#]\d[\w-]*\b|\b(?:order|invoice) (?:no\.? |number |nr\.? |#)[A-Z]?\d[\w-]*\b"
            r"|(?<=\w )(?:the )?(?:sales |customer )?order \d{4,}(?=\W*$)",
            re.IGNORECASE,
        ),
    ),
    ("return", re.compile(r"\b(?:RMA|RET|RT|RTN)[- #]?\d[\w-]*\b", re.IGNORECASE)),
)


@dataclass(frozen=True, slots=True)
class DocumentNumber:
    """A document's kind and number as the records have it, and where it stands."""

    kind: str
    number: str
    start: int
    end: int


def find_documents(text: str) -> list[DocumentNumber]:
    """All numbers of documents, by kind."""
    return [
        DocumentNumber(kind, _number(match.group()), match.start(), match.end())
        for kind, pattern in _DOCUMENTS
        for match in pattern.finditer(text)
    ]


def _number(text: str) -> str:
    return (
        re.sub(
            r"^(?:the )?(?:sales |customer )?(?:order|invoice) (?:no\.? |number |nr\.? |#)?",
            "",
            text,
            flags=re.IGNORECASE,
        )
        .replace(" ", "-")
        .upper()
    )
