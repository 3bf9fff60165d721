"""The daily upkeep: outcomes measured, scopes lowered that fell, items classified, customers told or forgotten in time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from api.company import Company
from erp_core.gate.contract import Command, Executed, Refused
from erp_core.gate.principals import Principal
from erp_core.master.commands import RecordItemClasses
from erp_core.orders.commands import AdaptChannelQuotas, AlertOrders, ForgetCustomers
from erp_core.orders.commands.forget import customers_to_forget
from erp_core.orders.queries.alerts import affected, open_alerts
from erp_core.orders.rules.alerts import changes
from erp_core.orders.shares import quotas_to_adapt
from erp_core.planning.automation.review import step_down_falling
from erp_core.planning.classes import reclassified
from erp_core.planning.outcomes.score import ScoreOutcomes, due_outcomes
from erp_core.procurement.commands import FollowUpSuppliers, OrderDropShipments
from erp_core.procurement.commands.chasing import to_follow_up
from erp_core.procurement.commands.matching import MatchSupplierInvoices
from erp_core.procurement.contracts.watching import CheckContracts, contracts_to_check
from erp_core.procurement.invoices.queries import any_held
from erp_core.procurement.ordering.drop_ship import owed
from erp_core.procurement.receiving.papers import CheckImportDocuments, documents_to_check
from erp_core.returns.commands import EndUnusedReturns
from erp_core.returns.commands.ending import unused_returns
from erp_core.storage.engine import reading
from erp_core.storage.ids import new_id


def keep_up(
    company: Company, jobs: Principal, progress: Callable[[str, int, int], None] = lambda *_: None
) -> dict[str, Any]:
    """Do what is due, in short transactions; submits nothing where nothing is. Gives how much it was."""
    gate, today = company.gate, company.clock.today()

    def submit(command: Command) -> dict[str, Any]:
        outcome = gate.submit(command, jobs, key=str(new_id()))
        if isinstance(outcome, Refused):
            raise outcome.error
        assert isinstance(outcome, Executed), outcome
        return dict(outcome.result)

    def waits() -> bool:
        with reading(company.engine) as connection:
            return bool(due_outcomes(connection, today))

    scored = judged = forgotten = 0
    while waits():
        progress("outcomes", 0, 0)
        result = submit(ScoreOutcomes())
        scored, judged = scored + result["scored"], judged + result["judged"]
    stepped_down = step_down_falling(gate, jobs)
    with reading(company.engine) as connection:
        overdue = bool(customers_to_forget(connection, today))
    if overdue:
        forgotten = submit(ForgetCustomers())["forgotten"]
    with reading(company.engine) as connection:
        to_order = bool(owed(connection))
        to_chase = to_follow_up(connection, today)
        to_match = any_held(connection)
        to_check = documents_to_check(connection, today)
        to_watch = contracts_to_check(connection, today)
        to_adapt = quotas_to_adapt(connection, today)
        to_end = bool(unused_returns(connection, today, 1))
        classified = tuple(reclassified(connection, today))
    drafted = len(submit(OrderDropShipments())["drafted"]) if to_order else 0
    followed = submit(FollowUpSuppliers()) if to_chase else {"chased": 0, "alerts": 0, "redated": 0}
    with reading(company.engine) as connection:
        called_for = changes(open_alerts(connection), affected(connection, today))
    told = submit(AlertOrders())["messages"] if called_for.new or called_for.over else 0
    matched = len(submit(MatchSupplierInvoices())["matched"]) if to_match else 0
    ended = submit(EndUnusedReturns())["expired"] if to_end else 0
    lacking = submit(CheckImportDocuments())["lacking"] if to_check else 0
    watched = submit(CheckContracts())["alerts"] if to_watch else 0
    adapted = submit(AdaptChannelQuotas())["changed"] if to_adapt else 0
    if classified:
        submit(RecordItemClasses(classification_id=new_id(), as_of=today, classified=classified))
    return {
        "told": told,
        "reclassified": len(classified),
        "quotas_adapted": adapted,
        "drop_shipments": drafted,
        "invoices_matched": matched,
        "documents_lacking": lacking,
        "contract_alerts": watched,
        "returns_ended": ended,
        "suppliers_chased": followed["chased"],
        "supplier_alerts": followed["alerts"],
        "orders_redated": followed["redated"],
        "scored": scored,
        "judged": judged,
        "forgotten": forgotten,
        "stepped_down": [
            {"scope": list(fall.scope), "reason": fall.reason}
            for fall, outcome in stepped_down
            if isinstance(outcome, Executed)
        ],
    }
