"""Forward pick locations: what they are refilled with from reserve, and when."""
