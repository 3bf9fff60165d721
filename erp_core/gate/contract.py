"""What a context and the gate agree on: commands, handlers, outcomes, events and domain errors.

A *command* is a typed value. A *handler* takes a whole batch of one command type and answers each with
`Done` or a `DomainError`; it never commits, and it writes nothing for a command that it refuses.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from hashlib import sha256
from typing import Any, ClassVar, Generic, Protocol, Self, TypeVar, runtime_checkable
from uuid import UUID

from pydantic import BaseModel, ConfigDict
from sqlalchemy import Connection

from erp_core.clock import Moment
from erp_core.gate.principals import Principal
from erp_core.storage.ids import IdSource


class Command(BaseModel):
    """A wish to change business state. Its class name is its name everywhere.

    `occurred_at` is when it happened in the business; left out, it is the business date's now.
    `subject` says which document it is about, for the audit log. Fields named in `personal` (names,
    addresses) never reach the audit log, proposals, keys or the outbox. Free text that a command
    carries from outside is named in `untrusted`: there only its hash is kept. A command with `by_people`
    (a decision, a delegation) is never an agent's to ask for, nor a service's.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    personal: ClassVar[frozenset[str]] = frozenset()
    untrusted: ClassVar[frozenset[str]] = frozenset()
    by_people: ClassVar[bool] = False

    occurred_at: Moment | None = None

    @property
    def command_name(self) -> str:
        """The command's name: its class name."""
        return type(self).__name__

    @property
    def subject(self) -> tuple[str, UUID] | None:
        """Kind and id of the document or record it is about."""
        return None

    def recorded(self) -> dict[str, Any]:
        """The payload as it may be kept: JSON values, personal fields left out, outside text as its hash."""
        kept = self.model_dump(mode="json", exclude=set(self.personal) or None, exclude_none=True)
        for name in self.untrusted & kept.keys():
            kept[name] = {"sha256": sha256(kept[name].encode()).hexdigest()}
        return kept

    def unrecorded(self) -> frozenset[str]:
        """The fields given that `recorded` does not keep: what it tells would not make this command again."""
        return frozenset(
            name for name in self.personal | self.untrusted if getattr(self, name, None) is not None
        )


C = TypeVar("C", bound=Command)


@dataclass(frozen=True, slots=True)
class Event:
    """A business event for the outbox. (aggregate, version, kind) is unique and gives the order."""

    kind: str
    aggregate_kind: str
    aggregate_id: UUID
    version: int
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Done:
    """A handler's yes: JSON-safe result, events, and the subject before and after for the audit log."""

    result: Mapping[str, Any] = field(default_factory=dict)
    events: tuple[Event, ...] = ()
    before: Mapping[str, Any] | None = None
    after: Mapping[str, Any] | None = None


class DomainError(Exception):
    """A domain rule said no. Subclasses are named as facts (`InsufficientStock`) and carry objects.

    `code` is stable and machine-readable; `field` names the offending input where there is one;
    `remedy` says what the person can do.
    """

    code: ClassVar[str] = "refused"

    def __init__(self, message: str, *, field: str | None = None, remedy: str = "", **details: Any) -> None:
        super().__init__(message)
        self.message = message
        self.field = field
        self.remedy = remedy
        self.details = details

    def as_dict(self) -> dict[str, Any]:
        """JSON-safe form, the same in the audit log, the API and the console."""
        return {
            "code": self.code,
            "message": self.message,
            "field": self.field,
            "remedy": self.remedy,
            "details": {name: _plain(value) for name, value in self.details.items()},
        }


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, Mapping):
        return {str(name): _plain(part) for name, part in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(part) for part in value]
    return str(value)


class NotFound(DomainError):
    """A record that the command names does not exist."""

    code = "not_found"


class IllegalTransition(DomainError):
    """A status graph has no such step."""

    code = "illegal_transition"


@dataclass(frozen=True, slots=True)
class Task(Generic[C]):
    """One command of a batch, with what the gate fixed for it.

    `approved_at` is when the last approval of its proposal was given, in business time.
    """

    command: C
    principal: Principal
    occurred_at: datetime
    audit_id: UUID
    proposal_id: UUID | None = None
    approved_at: datetime | None = None

    @property
    def occurred_on(self) -> date:
        """The business day it happened (UTC)."""
        return self.occurred_at.date()


@runtime_checkable
class UnitOfWork(Protocol):
    """Writes that a context collects in memory and sends in bulk (the ledger is one)."""

    def flush(self) -> None:
        """Write what is pending."""

    def discard(self) -> None:
        """Forget what is pending and what was read: the savepoint it rested on is gone."""


U = TypeVar("U", bound=UnitOfWork)


class Transaction:
    """What a handler works with: the open connection, the clocks, ids, and shared units of work.

    Only the gate opens and commits one. `event` objects published here reach the subscribers that
    the composition root registered, inside the same transaction. `careful` says that a first try met a
    rival: nothing may be taken for granted that is not locked.
    """

    def __init__(
        self,
        connection: Connection,
        *,
        recorded_at: datetime,
        business_now: datetime,
        new_id: IdSource,
        deliver: Callable[[object, Transaction], None],
        careful: bool = False,
    ) -> None:
        self.connection = connection
        self.careful = careful
        self.recorded_at = recorded_at
        self.business_now = business_now
        self.new_id = new_id
        self._deliver = deliver
        self._units: dict[type[Any], Any] = {}

    @property
    def today(self) -> date:
        """The business date."""
        return self.business_now.date()

    def unit(self, kind: type[U], make: Callable[[Self], U]) -> U:
        """The transaction's one unit of work of this kind, made at first use."""
        if kind not in self._units:
            self._units[kind] = make(self)
        unit: U = self._units[kind]
        return unit

    def publish(self, event: object) -> None:
        """Hand a domain event (a frozen dataclass) to its subscribers, at once and in this transaction."""
        self._deliver(event, self)

    def flush(self) -> None:
        """Send the pending writes of every unit of work; writing may bring in another unit.

        Those that are `shared` come last: other writers wait for the rows that they change.
        """
        for unit in sorted(self._units.values(), key=lambda unit: getattr(unit, "shared", False)):
            unit.flush()

    @contextmanager
    def _savepoint(self) -> Iterator[None]:
        self.flush()
        nested = self.connection.begin_nested()
        try:
            yield
            self.flush()
        except BaseException:
            for unit in self._units.values():
                unit.discard()
            nested.rollback()
            raise
        nested.commit()

    def savepoint(self) -> AbstractContextManager[None]:
        """Everything inside happens, or nothing does when the block raises."""
        return self._savepoint()


Handler = Callable[[Sequence[Task[Any]], Transaction], Sequence["Done | DomainError"]]
Facts = Mapping[str, Any]
FactsOf = Callable[[Sequence["Asked[Any]"], Connection], Sequence["Facts | DomainError"]]
ReadSet = list[dict[str, Any]]
ReadSetsOf = Callable[[Sequence["Asked[Any]"], Connection], Sequence["ReadSet | DomainError"]]
Hook = Callable[[Any, UUID, Transaction], None]


@dataclass(frozen=True, slots=True)
class Asked(Generic[C]):
    """A command that policy judges, with those before it in the same plan, and when it happens in the business."""

    command: C
    preceding: tuple[Command, ...] = ()
    occurred_at: datetime | None = None


def facts_each(facts: Callable[[Any, Sequence[Command], Connection], Facts]) -> FactsOf:
    """The facts of a batch from a function for one command and those before it in its plan."""

    def batch(asked: Sequence[Asked[Any]], connection: Connection) -> Sequence[Facts | DomainError]:
        found: list[Facts | DomainError] = []
        for one in asked:
            try:
                found.append(facts(one.command, one.preceding, connection))
            except DomainError as error:
                found.append(error)
        return found

    return batch


def each(handle: Callable[[Task[Any], Transaction], Done]) -> Handler:
    """A batch handler from a function for one command; each runs in a savepoint of its own."""

    def batch(tasks: Sequence[Task[Any]], tx: Transaction) -> Sequence[Done | DomainError]:
        outcomes: list[Done | DomainError] = []
        for task in tasks:
            try:
                with tx.savepoint():
                    outcomes.append(handle(task, tx))
            except DomainError as error:
                outcomes.append(error)
        return outcomes

    return batch


@dataclass(frozen=True, slots=True)
class Duty:
    """A part that somebody has in a document: ``Duty("purchase_order", po_id, "receiver")``."""

    subject_kind: str
    subject_id: UUID
    name: str


DutiesOf = Callable[[Any], Iterable[Duty]]


@dataclass(frozen=True, slots=True)
class Registration:
    """How the gate runs one command type.

    `governed`: an approval policy decides whether a person must approve. `facts(asked,
    connection)` gives the policy's facts of each command of a batch, or why there are none; their vocabulary is
    `erp_core.gate.policies.facts`. `read_sets(asked, connection)` lists what a proposal of each command rests on, as
    ``{"fact", "value", "tolerance"}``, or why that cannot be read. `on_held` and `on_released` let the context show that a
    proposal holds its document, and that it ended without execution. `duties(command)` says which parts who does it
    has in which documents, `approver_duties(command)` which parts who approves it has, and the fact
    `approver_duties` adds those that need a look into the database: rules of separation keep two of them apart.
    `compensation` names the command that undoes it, or says why nothing can.
    """

    command: type[Command]
    handler: Handler
    governed: bool = False
    facts: FactsOf | None = None
    read_sets: ReadSetsOf | None = None
    on_held: Hook | None = None
    on_released: Hook | None = None
    duties: DutiesOf | None = None
    approver_duties: DutiesOf | None = None
    compensation: str | None = None


class Registry:
    """All command types and subscribers. Filled by the composition root, then only read."""

    def __init__(self) -> None:
        self._registrations: dict[str, Registration] = {}
        self._subscribers: dict[type[object], list[Callable[[Any, Transaction], None]]] = {}

    def register(self, registration: Registration) -> None:
        """Add a command type; a second registration of the same name is a programming error."""
        name = registration.command.__name__
        if name in self._registrations:
            raise ValueError(f"{name} is registered twice")
        self._registrations[name] = registration

    def subscribe(self, kind: type[object], handle: Callable[[Any, Transaction], None]) -> None:
        """Let a higher context react to a lower one's domain event, in the same transaction."""
        self._subscribers.setdefault(kind, []).append(handle)

    def get(self, name: str) -> Registration | None:
        """The registration of a command name, if there is one."""
        return self._registrations.get(name)

    def require(self, name: str) -> Registration:
        """The registration of a command name. Raises `NotFound`."""
        registration = self._registrations.get(name)
        if registration is None:
            raise NotFound(
                f"there is no command {name}", field="command", remedy="use a command of the catalogue"
            )
        return registration

    def names(self) -> list[str]:
        """All command names, sorted."""
        return sorted(self._registrations)

    def deliver(self, event: object, tx: Transaction) -> None:
        """Run the subscribers of the event's type, in the order of their registration."""
        for handle in self._subscribers.get(type(event), ()):
            handle(event, tx)


@dataclass(frozen=True, slots=True)
class Submission:
    """A command with its idempotency key (scoped to the principal)."""

    command: Command
    key: str


@dataclass(frozen=True, slots=True)
class Executed:
    """It happened."""

    audit_id: UUID
    result: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Proposed:
    """It waits for people; nothing changed but the proposal."""

    proposal_id: UUID
    payload_hash: str
    approvers: Sequence[Mapping[str, Any]]
    policy: str


@dataclass(frozen=True, slots=True)
class Denied:
    """The principal has no right to it."""

    message: str
    remedy: str


@dataclass(frozen=True, slots=True)
class Invalid:
    """The payload is malformed; `errors` name field, reason and remedy."""

    errors: Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Refused:
    """A domain rule or the approval policy said no."""

    error: DomainError


Outcome = Executed | Proposed | Denied | Invalid | Refused
