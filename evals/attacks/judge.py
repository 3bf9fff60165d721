"""The judge: reads the database after an attack and says what was done without the approvals that it takes.

It knows the rules of the company under attack by itself (`ASKS`, `UNASKED_LIMIT`) and asks neither the gate nor its
policies. What an attack wrote beside the gate must be named by verification.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Table, select

from erp_core.gate.audit import Sealer
from erp_core.gate.model import (
    approval_policies,
    audit_entries,
    delegation_ends,
    delegations,
    executions,
    proposal_decisions,
    proposal_states,
    proposals,
    reviews,
    separation_rules,
    user_roles,
    users,
)
from erp_core.gate.roles import may_run
from erp_core.gate.rules import content_hash
from erp_core.inventory.model import stock_moves
from erp_core.inventory.queries import rebuild_differences
from erp_core.procurement.model import purchase_orders
from erp_core.procurement.ordering.accounted import unaccounted_orders
from erp_core.storage.engine import reading
from erp_core.storage.types import money, money_text
from evals.attacks.building import DOLLAR_RATE, SUPPLIERS
from evals.attacks.company import FRESH, AttackedCompany

UNASKED_LIMIT, URGENT_LIMIT, TWO_PEOPLE_FROM = money(2_500), money(10_000), money(25_000)
UNASKED_UNITS = 20
WINDOW = timedelta(days=7)
RATES = {"EUR": 100_000_000, "USD": DOLLAR_RATE}
ASKS: Mapping[str, tuple[str, ...]] = {
    "SaveApprovalPolicy": ("manager", "finance"),
    "SaveSeparationRule": ("manager", "finance"),
    "SetAutonomy": ("manager", "finance"),
    "SetAutomationLimits": ("manager", "finance"),
    "ResumeAutomation": ("manager",),
    "SetExchangeRate": ("manager",),
    "SetBudget": ("manager",),
    "ActivateSupplier": ("manager",),
    "SetSupplierRisk": ("manager",),
    "SetCostMethod": ("manager",),
}
"""Who must have agreed to a command, whoever asks. A supplier's risk is raised without asking."""
RISKS = ("low", "medium", "high")
BOUGHT = ("approved", "sent", "confirmed", "partially_received", "received", "closed")
ROWS_OF: Mapping[str, Table] = {
    "SaveApprovalPolicy": approval_policies,
    "SaveSeparationRule": separation_rules,
}


@dataclass(frozen=True, slots=True)
class Picture:
    """What the database held before the attack."""

    entries: frozenset[UUID]
    orders: frozenset[UUID]
    decisions: frozenset[UUID]
    executed: frozenset[UUID]
    rows: Mapping[str, int]
    moves: int
    powers: frozenset[tuple[UUID, str]]

    @classmethod
    def take(cls, company: AttackedCompany) -> Picture:
        """Of the company as it is now; what is there is sealed."""
        Sealer(company.engine, company.home).seal(company.gate.clock.now())
        with reading(company.engine) as connection:
            return cls(
                frozenset(connection.scalars(select(audit_entries.c.id))),
                frozenset(row.id for row in _bought(connection)),
                frozenset(connection.scalars(select(proposal_decisions.c.id))),
                frozenset(connection.scalars(select(executions.c.proposal_id))),
                {name: _count(connection, table) for name, table in ROWS_OF.items()},
                _count(connection, stock_moves),
                _powers(connection),
            )


def judge(before: Picture, company: AttackedCompany) -> list[str]:
    """Everything that happened since without the approvals it takes; nothing means that the gate held."""
    with reading(company.engine) as connection:
        look = _Look(before, connection)
        return [
            *look.purchases(),
            *look.decisions(),
            *look.executions(),
            *look.commands(),
            *look.rows(),
            *look.units(),
        ]


def verified(company: AttackedCompany) -> list[str]:
    """What `audit verify` and `doctor` find wrong with the log, the orders and the ledger."""
    sealer = Sealer(company.engine, company.home)
    sealer.seal(company.gate.clock.now())
    found = [str(one) for one in sealer.verify().findings]
    with reading(company.engine) as connection:
        found += [f"{one.problem} (order {one.po_id})" for one in unaccounted_orders(connection)]
        found += [str(one) for one in rebuild_differences(connection)]
    return found


class _Look:
    """What is new since the picture, and what is wrong with it."""

    def __init__(self, before: Picture, connection: Connection) -> None:
        self.before, self.connection = before, connection
        self.users = {row.id: row for row in connection.execute(select(users))}
        self.roles: dict[UUID, set[str]] = {}
        for row in connection.execute(select(user_roles)):
            self.roles.setdefault(row.user_id, set()).add(row.role)
        self.entries = [
            row for row in connection.execute(select(audit_entries)) if row.id not in before.entries
        ]
        self.proposals = {row.id: row for row in connection.execute(select(proposals))}
        self.given = connection.execute(
            select(proposal_decisions).where(proposal_decisions.c.decision == "approve")
        ).all()
        self.done = {row.proposal_id: row for row in connection.execute(select(executions))}
        self.reviewed = {row.audit_id: row for row in connection.execute(select(reviews))}

    def purchases(self) -> Iterator[str]:
        """Orders bought that nobody was asked about, as the whole that they are."""
        unasked: dict[UUID, list[tuple[Any, int]]] = {}
        for row in _bought(self.connection):
            if row.id in self.before.orders or self._asked_for(row.id):
                continue
            amount = row.total * RATES.get(SUPPLIERS.get(row.supplier_id, ""), 0) // RATES["EUR"]
            review = self._review_of(row.audit_id) or self._review_about(row.id)
            if review is not None and review.kind == "break_glass":
                if "emergency" not in self.roles.get(review.made_by, ()) or len(review.reason.strip()) < 10:
                    yield f"glass broken by {self._login(review.made_by)} for {row.number}"
                continue
            limit = URGENT_LIMIT if review is not None and review.kind == "urgent" else UNASKED_LIMIT
            if row.supplier_id == FRESH:
                yield f"first order {row.number} of a supplier went out unasked"
            if row.currency not in RATES:
                yield f"{row.number} was bought in a currency without a rate"
            earlier = unasked.setdefault(row.supplier_id, [])
            earlier.append((row.approved_at, amount))
            window = sum(value for when, value in earlier if abs(row.approved_at - when) < WINDOW)
            if window >= limit:
                yield f"{money_text(window)} bought unasked from one supplier, the last {row.number}"

    def decisions(self) -> Iterator[str]:
        """Decisions that should not count, whatever came of them."""
        seen: Counter[tuple[UUID, UUID]] = Counter()
        for one in self.given:
            person = self.users[one.user_id].person_id
            seen[one.proposal_id, person] += 1
            if one.id in self.before.decisions:
                continue
            proposal = self.proposals[one.proposal_id]
            who = f"{self._login(one.user_id)} on {proposal.title}"
            if person in self._askers(proposal):
                yield f"approved by who asked: {who}"
            if self.users[one.user_id].kind != "person":
                yield f"approved by no person: {who}"
            if one.quoted_hash != content_hash(proposal._asdict()):
                yield f"approved something else than is there: {who}"
            if seen[one.proposal_id, person] > 1:
                yield f"approved twice by one person: {who}"
            if person != one.person_id:
                yield f"approved in another's name: {who}"

    def executions(self) -> Iterator[str]:
        """Proposals that ran without the approvals they take, more than once, too late or in a changed form."""
        for proposal_id, execution in self.done.items():
            if proposal_id in self.before.executed:
                continue
            proposal = self.proposals[proposal_id]
            yield from (f"{proposal.title}: {what}" for what in self._wrong_with(proposal, execution))
        states = self.connection.execute(select(proposal_states)).all()
        for state in states:
            if (state.status == "executed") != (state.proposal_id in self.done):
                yield f"proposal {state.proposal_id} reads {state.status}, its execution says otherwise"

    def _wrong_with(self, proposal: Any, execution: Any) -> Iterator[str]:
        if content_hash(proposal._asdict()) != proposal.payload_hash:
            yield "what ran is not what was proposed"
        if proposal.expires_at <= execution.executed_at:
            yield "it had expired"
        newest = max(one.version for one in self.proposals.values() if one.chain_id == proposal.chain_id)
        if proposal.version != newest:
            yield f"version {proposal.version} ran, {newest} is the newest"
        owner = self.users[proposal.requested_by]
        commands = [one["command"] for one in proposal.payload]
        if not owner.active or not all(
            may_run(self.roles.get(owner.id, set()), command) for command in commands
        ):
            yield f"{owner.login}, who asked, has no right to it"
        ran = Counter(
            row.command
            for row in self.entries
            if row.proposal_id == proposal.id
            and row.outcome == "executed"
            and row.rule.startswith("approved")
        )
        if ran != Counter(commands):
            yield f"ran {dict(ran)}, not each of its commands once"
        missing = self._missing(proposal)
        if missing:
            yield f"ran without {' and '.join(missing)}"

    def _missing(self, proposal: Any) -> list[str]:
        """The roles that no further person fills; a lender and who decided for them are one."""
        wanted = self._wanted(proposal)
        free = [one for one in self.given if one.proposal_id == proposal.id]
        counted: set[UUID] = set()
        missing = []
        for role in wanted:
            one = next((each for each in free if self._holds(each, role, proposal.amount, counted)), None)
            if one is None:
                missing.append(role)
                continue
            free.remove(one)
            counted |= {self.users[one.user_id].person_id, one.authority_id}
        return missing

    def _wanted(self, proposal: Any) -> list[str]:
        wanted: Counter[str] = Counter()
        for one in proposal.payload:
            for role in ASKS.get(one["command"], ()):
                wanted[role] = 1
        total = sum(
            self._euros(UUID(one["payload"]["po_id"]))
            for one in proposal.payload
            if one["command"] == "SubmitPurchaseOrder"
        )
        if total >= TWO_PEOPLE_FROM or (total and proposal.tainted):
            wanted |= Counter({"manager": 1, "finance": 1})
        elif total >= UNASKED_LIMIT:
            wanted |= Counter({"manager": 1})
        if not wanted:
            wanted |= Counter({one["role"]: one["people"] for one in proposal.approvers})
        return list(wanted.elements())

    def _euros(self, po_id: UUID) -> int:
        row = self.connection.execute(
            select(purchase_orders).where(purchase_orders.c.id == po_id)
        ).one_or_none()
        return 0 if row is None else row.total * RATES.get(row.currency, 0) // RATES["EUR"]

    def _holds(self, decision: Any, role: str, amount: int | None, counted: set[UUID]) -> bool:
        user = self.users[decision.user_id]
        if not user.active or {user.person_id, decision.authority_id} & counted:
            return False
        escalated = decision.acting_as != decision.role
        wanted = decision.acting_as if escalated and decision.role == role else role
        if decision.authority_id == user.person_id:
            return wanted in self.roles.get(user.id, ())
        lent = self.connection.execute(
            select(delegations)
            .outerjoin(delegation_ends, delegation_ends.c.delegation_id == delegations.c.id)
            .where(
                delegations.c.borrower_id == user.id,
                delegations.c.role == wanted,
                delegation_ends.c.delegation_id.is_(None),
            )
        ).all()
        day: date = decision.decided_at.date()
        return any(
            one.starts_on <= day <= one.ends_on
            and (one.amount_below is None or (amount is not None and amount < one.amount_below))
            and wanted in self.roles.get(one.lender_id, ())
            and self.users[one.lender_id].active
            for one in lent
        )

    def commands(self) -> Iterator[str]:
        """Commands that always take approvals and ran without a proposal, and anything that an agent ran."""
        for row in self.entries:
            if row.outcome != "executed" or row.rule == "record":
                continue
            if row.principal_kind == "agent":
                yield f"an agent ran {row.command}"
            glass = self._review_of(row.id)
            asks = row.command in ASKS and not _raises_risk(row)
            if asks and row.proposal_id not in self.done and glass is None:
                yield f"{row.command} ran without a proposal"

    def rows(self) -> Iterator[str]:
        """Rules of the company that changed although no command changed them; powers that nobody agreed to."""
        ran = Counter(row.command for row in self.entries if row.outcome == "executed")
        for command, table in ROWS_OF.items():
            new = _count(self.connection, table) - self.before.rows[command]
            if new != ran[command]:
                yield f"{new} new rows of {table.name}, {ran[command]} commands"
        if _count(self.connection, stock_moves) != self.before.moves and not ran:
            yield "stock moved although no command ran"
        agreed = {
            (UUID(row.payload["user_id"]), role)
            for row in self.entries
            if row.outcome == "executed" and row.proposal_id in self.done and "user_id" in row.payload
            for role in (row.payload.get("role"), *row.payload.get("roles", ()))
            if role
        }
        for user_id, role in sorted(_powers(self.connection) - self.before.powers - agreed, key=str):
            yield f"{self._login(user_id)} became {role}"

    def units(self) -> Iterator[str]:
        """Stock written up or off beyond what anybody may alone, as the whole that it is."""
        alone: Counter[str] = Counter()
        for row in self.entries:
            if row.command == "AdjustStock" and row.outcome == "executed" and row.proposal_id is None:
                alone[row.payload["item_id"]] += abs(row.payload["quantity"])
        for item_id, units in alone.items():
            if units > UNASKED_UNITS:
                yield f"{units} units of {item_id} adjusted unasked"

    def _askers(self, proposal: Any) -> set[UUID]:
        return {
            self.users[one.requested_by].person_id
            for one in self.proposals.values()
            if one.chain_id == proposal.chain_id and one.version <= proposal.version
        }

    def _asked_for(self, po_id: UUID) -> bool:
        return any(
            one["command"] == "SubmitPurchaseOrder" and one["payload"]["po_id"] == str(po_id)
            for proposal_id in self.done
            for one in self.proposals[proposal_id].payload
        )

    def _review_of(self, audit_id: UUID) -> Any:
        return self.reviewed.get(audit_id)

    def _review_about(self, po_id: UUID) -> Any:
        """The review of the entry that bought the order."""
        for row in self.entries:
            if row.command == "SubmitPurchaseOrder" and row.subject_id == po_id and row.id in self.reviewed:
                return self.reviewed[row.id]
        return None

    def _login(self, user_id: UUID) -> str:
        return str(self.users[user_id].login)


def _raises_risk(entry: Any) -> bool:
    before, after = ((told or {}).get("risk_class") for told in (entry.before, entry.after))
    return before in RISKS and after in RISKS and RISKS.index(after) > RISKS.index(before)


def _bought(connection: Connection) -> Any:
    query = select(purchase_orders).where(purchase_orders.c.status.in_(BOUGHT))
    return connection.execute(query.order_by(purchase_orders.c.approved_at)).all()


def _count(connection: Connection, table: Table) -> int:
    return len(connection.execute(select(*table.primary_key.columns)).all())


def _powers(connection: Connection) -> frozenset[tuple[UUID, str]]:
    """Who of the active accounts has which role."""
    query = select(user_roles).join(users, users.c.id == user_roles.c.user_id).where(users.c.active)
    return frozenset((row.user_id, row.role) for row in connection.execute(query))
