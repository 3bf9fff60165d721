"""The company under attack: people in their roles, suppliers in three currencies, items, and the default policies."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid4, uuid5

from sqlalchemy import Connection, Engine, select
from sqlalchemy.exc import DBAPIError

from erp_core.clock import Clock
from erp_core.gate.contract import Command, Denied, Executed, Invalid, Outcome, Proposed, Refused
from erp_core.gate.credentials import load_principal
from erp_core.gate.decisions import ApproveProposal, RejectProposal, SendBackProposal
from erp_core.gate.model import users
from erp_core.gate.principals import Principal
from erp_core.gate.submission import Gate
from erp_core.procurement.commands import CreatePurchaseOrder, PurchaseOrderLine, SubmitPurchaseOrder
from erp_core.storage.engine import reading
from erp_core.storage.types import money
from evals.attacks.product import Product

TODAY = date(2026, 6, 30)
PRICE = 10
"""What the item costs at every supplier, in the supplier's currency."""


def named(what: str) -> UUID:
    """An id that is the same in every company of the suite."""
    return uuid5(NAMESPACE_URL, f"quartermaster:attacks:{what}")


WAREHOUSE, STORE = named("warehouse"), named("store")
LAMP, CHAIR = named("lamp"), named("chair")
ACME, OTHER, FRESH, DOLLAR, CROWN = (named(code) for code in ("ACME", "OTHER", "FRESH", "DOLLAR", "CROWN"))
"""Suppliers: two that are known, one never ordered from, one paid in dollars, one in a currency without a rate."""


@dataclass(frozen=True, slots=True)
class _StandingClock(Clock):
    """A clock whose business time stands still."""

    moment: datetime = field(kw_only=True)

    def business_now(self) -> datetime:
        return self.moment


class NotAsExpected(RuntimeError):
    """A step that has nothing to do with the attack went otherwise: the company or the attack is broken."""


@dataclass
class AttackedCompany:
    """A company of an attack's own. What the attacker tries goes through `tries`, which notes what stopped it."""

    gate: Gate
    product: Product
    home: Path
    open_as: Callable[[str], Engine]
    secret: str | None = None
    stops: list[str] = field(default_factory=list)
    written: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    @property
    def engine(self) -> Engine:
        """The application's own engine."""
        return self.gate.engine

    def person(self, login: str, *roles: str) -> Principal:
        """The user with this login: one of the company's, or a new one set up with these roles."""
        with reading(self.engine) as connection:
            known = connection.scalar(select(users.c.id).where(users.c.login == login))
            if known is not None:
                return load_principal(connection, known)
        return self.gate.bootstrap_user(login, roles or (login,))

    def agent(self, login: str) -> Principal:
        """The agent of a user, in a run of its own."""
        return self.gate.agent_for(self.person(login))

    def read(self, query: Callable[[Connection], Any]) -> Any:
        """What a query gives."""
        with reading(self.engine) as connection:
            return query(connection)

    def submit(self, command: Command, who: str | Principal, *, key: str | None = None) -> Outcome:
        """Submit a command."""
        principal = self.person(who) if isinstance(who, str) else who
        return self.gate.submit(command, principal, key=key or uuid4().hex)

    def plan(self, *commands: Command, who: str | Principal, key: str | None = None, **how: Any) -> Outcome:
        """Submit a plan."""
        principal = self.person(who) if isinstance(who, str) else who
        told: dict[str, Any] = {"title": "Plan", "reason": "the shelf is empty by tomorrow"}
        return self.gate.submit_plan(commands, principal, key=key or uuid4().hex, **told | how)

    def tries(self, outcome: Outcome) -> Outcome:
        """What the attacker gets; what stopped it is noted."""
        if isinstance(outcome, Refused):
            self.stops.append(outcome.error.code)
        elif isinstance(outcome, Denied):
            self.stops.append("denied")
        elif isinstance(outcome, Invalid):
            self.stops.append("invalid")
        elif isinstance(outcome, Proposed):
            self.stops.append("proposed")
        elif isinstance(outcome, Executed):
            failed = outcome.result.get("failed")
            if failed:
                self.stops.append(failed["code"])
            elif outcome.result.get("status") == "stale":
                self.stops.append("stale")
            elif outcome.result.get("status") == "pending":
                self.stops.append("pending")
        return outcome

    def stopped(self, code: str) -> None:
        """Note what stopped the attacker where there is no outcome to tell."""
        self.stops.append(code)

    def do(self, command: Command, who: str | Principal) -> Mapping[str, Any]:
        """A step that is nobody's attack: it must run."""
        outcome = self.submit(command, who)
        if not isinstance(outcome, Executed):
            raise NotAsExpected(f"{command.command_name}: {outcome}")
        return outcome.result

    def waits(self, outcome: Outcome) -> Proposed:
        """A proposal that must have been made."""
        if not isinstance(outcome, Proposed):
            raise NotAsExpected(f"no proposal: {outcome}")
        return outcome

    def approve(self, proposal: Proposed, who: str | Principal, *, shown: str | None = None) -> Outcome:
        """Say yes to what was shown."""
        shown = shown or proposal.payload_hash
        return self.submit(ApproveProposal(proposal_id=proposal.proposal_id, payload_hash=shown), who)

    def turn_down(self, proposal: Proposed, who: str, *, finally_: bool = True) -> None:
        """Reject a proposal, or send it back."""
        decision = RejectProposal if finally_ else SendBackProposal
        self.do(
            decision(proposal_id=proposal.proposal_id, payload_hash=proposal.payload_hash, comment="no"), who
        )

    def agrees(self, outcome: Outcome, *people: str) -> None:
        """Let people approve what nobody attacks, until it ran."""
        proposal = self.waits(outcome)
        done: Outcome = proposal
        for who in people:
            done = self.approve(proposal, who)
        if not isinstance(done, Executed) or done.result.get("status") != "executed":
            raise NotAsExpected(f"not executed: {done}")

    def draft(
        self,
        amount: int,
        *,
        who: str | Principal = "buyer",
        supplier: UUID = ACME,
        fields: Mapping[str, Any] | None = None,
    ) -> UUID:
        """A draft order over so much money of the supplier, in tens."""
        command = draft_of(amount, supplier=supplier, **fields or {})
        self.do(command, who)
        return command.po_id

    def asks(self, amount: int, *, who: str | Principal = "buyer", supplier: UUID = ACME) -> Outcome:
        """Draft an order and submit it."""
        po_id = self.draft(amount, who=who, supplier=supplier)
        return self.submit(SubmitPurchaseOrder(po_id=po_id), who)

    def order(self, amount: int, *, who: str | Principal = "buyer", supplier: UUID = ACME) -> Proposed:
        """An order that waits for approval."""
        return self.waits(self.asks(amount, who=who, supplier=supplier))

    def on(self, day: date) -> AttackedCompany:
        """The same company on another business day."""
        return self._at(Clock(fixed_business_date=day))

    def at(self, moment: datetime) -> AttackedCompany:
        """The same company at another moment of business; the wall goes on."""
        return self._at(_StandingClock(fixed_business_date=moment.date(), moment=moment))

    def _at(self, clock: Clock) -> AttackedCompany:
        gate = self.product.make_gate(self.engine, clock, home=self.home)
        return replace(self, gate=gate)

    @contextmanager
    def database(self, role: str) -> Iterator[Connection]:
        """A connection beside the application: as the `application`'s role or as the `owner` of the database.

        An error of the database is noted as what stopped the attacker.
        """
        engine = self.open_as(role)
        try:
            with engine.begin() as connection:
                yield connection
        except DBAPIError:
            self.stopped("database")
        finally:
            engine.dispose()


def draft_of(amount: int, *, supplier: UUID = ACME, **fields: Any) -> CreatePurchaseOrder:
    """A draft over so much money, in units of the item at its price."""
    line = PurchaseOrderLine(line_id=uuid4(), item_id=LAMP, quantity=amount // PRICE, unit_price=money(PRICE))
    values: dict[str, Any] = {
        "po_id": uuid4(),
        "supplier_id": supplier,
        "location_id": WAREHOUSE,
        "lines": (line,),
        "reason": "below the reorder point",
    }
    return CreatePurchaseOrder(**values | fields)
