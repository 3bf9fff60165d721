"""Training, forecast, upkeep and scan in a process of their own, for a company that is being set up.

The process loads the models' libraries while the company is still being built, and leaves the caller free
to seal and index while it works. It ends with its caller: its orders come through a pipe.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from api.company import open_company
from api.work import forecast, outcomes, scan, train
from erp_core.settings import Settings

STAGES = {"train": train, "forecast": forecast, "upkeep": outcomes, "scan": scan}
Tell = Callable[[str, int, int], None]


class StageFailed(RuntimeError):
    """A stage ended with an error, or its process is gone."""


class Stages:
    """The process. `run` one stage after the other on the company in `home`, once that is there."""

    def __init__(self, home: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "api.stages", str(home)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            self._process.kill()
        self._process.communicate()

    def run(self, name: str, tell: Tell) -> Any:
        """Do one of `STAGES` and give its report. Raises `StageFailed`."""
        assert self._process.stdin is not None and self._process.stdout is not None
        try:
            print(name, file=self._process.stdin, flush=True)
        except BrokenPipeError as error:
            raise StageFailed(f"{name}: its process is gone") from error
        for line in self._process.stdout:
            told = json.loads(line)
            if "report" in told:
                return told["report"]
            if "error" in told:
                raise StageFailed(f"{name}: {told['error']}")
            tell(*told["step"])
        raise StageFailed(f"{name}: its process ended")


def _serve(home: Path) -> None:
    answers, sys.stdout = sys.stdout, sys.stderr

    def answer(**told: Any) -> None:
        print(json.dumps(told, default=str), file=answers, flush=True)

    _load_libraries()
    for line in sys.stdin:
        try:
            company = open_company(Settings(home=home, database_url=None))
            try:
                service = company.gate.bootstrap_user(
                    "jobs", roles=("jobs",), kind="service", name="Background jobs"
                )
                report = STAGES[line.strip()](company, {}, service, lambda *step: answer(step=step))
            finally:
                company.close()
        except Exception as error:
            answer(error=f"{type(error).__name__}: {error}")
        else:
            answer(report=report)


def _load_libraries() -> None:
    from sklearn import ensemble, linear_model  # noqa: F401

    from copilot.models import scan, training  # noqa: F401


if __name__ == "__main__":
    _serve(Path(sys.argv[1]))
