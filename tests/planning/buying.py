"""Work for a process in which automation buys as often as it may, and tells what became of each order."""

from __future__ import annotations

from multiprocessing.connection import Connection
from pathlib import Path
from uuid import UUID, uuid4

from api.composition import make_gate
from erp_core.clock import Clock
from erp_core.gate.contract import Executed, Refused
from erp_core.planning.automation.rule import REASON
from erp_core.procurement.commands import CreatePurchaseOrder, PurchaseOrderLine, SubmitPurchaseOrder
from erp_core.storage.engine import open_engine
from tests.procurement.conftest import TODAY

ORDERS = 10


def buy(url: str, home: Path, supplier: UUID, place: UUID, item: UUID, caller: Connection) -> None:
    """Say "ready", wait for a word, submit ten orders of 20 units, and send what became of each."""
    gate = make_gate(open_engine(url), Clock(fixed_business_date=TODAY), home=home)
    automation = gate.bootstrap_user("automation", roles=("automation",), kind="service")
    caller.send("ready")
    caller.recv()
    for _ in range(ORDERS):
        line = PurchaseOrderLine(line_id=uuid4(), item_id=item, quantity=20)
        draft = CreatePurchaseOrder(
            po_id=uuid4(), supplier_id=supplier, location_id=place, lines=(line,), reason=REASON
        )
        plan = [draft, SubmitPurchaseOrder(po_id=draft.po_id)]
        outcome = gate.submit_plan(plan, automation, key=uuid4().hex, title="", reason="")
        assert isinstance(outcome, Executed | Refused), outcome
        caller.send("executed" if isinstance(outcome, Executed) else outcome.error.code)
