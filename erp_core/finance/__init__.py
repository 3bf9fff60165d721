"""Money of the stock: weighted average cost and the value moved by each stock event."""
