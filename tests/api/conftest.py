"""A tiny company, built once and copied for each test, served over HTTP by its own app."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from fastapi import FastAPI
from filelock import FileLock
from starlette.testclient import TestClient

from api.app import answer_for, create_app
from api.company import Company, open_company
from api.demo import PASSWORD, load
from erp_core.settings import Settings

QUARTERMASTER = Path(sys.executable).with_name("quartermaster")


class User:
    """Somebody logged in over HTTP, who sends a fresh key with every change."""

    def __init__(self, http: httpx.Client, login: str, password: str = PASSWORD) -> None:
        answer = http.post("/api/v1/auth/login", json={"login": login, "password": password})
        assert answer.status_code == 200, answer.text
        self.http = http
        self.token = answer.json()["token"]

    def get(self, path: str, expect: int = 200, **params: object) -> object:
        answer = self.http.get(f"/api/v1{path}", headers=self._headers(), params=params)
        assert answer.status_code == expect, answer.text
        return answer.json()

    def post(self, path: str, body: object = None, expect: int = 200, key: str | None = None) -> dict:
        headers = self._headers() | {"Idempotency-Key": key or str(uuid4())}
        answer = self.http.post(f"/api/v1{path}", json=body, headers=headers)
        assert answer.status_code == expect, answer.text
        return answer.json() if answer.content else {}

    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}


@pytest.fixture(scope="session")
def tiny_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny company with models, forecast, exceptions and a sealed log; read it, copy it, don't change it.

    The process that needs it first builds it for all.
    """
    shared = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        shared = shared.parent
    with FileLock(shared / "tiny.lock"):
        if not (shared / "tiny").exists():
            load(shared / "tiny", 7, size="tiny")
    home = tmp_path_factory.mktemp("tiny") / "company"
    shutil.copytree(shared / "tiny", home)
    return home


@pytest.fixture
def tiny_home(tiny_template: Path, tmp_path: Path) -> Path:
    """A tiny company of one's own."""
    home = tmp_path / "company"
    shutil.copytree(tiny_template, home)
    return home


@pytest.fixture
def tiny_company(tiny_home: Path) -> Iterator[Company]:
    company = open_company(Settings(home=tiny_home, database_url=None))
    yield company
    company.close()


_apps: dict[bool, FastAPI] = {}


def app_over(company: Company, *, console: bool = True) -> FastAPI:
    """The app over this company. There is one in a process, since its routes take half a second: it answers for the
    company that came last."""
    if console not in _apps:
        _apps[console] = create_app(company.settings, company=company, console=console)
    answer_for(_apps[console], company)
    return _apps[console]


@pytest.fixture
def http(tiny_company: Company) -> Iterator[TestClient]:
    """The app of the tiny company."""
    with TestClient(app_over(tiny_company)) as client:
        yield client


@pytest.fixture
def user(http: TestClient) -> Callable[[str], User]:
    """`user("planner")`: that user, logged in."""
    return lambda login: User(http, login)


@pytest.fixture
def read_only_http(tiny_template: Path) -> Iterator[TestClient]:
    """The app over the shared company, for tests that change nothing but the log."""
    company = open_company(Settings(home=tiny_template, database_url=None))
    with TestClient(app_over(company)) as client:
        yield client
    company.close()


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


class Process:
    """A `quartermaster` process; `url` is where it serves."""

    def __init__(self, arguments: list[str], environment: dict[str, str], log: Path) -> None:
        self.log = log
        self.url = ""
        with log.open("wb") as output:
            self.process = subprocess.Popen(
                [str(QUARTERMASTER), *arguments],
                env={**os.environ, **environment},
                stdout=output,
                stderr=output,
            )

    def wait_until_serving(self, url: str) -> None:
        self.url = url
        for _ in range(300):
            assert self.process.poll() is None, self.log.read_text()
            try:
                if httpx.get(f"{url}/healthz", timeout=1, trust_env=False).status_code == 200:
                    return
            except httpx.HTTPError:
                time.sleep(0.1)
        raise AssertionError(f"{url} does not answer: {self.log.read_text()}")

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(20)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Process]]:
    """`start("serve", "--home", …)`: a process of its own, stopped at the end of the test."""
    running: list[Process] = []

    def run(*arguments: str, wait: bool = True, **environment: str) -> Process:
        process = Process(list(arguments), environment, tmp_path / f"process-{len(running)}.log")
        running.append(process)
        if arguments[0] == "serve" and wait:
            port = arguments[arguments.index("--port") + 1]
            process.wait_until_serving(f"http://127.0.0.1:{port}")
        return process

    yield run
    for process in running:
        process.stop()
