"""A process in which automation buys as often as it may: `python -m tests.planning.buyer_process URL HOME SUPPLIER PLACE ITEM`.

It says "ready", waits for a line on standard input, submits ten orders of 20 units, and prints what became of each.
"""

from __future__ import annotations

import sys
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


def main(url: str, home: str, supplier: str, place: str, item: str) -> None:
    """Buy."""
    gate = make_gate(open_engine(url), Clock(fixed_business_date=TODAY), home=Path(home))
    automation = gate.bootstrap_user("automation", roles=("automation",), kind="service")
    print("ready", flush=True)
    sys.stdin.readline()
    for _ in range(ORDERS):
        line = PurchaseOrderLine(line_id=uuid4(), item_id=UUID(item), quantity=20)
        draft = CreatePurchaseOrder(
            po_id=uuid4(), supplier_id=UUID(supplier), location_id=UUID(place), lines=(line,), reason=REASON
        )
        plan = [draft, SubmitPurchaseOrder(po_id=draft.po_id)]
        outcome = gate.submit_plan(plan, automation, key=uuid4().hex, title="", reason="")
        assert isinstance(outcome, Executed | Refused), outcome
        print("executed" if isinstance(outcome, Executed) else outcome.error.code, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
