"""Learned detectors: demand, demand anomalies, supplier delay; the scan that prices and ranks what they find.

Nothing here writes a business table: what is learned is published through the gate.
"""
