"""The facts that metrics are made of, over the tables of every context."""

from __future__ import annotations

from erp_core.analytics.facts import (
    governance,
    invoices,
    payables,
    planning,
    purchasing,
    returns,
    sales,
    stock,
)
from erp_core.analytics.facts.fact import Fact, Measure, Scope, visible

__all__ = ["FACTS", "Fact", "Measure", "Scope", "visible"]

FACTS: dict[str, Fact] = {
    fact.name: fact
    for fact in (
        *stock.FACTS,
        *sales.FACTS,
        *purchasing.FACTS,
        *invoices.FACTS,
        *payables.FACTS,
        *returns.FACTS,
        *planning.FACTS,
        *governance.FACTS,
    )
}
