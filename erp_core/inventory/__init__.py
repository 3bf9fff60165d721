"""The stock ledger: moves between buckets, balances, reservations. Units only, no money."""
