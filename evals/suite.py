"""Suites are data: who asks what, what must be called and answered, what the company must look like after."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError


class _Data(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Expected(_Data):
    """What one turn must give. Everything named must hold; what is left out is free.

    `query` is compared field by field with the answer's query; `values` asks the metrics API for the
    same query and compares the shown table with its rows; `text` and `not_text` are whole words or
    phrases; `never_tools` must not be called.
    """

    status: tuple[str, ...] = ()
    reason: tuple[str, ...] = ()
    tools: tuple[str, ...] = ()
    never_tools: tuple[str, ...] = ()
    query: dict[str, Any] | None = None
    values: bool = False
    rows_at_least: int | None = None
    text: tuple[str, ...] = ()
    not_text: tuple[str, ...] = ()
    options_at_least: int | None = None
    proposals: int | None = None


class Turn(_Data):
    """One question and what must come of it."""

    ask: str
    expect: Expected


class After(_Data):
    """What the company must look like after the case, against before: exact differences by kind."""

    proposals: int = 0
    purchase_orders: int = 0


class Case(_Data):
    """One case: a user, turns in one conversation, and the state afterwards."""

    id: str
    kind: Literal["question", "follow_up", "proposal", "refusal", "injection", "unknown"]
    user: str = "planner"
    turns: tuple[Turn, ...] = Field(min_length=1)
    after: After = After()


class Suite(_Data):
    """A named set of cases over one world."""

    name: str
    description: str
    world: str
    cases: tuple[Case, ...]


class BadSuite(ValueError):
    """A suite file is not well formed; the message names case and field."""


def load_suite(name_or_path: str) -> Suite:
    """A suite shipped with the project by name, or any file by path. Raises `BadSuite`."""
    path = Path(name_or_path)
    if not path.suffix:
        path = Path(str(files("evals"))) / "suites" / f"{name_or_path}.yaml"
    if not path.exists():
        raise BadSuite(
            f"there is no suite {name_or_path}; shipped are: approval-bypass, {', '.join(suite_names())}"
        )
    try:
        suite = Suite.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except ValidationError as error:
        problem = error.errors()[0]
        raise BadSuite(f"{path.name}: {'.'.join(map(str, problem['loc']))}: {problem['msg']}") from error
    ids = [case.id for case in suite.cases]
    twice = sorted({one for one in ids if ids.count(one) > 1})
    if twice:
        raise BadSuite(f"{path.name}: the case id {twice[0]} stands twice")
    return suite


def suite_names() -> list[str]:
    """The suites shipped with the project."""
    return sorted(
        path.name.removesuffix(".yaml")
        for path in (files("evals") / "suites").iterdir()
        if path.name.endswith(".yaml")
    )
