"""A company of its own for a run: a copy of the served one, behind a server of its own."""

from __future__ import annotations

import os
import shutil
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import httpx


class ServerDidNotStart(RuntimeError):
    """The server ended or did not answer in time; the message carries its last lines."""


@contextmanager
def serve_copy(home: Path, *, seconds: float = 60) -> Iterator[str]:
    """The address of a server over a copy of the SQLite company in `home`; both are gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="quartermaster-eval-") as folder:
        copy = Path(folder) / "home"
        shutil.copytree(
            home, copy, ignore=shutil.ignore_patterns("*.db", "*.db-*", "*.lock", "truth", "server.json")
        )
        with (
            closing(sqlite3.connect(home / "quartermaster.db")) as source,
            closing(sqlite3.connect(copy / "quartermaster.db")) as target,
        ):
            source.backup(target)
        port = _free_port()
        log = Path(folder) / "server.log"
        environment = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
        environment |= {"QUARTERMASTER_HOME": str(copy), "QUARTERMASTER_PORT": str(port)}
        command = [sys.executable, "-m", "api.cli.main", "serve", "--port", str(port)]
        with log.open("wb") as output:
            process = subprocess.Popen(command, env=environment, stdout=output, stderr=subprocess.STDOUT)
        try:
            address = f"http://127.0.0.1:{port}"
            _wait(address, process, log, seconds)
            yield address
        finally:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait(address: str, process: subprocess.Popen[bytes], log: Path, seconds: float) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if process.poll() is not None:
            break
        try:
            if httpx.get(f"{address}/healthz", timeout=2).is_success:
                return
        except httpx.HTTPError:
            time.sleep(0.1)
    raise ServerDidNotStart(log.read_text(errors="replace")[-2_000:] or "the server said nothing")
