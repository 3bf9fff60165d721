"""Sales and returns again, in plain Python."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from uuid import UUID

from erp_core.orders.rules import COMMITTED, GONE
from tests.analytics.company import TODAY, Row
from tests.analytics.oracle_rows import Line, Rows


class Sales(Rows):
    """Sales and returns again, in plain Python."""

    def ordered(self) -> Iterator[Line]:
        for line, order, dims in self.order_lines():
            units = self.demanded(line, order)
            yield dims, line["ordered_on"], {"line": line, "order": order["id"], "units": units}

    def shipped(self) -> Iterator[Line]:
        parcels = self.company.by_id("shipments")
        by_line = defaultdict(list)
        for row in self.company.rows["shipment_lines"]:
            by_line[row["order_line_id"]].append(row)
        for line, order, dims in self.order_lines():
            if order["import_id"] and line["shipped_quantity"]:
                yield (
                    dims,
                    line["shipped_on"],
                    {"line": line, "units": line["shipped_quantity"], "cost": None},
                )
            for row in by_line[line["id"]]:
                day = parcels[row["shipment_id"]]["shipped_on"]
                yield dims, day, {"line": line, "units": row["quantity"], "cost": row["cost"]}

    def freight(self) -> Iterator[Line]:
        parcels = self.company.by_id("shipments")
        units: dict[UUID, int] = defaultdict(int)
        for row in self.company.rows["shipment_lines"]:
            units[row["shipment_id"]] += row["quantity"]
        lines = {line["id"]: dims for line, _, dims in self.order_lines()}
        for row in self.company.rows["shipment_lines"]:
            parcel = parcels[row["shipment_id"]]
            share = parcel["freight_cost"] * row["quantity"] / units[parcel["id"]]
            yield lines[row["order_line_id"]], parcel["shipped_on"], {"freight": share}

    def promised(self) -> Iterator[Line]:
        for line, order, dims in self.order_lines():
            units = self.demanded(line, order)
            if line["promised_on"] and line["promised_on"] < TODAY and units:
                yield dims, line["promised_on"], {"units": units, "good": line["shipped_by_promise"]}

    def open_orders(self) -> Iterator[Line]:
        for line, order, dims in self.order_lines():
            left = line["quantity"] - line["shipped_quantity"] - line["cancelled_quantity"]
            if order["status"] in COMMITTED and left:
                yield dims, None, {"units": left, "backordered": left - line["reserved_quantity"]}

    def orders(self) -> Iterator[tuple[Row, Row, list[Row]]]:
        lines = defaultdict(list)
        for line in self.rows("order_lines"):
            lines[line["order_id"]].append(line)
        for order in self.rows("orders"):
            dims = {
                "channel": self.codes[order["channel_id"]],
                "customer_country": order["customer_country"],
                "order_status": order["status"],
            }
            yield dims, order, lines[order["id"]]

    def outcomes(self) -> Iterator[Line]:
        for dims, order, lines in self.orders():
            if order["status"] in GONE and not order["import_id"] and order["shipped_on"]:
                units = sum(line["shipped_quantity"] for line in lines)
                days = (order["shipped_on"] - order["ordered_on"]).days
                yield (
                    dims,
                    order["shipped_on"],
                    {"days": days, "units": units, "shipments": order["shipments"]},
                )

    def promises(self) -> Iterator[Line]:
        bad = {"damaged_in_transit", "defective", "wrong_item"}
        backs = self.company.by_id("returns")
        spoilt = {
            backs[row["return_id"]]["order_id"] for row in self.rows("return_lines") if row["reason"] in bad
        }
        for dims, order, lines in self.orders():
            units = sum(self.demanded(line, order) for line in lines)
            if order["promised_on"] and order["promised_on"] < TODAY and units:
                complete = sum(line["shipped_by_promise"] for line in lines) >= units
                yield dims, order["promised_on"], {"good": complete and order["id"] not in spoilt}

    def returned(self) -> Iterator[tuple[Row, Row, Row]]:
        backs = self.company.by_id("returns")
        for line in self.rows("return_lines"):
            back = backs[line["return_id"]]
            if back["status"] != "authorised":
                dims = self.sales_dims(line) | {
                    "return_reason": line["reason"],
                    "disposition": line["disposition"],
                }
                yield dims, back, line

    def by_return_day(self) -> Iterator[Line]:
        for dims, back, line in self.returned():
            loss = line["refund"] - (line["recovered"] or 0)
            yield dims, line["returned_on"], {"return": back["id"], "line": line, "loss": loss}

    def credited(self) -> Iterator[Line]:
        lines, credits = self.company.by_id("order_lines"), self.company.by_id("customer_credits")
        shown = {line["id"] for line in self.rows("order_lines")}
        for part in self.company.rows["customer_credit_lines"]:
            if part["order_line_id"] in shown:
                dims = self.sales_dims(lines[part["order_line_id"]])
                yield (
                    dims | {"return_reason": None, "disposition": None},
                    credits[part["credit_id"]]["credited_on"],
                    {"credit": part["amount"]},
                )

    def cohort(self) -> Iterator[Line]:
        for dims, _, line in self.returned():
            if line["shipped_on"]:
                yield dims, line["shipped_on"], {"returned": line["quantity"]}

    def disposed(self) -> Iterator[Line]:
        for dims, _, line in self.returned():
            if line["disposed_on"]:
                yield dims, line["disposed_on"], line

    def stranded(self) -> Iterator[Line]:
        for dims, back, line in self.returned():
            if not line["disposed_on"] and not back["import_id"] and (TODAY - line["returned_on"]).days > 14:
                yield dims, None, {"units": line["quantity"]}
