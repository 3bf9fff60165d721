"""What a person typed into a form whose fields are not known beforehand."""

from __future__ import annotations

import re
from decimal import Decimal

from fastapi import Request

from api.problems import Problem

MOST_FIELDS = 1_200
LONGEST = 20_000
_AMOUNT = re.compile(r"(\d{1,12}|\d{1,3}(,\d{3}){1,3})(\.\d{1,4})?")


async def texts_of(request: Request) -> dict[str, str]:
    """The fields of the form by name as they were typed; files are left out. Raises 422 for a value too long."""
    async with request.form(max_files=0, max_fields=MOST_FIELDS) as form:
        typed = {name: value for name, value in form.items() if isinstance(value, str)}
    long = next((name for name, value in typed.items() if len(value) > LONGEST), None)
    if long is not None:
        raise Problem(422, "invalid", f"{long}: is too long", remedy=f"at most {LONGEST:,} characters")
    return typed


def amount_of(text: str) -> int:
    """An amount as people type it (1250.50 or 1,250.50) in ten-thousandths. Raises 422 for what may be meant otherwise."""
    typed = text.strip()
    if not _AMOUNT.fullmatch(typed):
        raise Problem(422, "invalid", f"“{typed[:20]}” is no amount", remedy="give a number, such as 1250.50")
    return int(Decimal(typed.replace(",", "")) * 10_000)
