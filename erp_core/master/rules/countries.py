"""Countries under one code, however they are written."""

from __future__ import annotations

from functools import lru_cache

from erp_core.gate.contract import DomainError


class UnknownCountry(DomainError):
    """A rule names a country that there is not."""

    code = "unknown_country"


@lru_cache(maxsize=1_024)
def country_code(country: str | None) -> str | None:
    """The two letters (ISO 3166-1) of a country by its code or English name, in any case; None where it is none."""
    if not country:
        return None
    from pycountry import countries

    try:
        return str(countries.lookup(country).alpha_2)
    except LookupError:
        return None


def require_country(country: str, field: str) -> str:
    """The two letters of a country. Raises `UnknownCountry`."""
    code = country_code(country)
    if code is None:
        raise UnknownCountry(
            f"there is no country {country}",
            field=field,
            remedy="give its English name or its code of two letters, as Germany or DE",
        )
    return code
