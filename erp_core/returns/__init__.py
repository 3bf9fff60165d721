"""Customer returns: received, inspected, disposed of; the disposition is the stock move."""
