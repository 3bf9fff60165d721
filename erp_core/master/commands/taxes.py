"""Rules of tax on sales and of when revenue counts: dated, in versions."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Self
from uuid import UUID

from pydantic import Field, StringConstraints, model_validator
from sqlalchemy import Connection, Table, func, select

from erp_core.gate.contract import Command, Done, Registration, Registry, Task, Transaction, each
from erp_core.master.commands.records import existing, plain, unknown
from erp_core.master.model import channels
from erp_core.master.model_trade import revenue_rules, tax_rules
from erp_core.master.queries.taxes import revenue_rules_in_use, tax_rules_in_use
from erp_core.master.rules.countries import require_country
from erp_core.master.rules.taxes import (
    RATE_SCALE,
    Recognition,
    RevenueRule,
    Rounding,
    RuleTie,
    TaxRule,
    Treatment,
)
from erp_core.master.values import Country, Name, ReasonCode
from erp_core.storage.bulk import insert_rows
from erp_core.storage.locks import lock_names

_Reason = Annotated[str, StringConstraints(strip_whitespace=True, min_length=3, max_length=200)]


class _DatedRule(Command):
    rule_id: UUID
    channel_id: UUID | None = None
    valid_from: date
    valid_to: date | None = None
    active: bool = True

    @model_validator(mode="after")
    def _some_day(self) -> Self:
        if self.valid_to is not None and self.valid_to <= self.valid_from:
            raise ValueError("valid_to is the first day without the rule: give one after valid_from, or none")
        return self


class SetTaxRule(_DatedRule):
    """The next version of a tax rule. Governed; invoices that are written stay as they are. `active` False lifts it.

    It holds for what it names and all of what it leaves open, from `valid_from` up to and not on `valid_to`. Of several
    the most precise holds: channel before business, customer's countries, tax class, seller's country. `rate` is in
    millionths (19 % is 190000); where no tax is charged `reason` says why.
    """

    rule_name: Name
    business: bool | None = None
    customer_countries: tuple[Country, ...] | None = Field(default=None, min_length=1, max_length=250)
    tax_class: ReasonCode | None = None
    seller_country: Country | None = None
    treatment: Treatment
    rate: int = Field(default=0, ge=0, le=RATE_SCALE)
    reason: _Reason | None = None
    rounding: Rounding = "line"
    rounding_unit: int = Field(default=100, ge=1, le=10**8, description="in ten-thousandths; 100 is a cent")

    @model_validator(mode="after")
    def _taxed_or_not(self) -> Self:
        if (self.treatment == "taxed") != (self.rate > 0):
            raise ValueError("a rate above zero goes with the treatment taxed, and only with it")
        if (self.treatment == "taxed") != (self.reason is None):
            raise ValueError("where no tax is charged the reason says why, and only there")
        return self

    @property
    def subject(self) -> tuple[str, UUID]:
        """The rule."""
        return ("tax_rule", self.rule_id)


class SetRevenueRule(_DatedRule):
    """When revenue of sales counts: at shipment, or deferred until delivery. Governed. `active` False lifts it.

    The most precise rule holds, a channel's before a country's; without any it counts at shipment.
    """

    customer_country: Country | None = None
    recognise_at: Recognition

    @property
    def subject(self) -> tuple[str, UUID]:
        """The rule."""
        return ("revenue_rule", self.rule_id)


def set_tax_rule(task: Task[SetTaxRule], tx: Transaction) -> Done:
    """Write the version. Raises `RuleTie`, `UnknownCountry`, `NotFound`."""
    command = task.command
    lock_names(tx.connection, ["tax rules"])
    countries = command.customer_countries
    row = command.model_dump(exclude={"occurred_at", "rule_id", "rule_name"}) | {
        "id": command.rule_id,
        "version": _next_version(tx.connection, tax_rules, command.rule_id),
        "name": command.rule_name,
        "customer_countries": None
        if countries is None
        else sorted({require_country(one, "customer_countries") for one in countries}),
        "seller_country": None
        if command.seller_country is None
        else require_country(command.seller_country, "seller_country"),
    }
    named = tuple(row["customer_countries"]) if countries is not None else None
    values = {name: value for name, value in row.items() if name != "active"}
    rule = TaxRule(**values | {"customer_countries": named})
    in_use = tax_rules_in_use(tx.connection)
    if command.active:
        tied = next((one for one in in_use if rule.ties_with(one)), None)
        _refuse_tie(tied, "" if tied is None else tied.name)
    return _written(task, tx, tax_rules, row, next((one for one in in_use if one.id == rule.id), None))


def set_revenue_rule(task: Task[SetRevenueRule], tx: Transaction) -> Done:
    """Write the version. Raises `RuleTie`, `UnknownCountry`, `NotFound`."""
    command = task.command
    lock_names(tx.connection, ["revenue rules"])
    country = command.customer_country
    row = command.model_dump(exclude={"occurred_at", "rule_id"}) | {
        "id": command.rule_id,
        "version": _next_version(tx.connection, revenue_rules, command.rule_id),
        "customer_country": None if country is None else require_country(country, "customer_country"),
    }
    rule = RevenueRule(**{name: value for name, value in row.items() if name != "active"})
    in_use = revenue_rules_in_use(tx.connection)
    if command.active:
        tied = next((one for one in in_use if rule.ties_with(one)), None)
        _refuse_tie(tied, "" if tied is None else str(tied.id))
    return _written(task, tx, revenue_rules, row, next((one for one in in_use if one.id == rule.id), None))


def _next_version(connection: Connection, table: Table, rule_id: UUID) -> int:
    newest = select(func.max(table.c.version)).where(table.c.id == rule_id)
    return 1 + (connection.scalar(newest) or 0)


def _refuse_tie(tied: TaxRule | RevenueRule | None, name: str) -> None:
    if tied is None:
        return
    until = "without end" if tied.valid_to is None else f"up to {tied.valid_to}"
    raise RuleTie(
        f"{name} holds for some of the same sales, from {tied.valid_from} {until}, and is as precise",
        field="valid_from",
        remedy="end that rule first, save this one under its id, or make one of them more precise",
        rule=tied.id,
    )


def _written(
    task: Task[Any], tx: Transaction, table: Table, row: dict[str, Any], before: TaxRule | RevenueRule | None
) -> Done:
    channel_id = row["channel_id"]
    if channel_id is not None and not existing(tx, channels, [channel_id]):
        raise unknown("channel", channel_id)
    insert_rows(tx.connection, table, [row | {"audit_id": task.audit_id}])
    told = {name: plain(value) for name, value in row.items() if value is not None}
    was = None if before is None else {"version": before.version}
    return Done({"rule_id": str(row["id"]), "version": row["version"]}, before=was, after=told)


def register(registry: Registry) -> None:
    """Add the commands."""
    registry.register(Registration(SetTaxRule, each(set_tax_rule), governed=True))
    registry.register(Registration(SetRevenueRule, each(set_revenue_rule), governed=True))
