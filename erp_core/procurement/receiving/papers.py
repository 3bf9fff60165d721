"""Documents that imports need: asked for when goods are received, and looked for while they are under way."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, func, select

from erp_core.exceptions.book import Noted, raise_cases, would_change
from erp_core.exceptions.draft import CaseDraft, by_hand, fact
from erp_core.exceptions.model import cases
from erp_core.exceptions.rules import CLOSED
from erp_core.gate.contract import (
    Command,
    DomainError,
    Done,
    Handler,
    Registration,
    Registry,
    Task,
    Transaction,
    each,
)
from erp_core.master.model import suppliers
from erp_core.master.queries.trade import documents_on, trade_rules_in_use, traded_goods
from erp_core.master.rules.countries import country_code
from erp_core.master.rules.trade import (
    Goods,
    Subject,
    TradeDocument,
    TradeForbidden,
    TradeRule,
    document_missing,
    missing,
    needed,
)
from erp_core.procurement.model import po_lines, purchase_orders
from erp_core.procurement.model.supply import shipping_notices
from erp_core.procurement.ordering.purchase_orders import PurchaseOrders
from erp_core.procurement.rules import INBOUND
from erp_core.storage.lookup import fetch_in

KIND = "import_document"
LOOK_AHEAD = timedelta(days=30)
"""So long before goods are expected their documents are looked for."""
_NOTICES = select(shipping_notices.c.po_id, shipping_notices.c.id)
_COUNTRIES = select(suppliers.c.id, suppliers.c.country)
_OPEN = po_lines.c.quantity - po_lines.c.cancelled_quantity - po_lines.c.accepted_quantity
_EXPECTED = func.coalesce(po_lines.c.expected_on, po_lines.c.promised_on, po_lines.c.need_by)
_UNDER_WAY = (
    select(
        po_lines.c.id,
        po_lines.c.line_no,
        po_lines.c.item_id,
        _EXPECTED.label("expected_on"),
        purchase_orders.c.id.label("po_id"),
        purchase_orders.c.number,
        purchase_orders.c.supplier_id,
    )
    .join(purchase_orders, purchase_orders.c.id == po_lines.c.po_id)
    .where(purchase_orders.c.status.in_(INBOUND), purchase_orders.c.import_id.is_(None), _OPEN > 0)
    .order_by(po_lines.c.id)
)


class CheckImportDocuments(Command):
    """Raise a case for every open line whose goods will lack a document on the day they are expected, and end those that do not."""


@dataclass(frozen=True, slots=True)
class Lacking:
    """An open line of a purchase order, and what its goods will lack on a day: (rule, document)."""

    line_id: UUID
    line_no: int
    po_id: UUID
    number: str
    supplier_id: UUID
    item_id: UUID
    goods: Goods
    day: date
    missing: tuple[tuple[str, str], ...]


class _Imports:
    """What decides about the imports of some purchase orders."""

    def __init__(
        self,
        connection: Connection,
        rules: Sequence[TradeRule],
        lines: Sequence[tuple[UUID, UUID, UUID]],
    ) -> None:
        self._rules = rules
        self.goods = traded_goods(connection, (item_id for item_id, _, _ in lines))
        self._suppliers = {
            row.id: country_code(row.country)
            for row in fetch_in(connection, _COUNTRIES, suppliers.c.id, {one for _, _, one in lines})
        }
        orders = {po_id for _, po_id, _ in lines}
        self._notices: dict[UUID, list[UUID]] = {}
        for po_id, notice_id in fetch_in(connection, _NOTICES, shipping_notices.c.po_id, orders):
            self._notices.setdefault(po_id, []).append(notice_id)
        notices = {id_ for some in self._notices.values() for id_ in some}
        self._documents: dict[Subject, list[TradeDocument]] = documents_on(
            connection, self.goods.keys() | orders | notices
        )

    def missing(
        self, item_id: UUID, po_id: UUID, supplier_id: UUID, day: date
    ) -> list[tuple[TradeRule, str]]:
        """What the goods lack that day. Raises `TradeForbidden`."""
        goods = self.goods.get(item_id)
        if goods is None:
            return []
        country = goods.origin_country or self._suppliers.get(supplier_id)
        subjects: list[Subject] = [("item", item_id), ("purchase_order", po_id)]
        subjects += [("shipping_notice", id_) for id_ in self._notices.get(po_id, ())]
        wanted = needed(self._rules, "import", goods, country, None, day)
        return missing(wanted, self._documents, subjects, day)


def _import_rules(connection: Connection) -> list[TradeRule]:
    return [one for one in trade_rules_in_use(connection) if one.direction == "import"]


def with_papers(handler: Handler) -> Handler:
    """The handler of receipts, behind the check that the goods may come in: the document that is missing is named.

    A company without a rule for imports pays one read.
    """

    def handle(tasks: Sequence[Task[Any]], tx: Transaction) -> Sequence[Done | DomainError]:
        rules = _import_rules(tx.connection)
        if not rules:
            return handler(tasks, tx)
        orders = PurchaseOrders.of(tx)
        orders.load(task.command.po_id for task in tasks)
        received = {task.audit_id: list(_received(task, orders)) for task in tasks}
        imports = _Imports(tx.connection, rules, [one for some in received.values() for one in some])
        refused = {
            task.audit_id: error
            for task in tasks
            if (error := _refusal(task, received[task.audit_id], imports)) is not None
        }
        passed = [task for task in tasks if task.audit_id not in refused]
        outcomes = dict(
            zip((task.audit_id for task in passed), handler(passed, tx) if passed else (), strict=True)
        )
        return [refused.get(task.audit_id) or outcomes[task.audit_id] for task in tasks]

    return handle


def _received(task: Task[Any], orders: PurchaseOrders) -> Iterator[tuple[UUID, UUID, UUID]]:
    order = orders.find(task.command.po_id)
    for one in task.command.lines if order is not None else ():
        if order is not None and one.po_line_id in order.lines:
            yield order.lines[one.po_line_id].item_id, order.id, order.supplier_id


def _refusal(
    task: Task[Any], lines: Sequence[tuple[UUID, UUID, UUID]], imports: _Imports
) -> DomainError | None:
    for item_id, po_id, supplier_id in lines:
        try:
            lacking = imports.missing(item_id, po_id, supplier_id, task.occurred_on)
        except TradeForbidden as error:
            return error
        if lacking:
            return document_missing(imports.goods[item_id], *lacking[0], task.occurred_on)
    return None


def lacking_documents(connection: Connection, today: date) -> list[Lacking]:
    """Open lines whose goods are expected within thirty days, or on no known day, and will lack a document then."""
    rules = _import_rules(connection)
    if not rules:
        return []
    rows = [
        row
        for row in connection.execute(_UNDER_WAY)
        if row.expected_on is None or row.expected_on <= today + LOOK_AHEAD
    ]
    imports = _Imports(connection, rules, [(row.item_id, row.po_id, row.supplier_id) for row in rows])
    found = []
    for row in rows:
        day = max(row.expected_on or today, today)
        try:
            lacks = [
                (rule.name, kind)
                for rule, kind in imports.missing(row.item_id, row.po_id, row.supplier_id, day)
            ]
        except TradeForbidden as error:
            lacks = [(str(error.details["rule"]), "forbidden")]
        if lacks:
            found.append(
                Lacking(
                    row.id,
                    row.line_no,
                    row.po_id,
                    row.number,
                    row.supplier_id,
                    row.item_id,
                    imports.goods[row.item_id],
                    day,
                    tuple(lacks),
                )
            )
    return found


def documents_to_check(connection: Connection, today: date) -> bool:
    """Whether `CheckImportDocuments` has anything to do; what somebody dismissed and stands as it did is nothing."""
    found = [_case(one, today) for one in lacking_documents(connection, today)]
    return would_change(connection, found, _open_keys(connection), datetime.combine(today, time.min, UTC))


def check_import_documents(task: Task[CheckImportDocuments], tx: Transaction) -> Done:
    """Bring the cases up to date."""
    lacking = lacking_documents(tx.connection, tx.today)
    keys = {str(one.line_id) for one in lacking}
    over = [key for key in _open_keys(tx.connection) if key[1] not in keys]
    noted = Noted("documents of imports were looked for", task.occurred_at, task.audit_id)
    raise_cases(tx, [_case(one, tx.today) for one in lacking], noted, settled=over)
    return Done({"lacking": len(lacking), "settled": len(over)})


def _open_keys(connection: Connection) -> list[tuple[str, str]]:
    statement = select(cases.c.subject_key).where(cases.c.kind == KIND, cases.c.status.not_in(CLOSED))
    return [(KIND, key) for key in connection.scalars(statement)]


def _case(one: Lacking, today: date) -> CaseDraft:
    kinds = ", ".join(kind.replace("_", " ") for _, kind in one.missing)
    return CaseDraft(
        kind=KIND,
        subject_key=str(one.line_id),
        title=f"{one.number} line {one.line_no}: {one.goods.sku} lacks {kinds} on {one.day}",
        subjects=(
            ("po_line", one.line_id),
            ("purchase_order", one.po_id),
            ("supplier", one.supplier_id),
            ("item", one.item_id),
        ),
        probability=1.0,
        deadline=datetime.combine(max(one.day, today + timedelta(days=1)), time.min, UTC),
        expected_loss=0,
        residual_loss=0,
        action_cost=0,
        evidence=tuple(fact(rule, kind, "document") for rule, kind in one.missing),
        action=by_hand("get the document before the goods are there"),
    )


def register(registry: Registry) -> None:
    """Add the command."""
    registry.register(Registration(CheckImportDocuments, each(check_import_documents)))
