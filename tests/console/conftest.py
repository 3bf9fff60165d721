"""A browser at the console of a tiny company."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import uvicorn

from api.company import open_company
from api.demo import PASSWORD
from erp_core.settings import Settings
from tests.api.conftest import app_over, free_port, tiny_template
from tests.conftest import services

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

__all__ = ["tiny_template"]
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
WIDE, PHONE = (1280, 900), (390, 844)


@pytest.fixture
def console(tiny_template: Path, tmp_path: Path) -> Iterator[str]:
    """The address of a console over a company of one's own."""
    home = tmp_path / "company"
    shutil.copytree(tiny_template, home)
    company = open_company(Settings(home=home, database_url=None))
    app = app_over(company)
    port = free_port()
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=port, log_level="warning"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive()
        time.sleep(0.05)
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join(20)
    company.close()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    from playwright.sync_api import sync_playwright

    path = services().get("QUARTERMASTER_TEST_CHROMIUM")
    if not path:
        pytest.skip("no Chromium: run scripts/test-services")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield chromium
        chromium.close()


@pytest.fixture
def page_of(browser: Browser, console: str) -> Iterator[Callable[..., Page]]:
    """`page_of("planner")`: that person's browser, logged in. Script errors and blocked content fail the test."""
    contexts, complaints = [], []

    def open_page(login: str, size: tuple[int, int] = WIDE) -> Page:
        context = browser.new_context(
            base_url=console, viewport={"width": size[0], "height": size[1]}, reduced_motion="reduce"
        )
        context.set_default_timeout(60_000)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on(
            "console",
            lambda message: (
                complaints.append(message.text) if "Content Security Policy" in message.text else None
            ),
        )
        page.goto("/login")
        page.get_by_label("Login").fill(login)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Log in").click()
        page.get_by_role("navigation", name="Main").wait_for()
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert complaints == []
