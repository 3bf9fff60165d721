"""The chart of accounts, as data: what the journal posts to. A code names one account everywhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

AccountType = Literal["asset", "liability", "equity", "income", "expense"]
AccountCode = Literal[
    "bank",
    "payments_in_transit",
    "receivables",
    "prepayments",
    "claims_receivable",
    "supplier_credits",
    "tax_recoverable",
    "stock",
    "kit_assembly",
    "payables",
    "goods_received_not_invoiced",
    "consigned_not_invoiced",
    "landed_cost_accrued",
    "sales_tax_payable",
    "deferred_revenue",
    "customer_prepayments",
    "refunds_payable",
    "opening_balance",
    "revenue",
    "sales_returns",
    "cost_of_goods_sold",
    "price_variance",
    "stock_losses",
    "unvalued_purchases",
    "payment_fees",
    "exchange_differences",
    "rounding",
]
ACCOUNT_CODES: tuple[AccountCode, ...] = get_args(AccountCode)


@dataclass(frozen=True, slots=True)
class Account:
    """An account. `open_items`: its entries name what is open (an order line, an invoice, …), so that it ends at zero."""

    code: AccountCode
    name: str
    type: AccountType
    open_items: bool = False


_ACCOUNTS = (
    Account("bank", "Bank", "asset"),
    Account("payments_in_transit", "Collected by payment providers, not paid out", "asset"),
    Account("receivables", "Receivables from customers", "asset"),
    Account("prepayments", "Paid to suppliers in advance", "asset", open_items=True),
    Account("claims_receivable", "Goods sent back to suppliers, not credited", "asset", open_items=True),
    Account("supplier_credits", "Credits of suppliers to be taken", "asset"),
    Account("tax_recoverable", "Tax on purchases", "asset"),
    Account("stock", "Stock", "asset"),
    Account("kit_assembly", "Goods being kitted", "asset"),
    Account("payables", "Invoices of suppliers", "liability", open_items=True),
    Account("goods_received_not_invoiced", "Goods received and not invoiced", "liability", open_items=True),
    Account("consigned_not_invoiced", "Consigned goods taken over and not invoiced", "liability"),
    Account("landed_cost_accrued", "Landed cost booked, less freight billed", "liability"),
    Account("sales_tax_payable", "Tax on sales", "liability"),
    Account("deferred_revenue", "Revenue not earned yet", "liability"),
    Account("customer_prepayments", "Paid by customers in advance", "liability"),
    Account("refunds_payable", "Refunds to customers", "liability"),
    Account("opening_balance", "Opening balance", "equity"),
    Account("revenue", "Sales", "income"),
    Account("sales_returns", "Returned sales", "income"),
    Account("cost_of_goods_sold", "Cost of goods sold", "expense"),
    Account("price_variance", "Invoices against order prices", "expense"),
    Account("stock_losses", "Stock lost less stock found", "expense"),
    Account("unvalued_purchases", "Goods bought whose stock has no cost yet", "expense"),
    Account("payment_fees", "Fees of payment providers", "expense"),
    Account("exchange_differences", "Exchange differences", "expense"),
    Account("rounding", "Rounding of suppliers' totals", "expense"),
)
ACCOUNTS: Mapping[str, Account] = {one.code: one for one in _ACCOUNTS}

CONTRA: Mapping[str, AccountCode] = {
    "opening": "opening_balance",
    "receipt": "goods_received_not_invoiced",
    "shipment": "cost_of_goods_sold",
    "return": "cost_of_goods_sold",
    "write_off": "stock_losses",
    "adjustment": "stock_losses",
    "kitting": "kit_assembly",
    "landed_cost": "landed_cost_accrued",
}
"""The other side of a change of the valuation, by its event."""

_REVERSED: Mapping[str, AccountCode] = {
    "opening": "opening_balance",
    "opening_cost": "opening_balance",
    "purchase_order": "goods_received_not_invoiced",
    "receipt": "goods_received_not_invoiced",
    "consignment": "consigned_not_invoiced",
    "shipment": "cost_of_goods_sold",
    "return": "cost_of_goods_sold",
    "landed_charge": "landed_cost_accrued",
}


def contra_of(event: str, document_kind: str) -> AccountCode:
    """The other side of a change of the valuation: a reversal goes back where the reversed document posted."""
    if event == "reversal":
        return _REVERSED.get(document_kind, "stock_losses")
    return CONTRA[event]
