"""What is proposed about each reason to hold an invoice, who owns it, and why, in words and figures of the documents."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from erp_core.procurement.invoices.rules import Finding
from erp_core.storage.types import money_text

Owner = Literal["buyer", "finance"]
Action = Literal["wait", "ask_credit", "accept", "ask_correction", "reject"]


@dataclass(frozen=True, slots=True)
class Resolution:
    """Who should do what about a finding, what it is worth (None where that is no money), and the sentence that says why."""

    owner: Owner
    action: Action
    amount: int | None
    explanation: str


def resolve(finding: Finding, *, ordered: int, units: int, unit_price: int) -> Resolution:
    """The proposal. `ordered` units at `unit_price` stand in the order line, of which the invoice bills `units`."""
    expected, actual = money_text(finding.expected), money_text(finding.actual)
    match finding.code:
        case "quantity":
            return _quantity(finding, ordered, unit_price)
        case "price_high":
            more = (finding.actual - finding.expected) * units
            return Resolution(
                "buyer",
                "ask_credit",
                more,
                f"{units} units are billed at {actual}, ordered at {expected}: {money_text(more)} too much."
                " Ask for a credit note, or accept it if the new price was agreed.",
            )
        case "price_low":
            less = (finding.expected - finding.actual) * units
            return Resolution(
                "buyer",
                "accept",
                less,
                f"{units} units are billed at {actual}, ordered at {expected}: {money_text(less)} less."
                " Accept it if the price is meant, or expect another invoice.",
            )
        case "freight":
            more = finding.actual - finding.expected
            return Resolution(
                "buyer",
                "ask_credit",
                more,
                f"{actual} of freight is billed, {expected} of what was agreed is left: {money_text(more)} too much.",
            )
        case "prepayment":
            return Resolution(
                "finance",
                "reject",
                finding.actual - finding.expected,
                f"{actual} is asked for in advance, {expected} may be: agree on a payment in advance first, or reject it.",
            )
        case "deduction":
            return Resolution(
                "finance",
                "ask_correction",
                abs(finding.expected - finding.actual),
                f"{actual} of what was paid in advance is taken off, {expected} should be: ask for a corrected invoice.",
            )
        case "total":
            return Resolution(
                "finance",
                "ask_correction",
                abs(finding.actual - finding.expected),
                f"Its lines, charges and tax add up to {expected}, it asks for {actual}: ask for a corrected invoice.",
            )
        case "currency":
            return Resolution(
                "finance",
                "ask_correction",
                None,
                "It is in another currency than the order: ask for a new one.",
            )
        case "duplicate":
            return Resolution(
                "finance",
                "reject",
                finding.actual,
                "Another invoice of the supplier bills the same under nearly the same number:"
                " reject it, or accept it if it is a second delivery.",
            )
        case "credit_quantity":
            return Resolution(
                "finance",
                "ask_correction",
                None,
                f"{finding.actual} units are credited, {finding.expected} of those invoiced are left to credit.",
            )
        case "credit_value":
            return Resolution(
                "finance",
                "ask_correction",
                finding.actual - finding.expected,
                f"{actual} is credited, {expected} of what the invoice billed is left to credit.",
            )


def _quantity(finding: Finding, ordered: int, unit_price: int) -> Resolution:
    beyond = finding.actual - finding.expected
    told = f"{finding.actual} units are billed, {finding.expected} of those accepted are left to bill"
    if finding.actual <= ordered:
        return Resolution(
            "buyer",
            "wait",
            beyond * unit_price,
            f"{told}: {beyond} are still to come. It is matched again when they arrive.",
        )
    return Resolution(
        "buyer",
        "ask_credit",
        beyond * unit_price,
        f"{told}, and more than was ordered: ask for a credit note for {beyond} units.",
    )
