"""Tax ids of businesses."""

from __future__ import annotations

_PREFIXES = {"EL": "GR", "XI": "GB"}
"""Prefixes that are not the code of the country."""


def checked_tax_id(tax_id: str) -> str:
    """The tax id in its compact form. Raises `ValueError` where it is none of the country that its letters name."""
    import stdnum
    from stdnum.exceptions import ValidationError
    from stdnum.util import clean

    compact = clean(tax_id, " -./").upper()
    prefix, number = compact[:2], compact[2:]
    country = stdnum.get_cc_module(_PREFIXES.get(prefix, prefix).lower(), "vat")
    if country is None:
        raise ValueError("begins with the two letters of its country, as DE136695976")
    try:
        country.validate(number)
    except ValidationError:
        raise ValueError(f"is no tax id of {prefix}: check its digits") from None
    return compact
