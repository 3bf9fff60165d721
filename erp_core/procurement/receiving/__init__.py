"""What comes in from suppliers: what may be taken in, what is held, and what is taken back."""
