"""What procurement owes the books: goods at cost, goods received and not invoiced, and closed months."""
