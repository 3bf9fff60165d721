"""How far the company lets automation go: levels by scope, limits, the kill switch, and what was used of the caps."""
