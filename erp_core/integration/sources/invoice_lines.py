"""Invoice lines read and judged in columns of integers, so that a million of them fit in memory."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import islice
from operator import itemgetter, ne
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from erp_core.integration.fields import MISSING, FieldError, amount, code, integer, moment, text_up_to
from erp_core.integration.findings import Findings
from erp_core.integration.sources.base import Rows
from erp_core.integration.sources.numbered import UNREADABLE, Ints, Numbered, Numbers
from erp_core.integration.sources.online_retail_rules import is_goods, verdict

Flags = NDArray[np.bool_]

NO_COUNTRY: Final = "Unspecified"
FIELDS: Final = (
    "invoice",
    "stock_code",
    "quantity",
    "invoice_date",
    "price",
    "customer",
    "country",
    "description",
)
BLOCK: Final = 4_000


def _customer(text: str) -> str | None:
    """``17850``, also as pandas writes it (``17850.0``); None for an unregistered customer."""
    value = text.strip().removesuffix(".0")
    if value.lower() in MISSING:
        return None
    if len(value) > 40:
        raise FieldError("too_long", "it has more than 40 characters", "give the customer's number")
    return value


def _country(text: str) -> str:
    return text_up_to(60)(text) if text.strip().lower() not in MISSING else NO_COUNTRY


def _description(text: str) -> str:
    return " ".join(text.replace("\x00", "").split())[:200]


def _seconds(at: datetime) -> int:
    return int(at.replace(tzinfo=UTC).timestamp())


PARSERS: dict[str, Callable[[str], Any]] = {
    "invoice": code(40),
    "stock_code": code(60),
    "quantity": integer,
    "invoice_date": moment,
    "price": amount,
    "customer": _customer,
    "country": _country,
    "description": _description,
}
FACTS: dict[str, Callable[[Any], int]] = {
    "invoice": lambda invoice: ord(invoice[0]),
    "stock_code": is_goods,
    "quantity": int,
    "invoice_date": _seconds,
    "price": int,
    "customer": lambda customer: customer is None,
    "country": len,
    "description": len,
}
"""By field, the integer of a value that rows are judged by."""


@dataclass(frozen=True, slots=True)
class InvoiceLines:
    """Rows of sales and cancellations by column; texts and moments are numbers into `numbered`.

    `seconds` is the moment as published (UK local time), counted as if it were UTC. `known` marks rows that an
    earlier import brought: they take part in matching and are not posted.
    """

    numbered: Mapping[str, Numbered]
    invoice: Numbers
    stock_code: Numbers
    invoice_date: Numbers
    customer: Numbers
    country: Numbers
    description: Numbers
    quantity: Ints
    price: Ints
    seconds: Ints
    known: Flags

    def when(self, row: int) -> datetime:
        """The moment of a row, as published."""
        found: datetime = self.numbered["invoice_date"].given[self.invoice_date[row]]
        return found

    def texts(self, field: str, rows: Ints) -> list[Any]:
        """What these rows say in a field."""
        return self.numbered[field].of(getattr(self, field)[rows])


@dataclass(frozen=True, slots=True)
class _Block:
    """Some rows that are sales or cancellations: numbers by field, the row's hash, whether its code was rewritten."""

    numbers: Numbers
    same: Ints
    rewritten: Flags


def read_lines(
    rows: Rows,
    places: Mapping[str, int],
    as_of: date,
    brought: Set[str],
    returned: Set[str],
    findings: Findings,
) -> InvoiceLines:
    """Read every row, count what is refused or set aside, and keep the sales and cancellations.

    `brought` are the invoices, `returned` the cancellations that earlier imports brought.
    """
    numbered = {name: Numbered(PARSERS[name], FACTS[name]) for name in FIELDS}
    at = [places[name] for name in FIELDS]
    after = _seconds(datetime.combine(as_of, time()) + timedelta(days=1))
    blocks: list[_Block] = []
    waiting = iter(rows)
    while some := list(islice(waiting, BLOCK)):
        findings.read += len(some)
        blocks.append(_read_block(some, at, numbered, after, findings))
    numbers = np.concatenate(
        [block.numbers for block in blocks] or [np.empty((len(FIELDS), 0), np.int32)], axis=1
    )
    column = dict(zip(FIELDS, numbers, strict=True))
    lines = InvoiceLines(
        numbered,
        invoice=column["invoice"],
        stock_code=column["stock_code"],
        invoice_date=column["invoice_date"],
        customer=column["customer"],
        country=column["country"],
        description=column["description"],
        quantity=numbered["quantity"].facts(column["quantity"]),
        price=numbered["price"].facts(column["price"]),
        seconds=numbered["invoice_date"].facts(column["invoice_date"]),
        known=np.zeros(numbers.shape[1], bool),
    )
    for invoices, of_kind in ((brought, lines.quantity > 0), (returned, lines.quantity < 0)):
        earlier = [numbered["invoice"].number_of(invoice) for invoice in invoices]
        lines.known[of_kind & np.isin(lines.invoice, earlier)] = True
    _note(lines, blocks, findings)
    return lines


def _note(lines: InvoiceLines, blocks: Sequence[_Block], findings: Findings) -> None:
    """Count what is remarked on rows that no earlier import brought."""
    fresh = ~lines.known
    unregistered = lines.numbered["customer"].number_of(None)
    blank = lines.numbered["description"].number_of("")
    same = np.concatenate([block.same for block in blocks])[fresh] if blocks else np.empty(0)
    rewritten = np.concatenate([block.rewritten for block in blocks])[fresh] if blocks else same
    noted = {
        "blank_description": int(np.count_nonzero(fresh & (lines.description == blank))),
        "no_customer": int(np.count_nonzero(fresh & (lines.customer == unregistered))),
        "stock_code_rewritten": int(np.count_nonzero(rewritten)),
        "free_of_charge": int(np.count_nonzero(fresh & (lines.price == 0))),
        "duplicate_kept": len(same) - len(np.unique(same)),
    }
    findings.noted.update({rule: count for rule, count in noted.items() if count})
    if earlier := np.count_nonzero(lines.known):
        findings.set_aside["already_imported"] += int(earlier)


def _read_block(
    rows: Sequence[tuple[int, list[str]]],
    at: Sequence[int],
    numbered: Mapping[str, Numbered],
    after: int,
    findings: Findings,
) -> _Block:
    width = max(at) + 1
    cells = [row if len(row) >= width else [*row, *[""] * width] for _, row in rows]
    texts = {name: list(map(itemgetter(place), cells)) for name, place in zip(FIELDS, at, strict=True)}
    numbers = np.stack([numbered[name].read(texts[name]) for name in FIELDS])
    facts = {name: numbered[name].facts(column) for name, column in zip(FIELDS, numbers, strict=True)}
    whole = np.fromiter((len(row) >= width for _, row in rows), bool, len(rows))
    readable = whole & (numbers != UNREADABLE).all(axis=0) & (facts["quantity"] != 0)
    judged = _judged(readable, numbers, facts, numbered)
    goods = (judged == "sale") | (judged == "cancellation")
    refused = ~readable | (goods & (facts["price"] < 0))
    for place in np.flatnonzero(refused).tolist():
        line, row = rows[place]
        findings.refuse(line, _errors(row, at, width))
    judged[facts["invoice_date"] >= after] = "after_as_of"
    goods = ~refused & ((judged == "sale") | (judged == "cancellation"))
    findings.set_aside.update(judged[~refused & ~goods].tolist())
    taken = np.flatnonzero(goods)
    rewritten = map(ne, texts["stock_code"], numbered["stock_code"].of(numbers[1]))
    same = map(hash, map(tuple, (row for _, row in rows)))
    return _Block(
        numbers[:, taken],
        np.fromiter(same, np.int64, len(rows))[taken],
        np.fromiter(rewritten, bool, len(rows))[taken],
    )


def _judged(
    readable: Flags, numbers: Numbers, facts: Mapping[str, Ints], numbered: Mapping[str, Numbered]
) -> NDArray[np.object_]:
    """The verdict on each readable row, found once for rows that are alike in what it looks at."""
    judged = np.full(len(readable), "", object)
    alike = facts["invoice"]
    for trait in (
        facts["stock_code"],
        np.sign(facts["quantity"]) + 1,
        facts["price"] == 0,
        facts["customer"],
    ):
        alike = alike * 3 + trait
    kinds, first, kind = np.unique(alike[readable], return_index=True, return_inverse=True)
    examples = np.flatnonzero(readable)[first]
    verdicts = np.empty(len(kinds), object)
    for place, row in enumerate(examples.tolist()):
        values = (numbered[name].given[number] for name, number in zip(FIELDS, numbers[:, row], strict=True))
        invoice, sku, quantity, _, charged, customer, *_ = values
        verdicts[place] = verdict(invoice, sku, quantity, charged, customer)
    judged[readable] = verdicts[kind]
    return judged


def _errors(row: Sequence[str], at: Sequence[int], width: int) -> list[tuple[str, FieldError]]:
    """Every error of a row that has one."""
    if len(row) < width:
        reason = f"it has {len(row)} cells instead of {width} or more"
        return [("row", FieldError("too_few_cells", reason, "give every column, and quote commas"))]
    errors = []
    for name, place in zip(FIELDS, at, strict=True):
        try:
            value = PARSERS[name](row[place])
            if name == "quantity" and value == 0:
                raise FieldError("quantity_zero", "the quantity is 0", "give the units sold")
        except FieldError as error:
            errors.append((name, error))
    if not errors:
        reason = f"{row[at[FIELDS.index('price')]]!r} is below zero"
        errors.append(("price", FieldError("price_below_zero", reason, "give 0 or more")))
    return errors
