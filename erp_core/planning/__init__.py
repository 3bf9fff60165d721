"""Stored forecasts, reorder points, promotions and the registry of models. Computes no forecast itself."""
