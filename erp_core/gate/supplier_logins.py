"""A supplier's login acts for its own supplier alone."""

from __future__ import annotations

from uuid import UUID

from erp_core.gate.contract import DomainError
from erp_core.gate.principals import Principal

SUPPLIER = "supplier"


class NotYourSupplier(DomainError):
    """The document belongs to another supplier than the login, or the login is bound to none."""

    code = "not_your_supplier"


def foreign(principal: Principal, command: str, supplier_id: UUID) -> NotYourSupplier | None:
    """The refusal where only the role *supplier* lets somebody run the command, for another's document."""
    if principal.roles_for(command) != [SUPPLIER] or principal.supplier_id == supplier_id:
        return None
    return NotYourSupplier(
        "this belongs to another supplier",
        field="supplier_id",
        remedy="use your own documents; an administrator binds a login to its supplier",
    )


def require_own_supplier(principal: Principal, command: str, supplier_id: UUID) -> None:
    """Raise what `foreign` gives."""
    refusal = foreign(principal, command, supplier_id)
    if refusal is not None:
        raise refusal
