"""The semantic layer (metrics and dimensions, defined once) and the panels that models read."""
