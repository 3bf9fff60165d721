"""The inbox: exceptions priced in money. Knows its subjects only by kind and id."""
