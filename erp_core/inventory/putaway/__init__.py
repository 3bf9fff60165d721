"""Putaway: from where goods are received to the zone or bin where they are kept, by rules."""
