"""Snapshots of stock by somebody else, such as a third-party warehouse: compared with the ledger, never taken as true."""
