"""Pure rules of data residency: where personal data of a country may go, and how long it is kept."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from erp_core.gate.contract import DomainError

Channel = Literal["export", "model"]
"""How personal data could leave: in a file, or to a language model. Events and the audit log carry ids only."""
LOCAL = "local"
EVERYWHERE = ""


class DataStaysHere(DomainError):
    """A rule keeps personal data of a country from going there."""

    code = "data_stays_here"


@dataclass(frozen=True, slots=True)
class ResidencyRule:
    """Personal data of the country (empty: of every country) may go to these destinations only; none: nowhere."""

    country: str
    channel: str
    destinations: tuple[str, ...]
    reason: str


def check_leaving(
    rules: Iterable[ResidencyRule], channel: Channel, destination: str, countries: Iterable[str]
) -> None:
    """Pass when data of all these countries may go to the destination. Raises `DataStaysHere`.

    A country's own rule counts before the one for every country; without any rule data may go.
    """
    by_country = {one.country.casefold(): one for one in rules if one.channel == channel}
    for country in sorted(set(countries)):
        rule = by_country.get(country.casefold(), by_country.get(EVERYWHERE))
        if rule is not None and destination not in rule.destinations:
            allowed = ", ".join(rule.destinations) or "nowhere"
            raise DataStaysHere(
                f"personal data of {country or 'any country'} may not go to {destination}: {rule.reason}",
                field="destination",
                remedy=f"it may go to: {allowed}",
                country=country,
                channel=channel,
                destination=destination,
            )


def check_any_leaving(rules: Iterable[ResidencyRule], channel: Channel, destination: str) -> None:
    """Pass when data of any country may go to the destination: for what cannot tell the countries apart."""
    known = [one for one in rules if one.channel == channel]
    check_leaving(known, channel, destination, {one.country for one in known})


def kept_until(days: Mapping[str, int], country: str, last_order_on: date) -> date | None:
    """The last day on which a customer's name and address may be kept; None where no rule says so."""
    by_country = {name.casefold(): number for name, number in days.items()}
    number = by_country.get(country.casefold(), by_country.get(EVERYWHERE))
    return None if number is None else last_order_on + timedelta(days=number)
