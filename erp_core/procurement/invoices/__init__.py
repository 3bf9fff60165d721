"""Invoices of suppliers: what may be billed, what is held, what is paid."""
