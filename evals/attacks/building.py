"""Builds the company under attack through the gate, as its people would."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

from erp_core.finance.commands import SetExchangeRate
from erp_core.gate.commands import SetCompanyFact
from erp_core.gate.users import CreateUser
from erp_core.inventory.commands import PostOpeningStock, StockLine
from erp_core.master.commands import (
    ActivateItem,
    ActivateSupplier,
    AddSupplierDocument,
    CreateItem,
    CreateLocation,
    CreateSupplier,
    SetSupplierItem,
    SubmitSupplier,
)
from erp_core.procurement.commands import SendPurchaseOrder, SubmitPurchaseOrder
from erp_core.storage.types import money
from evals.attacks.company import (
    ACME,
    CHAIR,
    CROWN,
    DOLLAR,
    FRESH,
    LAMP,
    OTHER,
    PRICE,
    STORE,
    WAREHOUSE,
    AttackedCompany,
    named,
)

PEOPLE = {
    "planner": ("planner",),
    "buyer": ("buyer",),
    "colleague": ("buyer",),
    "manager": ("manager",),
    "deputy": ("manager",),
    "finance": ("finance",),
    "treasurer": ("finance",),
    "warehouse": ("warehouse",),
    "returns": ("returns",),
    "service": ("service",),
    "executive": ("executive",),
    "admin": ("admin",),
    "operator": ("admin",),
    "emergency": ("emergency", "buyer"),
    "chief": ("manager", "finance"),
    "founder": ("admin", "manager"),
    "owner": ("admin", "buyer"),
    "rescuer": ("admin", "emergency"),
    "shopkeeper": ("buyer", "warehouse"),
    "warden": ("warehouse", "manager"),
    "mixed-person": ("automation", "buyer"),
}
SECOND_ACCOUNTS = {
    "buyer-2": ("buyer", "manager"),
    "manager-2": ("manager", "finance"),
    "admin-2": ("admin", "finance"),
    "emergency-2": ("emergency", "manager"),
}
"""Login, whose it is, and the role it has."""
SERVICES = {
    "jobs": ("jobs",),
    "automation": ("automation",),
    "robot": ("buyer", "manager"),
    "mixed-service": ("automation", "buyer"),
}
SUPPLIERS = {ACME: "EUR", OTHER: "EUR", FRESH: "EUR", DOLLAR: "USD", CROWN: "CZK"}
CODES = {ACME: "ACME", OTHER: "OTHER", FRESH: "FRESH", DOLLAR: "DOLLAR", CROWN: "CROWN"}
DOLLAR_RATE = 90_000_000
"""0.90 of the company's currency for a dollar, in hundred-millionths."""


def build(company: AttackedCompany) -> None:
    """People, places, items, suppliers, prices and stock."""
    company.gate.install_policies()
    for login, roles in PEOPLE.items():
        company.person(login, *roles)
    for login, roles in SERVICES.items():
        company.gate.bootstrap_user(login, roles, kind="service")
    for login, (owner, role) in SECOND_ACCOUNTS.items():
        _second_account(company, owner, login, role)
    company.do(CreateLocation(location_id=WAREHOUSE, code="MAIN", location_name="Main warehouse"), "admin")
    company.do(CreateLocation(location_id=STORE, code="STORE", location_name="Store", kind="store"), "admin")
    for item_id, name in ((LAMP, "Lamp"), (CHAIR, "Chair")):
        described: dict[str, Any] = {
            "item_name": name,
            "category": name,
            "brand": "Aurora",
            "base_unit": "piece",
        }
        company.do(CreateItem(item_id=item_id, sku=name.upper(), **described), "admin")
        company.do(ActivateItem(item_id=item_id), "admin")
    company.do(SetCompanyFact(key="currency", value="EUR"), "admin")
    for supplier_id, currency in SUPPLIERS.items():
        _add_supplier(company, supplier_id, currency)
    rate = SetExchangeRate(currency="USD", valid_from=date(2026, 1, 1), rate=DOLLAR_RATE)
    company.agrees(company.submit(rate, "finance"), "manager")
    for supplier_id in (ACME, OTHER, DOLLAR):
        first = company.draft(100, supplier=supplier_id)
        company.agrees(company.submit(SubmitPurchaseOrder(po_id=first), "buyer"), "manager")
        company.do(SendPurchaseOrder(po_id=first), "buyer")
    opening = PostOpeningStock(
        document_id=named("opening"),
        location_id=WAREHOUSE,
        lines=(StockLine(item_id=LAMP, quantity=2_000), StockLine(item_id=CHAIR, quantity=2_000)),
    )
    company.do(opening, "admin")


def _second_account(company: AttackedCompany, owner: str, login: str, role: str) -> None:
    """Another account of a person, made as a company's installer does, before anybody could be asked."""
    user_id = uuid5(NAMESPACE_URL, f"quartermaster:user:{login}")
    person_id = company.person(owner).person
    company.gate._set_up(
        CreateUser(user_id=user_id, login=login, person_name=login, roles=(role,), person_id=person_id)
    )


def _add_supplier(company: AttackedCompany, supplier_id: UUID, currency: str) -> None:
    code = CODES[supplier_id]
    terms: dict[str, Any] = {
        "currency": currency,
        "country": "Italy",
        "payment_days": 30,
        "delivery_terms": "DAP",
        "lead_time_days": 14,
    }
    company.do(
        CreateSupplier(supplier_id=supplier_id, code=code, supplier_name=f"{code} {code}", **terms), "admin"
    )
    registration = AddSupplierDocument(
        document_id=named(f"registration of {code}"),
        supplier_id=supplier_id,
        kind="business_registration",
        number=f"HRB {code}",
        valid_from=date(2020, 1, 1),
    )
    company.do(registration, "admin")
    company.do(SubmitSupplier(supplier_id=supplier_id), "admin")
    company.agrees(company.submit(ActivateSupplier(supplier_id=supplier_id), "manager"), "deputy")
    if supplier_id == ACME:
        for item_id in (LAMP, CHAIR):
            company.do(SetSupplierItem(supplier_id=supplier_id, item_id=item_id, price=money(PRICE)), "admin")
