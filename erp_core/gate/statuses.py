"""Declared status graphs: which step may follow which, the same way in every context."""

from __future__ import annotations

from collections.abc import Mapping

from erp_core.gate.contract import IllegalTransition

StatusGraph = Mapping[str, frozenset[str]]


def require_step(graph: StatusGraph, current: str, target: str, what: str) -> None:
    """Pass when the graph has the step; `what` names the document in the error.

    Raises `IllegalTransition`, which lists the steps that are open.
    """
    if target in graph[current]:
        return
    steps = sorted(graph[current])
    raise IllegalTransition(
        f"{what} is {_words(current)} and cannot become {_words(target)}",
        remedy=f"from here it can become {', '.join(map(_words, steps))}"
        if steps
        else "nothing more can happen to it",
        status=current,
        target=target,
    )


def _words(status: str) -> str:
    return status.replace("_", " ")
