"""Rows of a company as a test keeps them: by table, as they are inserted."""

from __future__ import annotations

import random
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Engine

from erp_core.exceptions.model import case_subjects, cases
from erp_core.finance.model import cost_balances, cost_entries, exchange_rates
from erp_core.gate.model import company, proposal_states, proposals, users
from erp_core.inventory.model import stock_balances, stock_daily, stock_monthly, stock_moves
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
from erp_core.orders.model import demand_daily, order_lines, orders, shipment_lines, shipments
from erp_core.orders.past_sums import add_up_past_sales
from erp_core.planning.model import forecast_versions, forecast_weeks, promotions, reorder_points
from erp_core.procurement.model import (
    held_decisions,
    po_lines,
    purchase_orders,
    receipt_lines,
    receipt_reversals,
    receipts,
    vendor_claims,
    vendor_returns,
)
from erp_core.procurement.model.invoices import (
    invoice_steps,
    supplier_invoice_charges,
    supplier_invoice_lines,
    supplier_invoices,
)
from erp_core.returns.model import return_lines, returns
from erp_core.returns.model_credits import customer_credit_lines, customer_credits
from erp_core.storage.engine import gate_writing

TODAY = date(2026, 6, 30)
FIRST = date(2025, 4, 1)
TABLES = (
    company,
    exchange_rates,
    users,
    items,
    suppliers,
    supplier_items,
    legal_entities,
    locations,
    channels,
    data_feeds,
    import_visibility,
    orders,
    order_lines,
    shipments,
    shipment_lines,
    demand_daily,
    purchase_orders,
    po_lines,
    receipts,
    receipt_lines,
    held_decisions,
    receipt_reversals,
    supplier_invoices,
    supplier_invoice_lines,
    supplier_invoice_charges,
    invoice_steps,
    returns,
    return_lines,
    customer_credits,
    customer_credit_lines,
    vendor_returns,
    vendor_claims,
    stock_moves,
    stock_daily,
    stock_monthly,
    stock_balances,
    cost_entries,
    cost_balances,
    forecast_versions,
    forecast_weeks,
    reorder_points,
    promotions,
    cases,
    case_subjects,
    proposals,
    proposal_states,
)
Row = dict[str, Any]


def moment(day: date, hour: int = 9, minute: int = 0) -> datetime:
    return datetime.combine(day, time(hour, minute), UTC)


@dataclass
class Company:
    """Rows by table name, as they were inserted."""

    seed: int
    rows: dict[str, list[Row]] = field(default_factory=lambda: defaultdict(list))
    random: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)

    def id(self) -> UUID:
        return UUID(int=self.random.getrandbits(128), version=4)

    def add(self, table: Any, **values: Any) -> Row:
        if "audit_id" in table.c:
            values.setdefault("audit_id", self.id())
        if "id" in table.c:
            values.setdefault("id", self.id())
        self.rows[table.name].append(values)
        return values

    def day(self, start: date = FIRST, end: date = TODAY) -> date:
        return start + timedelta(days=self.random.randint(0, (end - start).days))

    def by_id(self, table: str) -> dict[UUID, Row]:
        return {row["id"]: row for row in self.rows[table]}

    def write(self, engine: Engine) -> Company:
        with gate_writing(engine) as connection:
            for table in TABLES:
                rows = self.rows[table.name]
                names = {name for row in rows for name in row}
                if rows:
                    connection.execute(
                        table.insert(), [{name: row.get(name) for name in names} for row in rows]
                    )
            for one in self.rows["import_visibility"]:
                item_ids = [item["id"] for item in self.rows["items"]]
                add_up_past_sales(connection, item_ids, import_id=one["import_id"])
        return self


def places(company: Company) -> list[Row]:
    return [row for row in company.rows["locations"] if row["physical"]]
