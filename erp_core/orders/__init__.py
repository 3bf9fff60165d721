"""Sales orders: placed, reserved, shipped, cancelled; the daily demand they make."""
