"""Blanket contracts: an agreed price, and a quantity or value that orders draw down while the contract runs."""
