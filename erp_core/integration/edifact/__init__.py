"""Suppliers' EDIFACT messages: order responses, despatch advices and invoices, turned into commands."""
