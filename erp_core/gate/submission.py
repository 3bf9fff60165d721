"""The gate: authorise, decide by policy, make idempotent, run, audit, emit, in one transaction."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal
from uuid import NAMESPACE_URL, UUID, uuid4, uuid5

from pydantic import ValidationError
from sqlalchemy import Engine, func, select
from sqlalchemy.exc import IntegrityError, OperationalError

from erp_core.clock import Clock
from erp_core.gate import authority, reviews, separation
from erp_core.gate import commands as gate_commands
from erp_core.gate.advice import Advice
from erp_core.gate.authorisation import authorise
from erp_core.gate.contract import (
    Command,
    Denied,
    DomainError,
    Invalid,
    NotFound,
    Outcome,
    Refused,
    Registry,
    Submission,
    Transaction,
)
from erp_core.gate.credentials import load_principal
from erp_core.gate.deciding import Deciding
from erp_core.gate.errors import ProposalOutdated, TooManyOpenProposals
from erp_core.gate.execution import Execution
from erp_core.gate.keys import Pending, check_key, digest_of, outcome_from, recall
from erp_core.gate.model import approval_policies, proposal_states, proposals, users
from erp_core.gate.periods import refuse_in_closed
from erp_core.gate.policies.commands import PolicyCommands, default_commands
from erp_core.gate.policies.store import active_policies
from erp_core.gate.principals import INSTALLER, Principal
from erp_core.gate.proposals import ProposalBook
from erp_core.gate.queries import get_proposal
from erp_core.gate.requirements import Requirement, Requirements, Wish
from erp_core.gate.trail import Trail, entry
from erp_core.gate.users import CreateUser
from erp_core.storage.engine import gate_writing, reading
from erp_core.storage.ids import IdSource, new_id
from erp_core.storage.locks import lock_names
from erp_core.storage.types import CanonicalText, canonical_json

ATTEMPTS = 4


class Gate:
    """The one door to business state. Safe to share between threads; every call is its own transaction."""

    def __init__(
        self,
        engine: Engine,
        registry: Registry,
        clock: Clock,
        *,
        home: Path,
        agent_open_proposals: int = 20,
        ids: IdSource = new_id,
    ) -> None:
        self.engine = engine
        self.clock = clock
        self.home = home
        self.registry = registry
        self._agent_open_proposals = agent_open_proposals
        self._ids = ids
        gate_commands.register(registry)
        self.policies = PolicyCommands(registry)
        for part in (separation, authority, reviews):
            part.register(registry)
        self._requirements = Requirements(registry)
        self._book = ProposalBook(registry)
        self.advice = Advice(self._book, self._requirements, self.policies, clock)
        self._execution = Execution(registry, self._book)
        Deciding(registry, self._requirements, self._book)

    def with_ids(self, ids: IdSource) -> Gate:
        """The same gate making its ids from another source (a simulation's seeded one)."""
        twin = copy.copy(self)
        twin._ids = ids
        return twin

    def submit(self, command: Command, principal: Principal, *, key: str) -> Outcome:
        """Submit one command under an idempotency key."""
        return self.submit_many([Submission(command, key)], principal)[0]

    def submit_payload(
        self, name: str, payload: Mapping[str, Any], principal: Principal, *, key: str
    ) -> Outcome:
        """Submit a command by name and JSON payload; a malformed one is `Invalid`, field by field."""
        registration = self.registry.get(name)
        if registration is None:
            return Invalid(
                [{"field": "command", "reason": f"there is no command {name}", "remedy": "see the catalogue"}]
            )
        try:
            command = registration.command.model_validate(payload)
        except ValidationError as error:
            return Invalid(
                [
                    {
                        "field": ".".join(str(part) for part in problem["loc"]) or "payload",
                        "reason": problem["msg"],
                        "remedy": "correct this field and submit again",
                    }
                    for problem in error.errors(include_url=False, include_context=False)
                ]
            )
        return self.submit(command, principal, key=key)

    def submit_many(
        self, submissions: Sequence[Submission], principal: Principal, *, imported: bool = False
    ) -> list[Outcome]:
        """Submit a batch: shared statements and one commit; each keeps its key, audit entry and events.

        A refused command is taken out without harming the others; outcomes are in the order given. What an agent
        submits this way counts as tainted: nothing says what its model has seen. `imported` says that the commands
        come from a file.
        """
        tainted = principal.is_agent
        return self._submit(
            [(Wish((one.command,), tainted=tainted, imported=imported), one.key) for one in submissions],
            principal,
        )

    def submit_plan(
        self,
        commands: Sequence[Command],
        principal: Principal,
        *,
        key: str,
        title: str,
        reason: str,
        evidence: Sequence[Mapping[str, Any]] = (),
        tainted: bool = False,
        urgent: bool = False,
        breaks_glass: bool = False,
        revises: UUID | None = None,
    ) -> Outcome:
        """Submit an ordered plan that runs in one transaction, or waits for people as one proposal.

        `tainted` says that a language model saw untrusted text before it made the plan. `urgent` asks for the
        expedited path where a policy has one. `breaks_glass` runs it without the approvals that policy asks for:
        for the role `emergency` only, with a reason, told to everybody who listens and reviewed later; rights,
        separation of duties and the rules of the business hold as ever. `revises` names the proposal whose
        place the plan takes, as the next version; approvals of the old one count no more.
        """
        wish = Wish(
            tuple(commands), title[:200], reason, tuple(evidence), tainted, urgent, breaks_glass, revises
        )
        return self._submit([(wish, key)], principal)[0]

    def rebase(self, proposal_id: UUID, principal: Principal, *, key: str) -> Outcome:
        """Propose the same plan again on what holds now: a new version, under the policies in force, unapproved."""
        with reading(self.engine) as connection:
            view = get_proposal(connection, proposal_id)
        if view is None:
            return Refused(
                NotFound("there is no such proposal", field="proposal_id", remedy="list the proposals first")
            )
        try:
            commands = self._book.commands(view)
        except ProposalOutdated as error:
            return Refused(error)
        wish = Wish.stored(view, commands, revises=proposal_id)
        return self._submit([(wish, key)], principal)[0]

    def _submit(self, wishes: Sequence[tuple[Wish, str]], principal: Principal) -> list[Outcome]:
        outcomes: dict[int, Outcome] = {}
        pending: list[Pending] = []
        now = self.clock.business_now()
        for position, (wish, key) in enumerate(wishes):
            stop = check_key(key) or authorise(wish, principal, self.registry, now)
            if stop is not None:
                outcomes[position] = stop
                continue
            texts = tuple(CanonicalText(canonical_json(one.recorded())) for one in wish.commands)
            pending.append(Pending(position, wish, key, digest_of(wish, texts), texts))
        if pending:
            outcomes |= self._with_retries(pending, principal)
        self._audit_stopped(wishes, outcomes, principal)
        return [outcomes[position] for position in range(len(wishes))]

    def _with_retries(self, pending: Sequence[Pending], principal: Principal) -> dict[int, Outcome]:
        """Run the batch; when a rival transaction got in first, run it again and find what the rival did.

        A single command is tried without looking its key up: where the key is taken, its row is refused and the
        second try finds the outcome. A repeated command costs more so, and every new one less.
        """
        for attempt in range(ATTEMPTS):
            try:
                return self._run(pending, principal, first=attempt == 0)
            except IntegrityError:
                if attempt == ATTEMPTS - 1:
                    raise
            except OperationalError as error:
                if attempt == ATTEMPTS - 1 or "deadlock" not in str(error).lower():
                    raise
        raise AssertionError("the last attempt returns or raises")

    def _transaction(self, connection: Any, *, careful: bool = False) -> Transaction:
        return Transaction(
            connection,
            recorded_at=self.clock.now(),
            business_now=self.clock.business_now(),
            new_id=self._ids,
            deliver=self.registry.deliver,
            careful=careful,
        )

    def _run(self, pending: Sequence[Pending], principal: Principal, *, first: bool) -> dict[int, Outcome]:
        scope = principal.run_id or principal.user_id
        with gate_writing(self.engine) as connection:
            tx = self._transaction(connection, careful=not first)
            as_new = first and len(pending) == 1
            outcomes, fresh = ({}, list(pending)) if as_new else recall(pending, scope, tx)
            fresh = refuse_in_closed(fresh, outcomes, tx.business_now, connection)
            held, direct = self._decide(fresh, principal, outcomes, tx)
            self._execution.execute(direct, principal, scope, outcomes, tx)
            for one, requirement in held:
                outcomes[one.position] = self._hold(one, requirement, principal, scope, tx)
            # The same key may be remembered from before, or from a rival, and be why the handler refused.
            refused = [one for one in fresh if isinstance(outcomes[one.position], Refused)]
            outcomes |= recall(refused, scope, tx)[0]
            tx.flush()
        first_of = {(one.key, one.digest): one.position for one in fresh}
        for one in pending:
            if one.position not in outcomes:
                outcomes[one.position] = outcomes[first_of[one.key, one.digest]]
        return outcomes

    def _decide(
        self, fresh: Iterable[Pending], principal: Principal, outcomes: dict[int, Outcome], tx: Transaction
    ) -> tuple[list[tuple[Pending, Requirement]], list[Pending]]:
        held: list[tuple[Pending, Requirement]] = []
        direct: list[Pending] = []
        judged: list[Pending] = []
        for one in fresh:
            governed = principal.is_agent or any(self._requirements.governed(c) for c in one.wish.commands)
            (judged if governed else direct).append(one)
        if not judged:
            return held, direct
        requirements = self._requirements.of(
            [one.wish for one in judged],
            principal,
            active_policies(tx.connection),
            tx.connection,
            tx.business_now,
        )
        room = self._room_for_proposals(principal, tx) if principal.is_agent else None
        for one, requirement in zip(judged, requirements, strict=True):
            if isinstance(requirement, DomainError):
                outcomes[one.position] = Refused(requirement)
                continue
            one.requirement = requirement
            if one.wish.breaks_glass:
                direct.append(one)
            elif room is not None and len(held) >= room:
                outcomes[one.position] = Refused(self._too_many_open())
            elif principal.is_agent or requirement.approvers:
                held.append((one, requirement))
            else:
                direct.append(one)
        return held, sorted(direct, key=lambda one: one.position)

    def _room_for_proposals(self, principal: Principal, tx: Transaction) -> int:
        """How many more proposals this user's agent may open; its rivals wait until this transaction ends."""
        lock_names(tx.connection, [f"proposals of the agent of {principal.user_id}"])
        waiting = tx.connection.scalar(
            select(func.count())
            .select_from(proposals.join(proposal_states, proposal_states.c.proposal_id == proposals.c.id))
            .where(
                proposals.c.requested_by == principal.user_id,
                proposals.c.via == "agent",
                proposal_states.c.status == "pending",
            )
        )
        return max(self._agent_open_proposals - (waiting or 0), 0)

    def _too_many_open(self) -> TooManyOpenProposals:
        return TooManyOpenProposals(
            f"{self._agent_open_proposals} proposals of this user's agent wait already",
            remedy="decide or withdraw some of them first",
        )

    def _hold(
        self, one: Pending, requirement: Requirement, principal: Principal, scope: UUID, tx: Transaction
    ) -> Outcome:
        audit_id = tx.new_id()
        try:
            with tx.savepoint():
                row = self._book.open(one.wish, requirement, principal, audit_id, tx)
        except DomainError as error:
            return Refused(error)
        trail = Trail.of(tx)
        trail.add(
            entry(
                audit_id,
                tx,
                principal,
                command=one.wish.commands[-1].command_name,
                outcome="proposed",
                subject=one.wish.commands[-1].subject,
                rule=f"policy {requirement.name}"[:120],
                payload={"payload_hash": row.payload_hash, "commands": row.payload},
                proposal_id=row.id,
            )
        )
        outcome = {
            "proposed": str(row.id),
            "payload_hash": row.payload_hash,
            "approvers": row.approvers,
            "policy": row.policy_name,
        }
        trail.remember(scope, one.key, one.digest, outcome)
        return outcome_from(outcome)

    def _audit_stopped(
        self, wishes: Sequence[tuple[Wish, str]], outcomes: Mapping[int, Outcome], principal: Principal
    ) -> None:
        stopped = [(wishes[i][0], one) for i, one in outcomes.items() if isinstance(one, Denied | Refused)]
        if not stopped:
            return
        with gate_writing(self.engine) as connection:
            tx = self._transaction(connection)
            for wish, outcome in stopped:
                command = wish.commands[-1]
                denied = isinstance(outcome, Denied)
                error = (
                    {"message": outcome.message} if isinstance(outcome, Denied) else outcome.error.as_dict()
                )
                Trail.of(tx).add(
                    entry(
                        tx.new_id(),
                        tx,
                        principal,
                        command=command.command_name,
                        outcome="denied" if denied else "refused",
                        subject=command.subject,
                        rule="no right" if denied else error["code"],
                        payload={"commands": [one.command_name for one in wish.commands]},
                        error=error,
                    )
                )
            tx.flush()

    def record(
        self,
        principal: Principal,
        kind: str,
        outcome: str,
        payload: Mapping[str, Any],
        *,
        subject: tuple[str, UUID] | None = None,
    ) -> UUID:
        """Audit something that changes no business state: a log-in, a tool call, a sensitive read."""
        with gate_writing(self.engine) as connection:
            tx = self._transaction(connection)
            audit_id = tx.new_id()
            Trail.of(tx).add(
                entry(
                    audit_id,
                    tx,
                    principal,
                    command=kind,
                    outcome=outcome,
                    subject=subject,
                    rule="record",
                    payload=payload,
                )
            )
            tx.flush()
        return audit_id

    def record_tool_call(
        self, principal: Principal, tool: str, given: Mapping[str, Any], outcome: str
    ) -> UUID:
        """Audit one call of an agent's tool: who, which tool, with what, and how it ended."""
        return self.record(principal, f"tool:{tool}"[:60], outcome[:10], given)

    def agent_for(self, person: Principal, run_id: UUID | None = None) -> Principal:
        """The agent that acts for an authenticated person within one run: their roles, propose only."""
        return replace(person, kind="agent", run_id=run_id or uuid4())

    def bootstrap_user(
        self,
        login: str,
        roles: Sequence[str],
        *,
        name: str | None = None,
        kind: Literal["person", "service"] = "person",
        password_hash: str | None = None,
    ) -> Principal:
        """The user with this login, created on behalf of the installer when missing."""
        user_id = uuid5(NAMESPACE_URL, f"quartermaster:user:{login}")
        with reading(self.engine) as connection:
            known = connection.scalar(select(users.c.id).where(users.c.id == user_id))
        if known is None:
            command = CreateUser(
                user_id=user_id,
                login=login,
                person_name=name or login,
                kind=kind,
                roles=tuple(roles),
                password_hash=password_hash,
            )
            self._set_up(command)
        with reading(self.engine) as connection:
            return load_principal(connection, user_id)

    def _set_up(self, command: Command) -> None:
        """Run a command on behalf of the installer, before there is anybody to ask; a rival who was first is fine."""
        try:
            with gate_writing(self.engine) as connection:
                tx = self._transaction(connection)
                self._book.run([command], INSTALLER, "initial set-up", None, tx)
                tx.flush()
        except IntegrityError:
            pass

    def install_policies(self) -> None:
        """Give a company without approval policies the default set and rules of separation; nothing when it has any."""
        with gate_writing(self.engine) as connection:
            if connection.scalar(select(func.count()).select_from(approval_policies)) == 0:
                tx = self._transaction(connection)
                known = {"*", *self.registry.names()}
                policies = [one for one in default_commands() if one.command in known]
                first = [*separation.default_rules(), *policies]
                self._book.run(first, INSTALLER, "initial set-up", None, tx)
                tx.flush()
