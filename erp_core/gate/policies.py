"""Approval policies as stored rows, and the set a new company starts with."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, func, select

from erp_core.gate.model import approval_policies
from erp_core.gate.rules import Condition, Policy
from erp_core.storage.types import money


def active_policies(connection: Connection) -> list[Policy]:
    """The newest version of each policy, where that version is active."""
    newest = (
        select(approval_policies.c.id, func.max(approval_policies.c.version).label("version"))
        .group_by(approval_policies.c.id)
        .subquery()
    )
    rows = connection.execute(
        select(approval_policies)
        .join(
            newest,
            (newest.c.id == approval_policies.c.id) & (newest.c.version == approval_policies.c.version),
        )
        .where(approval_policies.c.active)
        .order_by(approval_policies.c.name)
    )
    return [
        Policy(
            id=row.id,
            version=row.version,
            name=row.name,
            command=row.command,
            conditions=tuple(condition_from(entry) for entry in row.conditions),
            approvers=tuple((entry["role"], entry["people"]) for entry in row.approvers),
            deadline_hours=row.deadline_hours,
        )
        for row in rows
    ]


def condition_from(entry: dict[str, Any]) -> Condition:
    """A condition from its stored form."""
    among = entry.get("among")
    return Condition(
        entry["fact"], entry.get("low"), entry.get("high"), None if among is None else tuple(among)
    )


def _amount(low: int | None, high: int | None) -> dict[str, Any]:
    bounds = {"low": low, "high": high}
    return {"fact": "amount"} | {side: money(bound) for side, bound in bounds.items() if bound is not None}


def _units(low: int | None, high: int | None) -> dict[str, Any]:
    bounds = {"low": low, "high": high}
    return {"fact": "units"} | {side: bound for side, bound in bounds.items() if bound is not None}


_OVER_TENTH = {"fact": "price_change", "low": 1_001}
_PERSONAL = {"fact": "via", "among": ["person", "service"]}
_AGENT = {"fact": "via", "among": ["agent"]}
_BY_WAREHOUSE = {"fact": "roles", "among": ["warehouse"]}
_WAREHOUSE = [{"role": "warehouse", "people": 1}]
_MANAGER = [{"role": "manager", "people": 1}]
_MANAGER_AND_FINANCE = [{"role": "manager", "people": 1}, {"role": "finance", "people": 1}]


def _policy(
    name: str, command: str, conditions: list[dict[str, Any]], approvers: list[dict[str, Any]]
) -> dict[str, Any]:
    return {"name": name, "command": command, "conditions": conditions, "approvers": approvers}


DEFAULT_POLICIES: tuple[dict[str, Any], ...] = (
    _policy("purchase under 2,500", "SubmitPurchaseOrder", [_PERSONAL, _amount(None, 2_500)], []),
    _policy("purchase from 2,500", "SubmitPurchaseOrder", [_PERSONAL, _amount(2_500, 25_000)], _MANAGER),
    _policy(
        "purchase from 25,000",
        "SubmitPurchaseOrder",
        [_PERSONAL, _amount(25_000, None)],
        _MANAGER_AND_FINANCE,
    ),
    _policy(
        "purchase by an agent under 25,000", "SubmitPurchaseOrder", [_AGENT, _amount(None, 25_000)], _MANAGER
    ),
    _policy(
        "purchase by an agent from 25,000",
        "SubmitPurchaseOrder",
        [_AGENT, _amount(25_000, None)],
        _MANAGER_AND_FINANCE,
    ),
    _policy(
        "purchase by an agent that saw untrusted text",
        "SubmitPurchaseOrder",
        [_AGENT, _amount(0, None), {"fact": "tainted", "among": [True]}],
        _MANAGER_AND_FINANCE,
    ),
    _policy("supplier activation", "ActivateSupplier", [], _MANAGER),
    _policy("stock adjustment up to 20 units", "AdjustStock", [_PERSONAL, _units(None, 21)], []),
    _policy("stock adjustment over 20 units", "AdjustStock", [_PERSONAL, _units(21, None)], _MANAGER),
    _policy("stock reversal up to 20 units", "ReverseStock", [_PERSONAL, _units(None, 21)], []),
    _policy("stock reversal over 20 units", "ReverseStock", [_PERSONAL, _units(21, None)], _MANAGER),
    _policy(
        "transfer by the warehouse up to 500 units",
        "TransferStock",
        [_PERSONAL, _units(None, 501), _BY_WAREHOUSE],
        [],
    ),
    _policy(
        "transfer by the warehouse over 500 units",
        "TransferStock",
        [_PERSONAL, _units(501, None), _BY_WAREHOUSE],
        _MANAGER,
    ),
    _policy("transfer up to 500 units", "TransferStock", [_PERSONAL, _units(None, 501)], _WAREHOUSE),
    _policy(
        "transfer over 500 units", "TransferStock", [_PERSONAL, _units(501, None)], [*_MANAGER, *_WAREHOUSE]
    ),
    _policy("supplier terms", "SetSupplierItem", [_PERSONAL], []),
    _policy("supplier price over 10 % up", "SetSupplierItem", [_PERSONAL, _OVER_TENTH], _MANAGER),
    _policy("item change", "ChangeItem", [_PERSONAL], []),
    _policy("item price or cost over 10 % changed", "ChangeItem", [_PERSONAL, _OVER_TENTH], _MANAGER),
    _policy("return disposition under 500", "DisposeReturn", [_PERSONAL, _amount(None, 500)], []),
    _policy("return disposition from 500", "DisposeReturn", [_PERSONAL, _amount(500, None)], _MANAGER),
    _policy("approval policy change", "SaveApprovalPolicy", [], _MANAGER_AND_FINANCE),
    _policy("anything an agent proposes", "*", [_AGENT], _MANAGER),
)
