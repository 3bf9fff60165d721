"""Where goods that came back go: by what was found, never by who asks. The first rule that holds decides."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from erp_core.returns.rules.terms import Resale

Condition = Literal["as_new", "opened", "damaged_packaging", "damaged", "defective", "suspect"]
Packaging = Literal["intact", "opened", "damaged", "missing"]
Disposition = Literal["restock", "refurbish", "quarantine", "vendor_return", "write_off"]
LotState = Literal["good", "held", "expired"]

DISPOSITION_BY_CONDITION: Mapping[str, Disposition] = {
    "as_new": "restock",
    "opened": "restock",
    "damaged_packaging": "refurbish",
    "defective": "vendor_return",
    "damaged": "write_off",
    "suspect": "quarantine",
}
"""What the condition alone leads to, where nothing else speaks against it."""
_PACKAGING: Mapping[str, Packaging] = {
    "as_new": "intact",
    "opened": "opened",
    "damaged_packaging": "damaged",
}


@dataclass(frozen=True, slots=True)
class Found:
    """What an inspector found. Without `packaging` it is what the condition says, or unknown.

    `eligible` is the inspector's own word on resale, `resale` the category's terms, `lot` the worst of the lots:
    held or recalled, or with its last day over.
    """

    condition: str
    packaging: Packaging | None = None
    eligible: bool = True
    resale: Resale = "always"
    lot: LotState = "good"

    @property
    def wrapping(self) -> Packaging | None:
        """The state of the packaging, as found or as the condition implies."""
        return self.packaging or _PACKAGING.get(self.condition)

    @property
    def resalable(self) -> bool:
        """Whether the goods may be sold again at all. Packaging that nobody spoke of counts as opened."""
        if not self.eligible or self.resale == "never":
            return False
        return self.resale == "always" or self.wrapping == "intact"


@dataclass(frozen=True, slots=True)
class Verdict:
    """A disposition and the code of what decided it."""

    disposition: Disposition
    because: str


def disposition_for(found: Found) -> Verdict:
    """The rule's disposition. A lot that is held goes to quarantine whatever its condition: it may be evidence.

    Goods that may not be sold again are never restocked nor refurbished; a defect is still the supplier's.
    """
    if found.lot == "held":
        return Verdict("quarantine", "lot_held")
    if found.condition == "suspect":
        return Verdict("quarantine", "suspect")
    if found.condition == "defective":
        return Verdict("vendor_return", "defective")
    if found.condition == "damaged":
        return Verdict("write_off", "damaged")
    if found.lot == "expired":
        return Verdict("write_off", "lot_expired")
    if not found.resalable:
        return Verdict("write_off", "not_for_resale")
    if found.wrapping in ("damaged", "missing"):
        return Verdict("refurbish", f"packaging_{found.wrapping}")
    return Verdict("restock", found.condition)
