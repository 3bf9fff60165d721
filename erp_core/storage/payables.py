"""What the database itself refuses about payments to suppliers: one for an invoice that is not matched.

The commands refuse it before, with better words. The triggers hold for a defect in them, and for whoever writes the
tables directly.
"""

from __future__ import annotations

from erp_core.storage.refusals import Refusal

PAYABLES = (
    Refusal(
        "supplier_payments_rightful",
        "supplier_payments",
        ("INSERT",),
        (
            (
                "a payment is for a matched invoice, and all of it",
                "NOT EXISTS (SELECT 1 FROM supplier_invoices i WHERE i.id = NEW.invoice_id AND i.status = 'matched'"
                " AND i.supplier_id = NEW.supplier_id"
                " AND NEW.amount = CASE i.kind WHEN 'credit_note' THEN -i.total ELSE i.total END)",
            ),
        ),
    ),
    Refusal(
        "supplier_invoices_rightful",
        "supplier_invoices",
        ("UPDATE",),
        (
            (
                "an invoice becomes paid by its payment, and stays so",
                "OLD.status <> NEW.status AND (OLD.status IN ('paid', 'rejected') OR (NEW.status = 'paid' AND"
                " (OLD.status <> 'matched'"
                " OR NOT EXISTS (SELECT 1 FROM supplier_payments p WHERE p.invoice_id = NEW.id))))",
            ),
        ),
    ),
)
