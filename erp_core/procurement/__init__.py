"""Purchase orders from draft to receipt, and what suppliers wrote about them."""
