"""The vocabulary of facts that an approval policy may speak of. An unknown word in a policy is an error."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

FactKind = Literal["money", "number", "choice", "choices", "flag"]


@dataclass(frozen=True, slots=True)
class Fact:
    """One fact. `money` counts ten-thousandths of the company's currency, `number` counts `unit`.

    A `choice` has one of `values` (any text where there are none), `choices` has several at once, a `flag` is true or false.
    """

    name: str
    kind: FactKind
    label: str
    unit: str = ""
    values: tuple[str, ...] = ()

    @property
    def ordered(self) -> bool:
        """Whether bounds make sense for it."""
        return self.kind in ("money", "number")


INVENTORY_CLASSES = ("new", "seasonal", "fast", "private_label", "imported", "A", "B", "C")
VIA = ("person", "service", "agent", "import", "automation")
ORIGIN = ("via", "roles", "tainted", "urgent")
"""Facts that the gate itself gives of every submission; no context can set them."""

FACTS: Mapping[str, Fact] = {
    fact.name: fact
    for fact in (
        Fact("via", "choice", "who asks", values=VIA),
        Fact("roles", "choices", "roles of who asks"),
        Fact("tainted", "flag", "a language model saw untrusted text before"),
        Fact("urgent", "flag", "asked for as urgent, with a reason"),
        Fact("amount", "money", "amount"),
        Fact(
            "cumulative_amount",
            "money",
            "amount, with what was bought from the supplier or given back to the customer unasked in the last days",
        ),
        Fact("units", "number", "units", "units of the item"),
        Fact(
            "cumulative_units",
            "number",
            "units, with what was adjusted of the item unasked in the last days",
            "units of the item",
        ),
        Fact("written_off", "number", "units of the item written off as a loss", "units of the item"),
        Fact("parcels", "number", "parcels the order may take", "parcels"),
        Fact("category", "choices", "category"),
        Fact("inventory_class", "choices", "inventory classes of the items", values=INVENTORY_CLASSES),
        Fact("warehouse", "choices", "warehouse"),
        Fact("supplier", "choice", "supplier's code"),
        Fact("supplier_group", "choice", "supplier's segment"),
        Fact("supplier_risk", "choice", "supplier's risk class"),
        Fact("risk_lowered", "flag", "puts the supplier into a lower risk class"),
        Fact("supplier_new", "flag", "nothing was ever ordered from the supplier"),
        Fact("below_minimum_order", "flag", "below the supplier's minimum order"),
        Fact("stock_risk", "money", "expected loss where what is ordered runs out"),
        Fact("budget_left", "money", "budget left in the category and month after this"),
        Fact("price_change", "number", "change of price", "hundredths of a percent"),
        Fact("back_dated", "flag", "counts from a day in the past"),
        Fact("domain_owner", "choice", "login of the owner of the data"),
        Fact("quantity_vs_recommendation", "number", "quantity against the recommendation", "percent"),
        Fact("quality", "number", "lowest data-quality score of what it rests on", "of 100"),
        Fact("return_risk", "number", "points for what looks like abuse of returns", "points"),
        Fact("override", "flag", "goes against a check, with a reason"),
        Fact("grants_power", "flag", "gives somebody a role that decides or governs"),
        Fact("founding", "flag", "nobody could approve yet"),
    )
}
