"""Purchasing again, in plain Python."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import date
from uuid import UUID

from tests.analytics.company import TODAY, Row, is_placed
from tests.analytics.oracle_rows import Line, Rows, Value


class Purchasing(Rows):
    """Purchasing again, in plain Python."""

    def po_dims(self, order: Row) -> Row:
        return {
            "supplier": self.codes[order["supplier_id"]],
            "buyer": self.codes[order["buyer_id"]],
            **self.place_dims(order["location_id"]),
            "po_status": order["status"],
        }

    def po_lines(self) -> Iterator[tuple[Row, Row, Row]]:
        orders = self.company.by_id("purchase_orders")
        for line in self.rows("po_lines"):
            order = orders[line["po_id"]]
            yield line, order, self.item_dims[line["item_id"]] | self.po_dims(order)

    def external(self, order: Row) -> bool:
        return not self.company.by_id("suppliers")[order["supplier_id"]]["internal"]

    @staticmethod
    def left(line: Row) -> int:
        return int(line["quantity"] - line["cancelled_quantity"] - line["accepted_quantity"])

    def is_late(self, line: Row, order: Row) -> bool:
        due = line["first_promised_on"] or line["promised_on"] or line["need_by"]
        sent = order["status"] in ("sent", "confirmed", "partly_received")
        return bool(sent and self.left(line) > 0 and due and due < TODAY)

    def created(self) -> Iterator[Line]:
        for _, order, dims in self.po_lines():
            if order["status"] != "cancelled":
                yield dims, order["created_on"], {"order": order["id"]}

    def sent(self) -> Iterator[Line]:
        active = {row["id"] for row in self.company.rows["suppliers"] if row["status"] == "active"}
        sources: dict[UUID, int] = defaultdict(int)
        for row in self.company.rows["supplier_items"]:
            sources[row["item_id"]] += row["supplier_id"] in active
        for line, order, dims in self.po_lines():
            if is_placed(order) and self.external(order):
                share = line["quantity"] * line["unit_price"] / order["total"]
                value = (line["quantity"] - line["cancelled_quantity"]) * line["unit_price"]
                yield (
                    dims,
                    order["sent_on"] or order["created_on"],
                    {
                        "value": value,
                        "single": value if sources[line["item_id"]] < 2 else 0,
                        "freight": order["freight_cost"] * share,
                        "expedite": order["expedite_cost"] * share,
                    },
                )

    def open_pos(self) -> Iterator[Line]:
        for line, order, dims in self.po_lines():
            left = self.left(line)
            if order["status"] in ("approved", "sent", "confirmed", "partly_received") and left > 0:
                late = self.is_late(line, order)
                yield (
                    dims,
                    None,
                    {
                        "units": left,
                        "on_order": left if order["status"] != "approved" else 0,
                        "value": left * line["unit_price"],
                        "late": int(late),
                        "late_value": left * line["unit_price"] if late else 0,
                    },
                )

    def due(self) -> Iterator[Line]:
        for line, order, dims in self.po_lines():
            first = line["first_promised_on"]
            wanted = line["quantity"] - (0 if order["status"] == "closed" else line["cancelled_quantity"])
            if self.external(order) and is_placed(order) and first and first < TODAY and wanted:
                done = line["completed_on"]
                on_time = done is not None and done <= first
                yield (
                    dims,
                    first,
                    {
                        "on_time": on_time,
                        "latest": done is not None and done <= line["promised_on"],
                        "in_full": line["accepted_quantity"] >= wanted and not line["rejected_quantity"],
                        "otif": on_time and not line["rejected_quantity"],
                        "units": wanted,
                        "good": min(line["accepted_by_promise"], wanted),
                    },
                )

    def received(self, as_of: date | None = None) -> Iterator[Line]:
        """Lines of receipts that were never taken back, or not by the end of a day."""
        receipts = self.company.by_id("receipts")
        taken_back = {
            row["receipt_id"]
            for row in self.company.rows["receipt_reversals"]
            if as_of is None or row["reversed_on"] <= as_of
        }
        lines = {line["id"]: (line, order, dims) for line, order, dims in self.po_lines()}
        for row in self.company.rows["receipt_lines"]:
            if row["po_line_id"] in lines and row["receipt_id"] not in taken_back:
                line, order, dims = lines[row["po_line_id"]]
                yield (
                    dims,
                    receipts[row["receipt_id"]]["received_on"],
                    {"row": row, "line": line, "order": order},
                )

    def supplied(self) -> Iterator[Line]:
        for dims, day, part in self.received():
            row = part["row"]
            arrived = row["accepted_quantity"] + row["held_quantity"] + row["rejected_quantity"]
            yield (
                dims,
                day,
                {"arrived": arrived, "defects": row["rejected_quantity"] + row["quarantined_quantity"]},
            )
        lines = {line["id"]: dims for line, _, dims in self.po_lines()}
        for row in self.company.rows["held_decisions"]:
            bad = row["held_for"] == "inspection" and row["decision"] in ("return", "quarantine")
            if bad and row["po_line_id"] in lines:
                yield lines[row["po_line_id"]], row["decided_on"], {"arrived": 0, "defects": row["quantity"]}
        backs = self.company.by_id("return_lines")
        for claim in self.company.rows["vendor_claims"]:
            if claim["supplier_id"] and claim.get("return_line_id"):
                place = backs[claim["return_line_id"]]["location_id"]
                dims = self.item_dims[claim["item_id"]] | self.place_dims(place)
                dims |= {"supplier": self.codes[claim["supplier_id"]], "buyer": None, "po_status": None}
                yield dims, claim["opened_on"], {"arrived": 0, "defects": claim["quantity"]}
        taken_back = {
            claim.get("vendor_return_id")
            for claim in self.company.rows["vendor_claims"]
            if claim["status"] == "withdrawn"
        }
        for row in self.company.rows["vendor_returns"]:
            if row["new_defects"] and row["id"] not in taken_back and row["po_line_id"] in lines:
                found = {"arrived": 0, "defects": row["new_defects"]}
                yield lines[row["po_line_id"]], row["returned_on"], found

    def lead_times(self) -> Iterator[Line]:
        for dims, day, part in self.received():
            order = part["order"]
            if self.external(order) and order["sent_on"] and part["row"]["accepted_quantity"]:
                yield (
                    dims,
                    day,
                    {"units": part["row"]["accepted_quantity"], "days": (day - order["sent_on"]).days},
                )
        for line, order, dims in self.po_lines():
            if self.external(order) and order["sent_on"] and self.is_late(line, order):
                yield dims, TODAY, {"units": self.left(line), "days": (TODAY - order["sent_on"]).days}

    def approvals(self) -> Iterator[Line]:
        for order in self.rows("purchase_orders"):
            if order["submitted_at"] and order["approved_at"]:
                hours = (order["approved_at"] - order["submitted_at"]).total_seconds() / 3600
                yield self.po_dims(order), order["approved_at"].date(), {"hours": hours}

    def paid(self, invoice: Row, as_of: date) -> bool:
        return any(step["status"] == "paid" and step["happened_on"] <= as_of for step in self.steps(invoice))

    def payables(self, as_of: date = TODAY) -> Iterator[Line]:
        suppliers = self.company.by_id("suppliers")
        invoices = self.company.by_id("supplier_invoices")
        billed: dict[UUID, list[tuple[Row, Row]]] = defaultdict(list)
        for row in self.company.rows["supplier_invoice_lines"]:
            invoice = invoices[row["invoice_id"]]
            if invoice["recorded_on"] <= as_of and invoice["status"] != "rejected":
                billed[row["po_line_id"]].append((row, invoice))
        for dims, day, part in self.received(as_of):
            days = suppliers[part["order"]["supplier_id"]]["payment_days"]
            owed = days is not None and (as_of - day).days < days
            if day <= as_of and (owed or billed[part["line"]["id"]]):
                yield dims, None, {"payable": part["row"]["accepted_quantity"] * part["line"]["unit_price"]}
        for line, _, dims in self.po_lines():
            for row, invoice in billed[line["id"]]:
                if self.paid(invoice, as_of):
                    sign = -1 if invoice["kind"] == "credit_note" else 1
                    yield dims, None, {"payable": -sign * row["quantity"] * row["unit_price"]}

    def prepaid(self, as_of: date = TODAY) -> Iterator[Line]:
        invoices, orders = (self.company.by_id(name) for name in ("supplier_invoices", "purchase_orders"))
        for row in self.company.rows["supplier_invoice_charges"]:
            if row["kind"] != "freight" and self.paid(invoices[row["invoice_id"]], as_of):
                sign = -1 if row["kind"] == "deduction" else 1
                yield self.po_dims(orders[row["po_id"]]), None, {"value": sign * row["amount"]}

    # ---- invoices

    def rate(self, currency: str, day: date) -> Value:
        """EUR for one unit; None where nobody said."""
        if currency == "EUR":
            return 1.0
        rates = [
            row
            for row in self.company.rows["exchange_rates"]
            if row["currency"] == currency and row["valid_from"] <= day
        ]
        return max(rates, key=lambda row: row["valid_from"])["rate"] / 10**8 if rates else None

    def steps(self, invoice: Row) -> list[Row]:
        return [row for row in self.company.rows["invoice_steps"] if row["invoice_id"] == invoice["id"]]

    def invoice_parts(self) -> Iterator[tuple[Row, Row, float]]:
        """Each invoice with the dimensions and the share of each of its parts."""
        lines = {line["id"]: (line, order) for line, order, _ in self.po_lines()}
        orders = self.company.by_id("purchase_orders")
        for invoice in self.company.rows["supplier_invoices"]:
            if invoice["kind"] != "invoice":
                continue
            parts: list[tuple[Row, int]] = []
            for row in self.company.rows["supplier_invoice_lines"]:
                if row["invoice_id"] == invoice["id"]:
                    line, order = lines[row["po_line_id"]]
                    dims = self.item_dims[line["item_id"]] | self.po_dims(order)
                    parts.append((dims, row["quantity"] * row["unit_price"]))
            for row in self.company.rows["supplier_invoice_charges"]:
                if row["invoice_id"] == invoice["id"]:
                    nothing = dict.fromkeys(("item", "category", "brand", "abc_class"))
                    parts.append((nothing | self.po_dims(orders[row["po_id"]]), row["amount"]))
            for dims, amount in parts:
                yield invoice, dims, amount / sum(one for _, one in parts)

    def invoices(self) -> Iterator[Line]:
        for invoice, dims, _ in self.invoice_parts():
            steps = self.steps(invoice)
            part = {
                "id": invoice["id"],
                "matched": invoice["status"] in ("matched", "paid")
                and not any(step["reason_code"] for step in steps),
                "waited": any(step["status"] in ("held", "disputed") for step in steps),
            }
            yield dims, invoice["recorded_on"], part

    def waiting_invoices(self, as_of: date = TODAY) -> Iterator[Line]:
        for invoice, dims, share in self.invoice_parts():
            past = [step for step in self.steps(invoice) if step["happened_on"] <= as_of]
            newest = max(past, key=lambda step: step["version"], default=None)
            if newest is not None and newest["status"] in ("held", "disputed"):
                rate = self.rate(invoice["currency"], invoice["invoiced_on"])
                yield dims, None, {"value": None if rate is None else invoice["total"] * share * rate}

    def billed(self) -> Iterator[Line]:
        lines = {line["id"]: (line, order, dims) for line, order, dims in self.po_lines()}
        invoices = self.company.by_id("supplier_invoices")
        for row in self.company.rows["supplier_invoice_lines"]:
            invoice = invoices[row["invoice_id"]]
            if invoice["status"] not in ("matched", "paid"):
                continue
            line, order, dims = lines[row["po_line_id"]]
            sign = -1 if invoice["kind"] == "credit_note" else 1
            paid = row["quantity"] * row["unit_price"] * sign
            agreed = (0 if row["price_only"] else row["quantity"]) * line["reference_price"] * sign
            ordered = self.rate(invoice["currency"], order["created_on"])
            billed = self.rate(invoice["currency"], invoice["invoiced_on"])
            known = ordered is not None and billed is not None
            yield (
                dims,
                invoice["invoiced_on"],
                {
                    "price": (paid - agreed) * ordered if known else None,
                    "currency": paid * (billed - ordered) if known else None,
                },
            )

    def adherence(self) -> Iterator[Line]:
        for dims, day, part in self.received():
            if self.external(part["order"]) and part["row"]["accepted_quantity"]:
                first = part["line"]["first_promised_on"]
                gap = (day - first).days if first else None
                units = part["row"]["accepted_quantity"]
                yield dims | {"delay_class": delay_class(gap)}, day, {"units": units, "gap": gap}
        for line, order, dims in self.po_lines():
            if self.external(order) and self.is_late(line, order):
                first = line["first_promised_on"]
                gap = (TODAY - first).days if first else None
                found = {"units": self.left(line), "gap": gap}
                yield dims | {"delay_class": delay_class(gap)}, TODAY, found


def delay_class(days: int | None) -> str:
    if days is None:
        return "no confirmed day"
    if days == 0:
        return "on the confirmed day"
    if days < 0:
        return "over 7 days early" if days < -7 else "1-7 days early"
    for bound, name in ((7, "1-7"), (14, "8-14"), (30, "15-30")):
        if days <= bound:
            return f"{name} days late"
    return "over 30 days late"
