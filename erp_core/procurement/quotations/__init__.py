"""Quotations: several suppliers are asked, what they offer is compared, and an award sets prices and drafts an order."""
