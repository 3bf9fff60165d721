"""Refusals about suppliers' invoices, one class a case."""

from __future__ import annotations

from erp_core.gate.contract import DomainError


class InvoiceExists(DomainError):
    """The supplier's invoice of this number, or of this id, is there already."""

    code = "invoice_exists"


class NotTheSuppliersOrder(DomainError):
    """An invoice bills a purchase order of another supplier."""

    code = "not_the_suppliers_order"


class InvoiceMoved(DomainError):
    """The invoice was matched again since it was looked at: other reasons may hold it now."""

    code = "invoice_moved"


class NotPayable(DomainError):
    """Only an invoice that is matched is paid: none that is held, disputed, rejected or paid."""

    code = "not_payable"
