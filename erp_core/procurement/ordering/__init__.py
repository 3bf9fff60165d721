"""Purchase orders from their sources to their last step, and what suppliers say of them."""
