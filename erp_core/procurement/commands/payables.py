"""Registration of the commands about suppliers' invoices."""

from __future__ import annotations

from erp_core.gate.contract import Registration, Registry, each
from erp_core.procurement.commands.invoices import (
    RecordSupplierInvoice,
    matcher_of,
    record_supplier_invoices,
)
from erp_core.procurement.commands.match_tolerances import SetMatchTolerance, set_match_tolerance
from erp_core.procurement.commands.matching import MatchSupplierInvoices, match_supplier_invoices
from erp_core.procurement.commands.paying import PaySupplierInvoices, pay, payment_facts
from erp_core.procurement.commands.resolving import (
    AcceptSupplierInvoice,
    AssignSupplierInvoice,
    DisputeSupplierInvoice,
    RejectSupplierInvoice,
    accept,
    acceptance_facts,
    acceptance_read_sets,
    assign,
    dispute,
    reject,
)


def register(registry: Registry) -> None:
    """Add the commands."""
    registry.register(Registration(RecordSupplierInvoice, record_supplier_invoices, duties=matcher_of))
    registry.register(Registration(MatchSupplierInvoices, each(match_supplier_invoices)))
    registry.register(Registration(DisputeSupplierInvoice, each(dispute)))
    registry.register(Registration(AssignSupplierInvoice, each(assign)))
    registry.register(Registration(RejectSupplierInvoice, each(reject)))
    registry.register(
        Registration(
            AcceptSupplierInvoice,
            each(accept),
            governed=True,
            facts=acceptance_facts,
            read_sets=acceptance_read_sets,
            compensation="DisputeSupplierInvoice, while it is not paid",
        )
    )
    registry.register(
        Registration(
            PaySupplierInvoices,
            each(pay),
            governed=True,
            facts=payment_facts,
            compensation="none: ask the supplier for a credit note",
        )
    )
    registry.register(Registration(SetMatchTolerance, each(set_match_tolerance), governed=True))
