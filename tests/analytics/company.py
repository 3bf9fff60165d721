"""A seeded generator of small companies, written straight into the tables, and kept as plain rows for the oracle."""

from __future__ import annotations

from datetime import timedelta

from erp_core.finance.model import exchange_rates
from erp_core.gate.model import company as facts
from erp_core.gate.model import users
from erp_core.master.model import (
    channels,
    data_feeds,
    import_visibility,
    items,
    legal_entities,
    locations,
    supplier_items,
    suppliers,
)
from tests.analytics.company_planning import governance, planning
from tests.analytics.company_purchasing import defects, invoices, is_placed, purchasing, taken_back
from tests.analytics.company_sales import credited, returned, sales
from tests.analytics.company_stock import stock
from tests.analytics.rows import FIRST, TODAY, Company, Row, moment, places

__all__ = ["TODAY", "Company", "Row", "is_placed", "make_company", "moment", "places"]


def make_company(seed: int, *, orders_count: int = 90, pos: int = 30) -> Company:
    """A company with every edge case: imports under way, cancellations, over-delivery, unknown costs, no promise."""
    company = Company(seed)
    master(company)
    sales(company, orders_count)
    purchasing(company, pos)
    returned(company)
    stock(company)
    planning(company)
    governance(company)
    invoices(company)
    defects(company)
    taken_back(company)
    credited(company)
    return company


def master(company: Company) -> None:
    rng = company.random
    company.add(facts, key="currency", value="EUR")
    for month in range(15):
        valid_from, rate = FIRST + timedelta(days=30 * month), 80_000_000 + 1_234_567 * month
        company.add(exchange_rates, currency="USD", valid_from=valid_from, rate=rate)
    for login in ("anna", "ben"):
        company.add(
            users, person_id=company.id(), login=login, name=login.title(), kind="person", active=True
        )
    for number in range(8):
        company.add(
            items,
            sku=f"SKU-{number:02}",
            name=f"Thing {number}",
            category=("Kitchen", "Garden", "Bath")[number % 3],
            brand=("Acme", "Nord")[number % 2],
            abc_class=("A", "B", "C", None)[number % 4],
            base_unit="piece",
            list_price=rng.choice((None, 120_000)),
            status="active",
        )
    for number in range(4):
        company.add(
            suppliers,
            code=f"SUP-{number}",
            name=f"Supplier {number}",
            currency="EUR",
            payment_days=(30, None, 10, 45)[number],
            minimum_order=0,
            segment="domestic",
            risk_class="low",
            status="active" if number != 2 else "blocked",
            internal=number == 3,
            created_by=company.rows["users"][0]["id"],
        )
    for item in company.rows["items"][:-1]:
        chosen = rng.sample(company.rows["suppliers"][:3], rng.randint(1, 3))
        for rank, supplier in enumerate(chosen, 1):
            company.add(
                supplier_items,
                supplier_id=supplier["id"],
                item_id=item["id"],
                minimum_quantity=1,
                order_multiple=1,
                rank=rank,
            )
    owners = {
        place: company.add(legal_entities, code=code, name=f"{code} Ltd", country="DE")["id"]
        for place, code in (("WH-1", "ONE"), ("WH-2", "TWO"))
    }
    for code, kind in (
        ("WH-1", "warehouse"),
        ("WH-2", "warehouse"),
        ("SHOP", "store"),
        ("OUTSIDE", "supplier"),
    ):
        company.add(
            locations,
            code=code,
            name=f"{code} place",
            kind=kind,
            physical=code != "OUTSIDE",
            legal_entity_id=owners.get(code),
        )
    for number, code in enumerate(("WEB", "MARKET", "SHOP")):
        company.add(channels, code=code, name=f"{code} channel", kind="web", priority=number)
    for kind in ("sales", "stock", "cost", "purchasing", "returns"):
        company.add(data_feeds, kind=kind, first_on=FIRST, last_on=TODAY, updated_at=moment(TODAY))
    for complete in (True, False):
        company.add(import_visibility, import_id=company.id(), complete=complete, as_of=TODAY, source="test")
