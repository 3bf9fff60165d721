"""Who holds a company: one server or one command line at a time on SQLite, found by its home folder."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from filelock import FileLock, Timeout


class CompanyHeld(RuntimeError):
    """Another process has the company open."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where a server answers; `instance` tells it from another one that took its port."""

    url: str
    pid: int
    instance: str


def _address_file(home: Path) -> Path:
    return home / "server.json"


@contextmanager
def held(home: Path, *, wait: float = 0.0) -> Iterator[None]:
    """Hold the company of `home` for this process alone. Raises `CompanyHeld` after `wait` seconds."""
    home.mkdir(parents=True, exist_ok=True)
    lock = FileLock(home / "company.lock", timeout=wait)
    try:
        lock.acquire()
    except Timeout as error:
        known = _read(home)
        where = f"the server at {known.url}" if known else "another process"
        raise CompanyHeld(f"{where} holds the company in {home}") from error
    try:
        yield
    finally:
        lock.release()


@contextmanager
def announced(home: Path, url: str) -> Iterator[Address]:
    """Let command lines find this server while the block runs."""
    address = Address(url, os.getpid(), secrets.token_hex(8))
    file = _address_file(home)
    fresh = file.with_suffix(".new")
    fresh.write_text(json.dumps(asdict(address)), encoding="utf-8")
    fresh.replace(file)
    try:
        yield address
    finally:
        if _read(home) == address:
            file.unlink(missing_ok=True)


def running_server(home: Path) -> Address | None:
    """The server that holds the company of `home`, when it answers and is the one that announced itself."""
    known = _read(home)
    if known is None:
        return None
    import httpx

    try:
        answer = httpx.get(f"{known.url}/healthz", timeout=2.0, trust_env=False)
        alive = answer.status_code == 200 and answer.json().get("instance") == known.instance
    except (httpx.HTTPError, ValueError):
        return None
    return known if alive else None


def _read(home: Path) -> Address | None:
    try:
        return Address(**json.loads(_address_file(home).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None
