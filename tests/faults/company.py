"""A small company built through the gate, for the tests of crashes and races."""

from __future__ import annotations

from datetime import date
from uuid import NAMESPACE_URL, UUID, uuid5

from erp_core.finance.commands import SetOpeningCost
from erp_core.gate.contract import Command, Executed, Submission
from erp_core.gate.principals import Principal
from erp_core.gate.submission import Gate
from erp_core.inventory.commands import PostOpeningStock
from erp_core.master.commands import (
    ActivateItem,
    ActivateSupplier,
    AddSupplierDocument,
    CreateChannel,
    CreateItem,
    CreateLocation,
    CreateSupplier,
    SetSupplierItem,
    SubmitSupplier,
)
from erp_core.storage.types import money

ITEMS = 5
OPENING = 100_000


def id_of(name: str) -> UUID:
    """The id of a thing of this company by its name."""
    return uuid5(NAMESPACE_URL, f"faults:{name}")


def found(gate: Gate) -> dict[str, Principal]:
    """Build it; gives a principal per role."""
    gate.install_policies()
    people = {
        role: gate.bootstrap_user(role, (role,))
        for role in ("admin", "buyer", "manager", "returns", "service", "warehouse")
    }
    run(gate, people["admin"], [CreateLocation(location_id=id_of("hub"), code="HUB", location_name="Hub")])
    run(
        gate,
        people["admin"],
        [CreateChannel(channel_id=id_of("web"), code="WEB", channel_name="Web", kind="web")],
    )
    supplier = CreateSupplier(
        supplier_id=id_of("supplier"),
        code="SUP",
        supplier_name="Supplier",
        currency="EUR",
        country="NL",
        payment_days=30,
        delivery_terms="DAP",
        lead_time_days=14,
    )
    registration = AddSupplierDocument(
        document_id=id_of("registration"),
        supplier_id=id_of("supplier"),
        kind="business_registration",
        number="KvK 1",
        valid_from=date(2020, 1, 1),
    )
    run(gate, people["admin"], [supplier, registration, SubmitSupplier(supplier_id=id_of("supplier"))])
    for number in range(ITEMS):
        item = id_of(f"item{number}")
        run(
            gate,
            people["admin"],
            [
                CreateItem(
                    item_id=item,
                    sku=f"SKU-{number}",
                    item_name=f"Item {number}",
                    category="Things",
                    brand="Brand",
                    base_unit="piece",
                    standard_cost=money(2),
                    list_price=money(5),
                ),
                ActivateItem(item_id=item),
                SetSupplierItem(supplier_id=id_of("supplier"), item_id=item, price=money(2)),
            ],
        )
    simulator = gate.bootstrap_user("simulator", ("simulator",), kind="service")
    approve(
        gate,
        people["manager"],
        gate.submit(ActivateSupplier(supplier_id=id_of("supplier")), simulator, key="act"),
    )
    lines = tuple({"item_id": id_of(f"item{number}"), "quantity": OPENING} for number in range(ITEMS))
    opening = PostOpeningStock(document_id=id_of("opening"), location_id=id_of("hub"), lines=lines)  # type: ignore[arg-type]
    run(gate, people["admin"], [opening])
    costs = tuple({"item_id": id_of(f"item{number}"), "unit_cost": money(2)} for number in range(ITEMS))
    run(gate, people["admin"], [SetOpeningCost(document_id=id_of("costs"), lines=costs)])  # type: ignore[arg-type]
    return people


def run(gate: Gate, principal: Principal, commands: list[Command]) -> None:
    """Submit one after the other and expect each to be executed."""
    for command in commands:
        (outcome,) = gate.submit_many(
            [Submission(command, f"found:{command.model_dump_json()}"[:120])], principal
        )
        assert isinstance(outcome, Executed), (command, outcome)


def approve(gate: Gate, manager: Principal, outcome: object) -> None:
    """Approve a proposal as its only approver."""
    from erp_core.gate.contract import Proposed
    from erp_core.gate.decisions import ApproveProposal

    assert isinstance(outcome, Proposed), outcome
    decision = ApproveProposal(proposal_id=outcome.proposal_id, payload_hash=outcome.payload_hash)
    executed = gate.submit(decision, manager, key=f"approve:{outcome.proposal_id}")
    assert isinstance(executed, Executed) and executed.result["status"] == "executed", executed
