"""Replenishment by stored rules alone: what they recommend, what automation may do with it, and its daily run."""
