"""The gate's own commands about the company. (Users, policies, duties and decisions have modules of their own.)"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from typing import Literal

from pydantic import Field, model_validator
from sqlalchemy import select

from erp_core.gate import api_keys, erasure, role_grants, sign_in, users
from erp_core.gate.contract import Command, DomainError, Done, Registration, Registry, Task, Transaction
from erp_core.gate.model import company
from erp_core.storage.bulk import upsert_replace


class SetCompanyFact(Command):
    """Name, currency, fixed business date.

    The currency is set once, because every amount is in it; the business date only moves on, because
    what ran out stays so.
    """

    key: Literal["name", "currency", "business_date", "seed"]
    value: str = Field(min_length=1, max_length=200)

    @model_validator(mode="after")
    def _fits_its_key(self) -> SetCompanyFact:
        if self.key == "currency" and not re.fullmatch("[A-Z]{3}", self.value):
            raise ValueError("a currency is three capital letters, such as EUR")
        if self.key == "business_date":
            try:
                date.fromisoformat(self.value)
            except ValueError:
                raise ValueError("a business date is a day, such as 2026-06-30") from None
        return self


class CompanyFactStands(DomainError):
    """The company's currency is set, or its business date is later than the one wanted."""

    code = "company_fact_stands"


def _set_company_facts(
    tasks: Sequence[Task[SetCompanyFact]], tx: Transaction
) -> Sequence[Done | DomainError]:
    known = {row.key: row.value for row in tx.connection.execute(select(company))}
    outcomes: list[Done | DomainError] = []
    changed = set()
    for task in tasks:
        key, value = task.command.key, task.command.value
        before = known.get(key)
        if before is not None and (
            (key == "currency" and value != before) or (key == "business_date" and value < before)
        ):
            outcomes.append(
                CompanyFactStands(
                    f"the company's {key.replace('_', ' ')} is {before}",
                    field="value",
                    remedy="keep it: amounts, deadlines and closed days rest on it",
                )
            )
            continue
        outcomes.append(Done(before={key: before}, after={key: value}))
        known[key] = value
        changed.add(key)
    upsert_replace(tx.connection, company, [{"key": key, "value": known[key]} for key in changed], ["value"])
    return outcomes


def register(registry: Registry) -> None:
    """Add the gate's commands."""
    for part in (users, role_grants, sign_in, api_keys, erasure):
        part.register(registry)
    registry.register(Registration(SetCompanyFact, _set_company_facts))
