"""Fields of a form for the facts that policies speak of, and the facts from what was typed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from api.console.policy_words import label_of
from api.problems import invalid
from erp_core.gate.policies.facts import FACTS
from erp_core.gate.policies.rules import Policy
from erp_core.gate.roles import ROLES

MOST = Decimal(10) ** 14


@dataclass(frozen=True, slots=True)
class FactField:
    """A field for one fact. With `options` one is chosen, else `text` is typed; `unit` stands behind it."""

    name: str
    label: str
    options: tuple[tuple[str, str], ...]
    unit: str
    text: str


def facts_of_policies(policies: Iterable[Policy], command: str) -> list[str]:
    """The facts that the policies of a command speak of, who asks first."""
    named = {
        condition.fact
        for policy in policies
        if policy.command in (command, "*")
        for condition in policy.conditions
    }
    return sorted(named & FACTS.keys(), key=list(FACTS).index)


def fact_fields(policies: Iterable[Policy], command: str, typed: Mapping[str, Any]) -> list[FactField]:
    """A field for each of these facts, with what was typed. Nothing typed means not known; who asks is a person."""
    start = {"via": "person", "urgent": "no", "tainted": "no"}
    return [
        FactField(
            name, label_of(name), _options(name), _unit(name), str(typed.get(name, start.get(name, "")))
        )
        for name in facts_of_policies(policies, command)
    ]


def _options(name: str) -> tuple[tuple[str, str], ...]:
    fact = FACTS[name]
    if fact.kind == "flag":
        return (("", "not known"), ("yes", "yes"), ("no", "no"))
    values = ROLES if name == "roles" else fact.values
    return (("", "not known"), *((one, one) for one in values)) if values else ()


def _unit(name: str) -> str:
    fact = FACTS[name]
    if fact.kind == "money":
        return "money"
    return "%" if "percent" in fact.unit else fact.unit.replace(" of the item", "")


def facts_from(policies: Iterable[Policy], command: str, typed: Mapping[str, Any]) -> dict[str, Any]:
    """The facts as typed. Raises 422 naming each field that cannot be read."""
    facts: dict[str, Any] = {}
    errors = []
    for one in fact_fields(policies, command, typed):
        text = one.text.strip()
        kind = FACTS[one.name].kind
        if not text:
            continue
        if kind == "flag":
            facts[one.name] = text == "yes"
        elif kind == "choices":
            facts[one.name] = [part.strip() for part in text.split(",") if part.strip()]
        elif kind == "choice":
            facts[one.name] = text
        else:
            value = fact_value(one.name, text)
            if value is None:
                remedy = "give a number, such as 2,500"
                errors.append({"field": one.label, "reason": f"{text[:20]!r} is no number", "remedy": remedy})
            else:
                facts[one.name] = value
    if errors:
        raise invalid(errors)
    return facts


def fact_value(name: str, text: str) -> int | None:
    """A number as policies count it: amounts in ten-thousandths, percent where a fact counts hundredths."""
    try:
        number = Decimal(text.replace(",", "").replace(" ", ""))
    except InvalidOperation:
        return None
    scaled = number * scale_of(name)
    if not scaled.is_finite() or abs(scaled) > MOST or scaled != scaled.to_integral_value():
        return None
    return int(scaled)


def scale_of(name: str) -> int:
    """How many of what a policy counts one of what people type is."""
    fact = FACTS[name]
    if fact.kind == "money":
        return 10_000
    return 100 if fact.unit.startswith("hundredths") else 1


def fact_text(name: str, value: int | None) -> str:
    """A bound as it stands in a form: empty where there is none."""
    if value is None:
        return ""
    text = f"{Decimal(value) / scale_of(name):,f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
