"""`doctor`: is everything there and does everything agree? Reads only."""

from __future__ import annotations

import importlib.metadata
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from api.company import Company, open_company
from api.serving import running_server
from erp_core.finance.layers import layer_differences
from erp_core.finance.queries import valuation_differences
from erp_core.gate.queries import company_facts, seal_state
from erp_core.inventory.queries import rebuild_differences
from erp_core.master.queries import feeds
from erp_core.orders.past_sums import past_sum_differences
from erp_core.planning.queries import active_model
from erp_core.procurement.books.reconciling import journal_differences
from erp_core.procurement.commands.closing import closed_differences
from erp_core.procurement.ordering.accounted import unaccounted_orders
from erp_core.settings import Settings
from erp_core.storage.engine import reading
from erp_core.storage.guard import is_separated
from erp_core.storage.schema import is_migrated, pending_migrations

MODELS = ("demand", "demand_anomaly", "supplier_delay")


@dataclass(frozen=True, slots=True)
class Check:
    """One finding. `bad` needs a hand, `note` is worth knowing."""

    name: str
    state: Literal["good", "note", "bad"]
    finding: str
    remedy: str = ""


def examine(settings: Settings) -> list[Check]:
    """All checks, in an order in which a later one may rest on an earlier one."""
    checks = [_environment(), *_server(settings)]
    company = open_company(settings)
    try:
        database = _database(company)
        checks.append(database)
        if database.state != "bad":
            checks += _guarded(company)
    finally:
        company.close()
    return checks


def _guarded(company: Company) -> Iterator[Check]:
    duties: dict[str, Callable[[Company], Iterator[Check]]] = {
        "roles": _roles,
        "data": _data,
        "audit log": _audit,
        "ledger": _ledger,
        "journal": _journal,
        "past sales": _past_sales,
        "orders": _orders,
        "models": _models,
        "keys": _keys,
    }
    for name, look in duties.items():
        try:
            yield from look(company)
        except (SQLAlchemyError, OSError, ValueError) as error:
            yield Check(name, "bad", f"cannot be examined: {error}".splitlines()[0])


def _environment() -> Check:
    version = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info[:2] != (3, 11):
        return Check("environment", "bad", f"Python {version}", "use Python 3.11")
    return Check(
        "environment",
        "good",
        f"Python {version}, Quartermaster {importlib.metadata.version('quartermaster')}",
    )


def _server(settings: Settings) -> Iterator[Check]:
    server = running_server(settings.home)
    if server:
        yield Check("server", "good", f"answers at {server.url}")
    else:
        yield Check("server", "note", "none is running", "start one with `quartermaster serve`")
    free = shutil.disk_usage(settings.home if settings.home.exists() else ".").free
    if free < 1 << 30:
        yield Check("disk", "bad", f"{free >> 20} MB free", "make room")


def _database(company: Company) -> Check:
    kind = company.engine.dialect.name
    try:
        if not is_migrated(company.engine):
            return Check(
                "database", "bad", f"{kind}, without a company", "run `quartermaster init` or `demo`"
            )
        waiting = pending_migrations(company.engine)
    except SQLAlchemyError as error:
        return Check(
            "database", "bad", f"{kind} does not answer: {error.__class__.__name__}", "check DATABASE_URL"
        )
    if waiting:
        return Check(
            "database", "bad", f"{kind}, {len(waiting)} migrations behind", "run `quartermaster init` again"
        )
    if kind == "sqlite":
        with reading(company.engine) as connection:
            found = connection.execute(text("PRAGMA quick_check(1)")).scalar()
        if found != "ok":
            return Check("database", "bad", f"sqlite: {found}", "restore the last good copy")
    return Check("database", "good", f"{kind}, at the newest migration")


def _roles(company: Company) -> Iterator[Check]:
    """Whether direct SQL under the application's credentials is refused, or only found out."""
    with reading(company.engine) as connection:
        if connection.dialect.name != "postgresql":
            return
        separated = is_separated(connection)
    if not separated:
        yield Check(
            "roles",
            "note",
            "the application owns its tables: direct SQL is found out, not prevented",
            "set QUARTERMASTER_MIGRATION_URL and run `quartermaster database grant ROLE`",
        )
    else:
        yield Check("roles", "good", "the application's role may not go around the gate")


def _data(company: Company) -> Iterator[Check]:
    with reading(company.engine) as connection:
        known, facts = feeds(connection), company_facts(connection)
    yield Check(
        "company", "good", f"{facts.get('name', 'without a name')}, business date {company.clock.today()}"
    )
    if not known:
        yield Check("feeds", "note", "no data yet", "run `quartermaster import`")
    for feed in known.values():
        age = (company.clock.today() - feed.last_on).days
        state: Literal["good", "note"] = "note" if age > 7 else "good"
        yield Check(
            f"feed {feed.kind}",
            state,
            f"{feed.first_on} to {feed.last_on}" + (f", {age} days old" if age > 7 else ""),
        )


def _audit(company: Company) -> Iterator[Check]:
    with reading(company.engine) as connection:
        seal = seal_state(connection)
    found = company.sealer.verify()
    if not found.intact:
        first = found.findings[0]
        yield Check(
            "audit log",
            "bad",
            f"{first.problem} (entry {first.audit_id})",
            "run `quartermaster audit verify`",
        )
        return
    waiting = seal.entries - seal.sealed
    age = (company.clock.now() - seal.sealed_at).total_seconds() if seal.sealed_at else None
    late = waiting and (age is None or age > 60)
    yield Check(
        "audit log",
        "note" if late else "good",
        f"intact: {found.sealed} entries sealed, {waiting} waiting",
        "let `quartermaster jobs` or a server run" if late else "",
    )


def _ledger(company: Company) -> Iterator[Check]:
    with reading(company.engine) as connection:
        stock, value = rebuild_differences(connection), valuation_differences(connection)
        layers = layer_differences(connection, company.clock.today())
    for name, wrong in (("ledger", len(stock)), ("valuation", len(value)), ("cost layers", len(layers))):
        if wrong:
            yield Check(
                name,
                "bad",
                f"{wrong} figures differ from what the moves add up to",
                "keep the database and investigate",
            )
        else:
            yield Check(name, "good", "rebuilt from its moves: no difference")


def _journal(company: Company) -> Iterator[Check]:
    with reading(company.engine) as connection:
        apart = journal_differences(connection, company.clock.today())
        changed = closed_differences(connection)
    if apart:
        accounts = ", ".join(sorted({one.account for one in apart}))
        yield Check(
            "journal",
            "bad",
            f"not what its records add up to: {accounts}",
            "keep the database and investigate",
        )
    else:
        yield Check("journal", "good", "every account is what its records add up to")
    if changed:
        months = ", ".join(f"{month:%Y-%m}" for month in changed)
        yield Check(
            "closed months",
            "bad",
            f"changed since they were closed: {months}",
            "keep the database and investigate",
        )
    else:
        yield Check("closed months", "good", "the figures are those they were closed with")


def _past_sales(company: Company) -> Iterator[Check]:
    with reading(company.engine) as connection:
        wrong = past_sum_differences(connection)
    if wrong:
        first = wrong[0]
        yield Check(
            "past sales",
            "bad",
            f"{len(wrong)} daily sums differ from the imported lines, the first in {first.table}:"
            f" {first.sku} on {first.day}",
            "keep the database and investigate",
        )
    else:
        yield Check("past sales", "good", "daily sums added up again from their lines: no difference")


def _orders(company: Company) -> Iterator[Check]:
    with reading(company.engine) as connection:
        wrong = unaccounted_orders(connection)
    if wrong:
        first = wrong[0]
        yield Check(
            "orders",
            "bad",
            f"{len(wrong)} orders are not what commands made them, the first: {first.problem} ({first.po_id})",
            "keep the database and investigate",
        )
    else:
        yield Check("orders", "good", "each was bought by a command of the log")


def _models(company: Company) -> Iterator[Check]:
    with reading(company.engine) as connection:
        for name in MODELS:
            model = active_model(connection, name)
            if model is None:
                yield Check(f"model {name}", "note", "not trained", "run `quartermaster train`")
            elif not (company.home / model.artifact).exists():
                yield Check(
                    f"model {name}",
                    "bad",
                    f"version {model.version}: its file is missing",
                    "run `quartermaster train`",
                )
            else:
                yield Check(f"model {name}", "good", f"version {model.version}, as of {model.as_of}")


def _keys(company: Company) -> Iterator[Check]:
    key = company.home / "audit" / "signing-key.pem"
    if not key.exists():
        yield Check("keys", "note", "no signing key yet: the first seal makes one")
    elif key.stat().st_mode & 0o077:
        yield Check("keys", "bad", f"{key} can be read by others", f"chmod 600 {key}")
    else:
        yield Check("keys", "good", "the signing key is there, for its owner alone")
    settings = company.settings
    if settings.model and not settings.openai_api_key:
        yield Check(
            "language model",
            "note",
            f"{settings.model} without OPENAI_API_KEY",
            "the interpreter answers meanwhile",
        )
