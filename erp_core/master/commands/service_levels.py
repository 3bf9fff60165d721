"""Service levels that can be planned for."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from erp_core.gate.contract import DomainError

ServiceLevel = Annotated[str, Field(pattern=r"^0\.\d{1,4}$")]
"""A share between 0.5 and 1, as decimal text."""


class ServiceLevelOutOfRange(DomainError):
    """No stock serves every demand, and half of it is no policy."""

    code = "service_level_out_of_range"


def out_of_range(level: str) -> ServiceLevelOutOfRange | None:
    """The refusal of a level that cannot be planned for; None for one that can."""
    if 0.5 < float(level) < 1:
        return None
    return ServiceLevelOutOfRange(
        f"a service level of {level} cannot be planned for",
        field="service_level",
        remedy="choose one above 0.5 and below 1, such as 0.95",
    )
