"""Approval policies: data that says which people must agree to a command, and under which facts."""
