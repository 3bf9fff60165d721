"""Cycle counts: which stock is counted next, the sheets, and what they found."""
