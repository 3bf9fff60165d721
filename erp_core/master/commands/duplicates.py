"""What activation asks of a record that looks like another one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from erp_core.gate.contract import DomainError, Task, Transaction
from erp_core.master.queries.duplicates import Kind, duplicates_of
from erp_core.master.queries.reasons import Reasons
from erp_core.master.rules.duplicates import named
from erp_core.storage.locks import lock_names


class ProbableDuplicate(DomainError):
    """The record looks like one that is there; `details` lists the candidates with their scores."""

    code = "probable_duplicate"


class OverrideWithoutReason(DomainError):
    """Stating that a record is no duplicate needs a reason."""

    code = "override_without_reason"


def duplicate_obstacles(
    kind: Kind, tasks: Sequence[Task[Any]], tx: Transaction
) -> Mapping[UUID, DomainError]:
    """Why records of this batch may not be activated: they look like one that is there, or one before them.

    A task's `not_duplicate_of` takes candidates out, with a `reason_code`.
    """
    lock_names(tx.connection, [f"activation of {kind}"])
    place = {task.command.subject[1]: number for number, task in enumerate(tasks)}
    matches = duplicates_of(tx.connection, kind, place)
    touched: dict[UUID, list[Any]] = {}
    for match in matches:
        for one, other in ((match.first.id, match.second.id), (match.second.id, match.first.id)):
            if one in place and place.get(other, -1) < place[one]:
                touched.setdefault(one, []).append(match)
    found: dict[UUID, DomainError] = {}
    for task in tasks:
        _, id_ = task.command.subject
        try:
            _check(task, named(touched.get(id_, ()), id_), kind, tx)
        except DomainError as error:
            found[id_] = error
    return found


def _check(
    task: Task[Any], candidates: Sequence[Mapping[str, str | int]], kind: Kind, tx: Transaction
) -> None:
    command = task.command
    if command.not_duplicate_of:
        if command.reason_code is None:
            raise OverrideWithoutReason(
                f"why this {kind} is no duplicate is not said",
                field="reason_code",
                remedy="give a reason code of kind not_duplicate",
            )
        Reasons.of(tx).require("not_duplicate", command.reason_code)
    stated = {str(id_) for id_ in command.not_duplicate_of}
    left = [one for one in candidates if one["id"] not in stated]
    if left:
        first = left[0]
        raise ProbableDuplicate(
            f"this {kind} looks like {first['code']}, {first['name']} ({first['because']}, {first['score']} of 100)",
            field="not_duplicate_of",
            remedy="use the record that is there, or state in not_duplicate_of that it is another one, with a reason",
            candidates=left,
        )
