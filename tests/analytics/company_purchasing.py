"""Purchases of a generated company: orders, receipts and what suppliers bill."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, timedelta
from uuid import UUID

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
from tests.analytics.rows import TODAY, Company, Row, moment, places


def purchasing(company: Company, count: int) -> None:
    rng = company.random
    statuses = (
        "draft",
        "submitted",
        "approved",
        "sent",
        "confirmed",
        "partly_received",
        "received",
        "closed",
        "cancelled",
    )
    imports = [row["import_id"] for row in company.rows["import_visibility"]]
    for number in range(count):
        status = rng.choice((*statuses, "received", "received", "partly_received"))
        created = company.day(end=TODAY - timedelta(days=3))
        sent = (
            None
            if status in ("draft", "submitted", "approved")
            else created + timedelta(days=rng.randint(0, 3))
        )
        submitted = None if status == "draft" else moment(created, 8, rng.randint(0, 59))
        order = company.add(
            purchase_orders,
            number=f"PO-{number:03}",
            supplier_id=rng.choice(company.rows["suppliers"])["id"],
            location_id=rng.choice(places(company))["id"],
            buyer_id=rng.choice(company.rows["users"])["id"],
            currency="EUR",
            status=status,
            total=0,
            freight_cost=rng.randint(0, 5) * 33_000,
            expedite_cost=rng.choice((0, 0, 50_000)),
            created_on=created,
            submitted_at=submitted,
            approved_at=submitted + timedelta(minutes=rng.randint(5, 4_000)) if sent and submitted else None,
            sent_on=sent,
            known_on=created,
            reason="",
            version=1,
            import_id=rng.choice((None, None, None, None, *imports)),
        )
        if order["import_id"] is not None and number % 3 == 0:
            order["sent_on"] = None  # sources do not always say when
        for line_no, item in enumerate(rng.sample(company.rows["items"], rng.randint(1, 3)), 1):
            _po_line(company, order, line_no, item)


def is_placed(order: Row) -> bool:
    """Whether it went to the supplier, on a known day or not."""
    placed = ("sent", "confirmed", "partly_received", "received", "closed")
    return order["sent_on"] is not None or order["status"] in placed


def _po_line(company: Company, order: Row, line_no: int, item: Row) -> None:
    rng = company.random
    quantity, status = rng.randint(2, 30), order["status"]
    sent = order["sent_on"] or (order["created_on"] if is_placed(order) else None)
    first = sent + timedelta(days=rng.randint(5, 60)) if sent and rng.random() < 0.85 else None
    line = company.add(
        po_lines,
        po_id=order["id"],
        line_no=line_no,
        item_id=item["id"],
        quantity=quantity,
        unit_price=rng.randint(1, 9) * 10_000,
        reference_price=rng.randint(1, 9) * 10_000,
        need_by=order["created_on"] + timedelta(days=40) if rng.random() < 0.8 else None,
        first_promised_on=first,
        promised_on=first + timedelta(days=rng.choice((0, 0, 12))) if first else None,
        accepted_quantity=0,
        accepted_by_promise=0,
        held_quantity=0,
        rejected_quantity=0,
        cancelled_quantity=0,
        completed_on=None,
        import_id=order["import_id"],
    )
    order["total"] += quantity * line["unit_price"]
    wanted = {
        "received": quantity,
        "closed": quantity - rng.randint(0, 1),
        "partly_received": quantity // 2,
    }.get(status, 0)
    parts = [wanted // 2, wanted - wanted // 2] if rng.random() < 0.4 else [wanted]
    for units in (part for part in parts if part):
        day = min(sent + timedelta(days=rng.randint(3, 70)), TODAY)
        rejected, held = rng.choice((0, 0, 2)), rng.choice((0, 0, 3))
        receipt = company.add(
            receipts,
            po_id=order["id"],
            location_id=order["location_id"],
            received_on=day,
            known_on=day,
            import_id=order["import_id"],
        )
        company.add(
            receipt_lines,
            receipt_id=receipt["id"],
            po_line_id=line["id"],
            accepted_quantity=units,
            held_quantity=held,
            inspection_quantity=held // 3,
            quarantined_quantity=held // 2,
            rejected_quantity=rejected,
            exact=int(not held and not rejected),
        )
        line["accepted_quantity"] += units
        line["held_quantity"] += held
        line["rejected_quantity"] += rejected
        if first and day <= first:
            line["accepted_by_promise"] += units
        if line["accepted_quantity"] == quantity:
            line["completed_on"] = max(
                row["received_on"] for row in company.rows["receipts"] if row["po_id"] == order["id"]
            )
    if status in ("cancelled", "closed"):
        line["cancelled_quantity"] = quantity - line["accepted_quantity"]


def defects(company: Company) -> None:
    """What inspection found, and what customers sent back that went to suppliers; drawn last, so that nothing shifts."""
    days = {row["id"]: row["received_on"] for row in company.rows["receipts"]}
    for number, row in enumerate(company.rows["receipt_lines"]):
        if row["inspection_quantity"]:
            company.add(
                held_decisions,
                po_line_id=row["po_line_id"],
                decision=("accept", "return", "quarantine")[number % 3],
                held_for="inspection",
                quantity=row["inspection_quantity"],
                decided_on=min(days[row["receipt_id"]] + timedelta(days=number % 4), TODAY),
            )
    for number, line in enumerate(company.rows["return_lines"]):
        if line["import_id"] is None and number % 3 == 0:
            company.add(
                vendor_claims,
                return_line_id=line["id"],
                supplier_id=company.rows["suppliers"][number % 4]["id"] if number % 2 else None,
                item_id=line["item_id"],
                quantity=line["quantity"],
                status="open",
                opened_on=min(line["returned_on"] + timedelta(days=5), TODAY),
                version=1,
            )
    sent_back(company, days)


def sent_back(company: Company, days: dict[UUID, date]) -> None:
    """Goods that went back from stock, some counted as defective and some taken back since."""
    orders, lines = company.by_id("purchase_orders"), company.by_id("po_lines")
    for number, row in enumerate(company.rows["receipt_lines"]):
        line = lines[row["po_line_id"]]
        order = orders[line["po_id"]]
        if not row["accepted_quantity"] or order["import_id"] is not None or number % 3:
            continue
        on = min(days[row["receipt_id"]] + timedelta(days=number % 9), TODAY)
        gone = company.add(
            vendor_returns,
            po_id=order["id"],
            po_line_id=line["id"],
            location_id=order["location_id"],
            state="available",
            quantity=row["accepted_quantity"],
            reason_code="quality",
            defect="faulty" if number % 2 else None,
            new_defects=row["accepted_quantity"] * (number % 2),
            returned_on=on,
            occurred_at=moment(on),
        )
        company.add(
            vendor_claims,
            vendor_return_id=gone["id"],
            po_line_id=line["id"],
            supplier_id=order["supplier_id"],
            item_id=line["item_id"],
            quantity=row["accepted_quantity"],
            status="withdrawn" if number % 5 == 0 else "open",
            credited=0 if number % 5 == 0 else None,
            opened_on=on,
            settled_on=on if number % 5 == 0 else None,
            version=1,
        )


def taken_back(company: Company) -> None:
    """Receipts that were wrong, of orders of our own, and the reversal of each; the lines are as if they had not come."""
    orders = company.by_id("purchase_orders")
    for number, order in enumerate(company.rows["purchase_orders"]):
        lines = [line for line in company.rows["po_lines"] if line["po_id"] == order["id"]]
        if orders[order["id"]]["import_id"] is not None or not is_placed(order) or number % 2:
            continue
        day = min(order["sent_on"] + timedelta(days=number % 40), TODAY)
        receipt = company.add(
            receipts,
            po_id=order["id"],
            location_id=order["location_id"],
            received_on=day,
            known_on=day,
            import_id=None,
        )
        for line in lines:
            company.add(
                receipt_lines,
                receipt_id=receipt["id"],
                po_line_id=line["id"],
                accepted_quantity=number % 5,
                held_quantity=3,
                inspection_quantity=1,
                quarantined_quantity=1,
                rejected_quantity=number % 3,
                exact=number % 4 // 2,
            )
        company.add(
            receipt_reversals,
            receipt_id=receipt["id"],
            reversed_on=min(day + timedelta(days=number % 30), TODAY),
            reason_code="counted_wrongly",
        )


STEPS = {
    "matched": [("matched", None)],
    "late": [("held", None), ("matched", None)],
    "accepted": [("held", None), ("matched", "price_agreed")],
    "paid": [("matched", None), ("paid", None)],
    "held": [("held", None)],
    "disputed": [("matched", None), ("disputed", "price")],
    "rejected": [("held", None), ("rejected", "duplicate")],
}


def invoices(company: Company) -> None:
    """Suppliers' invoices of one order or two, in our currency, another one and one without a rate; some credit notes."""
    rng = company.random
    by_supplier: dict[UUID, list[Row]] = defaultdict(list)
    for order in company.rows["purchase_orders"]:
        if is_placed(order) and order["import_id"] is None:
            by_supplier[order["supplier_id"]].append(order)
    number = 0
    for supplier_id, orders in by_supplier.items():
        for place in range(0, len(orders), 2):
            for fate in rng.sample(list(STEPS), 3):
                number += 1
                _invoice(company, supplier_id, orders[place : place + rng.randint(1, 2)], fate, number)


def _invoice(company: Company, supplier_id: UUID, orders: list[Row], fate: str, number: int) -> None:
    rng, ids = company.random, [order["id"] for order in orders]
    steps = STEPS[fate]
    status, reason = steps[-1]
    invoiced_on = company.day(start=max(order["created_on"] for order in orders))
    credits = next(
        (row["id"] for row in company.rows["supplier_invoices"] if row["supplier_id"] == supplier_id), None
    )
    kind = "credit_note" if credits and fate == "matched" and rng.random() < 0.5 else "invoice"
    invoice = company.add(
        supplier_invoices,
        supplier_id=supplier_id,
        number=f"R-{number}",
        number_key=f"R{number}",
        kind=kind,
        credits_id=credits if kind == "credit_note" else None,
        currency=rng.choice(("EUR", "EUR", "USD", "GBP")),
        tax=0,
        total=0,
        invoiced_on=invoiced_on,
        due_on=invoiced_on + timedelta(days=30),
        recorded_on=min(invoiced_on + timedelta(days=rng.randint(0, 3)), TODAY),
        status=status,
        held_since=invoiced_on if status in ("held", "disputed") else None,
        round=1,
        owner_role=None,
        owner_id=None,
        reason_code=reason,
        version=len(steps),
    )
    lines = [line for line in company.rows["po_lines"] if line["po_id"] in ids and rng.random() < 0.8]
    for line_no, line in enumerate(lines, 1):
        part = company.add(
            supplier_invoice_lines,
            invoice_id=invoice["id"],
            line_no=line_no,
            po_line_id=line["id"],
            quantity=rng.randint(1, 20),
            unit_price=line["unit_price"] + rng.choice((0, 0, 7_000, -3_000)),
            price_only=int(kind == "credit_note" and rng.random() < 0.5),
        )
        invoice["total"] += part["quantity"] * part["unit_price"]
    if not lines or rng.random() < 0.4:
        amount = rng.randint(1, 9) * 11_111
        company.add(
            supplier_invoice_charges,
            invoice_id=invoice["id"],
            po_id=ids[0],
            kind=rng.choice(("freight", "prepayment")),
            amount=amount,
        )
        invoice["total"] += amount
    for version, (step, why) in enumerate(steps, 1):
        day = min(invoice["recorded_on"] + timedelta(days=20 * (version - 1)), TODAY)
        company.add(
            invoice_steps,
            invoice_id=invoice["id"],
            version=version,
            status=step,
            booked=int(step == "matched"),
            happened_on=day,
            happened_at=moment(day),
            user_id=company.rows["users"][0]["id"],
            reason_code=why,
        )
