"""Stock moves of a generated company and what they cost."""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from random import Random
from uuid import UUID

from erp_core.finance.model import cost_balances, cost_entries
from erp_core.inventory.model import stock_balances, stock_daily, stock_monthly, stock_moves
from erp_core.storage.types import NO_LOT
from tests.analytics.rows import TODAY, Company, moment, places


def stock(company: Company) -> None:
    rng = company.random
    outside = next(row for row in company.rows["locations"] if not row["physical"])["id"]
    states = (
        "available",
        "reserved",
        "quarantined",
        "damaged",
        "return_pending",
        "received_held",
        "in_transit",
    )
    balance: dict[tuple[UUID, UUID, str], int] = defaultdict(int)
    daily: dict[tuple[UUID, UUID, str, date], int] = defaultdict(int)
    monthly: dict[tuple[UUID, UUID, str, date], int] = defaultdict(int)
    days = sorted(company.day() for _ in range(260))
    for day in days:
        item, place = rng.choice(company.rows["items"])["id"], rng.choice(places(company))["id"]
        held = [state for state in states if balance[item, place, state]]
        if not held or rng.random() < 0.4:
            source, target = (
                (outside, "virtual"),
                (place, rng.choice(("available", "available", "received_held"))),
            )
            quantity, event = rng.randint(1, 40), "receipt"
        else:
            state = rng.choice(held)
            quantity = rng.randint(1, balance[item, place, state])
            away = rng.random() < 0.5
            target = (
                (outside, "virtual") if away else (place, rng.choice([one for one in states if one != state]))
            )
            source, event = (place, state), "shipment" if away else "transfer"
        company.add(
            stock_moves,
            occurred_on=day,
            event=event,
            item_id=item,
            lot_id=NO_LOT,
            owner="own",
            from_location_id=source[0],
            from_state=source[1],
            to_location_id=target[0],
            to_state=target[1],
            quantity=quantity,
            document_kind="test",
            document_id=company.id(),
            occurred_at=moment(day),
            recorded_at=moment(day),
        )
        for (location, state), change in ((source, -quantity), (target, quantity)):
            if state != "virtual":
                balance[item, location, state] += change
                daily[item, location, state, day] += change
    _take_back(company, balance, daily)
    for (item, location, state), quantity in balance.items():
        company.add(
            stock_balances,
            item_id=item,
            location_id=location,
            state=state,
            lot_id=NO_LOT,
            owner="own",
            quantity=quantity,
        )
    for (item, location, state, day), change in daily.items():
        company.add(stock_daily, item_id=item, location_id=location, state=state, day=day, change=change)
        monthly[item, location, state, day.replace(day=1)] += change
    for (item, location, state, month), change in monthly.items():
        company.add(
            stock_monthly, item_id=item, location_id=location, state=state, month=month, change=change
        )
    _costs(company, balance)


def _take_back(
    company: Company,
    balance: dict[tuple[UUID, UUID, str], int],
    daily: dict[tuple[UUID, UUID, str, date], int],
) -> None:
    """Every third receipt of which enough lies there still goes back today: whole, or all but a unit of it."""
    own = Random(company.seed)
    receipts = [row for row in company.rows["stock_moves"] if row["event"] == "receipt"]
    for number, came in enumerate(receipts[::3]):
        item, place, state = came["item_id"], came["to_location_id"], came["to_state"]
        quantity = came["quantity"] - number % 2
        if not 0 < quantity <= balance[item, place, state]:
            continue
        ids = [UUID(int=own.getrandbits(128), version=4) for _ in range(3)]
        company.add(
            stock_moves,
            id=ids[0],
            audit_id=ids[1],
            occurred_on=TODAY,
            event="reversal",
            item_id=item,
            lot_id=NO_LOT,
            owner="own",
            from_location_id=place,
            from_state=state,
            to_location_id=came["from_location_id"],
            to_state="virtual",
            quantity=quantity,
            document_kind="test",
            document_id=ids[2],
            reverses_id=came["id"],
            occurred_at=moment(TODAY),
            recorded_at=moment(TODAY),
        )
        balance[item, place, state] -= quantity
        daily[item, place, state, TODAY] -= quantity


def _costs(company: Company, balance: dict[tuple[UUID, UUID, str], int]) -> None:
    rng = company.random
    for item in company.rows["items"][:-1]:
        valued = sum(
            units
            for (one, _, state), units in balance.items()
            if one == item["id"] and state != "received_held"
        )
        entries = [(company.day(), valued + 50, (valued + 50) * rng.randint(2, 8) * 9_999)]
        value = entries[0][2] * 50 // (valued + 50)
        entries.append((company.day(start=entries[0][0]), -50, -value if valued else -entries[0][2]))
        for place, (day, quantity, worth) in enumerate(entries):
            company.add(
                cost_entries,
                item_id=item["id"],
                occurred_on=day,
                event=("receipt", "shipment")[place],
                quantity=quantity,
                value=worth,
                document_kind="test",
                document_id=company.id(),
            )
        company.add(
            cost_balances,
            item_id=item["id"],
            quantity=valued,
            value=sum(worth for _, _, worth in entries) if valued else 0,
        )
