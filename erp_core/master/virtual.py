"""The virtual locations: the far ends of stock moves, outside the company.

Their ids are fixed. They hold no balance, and they come with the first location that is created.
"""

from __future__ import annotations

from uuid import UUID

from erp_core.gate.contract import Transaction
from erp_core.master.model import locations
from erp_core.storage.bulk import insert_missing

SUPPLIER = UUID("00000000-0000-7000-8000-000000000001")
CUSTOMER = UUID("00000000-0000-7000-8000-000000000002")
LOSS = UUID("00000000-0000-7000-8000-000000000003")
KIT_ASSEMBLY = UUID("00000000-0000-7000-8000-000000000004")

VIRTUAL_LOCATIONS = {
    SUPPLIER: ("SUPPLIER", "Suppliers", "supplier"),
    CUSTOMER: ("CUSTOMER", "Customers", "customer"),
    LOSS: ("LOSS", "Loss and write-off", "loss"),
    KIT_ASSEMBLY: ("KIT-ASSEMBLY", "Kit assembly", "kit_assembly"),
}


def ensure_virtual_locations(tx: Transaction, audit_id: UUID) -> None:
    """Make the virtual locations if they are not there yet."""
    insert_missing(
        tx.connection,
        locations,
        [
            {
                "id": id_,
                "code": code,
                "name": name,
                "kind": kind,
                "country": None,
                "physical": False,
                "audit_id": audit_id,
            }
            for id_, (code, name, kind) in VIRTUAL_LOCATIONS.items()
        ],
    )
