"""Roles by commands by fields, as one table that people and programs read."""

from __future__ import annotations

from collections.abc import Iterable

from pydantic import BaseModel

from api.fields import GUARDED
from erp_core.gate.contract import Registry
from erp_core.gate.roles import (
    COMMANDS,
    FIELD_CLASSES,
    NEVER_BY_AGENTS,
    NEVER_BY_KEYS,
    POWER_ROLES,
    RIGHT_LABELS,
    RIGHTS,
    ROLES,
    SYSTEM_ROLES,
    TOXIC,
)

_YES = "●"


class RoleRow(BaseModel):
    """A role. `power`: it decides, governs or acts without people, so that no one person gives it alone."""

    role: str
    power: bool
    system: bool


class CommandRow(BaseModel):
    """Who may ask for a command; `governed` where an approval policy decides whether people must agree."""

    command: str
    context: str
    roles: list[str]
    governed: bool
    agents_may_propose: bool
    keys_may_run: bool


class RightRow(BaseModel):
    """Who has a power beside commands. A class of fields lists the fields that nobody else sees."""

    right: str
    about: str
    roles: list[str]
    fields: list[str] | None = None


class ToxicPair(BaseModel):
    """Two roles that no command gives to one person."""

    roles: list[str]
    why: str


class AccessTable(BaseModel):
    """The whole table."""

    roles: list[RoleRow]
    commands: list[CommandRow]
    rights: list[RightRow]
    toxic: list[ToxicPair]


def access_table(registry: Registry) -> AccessTable:
    """The table as the code holds it: the same that the gate and every read ask."""
    return AccessTable(
        roles=[RoleRow(role=role, power=role in POWER_ROLES, system=role in SYSTEM_ROLES) for role in ROLES],
        commands=sorted(
            (_command(name, registry) for name in registry.names()),
            key=lambda one: (one.context, one.command),
        ),
        rights=[_right(right) for right in RIGHT_LABELS],
        toxic=[ToxicPair(roles=sorted(pair), why=why) for pair, why in TOXIC],
    )


def _command(name: str, registry: Registry) -> CommandRow:
    registration = registry.require(name)
    return CommandRow(
        command=name,
        context=registration.command.__module__.split(".")[1],
        roles=[role for role in ROLES if name in COMMANDS[role]],
        governed=registration.governed,
        agents_may_propose=name not in NEVER_BY_AGENTS and not registration.command.by_people,
        keys_may_run=name not in NEVER_BY_KEYS,
    )


def _right(right: str) -> RightRow:
    guarded = GUARDED.get(right)
    fields = (
        None if guarded is None else [f"{one}.{name}" for one in guarded for name in sorted(guarded[one])]
    )
    return RightRow(
        right=right,
        about=RIGHT_LABELS[right],
        roles=[role for role in ROLES if right in RIGHTS.get(role, frozenset())],
        fields=fields if right in FIELD_CLASSES else None,
    )


def markdown(table: AccessTable) -> str:
    """The table as the page docs/roles.md."""
    shown = [one.role for one in table.roles if one.role != "simulator"]
    lines = [
        "# Roles, commands and fields",
        "",
        "Made by `quartermaster roles --markdown` from the one table that the gate and every read ask (`erp_core/gate/roles.py`, `api/fields.py`).",
        "A command or field that stands in no row is nobody's. *Simulator*, the builder of demo companies, is left out: no command gives that role.",
        "",
        "## Fields and other rights",
        "",
        *_grid(
            ["right", "what it is"],
            shown,
            [([f"`{one.right}`", one.about], one.roles) for one in table.rights],
        ),
        "",
        "An agent has its user's rights without `see_customers`, `backdate`, `run_jobs` and `export`; an API key those of its scope.",
    ]
    for one in table.rights:
        if one.fields:
            lines += ["", f"Only `{one.right}` sees: " + ", ".join(f"`{name}`" for name in one.fields) + ","]
            lines += ["and the metrics, record columns and tool results that are made of them."]
    lines += [
        "",
        "## Commands",
        "",
        "*policy*: an approval policy decides whether people must agree. *agent*: an agent may propose it. *key*: an API key may be given it.",
    ]
    for context in dict.fromkeys(one.context for one in table.commands):
        rows = [
            (
                [
                    f"`{one.command}`",
                    _mark(one.governed),
                    _mark(one.agents_may_propose),
                    _mark(one.keys_may_run),
                ],
                one.roles,
            )
            for one in table.commands
            if one.context == context
        ]
        lines += ["", f"### {context}", "", *_grid(["command", "policy", "agent", "key"], shown, rows)]
    power = ", ".join(one.role for one in table.roles if one.power)
    lines += [
        "",
        "## Roles that are not given lightly",
        "",
        f"These give power, and by the policies a company starts with need a second person's approval: {power}.",
        "",
        *(f"- {' and '.join(one.roles)} are never one person's: {one.why}." for one in table.toxic),
    ]
    return "\n".join(lines) + "\n"


def _mark(yes: bool) -> str:
    return _YES if yes else ""


def _grid(heads: list[str], roles: list[str], rows: Iterable[tuple[list[str], list[str]]]) -> list[str]:
    return [
        "| " + " | ".join([*heads, *roles]) + " |",
        "|" + "---|" * len(heads) + ":-:|" * len(roles),
        *(
            "| " + " | ".join([*cells, *(_mark(role in holders) for role in roles)]) + " |"
            for cells, holders in rows
        ),
    ]
