"""Runs attacks, each on a company of its own, and says how each ended."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from evals.attacks.attack import Attack, Breach, CannotRun, Detected, Held, Missed, Result, Skipped
from evals.attacks.company import AttackedCompany, NotAsExpected
from evals.attacks.judge import Picture, judge, verified
from evals.attacks.places import Place


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attack on one kind of database, and how it ended."""

    attack: Attack
    place: str
    result: Result
    milliseconds: int

    @property
    def passed(self) -> bool | None:
        """Whether the gate held, or the attack was detected where that is all there can be; None when it did not run."""
        if isinstance(self.result, Skipped):
            return None
        return isinstance(self.result, Held | Detected)


def run_attacks(attacks: Iterable[Attack], place: Place, folder: Path) -> Iterator[Attempt]:
    """Run the attacks one after the other; companies are built in `folder`."""
    for attack in attacks:
        started = time.monotonic()
        result = run_attack(attack, place, folder / attack.name)
        yield Attempt(attack, place.name, result, round((time.monotonic() - started) * 1000))


def run_attack(attack: Attack, place: Place, folder: Path) -> Result:
    """Attack a fresh company and judge what is there afterwards."""
    with place.fresh(folder) as company:
        before = Picture.take(company)
        try:
            attack.run(company)
        except CannotRun as why:
            return Skipped(str(why))
        except NotAsExpected as error:
            return Missed(str(error))
        return conclude(attack, before, company)


def conclude(attack: Attack, before: Picture, company: AttackedCompany) -> Result:
    """How the attack ended, as the database says."""
    found = verified(company)
    if company.written:
        unnamed = [one for one in company.written if not any(one in finding for finding in found)]
        if unnamed:
            return Breach(
                f"verification does not name {', '.join(unnamed)}; it says: {'; '.join(found)[:300]}"
            )
        return Detected(next(finding for finding in found if company.written[0] in finding))
    wrong = [*company.wrong, *judge(before, company), *found]
    if wrong:
        return Breach("; ".join(wrong))
    if attack.ends == "detected":
        return Missed("nothing was written into the database")
    strange = [one for one in company.stops if one not in attack.stopped_by]
    if strange or not company.stops:
        wanted = " or ".join(sorted(attack.stopped_by))
        return Missed(f"stopped by {', '.join(strange) or 'nothing'}, not by {wanted}")
    return Held(", ".join(dict.fromkeys(company.stops)))
