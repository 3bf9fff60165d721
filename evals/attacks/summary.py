"""A run of attacks as the summary that reports show, like any suite's."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from tempfile import TemporaryDirectory

from evals.attacks.attack import Breach, Detected, Held, Missed, Result, Skipped, all_attacks
from evals.attacks.places import PostgresPlace, SqlitePlace
from evals.attacks.product import Product
from evals.attacks.run import Attempt, run_attacks
from evals.runner import Sample, Summary, summarise

SUITE = "approval-bypass"
DESCRIPTION = (
    "Attacks on the gate: replay, forged identity, split amounts, direct SQL, hostile models and clients. "
    "Builds its own companies and needs no server; any success is a failure."
)


def attack_product(
    product: Product,
    *,
    server: str | None = None,
    only: Iterable[str] = (),
    progress: Callable[[Attempt, int], None] = lambda attempt, total: None,
) -> Summary:
    """Let all attacks (or `only` some, by name or kind) loose on companies in files, or in databases of a `server`.

    `progress` is told of each attempt and how many there are. Raises `CannotRun` where the server does not allow it.
    """
    wanted = set(only)
    attacks = [
        one for one in all_attacks().values() if not wanted or one.name in wanted or one.kind in wanted
    ]
    with TemporaryDirectory(prefix="quartermaster-attacks-") as folder:
        home = Path(folder)
        place = SqlitePlace(product, home) if server is None else PostgresPlace(product, home, server)
        try:
            samples = []
            for attempt in run_attacks(attacks, place, home / "attacked"):
                progress(attempt, len(attacks))
                samples.append(_sample(attempt))
        finally:
            place.close()
    return summarise(SUITE, place.name, 1, samples)


def told(result: Result) -> str:
    """How an attack ended, in words."""
    match result:
        case Held(by=by):
            return f"held: {by}"
        case Detected(what=what):
            return f"detected: {what}"
        case Breach(what=what):
            return f"BREACH: {what}"
        case Missed(what=what):
            return f"proved nothing: {what}"
        case Skipped(why=why):
            return f"skipped: {why}"


def _sample(attempt: Attempt) -> Sample:
    attack = attempt.attack
    words = told(attempt.result)
    answer = {"status": words, "text": attack.story, "interpretation": f"What stops it: {attack.guard}"}
    return Sample(
        SUITE,
        "",
        attempt.place,
        attack.name,
        attack.kind,
        0,
        attempt.passed,
        () if attempt.passed else (words,),
        attempt.milliseconds,
        (answer,),
    )
