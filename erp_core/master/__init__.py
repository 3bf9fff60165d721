"""Master data: items, units, suppliers, locations, channels, planning policies, data feeds."""
