"""Passwords come in clear and are judged and hashed here: a hash made outside would pass that by."""

from __future__ import annotations

from api.problems import invalid
from erp_core.gate.contract import Command


def require_no_hash(command: Command, field: str = "password_hash") -> None:
    """Pass a command that brings no hash of a password. Raises a 422 that says where a password goes."""
    if getattr(command, "password_hash", None) is not None:
        reason = "a password is judged and hashed by the server"
        remedy = "POST /api/v1/auth/password changes your own, POST /api/v1/users takes one for a new account"
        raise invalid([{"field": field, "reason": reason, "remedy": remedy}])
