"""Claims on suppliers for goods that went back to them, and the credit notes that cover them."""
