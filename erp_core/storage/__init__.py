"""Engine, transactions, column types and migrations. The only place that knows which database runs below."""
