"""Metrics of suppliers' invoices: how they match, what waits, and what they charge beside what was agreed."""

from __future__ import annotations

from erp_core.analytics.metrics.definition import Metric, ratio, total

_PURCHASING = ("purchasing",)
_RECORDED = "day the invoice was recorded"
_INVOICED = "invoice day"

METRICS = (
    Metric(
        "invoice_match_rate",
        "Invoice match rate",
        "Suppliers' invoices that became payable by the match alone, at once or when the goods came, over invoices recorded. Those "
        "that still wait, were disputed or rejected, or that a person accepted beyond the match did not match. Credit notes are left out.",
        "percent",
        ratio("invoices.matched", "invoices.invoices"),
        _RECORDED,
        "finance",
        "up_good",
        (
            "match rate",
            "three-way match rate",
            "invoice matching",
            "touchless invoices",
            "invoices matched",
            "first-pass match rate",
        ),
        _PURCHASING,
        distinct=True,
    ),
    Metric(
        "invoice_dispute_rate",
        "Invoice dispute rate",
        "Suppliers' invoices that were held or disputed at any time, over invoices recorded; one that waited for its goods and "
        "matched later counts. Credit notes are left out.",
        "percent",
        ratio("invoices.waited", "invoices.invoices"),
        _RECORDED,
        "finance",
        "down_good",
        (
            "dispute rate",
            "invoice disputes",
            "disputed invoices",
            "held invoices",
            "invoices on hold",
            "rate of disputed invoices",
        ),
        _PURCHASING,
        distinct=True,
    ),
    Metric(
        "disputed_invoice_value",
        "Disputed invoice value",
        "Totals of suppliers' invoices that are held or disputed, at the rate of their invoice day, shared over what they bill by "
        "value. Credit notes are left out.",
        "money",
        total("waiting_invoices.value"),
        "today",
        "finance",
        "down_good",
        (
            "value of disputed invoices",
            "value of held invoices",
            "disputed value",
            "blocked invoice value",
            "invoice value on hold",
            "money in disputed invoices",
        ),
        _PURCHASING,
        "see_cost",
        "position",
    ),
    Metric(
        "invoice_price_variance",
        "Invoice price variance",
        "What payable invoices charge for goods less the contract or standard price that was in force, at the rate of the day the "
        "order was made; credit notes give back. Above 0 is dearer than agreed. What the currency did since is the currency variance.",
        "money",
        total("billed_lines.price_variance"),
        _INVOICED,
        "finance",
        "down_good",
        (
            "billed price variance",
            "price variance on invoices",
            "price variance at invoice",
            "invoiced price variance",
            "overcharges",
        ),
        _PURCHASING,
        "see_cost",
    ),
    Metric(
        "currency_variance",
        "Currency variance",
        "What payable invoices charge for goods at the rate of the invoice day less the same at the rate of the day the order was "
        "made. Above 0 is dearer. In the company's own currency it is 0.",
        "money",
        total("billed_lines.currency_variance"),
        _INVOICED,
        "finance",
        "down_good",
        (
            "exchange rate variance",
            "fx variance",
            "exchange variance",
            "currency effect on purchases",
            "exchange rate effect",
        ),
        _PURCHASING,
        "see_cost",
    ),
    Metric(
        "payables_value",
        "Payables on goods received",
        "Goods accepted from suppliers at order price less what was paid for them. Lines that nobody billed yet are owed for the "
        "supplier's payment days from receipt; without agreed days they count as paid at receipt.",
        "money",
        total("payables.value"),
        "today",
        "finance",
        "neutral",
        (
            "payables",
            "accounts payable",
            "owed to suppliers",
            "debts to suppliers",
            "payables on received goods",
        ),
        _PURCHASING,
        "see_cost",
        "position",
    ),
    Metric(
        "prepaid_value",
        "Prepaid to suppliers",
        "Payments in advance that were paid, less what later paid invoices took off. It is part of the open purchase commitments.",
        "money",
        total("prepayments.value"),
        "today",
        "finance",
        "down_good",
        ("prepaid", "prepayments", "payments in advance", "advance payments", "paid in advance"),
        _PURCHASING,
        "see_cost",
        "position",
    ),
)
