"""Several processes at one company, and processes that are killed."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from api.company import open_company
from api.demo import PASSWORD
from erp_core.inventory.queries import rebuild_differences
from erp_core.settings import Settings
from erp_core.storage.engine import open_engine, reading
from evals.worlds import tiny
from tests.api.conftest import Process, User, free_port


def wait_for(what: Callable[[], Any], seconds: float = 30.0) -> Any:
    """What `what` gives, once it gives something."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        found = what()
        if found:
            return found
        time.sleep(0.2)
    raise AssertionError("it did not happen in time")


@pytest.fixture
def postgres_company(postgres_url: str, tmp_path: Path) -> tuple[str, Path]:
    """A tiny company on PostgreSQL: its database and its home."""
    home = tmp_path / "home"
    company = open_company(Settings(home=home, DATABASE_URL=postgres_url))
    tiny(company.gate, company.engine, home=home, password=PASSWORD)
    company.close()
    return postgres_url, home


@pytest.fixture
def two_servers(
    postgres_company: tuple[str, Path], start: Callable[..., Process]
) -> Iterator[tuple[httpx.Client, httpx.Client]]:
    """Two API processes without background work, at one PostgreSQL company."""
    url, home = postgres_company
    ports = [free_port() for _ in range(2)]
    servers = [
        start("serve", "--no-jobs", "--home", str(home), "--port", str(port), wait=False, DATABASE_URL=url)
        for port in ports
    ]
    clients = []
    for server, port in zip(servers, ports, strict=True):
        server.wait_until_serving(f"http://127.0.0.1:{port}")
        clients.append(httpx.Client(base_url=server.url, timeout=60, trust_env=False))
    yield clients[0], clients[1]
    for client in clients:
        client.close()


def draft(user: User, quantity: int = 20) -> dict[str, Any]:
    """A plan that buys something."""
    supplier = next(one for one in user.get("/suppliers", status="active"))
    place = user.get("/locations")[0]
    item = next(
        one
        for one in user.get("/items", limit=100)
        if any(each["supplier_id"] == supplier["id"] for each in user.get(f"/items/{one['id']}/suppliers"))
    )
    po_id = str(uuid4())
    lines = [{"line_id": str(uuid4()), "item_id": item["id"], "quantity": quantity}]
    create = {
        "po_id": po_id,
        "supplier_id": supplier["id"],
        "location_id": place["id"],
        "lines": lines,
        "reason": "test",
        "override_reason_code": "trial_order",
        "freight_cost": 30_000_000,
    }
    return {
        "title": "Buy",
        "reason": "test",
        "commands": [
            {"command": "CreatePurchaseOrder", "payload": create},
            {"command": "SubmitPurchaseOrder", "payload": {"po_id": po_id}},
        ],
    }


def test_two_api_processes_and_one_jobs_process_share_a_company_on_postgresql(
    two_servers: tuple[httpx.Client, httpx.Client],
    postgres_company: tuple[str, Path],
    start: Callable[..., Process],
) -> None:
    url, home = postgres_company
    one, other = two_servers
    buyer, manager = User(one, "buyer"), User(one, "manager")
    same_buyer, same_manager = User.__new__(User), User.__new__(User)
    same_buyer.http, same_buyer.token = other, buyer.token
    same_manager.http, same_manager.token = other, manager.token

    plan, key = draft(buyer), str(uuid4())
    with ThreadPoolExecutor(8) as pool:
        sent = [
            pool.submit(user.post, "/proposals", plan, 202, key)
            for _ in range(4)
            for user in (buyer, same_buyer)
        ]
        outcomes = [one.result() for one in sent]
    assert len({one["proposal_id"] for one in outcomes}) == 1
    proposal = outcomes[0]

    def approve(user: User) -> int:
        answer = user.http.post(
            f"/api/v1/proposals/{proposal['proposal_id']}/approve",
            json={"payload_hash": proposal["payload_hash"]},
            headers={"Authorization": f"Bearer {user.token}", "Idempotency-Key": str(uuid4())},
        )
        return answer.status_code

    with ThreadPoolExecutor(4) as pool:
        codes = sorted(pool.map(approve, (manager, same_manager, manager, same_manager)))
    assert codes == [200, 409, 409, 409]
    po_id = plan["commands"][0]["payload"]["po_id"]
    assert same_buyer.get(f"/purchase-orders/{po_id}")["record"]["order"]["status"] == "approved"

    assert one.get("/readyz").json()["unsealed"] > 0
    admin = User(one, "admin")
    job = admin.post("/jobs", {"kind": "scan"}, expect=202)
    time.sleep(1)
    assert admin.get(f"/jobs/{job['id']}")["status"] == "queued"

    first = start("jobs", "--home", str(home), DATABASE_URL=url)
    wait_for(lambda: admin.get(f"/jobs/{job['id']}")["status"] == "done")
    wait_for(lambda: one.get("/readyz").json()["unsealed"] == 0)

    start("jobs", "--home", str(home), DATABASE_URL=url)
    first.process.kill()
    admin.post("/commands/SetCompanyFact", {"key": "name", "value": "After the kill"})
    wait_for(lambda: other.get("/readyz").json()["unsealed"] == 0)
    found = manager.post("/audit/verify")
    assert found["intact"], found["findings"]


def test_killed_while_proposing_and_approving_nothing_is_lost_doubled_or_half_done(
    tiny_home: Path, start: Callable[..., Process]
) -> None:
    def serve() -> tuple[Process, httpx.Client]:
        server = start("serve", "--home", str(tiny_home), "--port", str(free_port()))
        return server, httpx.Client(base_url=server.url, timeout=30, trust_env=False)

    server, http = serve()
    buyer, manager = User(http, "buyer"), User(http, "manager")
    template = draft(buyer)
    wishes: list[tuple[str, dict[str, Any]]] = []
    answered: dict[str, dict[str, Any]] = {}
    approved: list[str] = []

    def work() -> None:
        while True:
            po_id, key = str(uuid4()), str(uuid4())
            first, second = template["commands"]
            lines = [line | {"line_id": str(uuid4())} for line in first["payload"]["lines"]]
            plan = template | {
                "commands": [
                    {
                        "command": first["command"],
                        "payload": first["payload"] | {"po_id": po_id, "lines": lines},
                    },
                    {"command": second["command"], "payload": {"po_id": po_id}},
                ]
            }
            wishes.append((key, plan))
            try:
                outcome = buyer.post("/proposals", plan, 202, key)
                answered[key] = outcome
                manager.post(
                    f"/proposals/{outcome['proposal_id']}/approve",
                    {"payload_hash": outcome["payload_hash"]},
                    key=f"approve-{key}",
                )
                approved.append(key)
            except httpx.HTTPError:
                return

    worker = threading.Thread(target=work)
    worker.start()
    wait_for(lambda: len(approved) >= 5)
    server.process.kill()
    worker.join(60)
    http.close()

    server, http = serve()
    buyer.http = manager.http = http
    for key, plan in wishes:
        outcome = buyer.post("/proposals", plan, 202, key)
        assert outcome == answered.get(key, outcome)
        body = {"payload_hash": outcome["payload_hash"]}
        manager.post(f"/proposals/{outcome['proposal_id']}/approve", body, key=f"approve-{key}")
    orders = buyer.get("/purchase-orders", limit=500)
    numbers = [one["id"] for one in orders["rows"]]
    for _, plan in wishes:
        assert numbers.count(plan["commands"][0]["payload"]["po_id"]) == 1
    assert buyer.get("/proposals", status="executed", limit=500)["total"] >= len(wishes)
    found = manager.post("/audit/verify")
    assert found["intact"], found["findings"]
    http.close()
    server.stop()
    engine = open_engine(f"sqlite:///{tiny_home / 'quartermaster.db'}")
    with reading(engine) as connection:
        assert rebuild_differences(connection) == []
    engine.dispose()


def test_a_second_server_of_the_same_company_on_sqlite_is_refused(
    tiny_home: Path, start: Callable[..., Process]
) -> None:
    start("serve", "--home", str(tiny_home), "--port", str(free_port()))
    second = Process(["serve", "--home", str(tiny_home), "--port", "0"], {}, tiny_home / "second.log")
    assert second.process.wait(60) == 5
    assert "holds the company" in second.log.read_text()
