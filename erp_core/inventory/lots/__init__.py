"""Lots and numbered units: what they are, which may be promised, what holds them, where they went."""
