"""How the console shows values: money, quantities, moments and codes as people read them."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from hashlib import sha256
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from api.console.tables import NOTHING, is_number, laid_out
from api.plans import MONEY_FIELDS, PlannedField, in_words

HERE = Path(__file__).parent
STATIC = HERE / "static"
_MONEY = MONEY_FIELDS | {"total", "value", "cost", "expected_loss", "net_benefit", "recovered", "written_off"}
_DAY = re.compile(r"\b\d{4}-\d\d-\d\d\b")
_ID = re.compile(r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-([0-9a-f]{12})\b")
_NAME = re.compile(r"(?:[A-Z][a-z0-9]+){2,}")
_ABBREVIATIONS = re.compile(r"\b(po|sku|id|eta)\b")


def money(amount: int | None) -> str:
    """Ten-thousandths as an exact amount, to the cent; a dash where unknown."""
    return NOTHING if amount is None else f"{amount / 10_000:,.2f}"


def estimate(amount: int | None) -> str:
    """Ten-thousandths as a figure that is only estimated: whole currency units, cents below ten."""
    if amount is None:
        return NOTHING
    return f"{amount / 10_000:,.0f}" if abs(amount) >= 100_000 else f"{amount / 10_000:,.2f}"


def changed(name: str, value: Any) -> str:
    """A field of a record before or after; money as money."""
    if isinstance(value, int) and not isinstance(value, bool) and name in _MONEY:
        return money(value)
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else plain(value)


def plain(value: Any) -> str:
    """A value without ornament: thousands separators, yes and no, dashes for nothing."""
    if value is None or value == "":
        return NOTHING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float | Decimal):
        return f"{value:,.2f}".rstrip("0").rstrip(".")
    return str(value)


def words(code: str | None) -> str:
    """A code as words, the first capitalised."""
    text = _ABBREVIATIONS.sub(lambda found: found[0].upper(), (code or NOTHING).replace("_", " "))
    return text[:1].upper() + text[1:]


def spaced(name: str) -> str:
    """A command's name as words: `CreatePurchaseOrder` is "Create purchase order"; a tool's call likewise."""
    if name.startswith("tool:"):
        return f"Tool: {name.removeprefix('tool:').replace('_', ' ')}"
    return in_words(name)


def titled(title: str) -> str:
    """A title as it is; one that is only a command's name as words."""
    return spaced(title) if _NAME.fullmatch(title) else title


def sentence(text: str) -> str:
    """A message with a capital and a full stop."""
    text = text.strip()
    text = text[:1].upper() + text[1:]
    return text if not text or text[-1] in ".!?…" else f"{text}."


def moment(value: datetime | str | None) -> str:
    """A moment to the minute, UTC."""
    if value is None:
        return NOTHING
    if isinstance(value, str):
        value = datetime.fromisoformat(value)
    return f"{value:%-d %b %Y, %H:%M}"


def likely(probability: float) -> str:
    """How likely something is; only what is sure is called so."""
    if probability >= 1:
        return "certain"
    if probability > 0.99:
        return "over 99 % likely"
    return f"{probability * 100:.0f} % likely" if probability >= 0.01 else "under 1 % likely"


def runs_out(hours: float) -> str:
    """The time that a proposal has left."""
    if hours <= 0:
        return "its time is over"
    if hours < 1:
        return "runs out within the hour"
    return f"runs out in {hours:.0f} {'hour' if round(hours) == 1 else 'hours'}"


def day(value: date | datetime | str | None) -> str:
    """A day."""
    if value is None:
        return NOTHING
    if isinstance(value, str):
        value = datetime.fromisoformat(value)
    return f"{value:%-d %b %Y}"


def _number(value: Any) -> Decimal | None:
    try:
        return Decimal(str(value))
    except InvalidOperation:
        return None


def is_figure(entry: Mapping[str, Any]) -> bool:
    """Whether an evidence entry's value is a number."""
    return _number(entry.get("value")) is not None


def figure(entry: Mapping[str, Any], currency: str = "") -> str:
    """An evidence entry's value with its unit; days as days, and of an id its end."""
    value, unit = entry.get("value"), entry.get("unit") or ""
    number = _number(value)
    if number is None:
        return _ID.sub(r"\1", _DAY.sub(lambda found: day(found[0]), plain(value)))
    shown = f"{number:,}".replace("-", "−")
    if unit == "currency":
        return f"{number:,.0f} {currency}" if abs(number) >= 100 else f"{number:,.2f} {currency}"
    return f"{shown} {unit.removesuffix('s') if number == 1 else unit}".rstrip()


def kind_of_evidence(entry: Mapping[str, Any]) -> str:
    """What an evidence entry is: a metric's query, or the kind that it says."""
    return words(str(entry.get("kind") or ("metric" if entry.get("query") else "figure")))


def is_numeric(field: PlannedField) -> bool:
    """Whether a field of a plan is set as a number."""
    return field.kind == "money" or is_number(field.value)


def assets() -> str:
    """A short hash of the static files, so that browsers never show an old one."""
    digest = sha256()
    for file in sorted(STATIC.iterdir()):
        digest.update(file.read_bytes())
    return digest.hexdigest()[:10]


def environment() -> Environment:
    """The templates, escaped by default; an unknown name is an error."""
    known = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=select_autoescape(default=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    known.filters.update(
        money=money,
        estimate=estimate,
        plain=plain,
        words=words,
        spaced=spaced,
        titled=titled,
        sentence=sentence,
        moment=moment,
        runs_out=runs_out,
        likely=likely,
        day=day,
        figure=figure,
        kind_of_evidence=kind_of_evidence,
        laid_out=laid_out,
        changed=changed,
    )
    known.tests.update(is_figure=is_figure, numeric=is_numeric)
    known.globals.update(vars(known.get_template("parts.html").module))
    known.globals["assets"] = assets()
    return known
