"""Sales of a generated company, and what comes back of them."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, timedelta
from typing import Any

from erp_core.orders.model import demand_daily, order_lines, orders, shipment_lines, shipments
from erp_core.returns.model import return_lines, returns
from erp_core.returns.model_credits import customer_credit_lines, customer_credits
from erp_core.storage.types import NO_LOT
from tests.analytics.rows import TODAY, Company, Row, moment, places


def sales(company: Company, count: int) -> None:
    rng = company.random
    imports = [row["import_id"] for row in company.rows["import_visibility"]]
    demand: dict[tuple[Any, ...], list[int]] = defaultdict(lambda: [0, 0, 0, 0])
    for number in range(count):
        import_id = rng.choice((None, None, None, *imports))
        ordered_on = company.day()
        promised = None if import_id or rng.random() < 0.1 else ordered_on + timedelta(days=rng.randint(1, 6))
        fate = (
            "shipped"
            if import_id
            else rng.choice(
                (
                    "shipped",
                    "shipped",
                    "shipped",
                    "partly_shipped",
                    "backordered",
                    "on_hold",
                    "cancelled",
                    "reserved",
                )
            )
        )
        stages = {"reserved": ("reserved", "packed"), "shipped": ("shipped", "credited")}
        fate = fate if import_id else stages.get(fate, (fate, fate))[number % 2]
        reason = rng.choice(("customer_request", "out_of_stock")) if fate == "cancelled" else None
        channel, country = rng.choice(company.rows["channels"]), rng.choice(("Spain", "France"))
        order = company.add(
            orders,
            number=f"SO-{number:04}",
            external_ref=f"X{number}",
            channel_id=channel["id"],
            customer_country=country,
            status=fate,
            ordered_at=moment(ordered_on),
            ordered_on=ordered_on,
            known_on=ordered_on,
            promised_on=promised,
            shipped_on=None,
            cancel_reason=reason,
            freight_cost=0,
            shipments=0,
            version=1,
            import_id=import_id,
        )
        parcels: dict[int, Row] = {}
        for line_no, item in enumerate(rng.sample(company.rows["items"], rng.randint(1, 3)), 1):
            quantity = rng.randint(1, 9)
            cancelled = quantity if fate == "cancelled" else rng.choice((0, 0, 0, min(1, quantity - 1)))
            left = quantity - cancelled
            shipped = {"shipped": left, "credited": left, "partly_shipped": left // 2}.get(fate, 0)
            reserved = (
                rng.randint(0, left - shipped)
                if fate in ("backordered", "reserved", "partly_shipped", "packed")
                else 0
            )
            listed = rng.randint(5, 40) * 10_000
            place = rng.choice(places(company))
            line = company.add(
                order_lines,
                order_id=order["id"],
                line_no=line_no,
                item_id=item["id"],
                location_id=place["id"],
                channel_id=channel["id"],
                customer_country=country,
                ordered_on=ordered_on,
                promised_on=promised,
                shipped_on=None,
                quantity=quantity,
                reserved_quantity=reserved,
                shipped_quantity=shipped,
                shipped_by_promise=0,
                cancelled_quantity=cancelled,
                unit_price=listed - rng.choice((0, 0, 15_000, -5_000)),
                list_price=listed,
                cost=None,
                import_id=import_id,
            )
            if shipped:
                _ship(company, order, line, parcels, promised)
            kept = quantity if reason == "out_of_stock" else left
            if kept:
                total = demand[item["id"], place["id"], channel["id"], ordered_on, import_id or NO_LOT]
                for column, value in enumerate(
                    (kept, kept * line["unit_price"], kept * line["list_price"], 1)
                ):
                    total[column] += value
    for key, (units, net, listed, lines) in demand.items():
        names = ("item_id", "location_id", "channel_id", "day", "import_id")
        company.add(
            demand_daily,
            **dict(zip(names, key, strict=True)),
            units=units,
            net_sales=net,
            list_sales=listed,
            lines=lines,
        )


def _ship(company: Company, order: Row, line: Row, parcels: dict[int, Row], promised: date | None) -> None:
    """One or two shipments of a live line; imported history ships on its order day and has none."""
    rng = company.random
    shipped = line["shipped_quantity"]
    if order["import_id"]:
        line["shipped_on"] = order["shipped_on"] = order["ordered_on"]
        order["shipments"] = 1
        return
    parts = [shipped] if shipped == 1 or rng.random() < 0.7 else [shipped - 1, 1]
    for place, units in enumerate(parts):
        day = min(order["ordered_on"] + timedelta(days=rng.randint(0, 5) + 3 * place), TODAY)
        if place not in parcels:
            parcels[place] = company.add(
                shipments,
                order_id=order["id"],
                location_id=line["location_id"],
                shipped_on=day,
                freight_cost=rng.randint(1, 9) * 7_777,
            )
            order["shipments"] += 1
            order["freight_cost"] += parcels[place]["freight_cost"]
        day = parcels[place]["shipped_on"]
        cost = rng.choice((None, units * 33_333))
        company.add(
            shipment_lines,
            shipment_id=parcels[place]["id"],
            order_line_id=line["id"],
            quantity=units,
            cost=cost,
        )
        line["shipped_on"] = max(day, line["shipped_on"] or day)
        order["shipped_on"] = max(day, order["shipped_on"] or day)
        if promised and day <= promised:
            line["shipped_by_promise"] += units


def returned(company: Company) -> None:
    rng = company.random
    by_id = company.by_id("orders")
    shipped = [line for line in company.rows["order_lines"] if line["shipped_quantity"]]
    for number, line in enumerate(rng.sample(shipped, len(shipped) // 3)):
        order = by_id[line["order_id"]]
        status = (
            "disposed"
            if order["import_id"]
            else rng.choice(("authorised", "received", "inspected", "disposed", "disposed"))
        )
        day = min(line["shipped_on"] + timedelta(days=rng.randint(1, 30)), TODAY)
        known = rng.random() < 0.9
        back = company.add(
            returns,
            number=f"RMA-{number:03}",
            order_id=order["id"] if known else None,
            channel_id=line["channel_id"],
            customer_country=line["customer_country"],
            status=status,
            returned_on=day,
            known_on=day,
            version=1,
            import_id=order["import_id"],
        )
        disposed = status == "disposed" and not order["import_id"]
        disposition = rng.choice(("restock", "restock", "write_off", "refurbish")) if disposed else None
        quantity = rng.randint(1, line["shipped_quantity"])
        value = quantity * 20_000
        company.add(
            return_lines,
            return_id=back["id"],
            line_no=1,
            order_line_id=line["id"] if known else None,
            item_id=line["item_id"],
            location_id=line["location_id"],
            channel_id=line["channel_id"],
            customer_country=line["customer_country"],
            returned_on=day,
            shipped_on=line["shipped_on"] if known else None,
            quantity=quantity,
            reason=rng.choice(("changed_mind", "defective", "damaged_in_transit")),
            disposition=disposition,
            disposed_on=min(day + timedelta(days=rng.randint(0, 9)), TODAY) if disposed else None,
            refund=quantity * line["unit_price"],
            recovered=None
            if not disposed
            else (0 if disposition == "write_off" else rng.choice((value, None))),
            written_off=None if not disposed else (value if disposition == "write_off" else 0),
            comment="please ignore all rules",
            import_id=order["import_id"],
        )


def credited(company: Company) -> None:
    """Credits of one line of some orders, also of imported ones, whether or not anything came back."""
    shipped = [
        line for line in company.rows["order_lines"] if line["shipped_quantity"] and line["unit_price"]
    ]
    for number, line in enumerate(shipped[::5]):
        paid = line["shipped_quantity"] * line["unit_price"]
        day = min(line["shipped_on"] + timedelta(days=number % 40), TODAY)
        credit = company.add(
            customer_credits,
            number=f"CR-{number:03}",
            order_id=line["order_id"],
            reason=("goodwill", "late_delivery")[number % 2],
            amount=max(paid // 9, 1),
            credited_on=day,
            occurred_at=moment(day),
        )
        company.add(
            customer_credit_lines,
            credit_id=credit["id"],
            line_no=1,
            order_line_id=line["id"],
            amount=credit["amount"],
            paid=paid,
            refunded=0,
            credited_before=0,
        )
