"""Pure rules of autonomy: the level that applies, caps, and whether measured outcomes allow a step up."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from erp_core.gate.contract import DomainError
from erp_core.storage.types import money, money_text

Level = Literal["see", "alert", "recommend", "propose", "act"]
ScopeKind = Literal["company", "category", "supplier_group", "supplier", "warehouse", "channel"]

LEVELS: tuple[Level, ...] = ("see", "alert", "recommend", "propose", "act")
SCOPES: tuple[ScopeKind, ...] = ("company", "category", "supplier_group", "supplier", "warehouse", "channel")
DEFAULT_LEVEL: Level = "propose"

Scope = tuple[ScopeKind, str]
"""Kind, and category or code; the company is ``("company", "")``."""
COMPANY: Scope = ("company", "")


class AutonomyTooLow(DomainError):
    """The scope's level does not let automation do this."""

    code = "autonomy_too_low"


class AutomationStopped(DomainError):
    """Somebody pulled the kill switch."""

    code = "automation_stopped"


class NotRuleMade(DomainError):
    """Automation carries something that no stored rule made."""

    code = "not_rule_made"


class NotAutomation(DomainError):
    """An account with the role automation that is a person, or has other roles beside it."""

    code = "not_automation"


class CapExceeded(DomainError):
    """A limit of automation would be passed; `details` name it with what is used and what is left."""

    code = "cap_exceeded"


class NotEarned(DomainError):
    """Measured outcomes do not allow the step up; the message names the figures."""

    code = "not_earned"


def rank(level: str) -> int:
    """The place of a level, from 0 for see to 4 for act."""
    return LEVELS.index(level)


@dataclass(frozen=True, slots=True)
class Applied:
    """The level that applies, and the scope that holds it there."""

    level: Level
    scope: Scope

    @property
    def why(self) -> str:
        """In words, for refusals and lists."""
        kind, name = self.scope
        return f"{kind.replace('_', ' ')} {name}".strip() + f" is at {self.level}"


def level_of(levels: Mapping[Scope, Level], scopes: Iterable[Sequence[Scope]]) -> Applied:
    """The lowest level over all dimensions of a recommendation.

    `scopes` has a group for each dimension: a category each, the supplier with its group, the warehouse. In a group
    the lowest row counts; a group without any row stands at the company's level, at most at `DEFAULT_LEVEL`. The company's
    own row is a ceiling over all. So `act` has to be given to every dimension by name.
    """
    company = levels.get(COMPANY)
    found = [Applied(company, COMPANY)] if company is not None else []
    fallback = min(company or DEFAULT_LEVEL, DEFAULT_LEVEL, key=rank)
    groups = [tuple(group) for group in scopes]
    for group in groups:
        own = [Applied(levels[scope], scope) for scope in group if scope in levels]
        found.extend(own or [Applied(fallback, group[0])])
    if not groups:
        found.append(Applied(fallback, COMPANY))
    return min(found, key=lambda one: rank(one.level))


@dataclass(frozen=True, slots=True)
class Limits:
    """The caps of automation, and what a scope must have shown before it may act.

    Amounts in ten-thousandths of the company's currency, shares in percent.
    """

    order_amount: int = money(1_000)
    category_day_amount: int = money(2_500)
    day_orders: int = 10
    day_amount: int = money(5_000)
    minimum_decided: int = 20
    accepted_percent: int = 90
    minimum_judged: int = 20
    good_percent: int = 80


@dataclass(frozen=True, slots=True)
class Used:
    """What automation bought by itself on a day."""

    orders: int = 0
    amount: int = 0
    by_category: Mapping[str, int] = field(default_factory=dict)


def check_caps(limits: Limits, used: Used, order: Mapping[str, int]) -> None:
    """Pass when an order, given as amounts by category, fits what is left of the day. Raises `CapExceeded`.

    A cap may be reached exactly; one ten-thousandth beyond it is too much.
    """
    amount = sum(order.values())
    _fits("amount per order", limits.order_amount, 0, amount)
    if used.orders + 1 > limits.day_orders:
        raise CapExceeded(
            f"automation placed {used.orders} of at most {limits.day_orders} orders today",
            remedy="let a person order it, or wait for the next day",
            limit="orders per day",
            cap=limits.day_orders,
            used=used.orders,
        )
    _fits("amount per day", limits.day_amount, used.amount, amount)
    for category, part in sorted(order.items()):
        _fits(
            f"amount per day in {category}",
            limits.category_day_amount,
            used.by_category.get(category, 0),
            part,
        )


def _fits(limit: str, cap: int, used: int, amount: int) -> None:
    if used + amount > cap:
        raise CapExceeded(
            f"{money_text(amount)} is over what is left of automation's {limit}:"
            f" {money_text(max(cap - used, 0))} of {money_text(cap)}",
            remedy="let a person order it, or have the limit raised",
            limit=limit,
            cap=cap,
            used=used,
            amount=amount,
        )


@dataclass(frozen=True, slots=True)
class Record:
    """What became of the rule-made recommendations of a scope.

    `decided` were executed, rejected, withdrawn or expired, `accepted` of them executed as recommended; `judged` had data
    for a verdict one lead time later, `good` of them did well.
    """

    decided: int = 0
    accepted: int = 0
    judged: int = 0
    good: int = 0


def check_earned(scope: Scope, record: Record, limits: Limits) -> None:
    """Pass when the scope's record allows it to act. Raises `NotEarned` with every figure that falls short."""
    short = shortfalls(record, limits)
    if record.decided < limits.minimum_decided:
        short.insert(0, f"{record.decided} of at least {limits.minimum_decided} recommendations decided")
    if record.judged < limits.minimum_judged:
        short.append(f"{record.judged} of at least {limits.minimum_judged} outcomes measured")
    if short:
        kind, name = scope
        raise NotEarned(
            f"{kind.replace('_', ' ')} {name}".strip() + f" has not earned to act: {'; '.join(short)}",
            field="level",
            remedy="leave it at propose until enough recommendations were decided and their outcomes measured",
            decided=record.decided,
            accepted=record.accepted,
            judged=record.judged,
            good=record.good,
        )


def shortfalls(record: Record, limits: Limits) -> list[str]:
    """The shares that are below what acting asks for; a share of nothing is none, and so not below."""
    found = []
    if record.decided and record.accepted * 100 < limits.accepted_percent * record.decided:
        found.append(
            f"{record.accepted} of {record.decided} accepted as recommended, {limits.accepted_percent} % needed"
        )
    if record.judged and record.good * 100 < limits.good_percent * record.judged:
        found.append(f"{record.good} of {record.judged} turned out well, {limits.good_percent} % needed")
    return found
