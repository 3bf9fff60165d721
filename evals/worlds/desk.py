"""What lies on the company's desks on its last day: work that people and an agent proposed and nobody decided yet.

All of it comes through the gate as its people would send it: best actions of the first exceptions, and a
few things that no scan proposes. One business fact changes, a supplier's price, so that a proposal has
become stale; it follows from the world alone, never from the models.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import islice
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from erp_core.analytics.query import MetricQuery
from erp_core.analytics.run import run
from erp_core.exceptions.actions import submit_best_action
from erp_core.exceptions.queries import Case, ranked_cases
from erp_core.gate.contract import Command, Outcome, Proposed
from erp_core.gate.decisions import ApproveProposal, SendBackProposal
from erp_core.gate.principals import Principal
from erp_core.gate.submission import Gate
from erp_core.inventory.commands import AdjustStock
from erp_core.inventory.queries import available_units
from erp_core.master.commands import SetSupplierItem
from erp_core.master.queries import (
    Item,
    Supplier,
    SupplierItem,
    list_items,
    list_locations,
    list_supplier_items,
    list_suppliers,
)
from erp_core.procurement.commands import CreatePurchaseOrder, PurchaseOrderLine, SubmitPurchaseOrder
from erp_core.procurement.queries import supplier_messages_of
from erp_core.procurement.rules import Terms
from erp_core.storage.engine import reading
from erp_core.storage.ids import SeededIds
from erp_core.storage.types import money

PURCHASES, TRANSFERS, BY_AGENT = 5, 3, 3
FIRST_CASES = 150
AT_ONCE_BELOW = money(2_500)
"""A buyer's smaller purchases run at once and wait for nobody: those are left to the agent here."""
FRAME_WEEKS, SEASON_WEEKS, SEASON_LINES = 26, 13, 12
_ROLES = ("planner", "buyer", "manager", "warehouse")
_RIGHTS = frozenset({"read_metrics", "read_records", "see_cost"})


@dataclass(frozen=True, slots=True)
class _Wanted:
    """Units of an item that last year's season took, in the steps of its preferred supplier."""

    item: Item
    terms: SupplierItem
    units: int

    @property
    def amount(self) -> int:
        return self.units * self.terms.price


@dataclass(frozen=True, slots=True)
class _Known:
    """What the people know when they make their proposals."""

    cases: Sequence[Case]
    items: Mapping[UUID, Item]
    suppliers: Mapping[UUID, Supplier]
    prices: Mapping[tuple[UUID, UUID], int]
    """by (supplier, item)"""
    mail: Mapping[UUID | None, UUID]
    """the newest message by supplier"""
    main: UUID
    """the warehouse that holds most"""
    frame: Sequence[Sequence[_Wanted]]
    season: Sequence[Sequence[_Wanted]]
    """what to buy for half a year and for a quarter: a lot for each supplier, the dearest first"""
    fullest: Sequence[tuple[UUID, UUID, int]]
    """the largest stock: item, location, units"""


def leave_work(gate: Gate, today: date, seed: int) -> int:
    """Fill the desks; how many proposals were made. What the company gives no occasion for is left out."""
    people = {role: gate.bootstrap_user(role, roles=(role,)) for role in _ROLES}
    with reading(gate.engine) as connection:
        known = _read(connection, today, gate.clock.now())
    desk = _Desk(gate, people, today, SeededIds(seed + 2))
    return sum(isinstance(one, Proposed) for one in desk.day(known))


def _read(connection: Connection, today: date, now: datetime) -> _Known:
    items = {one.id: one for one in list_items(connection)}
    offers = list_supplier_items(connection, on=today)
    cases = ranked_cases(connection, limit=FIRST_CASES).cases
    mail = {
        supplier: supplier_messages_of(connection, supplier_id=supplier, limit=1)
        for supplier in dict.fromkeys(map(_supplier, cases))
        if supplier is not None
    }
    stock = [(item, place, units) for (item, place), units in available_units(connection).items()]
    held: Counter[UUID] = Counter()
    for _, place, units in stock:
        held[place] += units
    return _Known(
        cases=cases,
        items=items,
        suppliers={one.id: one for one in list_suppliers(connection)},
        prices={(one.supplier_id, one.item_id): one.price for one in offers},
        mail={supplier: found[0].id for supplier, found in mail.items() if found},
        main=max(list_locations(connection), key=lambda one: (held[one.id], one.code)).id,
        frame=_last_year(connection, today, now, FRAME_WEEKS, items, offers),
        season=_last_year(connection, today, now, SEASON_WEEKS, items, offers),
        fullest=sorted(stock, key=lambda one: (-one[2], items[one[0]].sku, str(one[1])))[:1],
    )


def _last_year(
    connection: Connection,
    today: date,
    now: datetime,
    weeks: int,
    items: Mapping[UUID, Item],
    offers: Sequence[SupplierItem],
) -> list[list[_Wanted]]:
    """What the same weeks took a year ago, by preferred supplier, the greatest purchase first."""
    start = today - timedelta(days=363)
    period = {"from": str(start), "to": str(start + timedelta(weeks=weeks))}
    query = MetricQuery.model_validate({"metrics": ["ordered_units"], "by": ["item"], "period": period})
    result = run(connection, query, today=today, rights=_RIGHTS, computed_at=now)
    names = [column.name for column in result.columns]
    sku, units = names.index("item"), names.index("ordered_units")
    taken = {str(row[sku]): int(str(row[units])) for row in result.rows if row[units]}
    by_supplier: dict[UUID, list[_Wanted]] = {}
    for one in offers:
        item = items[one.item_id]
        if one.rank == 1 and item.status == "active" and taken.get(item.sku, 0) > 0:
            steps = Terms(one.minimum_quantity, one.order_multiple)
            wanted = _Wanted(item, one, steps.next_valid(taken[item.sku]))
            by_supplier.setdefault(one.supplier_id, []).append(wanted)
    lots = [
        sorted(lot, key=lambda one: (-one.amount, one.item.sku))[:SEASON_LINES]
        for lot in by_supplier.values()
    ]
    return sorted(lots, key=lambda lot: (-sum(one.amount for one in lot), str(lot[0].terms.supplier_id)))


class _Desk:
    """Submits for the people, with keys and ids that follow from the seed."""

    def __init__(self, gate: Gate, people: Mapping[str, Principal], today: date, ids: SeededIds) -> None:
        self._gate, self._people, self._today, self._ids = gate, people, today, ids
        self._ids.at(datetime.combine(today, time(), tzinfo=UTC))

    def day(self, known: _Known) -> Iterator[Outcome]:
        """The proposals of the day, and the two decisions that were taken already."""
        cases = _one_per_item(known.cases)
        purchases = [(case, amount) for case in cases if (amount := _amount(case, known))]
        large = (case for case, amount in purchases if amount >= AT_ONCE_BELOW)
        small = (case for case, amount in purchases if amount < AT_ONCE_BELOW)
        transfers = (case for case in cases if _starts_with(case, "TransferStock"))
        bought = [self._best_action(case, self._people["buyer"]) for case in islice(large, PURCHASES)]
        yield from bought
        for case in islice(transfers, TRANSFERS):
            yield self._best_action(case, self._people["buyer"])
        for number, case in enumerate(islice(small, BY_AGENT)):
            yield self._by_agent(case, known, read_mail=number == 0)
        frame = [self._season_order(lot, "the second half of the year", known) for lot in known.frame[:1]]
        yield from frame
        bound = {lot[0].terms.supplier_id for lot in known.frame[:1]}
        others = [lot for lot in known.season if lot[0].terms.supplier_id not in bound]
        for lot in others[:1]:
            yield self._season_order(lot, "July to September", known)
            self._submit(
                "buyer", [_price(lot[0], 106)], "Price list of July", "The supplier sent new prices."
            )
        for lot in others[1:2]:
            yield self._sharp_rise(lot[0], known)
        for item, place, units in known.fullest:
            yield self._write_off(known.items[item], place, min(units, 24))
        self._decide(ApproveProposal, frame, "Within budget. Finance, please look at the payment days.")
        self._decide(SendBackProposal, bought[1:][-1:], "Half of it will do until September.")

    def _submit(self, role: str, commands: Sequence[Command], title: str, reason: str) -> Outcome:
        key = f"desk:{self._ids()}"
        return self._gate.submit_plan(commands, self._people[role], key=key, title=title, reason=reason)

    def _best_action(self, case: Case, principal: Principal, **more: Any) -> Outcome:
        return submit_best_action(self._gate, case, principal, f"desk:{self._ids()}", **more)

    def _by_agent(self, case: Case, known: _Known, *, read_mail: bool) -> Outcome:
        """The buyer's agent proposes; where a language model read the supplier's mail before, it is tainted."""
        agent = self._gate.agent_for(self._people["buyer"], self._ids())
        message = known.mail.get(_supplier(case)) if read_mail else None
        evidence = [] if message is None else [{"kind": "supplier_message", "id": str(message)}]
        return self._best_action(case, agent, evidence=evidence, tainted=message is not None)

    def _season_order(self, lot: Sequence[_Wanted], season: str, known: _Known) -> Outcome:
        supplier = known.suppliers[lot[0].terms.supplier_id]
        title = f"Order for {season} from {supplier.name}: {len(lot)} items"
        reason = "As much as the same weeks took last year, in one order before prices change."
        create = CreatePurchaseOrder(
            po_id=self._ids(),
            supplier_id=supplier.id,
            location_id=known.main,
            lines=tuple(
                PurchaseOrderLine(
                    line_id=self._ids(),
                    item_id=one.item.id,
                    quantity=one.units,
                    need_by=self._today + timedelta(days=60),
                )
                for one in lot
            ),
            reason=reason,
        )
        return self._submit("planner", [create, SubmitPurchaseOrder(po_id=create.po_id)], title, reason)

    def _sharp_rise(self, wanted: _Wanted, known: _Known) -> Outcome:
        supplier = known.suppliers[wanted.terms.supplier_id]
        title = f"{supplier.name} asks 12 % more for {wanted.item.name} ({wanted.item.sku})"
        return self._submit("buyer", [_price(wanted, 112)], title, "Its raw material became dearer.")

    def _write_off(self, item: Item, place: UUID, units: int) -> Outcome:
        command = AdjustStock(
            adjustment_id=self._ids(),
            item_id=item.id,
            location_id=place,
            quantity=-units,
            reason_code="damaged",
        )
        title = f"Write off {units} of {item.name} ({item.sku})"
        return self._submit("warehouse", [command], title, "A pallet fell; found when the aisle was counted.")

    def _decide(self, kind: type[Command], outcomes: Sequence[Outcome], comment: str) -> None:
        """The manager's decision, where it does not execute the proposal."""
        for one in outcomes:
            if isinstance(one, Proposed) and (kind is not ApproveProposal or len(one.approvers) > 1):
                given = {"proposal_id": one.proposal_id, "payload_hash": one.payload_hash, "comment": comment}
                key = f"desk:{self._ids()}"
                self._gate.submit(kind.model_validate(given), self._people["manager"], key=key)


def _one_per_item(cases: Sequence[Case]) -> list[Case]:
    """The first case of each item that has something to propose: two orders for one item answer one need."""
    first: dict[UUID, Case] = {}
    for case in cases:
        items = [id_ for kind, id_ in case.subjects if kind == "item"]
        if items and (case.action or {}).get("commands"):
            first.setdefault(items[0], case)
    return list(first.values())


def _starts_with(case: Case, command: str) -> bool:
    commands = (case.action or {}).get("commands") or []
    return bool(commands) and commands[0]["command"] == command


def _supplier(case: Case) -> UUID | None:
    """Whom the case's best action buys from."""
    if not _starts_with(case, "CreatePurchaseOrder"):
        return None
    assert case.action is not None
    return UUID(case.action["commands"][0]["payload"]["supplier_id"])


def _amount(case: Case, known: _Known) -> int:
    """What the case's best action buys for; 0 where it buys nothing."""
    supplier = _supplier(case)
    if supplier is None or case.action is None:
        return 0
    order = case.action["commands"][0]["payload"]
    goods = sum(
        line["quantity"] * known.prices.get((supplier, UUID(line["item_id"])), 0) for line in order["lines"]
    )
    return int(goods + order.get("expedite_cost", 0))


def _price(wanted: _Wanted, percent: int) -> SetSupplierItem:
    """The supplier's terms with another price, whole cents."""
    terms = wanted.terms
    return SetSupplierItem(
        supplier_id=terms.supplier_id,
        item_id=terms.item_id,
        price=terms.price * percent // 10_000 * 100,
        supplier_sku=terms.supplier_sku,
        minimum_quantity=terms.minimum_quantity,
        order_multiple=terms.order_multiple,
        lead_time_days=terms.lead_time_days,
        rank=terms.rank,
    )
