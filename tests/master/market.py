"""Suppliers of the shop under test: drafted, with documents, submitted, activated by a manager."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID, uuid4

from erp_core.gate.contract import Command, Executed, Outcome, Proposed
from erp_core.gate.decisions import ApproveProposal
from erp_core.master.commands import (
    ActivateSupplier,
    AddSupplierDocument,
    CreateSupplier,
    SetSupplierItem,
    SubmitSupplier,
)
from erp_core.storage.ids import new_id
from tests.shop import Shop


def supplier(**fields: object) -> CreateSupplier:
    """A draft with all terms, under a name of its own."""
    code = f"V{new_id().hex[-9:]}"
    values = {
        "supplier_id": uuid4(),
        "code": code,
        "supplier_name": f"{code} Trading",
        "currency": "EUR",
        "country": "DE",
    }
    terms = {"payment_days": 30, "delivery_terms": "DAP", "lead_time_days": 14, "segment": "domestic"}
    return CreateSupplier.model_validate(values | terms | fields)


def document(supplier_id: UUID, kind: str = "business_registration", **fields: Any) -> AddSupplierDocument:
    """A document without end."""
    values = {"document_id": uuid4(), "supplier_id": supplier_id, "kind": kind, "number": "HRB 7"}
    return AddSupplierDocument(**values | {"valid_from": date(2020, 1, 1)} | fields)


def ask(shop: Shop, command: Command) -> Outcome:
    """What the gate says."""
    (outcome,) = shop.submit(command)
    return outcome


def approve(shop: Shop, proposed: Outcome) -> Outcome:
    """The manager's yes."""
    assert isinstance(proposed, Proposed), proposed
    manager = shop.gate.bootstrap_user("boss", roles=("manager",))
    decision = ApproveProposal(proposal_id=proposed.proposal_id, payload_hash=proposed.payload_hash)
    return shop.gate.submit(decision, manager, key=uuid4().hex)


def agree(shop: Shop, command: Command) -> Outcome:
    """Ask, and let the manager say yes where policy wants it; the last answer."""
    outcome = ask(shop, command)
    return approve(shop, outcome) if isinstance(outcome, Proposed) else outcome


def active_supplier(shop: Shop, *kinds: str, **fields: object) -> UUID:
    """A supplier that orders may go to, with these documents beside its registration."""
    draft = supplier(**fields)
    shop.run(draft)
    for kind in ("business_registration", *kinds):
        shop.run(document(draft.supplier_id, kind))
    shop.run(SubmitSupplier(supplier_id=draft.supplier_id))
    outcome = agree(shop, ActivateSupplier(supplier_id=draft.supplier_id))
    assert isinstance(outcome, Executed), outcome
    return draft.supplier_id


def offered(shop: Shop, supplier_id: UUID, item_id: UUID, price: int = 100_000, **fields: Any) -> None:
    """The supplier supplies the item from now on."""
    outcome = agree(shop, SetSupplierItem(supplier_id=supplier_id, item_id=item_id, price=price, **fields))
    assert isinstance(outcome, Executed), outcome
