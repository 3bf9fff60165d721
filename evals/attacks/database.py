"""Attacks on the database itself: as the application's role, which is prevented, and as its owner, which is found out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Connection, Delete, Executable, Insert, Update, delete, insert, text, update

from erp_core.finance.model import exchange_rates
from erp_core.gate.audit import Sealer
from erp_core.gate.contract import Proposed
from erp_core.gate.model import (
    approval_policies,
    audit_checkpoints,
    audit_entries,
    audit_leaves,
    delegations,
    executions,
    proposal_decisions,
    proposal_states,
    proposals,
    separation_rules,
    user_roles,
    users,
)
from erp_core.inventory.model import stock_balances
from erp_core.procurement.model import purchase_orders
from evals.attacks.attack import attack
from evals.attacks.company import LAMP, AttackedCompany

THEN = datetime(2026, 6, 30, 12, tzinfo=UTC)


def as_application(company: AttackedCompany, *statements: Executable, named: object) -> None:
    """Run each statement as the application's role; what gets through must be named by verification."""
    for statement in statements:
        before = len(company.stops)
        with company.database("application") as connection:
            connection.execute(statement)
        if len(company.stops) == before:
            company.written.append(str(named))


class _Owner:
    """What whoever owns the database does: each statement with the triggers of its table taken off, and put back."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def execute(self, statement: Insert | Update | Delete) -> None:
        """Change a table."""
        table = str(statement.table)
        restored = triggers_off(self._connection, table)
        self._connection.execute(statement)
        for one in restored:
            self._connection.exec_driver_sql(one)


def triggers_off(connection: Connection, table: str) -> list[str]:
    """Take the triggers of a table off; gives the statements that put them back."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        return [f"ALTER TABLE {table} ENABLE TRIGGER USER"]
    query = text("SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = :table")
    there = connection.execute(query, {"table": table}).all()
    for one in there:
        connection.exec_driver_sql(f"DROP TRIGGER {one.name}")
    return [one.sql for one in there]


@contextmanager
def as_owner(company: AttackedCompany, named: object) -> Iterator[_Owner]:
    """Write as whoever owns the database; afterwards every trigger is there again, and `named` must be found out."""
    with company.database("owner") as connection:
        yield _Owner(connection)
        company.written.append(str(named))


def decision_of(company: AttackedCompany, proposal: Proposed, login: str) -> dict[str, Any]:
    """A row that says that a user approved."""
    user = company.person(login)
    return {
        "id": uuid4(),
        "proposal_id": proposal.proposal_id,
        "user_id": user.user_id,
        "decision": "approve",
        "person_id": user.person,
        "authority_id": user.person,
        "role": "manager",
        "acting_as": "manager",
        "quoted_hash": proposal.payload_hash,
        "comment": "",
        "decided_at": THEN,
    }


def approved(po_id: UUID) -> Update:
    """Make an order read as approved."""
    return update(purchase_orders).where(purchase_orders.c.id == po_id).values(status="approved")


@attack(
    "forge-an-approval-as-the-application",
    "database",
    "Every table refuses a session that the gate did not unlock, also one with the application's password.",
)
def application_decides(company: AttackedCompany) -> None:
    """Somebody with the application's database password inserts decisions and an execution, and sets the states."""
    proposal = company.order(30_000)
    executed = {"proposal_id": proposal.proposal_id, "audit_id": uuid4(), "results": [], "executed_at": THEN}
    as_application(
        company,
        insert(proposal_decisions).values(**decision_of(company, proposal, "manager")),
        insert(proposal_decisions).values(**decision_of(company, proposal, "finance")),
        insert(executions).values(**executed),
        update(proposal_states).values(status="executed"),
        named=proposal.proposal_id,
    )


@attack(
    "buy-as-the-application",
    "database",
    "Business tables change through the gate alone; the role's own rights let nobody write around it.",
)
def application_buys(company: AttackedCompany) -> None:
    """Somebody with the application's database password sets an order to approved, raises its total, deletes another."""
    po_id = company.draft(9_000)
    other = company.draft(100)
    as_application(
        company,
        approved(po_id),
        update(purchase_orders).values(total=1),
        delete(purchase_orders).where(purchase_orders.c.id == other),
        update(stock_balances).values(quantity=0),
        insert(exchange_rates).values(currency="CZK", valid_from=THEN.date(), rate=1, audit_id=uuid4()),
        named=po_id,
    )


@attack(
    "take-power-as-the-application",
    "database",
    "Users, roles, policies, rules and lent rights are written by the gate alone.",
)
def application_power(company: AttackedCompany) -> None:
    """Somebody with the application's database password makes a buyer a manager and switches policies and rules off."""
    buyer = company.person("buyer").user_id
    as_application(
        company,
        insert(user_roles).values(user_id=buyer, role="manager"),
        update(users).where(users.c.login == "buyer-2").values(person_id=uuid4()),
        update(approval_policies).values(approvers=[]),
        delete(approval_policies),
        update(separation_rules).values(active=False),
        delete(delegations),
        named=buyer,
    )


@attack(
    "rewrite-the-log-as-the-application",
    "database",
    "The log is append-only: no role that the application has can change or delete an entry.",
)
def application_log(company: AttackedCompany) -> None:
    """Somebody with the application's database password deletes, alters and adds entries, leaves and checkpoints."""
    entry = company.read(lambda c: c.execute(audit_entries.select().limit(1)).one())
    as_application(
        company,
        delete(audit_entries),
        update(audit_entries).values(command="Nothing"),
        delete(audit_leaves),
        update(audit_checkpoints).values(root="0" * 64),
        insert(audit_entries).values(**(entry._asdict() | {"id": uuid4()})),
        named=entry.id,
    )


@attack(
    "take-the-guard-off-as-the-application",
    "database",
    "The application's role owns nothing: it can neither drop a trigger nor unlock itself nor stop triggers for a session.",
)
def application_guard(company: AttackedCompany) -> None:
    """Somebody with the application's database password drops and disables triggers and forges the unlocked session."""
    po_id = company.draft(9_000)
    number = str(po_id)
    if company.engine.dialect.name == "postgresql":
        attempts: tuple[str, ...] = (
            "DROP TRIGGER through_gate ON purchase_orders",
            "ALTER TABLE purchase_orders DISABLE TRIGGER ALL",
            "SET session_replication_role = replica",
            "SELECT guard.unlock('guess')",
            "UPDATE guard.lock SET secret_sha256 = 'x'",
            "SELECT server_key FROM guard.lock",
            "SET ROLE postgres",
            "CREATE TABLE audit_entries_2 (id int)",
            "TRUNCATE audit_entries",
        )
    else:
        attempts = ("UPDATE purchase_orders SET status = 'approved'", "DELETE FROM proposals")
    as_application(company, *(text(one) for one in attempts), approved(po_id), named=number)
    if company.engine.dialect.name == "postgresql":
        before = len(company.stops)
        with company.database("application") as connection:
            connection.execute(text("SET quartermaster.unlocked = 'yes'"))
            connection.execute(approved(po_id))
        if len(company.stops) == before:
            company.written.append(number)


def _forge(
    name: str, guard: str
) -> Callable[[Callable[[AttackedCompany], None]], Callable[[AttackedCompany], None]]:
    return attack(name, "", guard, ends="detected")


@_forge(
    "change-a-proposal-as-the-owner",
    "The log keeps the hash of all that a proposal shows; a changed one no longer has it.",
)
def change_proposal(company: AttackedCompany) -> None:
    """The owner of the database turns a waiting order of 5,000 into another one, and its hash with it."""
    proposal = company.order(5_000)
    other = [{"command": "SubmitPurchaseOrder", "payload": {"po_id": str(company.draft(90_000))}}]
    with as_owner(company, proposal.proposal_id) as connection:
        change = update(proposals).where(proposals.c.id == proposal.proposal_id)
        connection.execute(change.values(payload=other, payload_hash="1" * 64))


@_forge(
    "lower-the-quorum-as-the-owner",
    "Who must approve stands in the hash too.",
)
def lower_quorum(company: AttackedCompany) -> None:
    """The owner of the database takes finance out of the approvers of a waiting proposal."""
    proposal = company.order(30_000)
    fewer = [{"role": "manager", "people": 1}]
    with as_owner(company, proposal.proposal_id) as connection:
        change = update(proposals).where(proposals.c.id == proposal.proposal_id)
        connection.execute(change.values(approvers=fewer))
    company.approve(proposal, "manager")


@_forge(
    "insert-a-decision-as-the-owner",
    "Each decision is an entry of the log; one that is none is named.",
)
def insert_decision(company: AttackedCompany) -> None:
    """The owner of the database inserts finance's approval; the manager's is then the last one needed, and the order runs."""
    proposal = company.order(30_000)
    row = decision_of(company, proposal, "finance") | {"role": "finance", "acting_as": "finance"}
    with as_owner(company, proposal.proposal_id) as connection:
        connection.execute(insert(proposal_decisions).values(**row))
    company.approve(proposal, "manager")


@_forge(
    "insert-an-execution-as-the-owner",
    "An execution without its entry in the log is named, and so is a state that does not fit it.",
)
def insert_execution(company: AttackedCompany) -> None:
    """The owner of the database inserts the execution of a waiting proposal and sets its state."""
    proposal = company.order(30_000)
    entry = company.read(lambda c: c.execute(audit_entries.select().limit(1)).one())
    row = {"proposal_id": proposal.proposal_id, "audit_id": entry.id, "results": [], "executed_at": THEN}
    with as_owner(company, proposal.proposal_id) as connection:
        connection.execute(insert(executions).values(**row))
        connection.execute(
            update(proposal_states)
            .where(proposal_states.c.proposal_id == proposal.proposal_id)
            .values(status="executed")
        )


@_forge(
    "revive-a-rejected-proposal-as-the-owner",
    "The log says that it was rejected; a state that says otherwise is named.",
)
def revive(company: AttackedCompany) -> None:
    """The owner of the database sets a rejected proposal back to pending, and another manager approves it."""
    proposal = company.order(5_000)
    company.turn_down(proposal, "manager")
    with as_owner(company, proposal.proposal_id) as connection:
        connection.execute(
            update(proposal_states)
            .where(proposal_states.c.proposal_id == proposal.proposal_id)
            .values(status="pending")
        )
    company.approve(proposal, "deputy")


@_forge(
    "approve-an-order-as-the-owner", "An order that reads as bought without a command of the log is named."
)
def approve_order(company: AttackedCompany) -> None:
    """The owner of the database sets a draft of 90,000 to approved."""
    po_id = company.draft(90_000)
    with as_owner(company, po_id) as connection:
        connection.execute(approved(po_id))


@_forge("raise-a-total-as-the-owner", "An order's total is held against the one that was drafted.")
def raise_total(company: AttackedCompany) -> None:
    """The owner of the database makes an approved order of 500 one of 500,000."""
    po_id = company.draft(500)
    with as_owner(company, po_id) as connection:
        change = update(purchase_orders).where(purchase_orders.c.id == po_id)
        connection.execute(change.values(total=5_000_000_000, status="approved"))


@_forge("make-a-manager-as-the-owner", "Roles are held against the commands that gave and took them.")
def make_manager(company: AttackedCompany) -> None:
    """The owner of the database gives a buyer the role manager."""
    buyer = company.person("buyer").user_id
    with as_owner(company, buyer) as connection:
        connection.execute(insert(user_roles).values(user_id=buyer, role="manager"))


@_forge("part-a-person-in-two-as-the-owner", "Which person an account belongs to stands in the log.")
def part_person(company: AttackedCompany) -> None:
    """The owner of the database makes a buyer's second account another person's, who then approves the buyer's order."""
    second = company.person("buyer-2").user_id
    with as_owner(company, second) as connection:
        connection.execute(update(users).where(users.c.id == second).values(person_id=uuid4()))
    company.approve(company.order(5_000), "buyer-2")


@_forge("save-a-policy-as-the-owner", "A version of a policy that no command saved is named.")
def save_policy(company: AttackedCompany) -> None:
    """The owner of the database adds a version of the strict policy that asks nobody, and a buyer orders."""
    row = company.read(
        lambda c: c.execute(
            approval_policies.select().where(approval_policies.c.name == "purchase from 2,500")
        ).one()
    )
    with as_owner(company, row.id) as connection:
        connection.execute(
            insert(approval_policies).values(**(row._asdict() | {"version": 2, "approvers": []}))
        )
    company.asks(9_000)


@_forge("change-a-policy-as-the-owner", "A saved version is held against what its command said.")
def change_policy(company: AttackedCompany) -> None:
    """The owner of the database takes the approvers out of the strict policy, in the version that was saved."""
    row = company.read(
        lambda c: c.execute(
            approval_policies.select().where(approval_policies.c.name == "purchase from 2,500")
        ).one()
    )
    with as_owner(company, row.id) as connection:
        change = update(approval_policies).where(approval_policies.c.id == row.id)
        connection.execute(change.values(approvers=[]))


@_forge("switch-a-rule-off-as-the-owner", "A rule of separation is held against what its command said.")
def switch_rule(company: AttackedCompany) -> None:
    """The owner of the database switches off the rule that keeps receivers from orders they asked for."""
    rule = company.read(lambda c: c.execute(separation_rules.select().limit(1)).one())
    with as_owner(company, rule.id) as connection:
        change = update(separation_rules).where(separation_rules.c.id == rule.id)
        connection.execute(change.values(active=False))


@_forge("lend-a-right-as-the-owner", "A lent right that no command lent is named, whatever entry it quotes.")
def lend_right(company: AttackedCompany) -> None:
    """The owner of the database lends the manager's right to a buyer, quoting an entry that exists."""
    entry = company.read(lambda c: c.execute(audit_entries.select().limit(1)).one())
    lent = uuid4()
    row = {
        "id": lent,
        "lender_id": company.person("manager").user_id,
        "borrower_id": company.person("planner").user_id,
        "role": "manager",
        "starts_on": THEN.date(),
        "ends_on": THEN.date(),
        "amount_below": None,
        "reason": "holiday",
        "audit_id": entry.id,
    }
    with as_owner(company, lent) as connection:
        connection.execute(insert(delegations).values(**row))
    company.approve(company.order(5_000), "planner")


@_forge("delete-an-entry-as-the-owner", "The leaf of a deleted entry stays in the Merkle log and names it.")
def delete_entry(company: AttackedCompany) -> None:
    """The owner of the database deletes the entry of an approval."""
    entry = _sealed(company)
    with as_owner(company, entry) as connection:
        connection.execute(delete(audit_entries).where(audit_entries.c.id == entry))


@_forge("alter-an-entry-as-the-owner", "An altered entry no longer has the hash that was sealed.")
def alter_entry(company: AttackedCompany) -> None:
    """The owner of the database makes an entry name another person."""
    entry = _sealed(company)
    with as_owner(company, entry) as connection:
        change = update(audit_entries).where(audit_entries.c.id == entry)
        connection.execute(change.values(principal_id=uuid4()))


@_forge("cut-the-log-as-the-owner", "Signed checkpoints outside the database know how long the log was.")
def cut_log(company: AttackedCompany) -> None:
    """The owner of the database deletes the last entries with their leaves and the checkpoints that cover them."""
    _sealed(company)
    last = company.read(
        lambda c: max(c.scalars(audit_leaves.select().with_only_columns(audit_leaves.c.leaf)))
    )
    cut = company.read(lambda c: c.execute(audit_leaves.select().where(audit_leaves.c.leaf > last - 3)).all())
    with as_owner(company, f"{last + 1} entries") as connection:
        connection.execute(delete(audit_leaves).where(audit_leaves.c.leaf > last - 3))
        connection.execute(delete(audit_entries).where(audit_entries.c.id.in_([one.audit_id for one in cut])))
        connection.execute(delete(audit_checkpoints).where(audit_checkpoints.c.size > last - 3))


@_forge("move-stock-as-the-owner", "Balances are added up again from the moves, and what differs is named.")
def move_stock(company: AttackedCompany) -> None:
    """The owner of the database takes 500 lamps off the balance, and off no ledger."""
    with as_owner(company, LAMP) as connection:
        change = update(stock_balances).where(
            stock_balances.c.item_id == LAMP, stock_balances.c.quantity > 500
        )
        connection.execute(change.values(quantity=stock_balances.c.quantity - 500))


@_forge("leave-the-triggers-off-as-the-owner", "A trigger that is gone, disabled or changed is named.")
def leave_triggers_off(company: AttackedCompany) -> None:
    """The owner of the database drops the triggers of the log, so that the application can be made to change it."""
    with company.database("owner") as connection:
        triggers_off(connection, "audit_entries")
        company.written.append("audit_entries")


def _sealed(company: AttackedCompany) -> UUID:
    """The entry of an approval that is sealed."""
    company.approve(company.order(5_000), "manager")
    Sealer(company.engine, company.home).seal(company.gate.clock.now())
    query = audit_entries.select().where(audit_entries.c.command == "ApproveProposal")
    rows = company.read(lambda connection: connection.execute(query).all())
    return max(rows, key=lambda row: row.id).id
