"""Attacks on who one is: keys beyond their scope, ended sessions, guessed passwords, accounts made for the purpose."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from uuid import UUID, uuid4

from erp_core.gate.api_keys import IssueKey, RotateKey
from erp_core.gate.credentials import authenticate, new_token, revoke, token_hash, token_prefix
from erp_core.gate.passwords import hash_password
from erp_core.gate.sign_in import ChangePassword, EndSessions, LinkIdentity
from erp_core.gate.users import CreateUser, SetUserActive
from erp_core.storage.engine import reading, writing
from evals.attacks.attack import attack
from evals.attacks.clients import Client, served, token_of
from evals.attacks.company import AttackedCompany


def key_of(
    company: AttackedCompany, login: str, *commands: str, hours: float = 24, rights: tuple[str, ...] = ()
) -> tuple[str, IssueKey]:
    """A new secret, and the command that issues it as a key of the user's own account."""
    secret = new_token("key")
    expires = company.gate.clock.now() + timedelta(hours=hours)
    command = IssueKey(
        key_id=uuid4(),
        user_id=company.person(login).user_id,
        key_name="script",
        token_hash=token_hash(secret),
        prefix=token_prefix(secret),
        commands=commands,
        rights=rights,
        expires_at=expires,
    )
    return secret, command


def sends_order(company: AttackedCompany, client: Client, amount: int = 500) -> None:
    """Submit an order over HTTP."""
    client.post("/commands/SubmitPurchaseOrder", {"po_id": str(company.draft(amount))})


@attack(
    "use-a-key-beyond-its-scope",
    "denied",
    "A key runs the commands of its scope and no other of its owner's, and no decision at all.",
)
def beyond_scope(company: AttackedCompany) -> None:
    """A thief of a key that may only draft orders submits, sends and approves with it."""
    secret, command = key_of(company, "chief", "CreatePurchaseOrder")
    company.do(command, "chief")
    proposal = company.order(5_000)
    with served(company) as http:
        client = Client(http, company, secret)
        sends_order(company, client)
        body = {"payload_hash": proposal.payload_hash}
        client.post(f"/proposals/{proposal.proposal_id}/approve", body)
        client.post(f"/proposals/{proposal.proposal_id}/reject", body | {"comment": "no"})


@attack(
    "issue-a-key-that-decides",
    "scope_too_wide denied",
    "No key carries decisions, accounts or keys, nor what its owner may not do.",
)
def key_that_decides(company: AttackedCompany) -> None:
    """A manager issues a key for approving in a script, a buyer one for changing policies, an agent one for anything."""
    for login, wanted in (
        ("manager", "ApproveProposal"),
        ("buyer", "SaveApprovalPolicy"),
        ("admin", "IssueKey"),
    ):
        company.tries(company.submit(key_of(company, login, wanted)[1], login))
    company.tries(company.submit(key_of(company, "buyer", "SubmitPurchaseOrder")[1], company.agent("buyer")))


@attack(
    "issue-a-key-for-another-person",
    "not_your_account denied proposed",
    "Nobody holds a key of another person; one of a service with power is agreed to by somebody else.",
)
def key_of_another(company: AttackedCompany) -> None:
    """An administrator issues themself a key of the manager's account, and one of a service that may buy and approve."""
    company.tries(company.submit(key_of(company, "manager", "SubmitPurchaseOrder")[1], "admin"))
    company.tries(company.submit(key_of(company, "robot", "SubmitPurchaseOrder")[1], "admin"))
    company.tries(company.submit(key_of(company, "manager", "SubmitPurchaseOrder")[1], "buyer"))


@attack(
    "use-a-key-that-ended",
    "unauthenticated lifetime_too_long",
    "Every key ends, and what ended or was revoked is nobody.",
)
def ended_key(company: AttackedCompany) -> None:
    """A script goes on with a key after its last hour, issues one for a hundred years, and uses one that was revoked."""
    company.tries(company.submit(key_of(company, "buyer", "SubmitPurchaseOrder", hours=876_000)[1], "buyer"))
    secret, command = key_of(company, "buyer", "SubmitPurchaseOrder", hours=0.000_1)
    company.do(command, "buyer")
    later = company.gate.clock.now() + timedelta(hours=1)
    company.gate.clock = replace(company.gate.clock, now=lambda: later)
    with served(company) as http:
        sends_order(company, Client(http, company, secret))


@attack(
    "use-a-session-that-ended",
    "unauthenticated",
    "A session ends with log-out, with its time, with idleness, and with the account.",
)
def ended_session(company: AttackedCompany) -> None:
    """A thief of tokens submits an order with one that was logged out, one of yesterday, one long idle, one of a leaver."""
    out, old, idle = token_of(company, "buyer"), token_of(company, "buyer", age=timedelta(hours=13)), None
    idle = token_of(company, "buyer", age=timedelta(hours=3))
    leaver = token_of(company, "colleague")
    with writing(company.engine) as connection:
        revoke(connection, out, company.gate.clock.now())
    company.do(SetUserActive(user_id=company.person("colleague").user_id, active=False), "admin")
    with served(company) as http:
        for token in (out, old, idle, leaver, "qm_session_made-up", "", "null"):
            sends_order(company, Client(http, company, token))


@attack(
    "use-an-agents-token-for-too-long",
    "unauthenticated",
    "An agent's token lives for a quarter of an hour.",
)
def old_agent(company: AttackedCompany) -> None:
    """A hostile model kept the token of its run and proposes with it twenty minutes later."""
    token = token_of(company, "buyer", agent=True, age=timedelta(minutes=20))
    with served(company) as http:
        sends_order(company, Client(http, company, token))


@attack(
    "guess-a-password-past-the-lock-out",
    "unauthenticated locked",
    "After ten failures the login is closed to everybody for a while, also to who then has the right password.",
)
def guess(company: AttackedCompany) -> None:
    """A guesser tries eleven passwords of the manager, spells the login differently, and then tries the right one."""
    manager = company.person("manager")
    password = "correct horse battery staple 42"
    company.do(ChangePassword(user_id=manager.user_id, password_hash=hash_password(password)), manager)
    with served(company) as http:
        client = Client(http, company, None)
        for number in range(10):
            client.post("/auth/login", {"login": "manager", "password": f"guess {number}"})
        for login in ("manager", "manager"):
            answer = client.post("/auth/login", {"login": login, "password": password})
            if answer.status_code == 200:
                company.wrong.append("the right password opened a login that is locked out")


@attack(
    "set-anothers-password",
    "not_your_account denied personal_data_in_proposal",
    "A password is set by its owner, in person.",
)
def set_password(company: AttackedCompany) -> None:
    """An administrator and a manager's agent set the manager's password, to log in as them."""
    command = ChangePassword(user_id=company.person("manager").user_id, password_hash="x" * 40)
    company.tries(company.submit(command, "admin"))
    company.tries(company.submit(command, company.agent("manager")))


@attack(
    "link-anothers-account-to-ones-own-identity",
    "proposed own_account denied",
    "Linking an account with power asks like giving the power, and nobody links their own.",
)
def link(company: AttackedCompany) -> None:
    """An administrator links the manager's account to an identity of their own at the provider, to log in as them."""
    for who, user in (("admin", "manager"), ("buyer", "manager"), (company.agent("admin"), "manager")):
        identity = LinkIdentity(
            user_id=company.person(user).user_id, issuer="https://login.example", subject_id="evil"
        )
        company.tries(company.submit(identity, who))


@attack(
    "make-a-second-account-that-looks-like-another-person",
    "namesake_exists proposed personal_data_in_proposal own_account",
    "A name that is there already must be said to be the same person or another; power needs a second person.",
)
def twin(company: AttackedCompany) -> None:
    """An administrator makes accounts for themself under spellings of their own name, as a manager and as a buyer."""
    for name in ("admin", "ADMIN", " Admin ", "Ädmin"):
        account = CreateUser(
            user_id=uuid4(), login=f"a-{uuid4().hex[:6]}", person_name=name, roles=("buyer",)
        )
        company.tries(company.submit(account, "admin"))
    me: UUID = company.person("admin").person
    account = CreateUser(user_id=uuid4(), login="mine", person_name="mine", roles=("manager",), person_id=me)
    company.tries(company.submit(account, "admin"))


@attack(
    "log-others-out-to-be-alone",
    "not_your_account denied",
    "One ends one's own sessions; an administrator ends others', which decides nothing.",
)
def log_out_others(company: AttackedCompany) -> None:
    """A buyer and an agent end the sessions of the manager who would have said no."""
    command = EndSessions(user_id=company.person("manager").user_id)
    company.tries(company.submit(command, "buyer"))
    company.tries(company.submit(command, company.agent("admin")))


@attack(
    "rotate-the-key-of-a-service-with-power",
    "proposed",
    "A new secret of a service with power is agreed to by somebody else, like the key.",
)
def rotate(company: AttackedCompany) -> None:
    """An administrator rotates the key of a service that buys and approves, to hold its secret themself."""
    _, command = key_of(company, "robot", "SubmitPurchaseOrder")
    company.agrees(company.submit(command, "admin"), "manager")
    secret = new_token("key")
    rotation = RotateKey(
        key_id=command.key_id,
        new_key_id=uuid4(),
        token_hash=token_hash(secret),
        prefix=token_prefix(secret),
    )
    company.tries(company.submit(rotation, "operator"))
    with reading(company.engine) as connection:
        if authenticate(connection, secret, company.gate.clock.now()) is not None:
            company.wrong.append("an administrator holds the secret of a service with power")


@attack(
    "open-a-second-account-with-roles",
    "own_account",
    "Nobody gives roles to themself, to an account that they have or to one that they open.",
)
def second_account(company: AttackedCompany) -> None:
    """An administrator opens a second account of their own that buys, and one that plans."""
    person = company.person("admin").person
    for role in ("buyer", "planner"):
        new = CreateUser(
            user_id=uuid4(), login=f"my-{role}", person_name=role, person_id=person, roles=(role,)
        )
        company.tries(company.submit(new, "admin"))


@attack(
    "bring-a-password-as-a-hash",
    "invalid",
    "A password comes in clear over its own route, which asks for the present one; a hash from outside is refused.",
)
def password_as_hash(company: AttackedCompany) -> None:
    """Who found a manager's session open sets the password without knowing the present one, by its hash, also in a plan."""
    manager = company.person("manager").user_id
    payload = {"user_id": str(manager), "password_hash": hash_password("a")}
    with served(company) as http:
        client = Client(http, company, token_of(company, "manager"))
        client.post("/commands/ChangePassword", payload)
        step = {"command": "ChangePassword", "payload": payload}
        client.post("/proposals", {"title": "t", "reason": "r", "commands": [step]})
