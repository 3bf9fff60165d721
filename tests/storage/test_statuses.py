"""Every status graph is closed: each step leads to a declared status, and the database takes no other one."""

from __future__ import annotations

import importlib
import pkgutil
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import CheckConstraint, Table

import erp_core
from api.catalogue import STATUSES
from erp_core.gate.statuses import IllegalTransition, require_step
from erp_core.storage.base import metadata

for module in pkgutil.iter_modules(erp_core.__path__):
    if module.ispkg and module.name != "storage":
        importlib.import_module(f"erp_core.{module.name}.model")

TABLES = {
    "item": "items",
    "supplier": "suppliers",
    "sales order": "orders",
    "lot": "lots",
    "quality hold": "quality_holds",
    "pick list": "pick_lists",
    "reservation": "reservations",
    "stock count": "stock_counts",
    "requisition": "requisitions",
    "quotation request": "quotation_requests",
    "contract": "supplier_contracts",
    "purchase order": "purchase_orders",
    "supplier invoice": "supplier_invoices",
    "return": "returns",
    "vendor claim": "vendor_claims",
    "exception": "cases",
    "proposal": "proposal_states",
}
"""Where the documents of each graph lie; a disposition is no status of a document."""


def taken_by(table: Table) -> set[str]:
    """The statuses that the table's constraint takes."""
    checks = [
        str(one.sqltext)
        for one in table.constraints
        if isinstance(one, CheckConstraint) and str(one.name).endswith("_status")
    ]
    return set(re.findall(r"'(\w+)'", " ".join(checks)))


@pytest.mark.capability("S21")
@pytest.mark.parametrize("kind", sorted(STATUSES.keys() - {"disposition"}))
def test_the_database_takes_the_statuses_of_the_graph_and_no_other(kind: str) -> None:
    assert taken_by(metadata.tables[TABLES[kind]]) == set(STATUSES[kind])


@pytest.mark.capability("S57")
@given(data=st.data(), kind=st.sampled_from(sorted(STATUSES)))
def test_whatever_steps_are_taken_a_document_stays_within_its_graph(data: st.DataObject, kind: str) -> None:
    graph = STATUSES[kind]
    status = data.draw(st.sampled_from(sorted(graph)))
    for _ in range(8):
        wanted = data.draw(st.sampled_from([*sorted(graph), "strange"]))
        if wanted in graph[status]:
            require_step(graph, status, wanted, kind)
            status = wanted
        else:
            with pytest.raises(IllegalTransition):
                require_step(graph, status, wanted, kind)
        assert status in graph


@pytest.mark.capability("S57")
@pytest.mark.parametrize("kind", sorted(STATUSES))
def test_every_status_of_a_graph_can_be_reached(kind: str) -> None:
    graph = STATUSES[kind]
    led_to = {target for targets in graph.values() for target in targets}
    reached = {next(iter(graph)), *(graph.keys() - led_to)}
    while more := {target for status in reached for target in graph[status]} - reached:
        reached |= more
    assert reached == set(graph)
