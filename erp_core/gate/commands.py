"""The gate's own commands about the company. (Users, policies, duties and decisions have modules of their own.)"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from pydantic import Field
from sqlalchemy import select

from erp_core.gate import api_keys, erasure, role_grants, sign_in, users
from erp_core.gate.contract import Command, Done, Registration, Registry, Task, Transaction
from erp_core.gate.model import company
from erp_core.storage.bulk import upsert_replace


class SetCompanyFact(Command):
    """Name, currency, fixed business date."""

    key: Literal["name", "currency", "business_date", "seed"]
    value: str = Field(min_length=1, max_length=200)


def _set_company_facts(tasks: Sequence[Task[SetCompanyFact]], tx: Transaction) -> Sequence[Done]:
    known = {row.key: row.value for row in tx.connection.execute(select(company))}
    outcomes = []
    for task in tasks:
        key, value = task.command.key, task.command.value
        outcomes.append(Done(before={key: known.get(key)}, after={key: value}))
        known[key] = value
    changed = {task.command.key for task in tasks}
    upsert_replace(tx.connection, company, [{"key": key, "value": known[key]} for key in changed], ["value"])
    return outcomes


def register(registry: Registry) -> None:
    """Add the gate's commands."""
    for part in (users, role_grants, sign_in, api_keys, erasure):
        part.register(registry)
    registry.register(Registration(SetCompanyFact, _set_company_facts))
