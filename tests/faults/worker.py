"""Work for a process that is killed, and that writes down what it was told had happened.

A line reaches the journal only after the gate
answered; a restarted worker repeats its last, unanswered number under the same key.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from multiprocessing.synchronize import Event
from pathlib import Path

from erp_core.gate.contract import Executed, Proposed, Submission
from erp_core.gate.decisions import ApproveProposal
from erp_core.gate.submission import Gate
from erp_core.orders.commands import PlaceOrder, ShipOrder
from erp_core.procurement.commands import (
    CreatePurchaseOrder,
    ReceiveGoods,
    RecordSupplierInvoice,
    SendPurchaseOrder,
    SubmitPurchaseOrder,
)
from erp_core.returns.commands import AuthoriseReturn, DisposeReturn, InspectReturn, ReceiveReturn
from erp_core.storage.types import money
from tests.conftest import TODAY
from tests.faults.company import ITEMS, id_of

BATCH = 10


def post(gate: Gate, number: int) -> None:
    """Place a batch of orders, then ship it."""
    service = gate.bootstrap_user("service", ("service",))
    warehouse = gate.bootstrap_user("warehouse", ("warehouse",))
    names = [f"order:{number}:{place}" for place in range(BATCH)]
    placed = gate.submit_many([Submission(_order(name), name) for name in names], service)
    shipped = gate.submit_many(
        [
            Submission(ShipOrder(order_id=id_of(name), shipment_id=id_of(f"ship:{name}")), f"ship:{name}")
            for name in names
        ],
        warehouse,
    )
    assert all(isinstance(one, Executed) for one in [*placed, *shipped]), (placed, shipped)


def _order(name: str) -> PlaceOrder:
    lines = [
        {
            "line_id": id_of(f"{name}:{number}"),
            "item_id": id_of(f"item{number}"),
            "location_id": id_of("hub"),
            "quantity": 2,
            "unit_price": money(5),
            "list_price": money(5),
        }
        for number in range(ITEMS)
    ]
    return PlaceOrder(
        order_id=id_of(name), external_ref=name, channel_id=id_of("web"), customer_country="NL", lines=lines
    )


def propose(gate: Gate, number: int) -> Proposed:
    """Draft a purchase order above the limit, and submit it: it waits for the manager."""
    buyer = gate.bootstrap_user("buyer", ("buyer",))
    draft = CreatePurchaseOrder(
        po_id=id_of(f"po:{number}"),
        supplier_id=id_of("supplier"),
        location_id=id_of("hub"),
        lines=[{"line_id": id_of(f"po:{number}:1"), "item_id": id_of("item0"), "quantity": 2_000}],
        reason="restock",
    )
    drafted = gate.submit(draft, buyer, key=f"draft:{number}")
    held = gate.submit(SubmitPurchaseOrder(po_id=id_of(f"po:{number}")), buyer, key=f"submit:{number}")
    assert isinstance(drafted, Executed) and isinstance(held, Proposed), (drafted, held)
    return held


def approve(gate: Gate, number: int) -> None:
    """Propose as above, and approve as the manager."""
    held = propose(gate, number)
    manager = gate.bootstrap_user("manager", ("manager",))
    decision = ApproveProposal(proposal_id=held.proposal_id, payload_hash=held.payload_hash)
    outcome = gate.submit(decision, manager, key=f"approve:{number}")
    assert isinstance(outcome, Executed) and outcome.result["status"] == "executed", outcome


def refund(gate: Gate, number: int) -> None:
    """Sell two units, take them back, and give the money back."""
    post(gate, number)
    clerk = gate.bootstrap_user("returns", ("returns",))
    order, back, line = f"order:{number}:0", id_of(f"back:{number}"), id_of(f"back:{number}:1")
    steps = [
        AuthoriseReturn(
            return_id=back,
            order_id=id_of(order),
            lines=[
                {
                    "return_line_id": line,
                    "order_line_id": id_of(f"{order}:0"),
                    "quantity": 2,
                    "reason_code": "changed_mind",
                }
            ],
        ),
        ReceiveReturn(return_id=back),
        InspectReturn(return_id=back, lines=[{"return_line_id": line, "condition": "as_new"}]),
        DisposeReturn(return_id=back),
    ]
    for step in steps:
        outcome = gate.submit(step, clerk, key=f"{step.command_name}:{number}")
        assert isinstance(outcome, Executed), outcome


def receive(gate: Gate, number: int) -> None:
    """Buy, receive more than was bought, and record an invoice for what was bought, in a transaction each."""
    service = gate.bootstrap_user("simulator", ("simulator",), kind="service")
    po_id = id_of(f"received:{number}")
    lines = [{"line_id": id_of(f"received:{number}:{n}"), "item_id": id_of(f"item{n}")} for n in range(ITEMS)]
    draft = CreatePurchaseOrder(
        po_id=po_id,
        supplier_id=id_of("supplier"),
        location_id=id_of("hub"),
        lines=[line | {"quantity": 1} for line in lines],
        reason="restock",
    )
    receipt = ReceiveGoods(
        receipt_id=id_of(f"receipt:{number}"),
        po_id=po_id,
        lines=[
            {
                "receipt_line_id": id_of(f"receipt:{number}:{n}"),
                "po_line_id": line["line_id"],
                "quantity": 2 if n == 0 else 1,
            }
            for n, line in enumerate(lines)
        ],
    )
    bill = RecordSupplierInvoice(
        invoice_id=id_of(f"invoice:{number}"),
        supplier_id=id_of("supplier"),
        number=f"R {number:06d}/{number % 7}",
        currency="EUR",
        invoiced_on=TODAY,
        lines=[
            {"po_id": po_id, "po_line_id": line["line_id"], "quantity": 1, "unit_price": money(2)}
            for line in lines
        ],
        total=ITEMS * money(2),
    )
    for name, command in (
        ("draft", draft),
        ("submit", SubmitPurchaseOrder(po_id=po_id)),
        ("send", SendPurchaseOrder(po_id=po_id)),
        ("receive", receipt),
        ("bill", bill),
    ):
        outcome = gate.submit(command, service, key=f"{name}:{number}")
        assert isinstance(outcome, Executed), (name, outcome)


JOBS = {"receive": receive, "refund": refund, "post": post, "propose": propose, "approve": approve}


def answered(journal: Path) -> Iterator[int]:
    """The numbers that the gate answered before the worker was killed; a torn last line is not one."""
    if journal.exists():
        for line in journal.read_text().splitlines(keepends=True):
            if line.endswith("\n"):
                yield int(line)


def work(gate: Gate, journal: Path, job: str, ready: Event) -> None:
    """Work for ever, from the first number on that was not answered."""
    gate.engine.dispose(close=False)  # the connections are the parent's, what it compiled serves the child
    number = 1 + max(answered(journal), default=0)
    ready.set()
    with journal.open("a") as file:
        while True:
            JOBS[job](gate, number)
            file.write(f"{number}\n")
            file.flush()
            os.fsync(file.fileno())
            number += 1
