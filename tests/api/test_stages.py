"""Stages of a set-up in a process of their own: what happens when that process cannot do its work."""

from __future__ import annotations

from pathlib import Path

import pytest

from api.stages import StageFailed, Stages


def _silent(_step: str, _done: int, _total: int) -> None:
    pass


def test_a_stage_that_fails_says_which_and_why(tmp_path: Path) -> None:
    with Stages(tmp_path / "nobody") as stages, pytest.raises(StageFailed, match=r"^train: "):
        stages.run("train", _silent)


def test_a_stage_whose_process_was_killed_says_so(tmp_path: Path) -> None:
    with Stages(tmp_path) as stages:
        stages._process.kill()
        stages._process.wait()
        with pytest.raises(StageFailed, match="process"):
            stages.run("train", _silent)


def test_the_process_ends_with_its_caller_s_block(tmp_path: Path) -> None:
    with Stages(tmp_path) as stages:
        pass
    assert stages._process.poll() == 0
