"""Attacks over HTTP: a hostile client with an agent's token, and requests that claim to be somebody else's."""

from __future__ import annotations

from uuid import uuid4

from erp_core.gate.model import audit_entries, proposals
from evals.attacks.attack import attack
from evals.attacks.clients import Client, as_path, instance, routes, served, token_of
from evals.attacks.company import ACME, LAMP, WAREHOUSE, AttackedCompany, draft_of, named


@attack(
    "walk-every-route-with-an-agents-token",
    "denied invalid proposed refused not_found no_such_way",
    "An agent's token has no right but to read and to propose, on every route that there is.",
)
def every_route(company: AttackedCompany) -> None:
    """A client with the token of an administrator's agent sends a fitting body to every route that changes something."""
    proposal = company.order(5_000)
    known = {
        "item_id": str(LAMP),
        "supplier_id": str(ACME),
        "location_id": str(WAREHOUSE),
        "user_id": str(company.person("buyer").user_id),
        "proposal_id": str(proposal.proposal_id),
        "payload_hash": proposal.payload_hash,
        "role": "manager",
        "roles": ["manager"],
        "reason": "because it says so",
        "currency": "USD",
        "po_id": str(company.draft(500)),
    }
    with served(company) as http:
        client = Client(http, company, token_of(company, "admin", agent=True))
        document = client.get("/openapi.json")
        for method, path, schema in routes(document):
            if path.endswith(("/ask", "/ask/stream", "/auth/login", "/auth/logout", "/metrics/query")):
                continue
            body = instance(schema, document, known)
            client.send(method, as_path(path, {"proposal_id": proposal.proposal_id}), body)


@attack(
    "run-every-command-with-an-agents-token",
    "denied invalid proposed refused not_found",
    "Whatever roles an agent's user has, its commands become proposals or are denied.",
)
def every_command(company: AttackedCompany) -> None:
    """A client with the token of a manager's agent, and of finance's, sends each command that their users may run."""
    with served(company) as http:
        for login in ("chief", "shopkeeper"):
            client = Client(http, company, token_of(company, login, agent=True))
            document = client.get("/openapi.json")
            known = {"item_id": str(LAMP), "supplier_id": str(ACME), "location_id": str(WAREHOUSE)}
            for method, path, schema in routes(document):
                name = path.rpartition("/")[2]
                if "/commands/" in path and company.person(login).may_run(name):
                    client.send(method, as_path(path, {}), instance(schema, document, known))


@attack(
    "claim-an-origin-in-the-body",
    "invalid proposed",
    "Bodies have no field for who asks; a proposal's origin and taint follow from the token.",
)
def forged_origin(company: AttackedCompany) -> None:
    """An agent's client sends proposals that say via=person, tainted=false, requested_by=manager and roles=manager."""
    with served(company) as http:
        client = Client(http, company, token_of(company, "buyer", agent=True))
        command = draft_of(5_000)
        step = {"command": "CreatePurchaseOrder", "payload": command.model_dump(mode="json")}
        submit = {"command": "SubmitPurchaseOrder", "payload": {"po_id": str(command.po_id)}}
        plan = {"title": "Order", "reason": "the shelf is empty", "commands": [step, submit]}
        client.post("/proposals", plan | {"tainted": False})
        for extra in ({"via": "person"}, {"requested_by": str(named("x"))}, {"roles": ["manager"]}):
            client.post("/proposals", plan | extra)
            payload = {"po_id": str(company.draft(900))} | extra
            client.post("/commands/SubmitPurchaseOrder", payload)
    rows = company.read(lambda c: c.execute(proposals.select().order_by(proposals.c.id)).all())
    asked = [row for row in rows if row.title == "Order" or row.run_id is not None]
    if not asked or not all(row.via == "agent" and row.tainted for row in asked):
        company.wrong.append("an agent's proposal does not read as a tainted one of an agent")


@attack(
    "claim-an-identity-in-a-header",
    "denied proposed unauthenticated",
    "Who acts is told by the bearer token alone; other headers and cookies are not asked.",
)
def headers(company: AttackedCompany) -> None:
    """A buyer's agent, and nobody, send headers and cookies by which a proxy might name the manager."""
    proposal = company.order(5_000)
    body = {"payload_hash": proposal.payload_hash}
    path = f"/proposals/{proposal.proposal_id}/approve"
    claims = {
        "X-User": "manager",
        "X-Forwarded-User": "manager",
        "X-Remote-User": "manager",
        "Remote-User": "manager",
        "X-Roles": "manager",
        "X-Original-Method": "GET",
        "X-HTTP-Method-Override": "GET",
        "Cookie": "user=manager; role=manager",
    }
    with served(company) as http:
        for token in (token_of(company, "manager", agent=True), None):
            client = Client(http, company, token)
            client.send("POST", path, body, **claims)
            for name, value in claims.items():
                client.send("POST", path, body, **{name: value})


@attack(
    "ride-on-a-session-from-another-site",
    "denied",
    "With the console's cookie a changing request must come from our own pages.",
)
def cross_site(company: AttackedCompany) -> None:
    """A page on another site lets the manager's browser, which has the session's cookie, send an approval."""
    proposal = company.order(5_000)
    cookie = f"quartermaster_session={token_of(company, 'manager')}"
    path = f"/proposals/{proposal.proposal_id}/approve"
    with served(company) as http:
        client = Client(http, company, None)
        for origin in (
            {"Origin": "https://evil.example"},
            {"Origin": "null"},
            {"Sec-Fetch-Site": "cross-site"},
        ):
            client.send("POST", path, {"payload_hash": proposal.payload_hash}, Cookie=cookie, **origin)


@attack(
    "repeat-a-request-under-its-key",
    "same_outcome proposal_not_pending",
    "A repeated request gets the outcome of the first and acts once.",
)
def repeated(company: AttackedCompany) -> None:
    """A client sends one approval twenty times under one key, as a broken proxy might."""
    proposal = company.order(5_000)
    path = f"/proposals/{proposal.proposal_id}/approve"
    body = {"payload_hash": proposal.payload_hash}
    with served(company) as http:
        client = Client(http, company, token_of(company, "manager"))
        answers = [client.send("POST", path, body, **{"Idempotency-Key": "the-same-key"}) for _ in range(20)]
    if all(one.status_code == 200 and one.json() == answers[0].json() for one in answers):
        company.stopped("same_outcome")


@attack(
    "smuggle-a-second-payload",
    "invalid",
    "Bodies are one JSON object of known fields; what else is in them is an error and never ignored.",
)
def smuggled(company: AttackedCompany) -> None:
    """A client sends arrays, doubled fields, comments, deep nesting and huge bodies where one small order belongs."""
    template = draft_of(100).model_dump(mode="json")
    with served(company) as http:
        client = Client(http, company, token_of(company, "buyer"))
        bodies = (
            [template, template],
            template | {"quantity": 10**6},
            template | {"__proto__": {"admin": True}},
            template | {"lines": {"0": template["lines"][0]}},
            template | {"lines": template["lines"] * 501},
            {"command": template},
            None,
        )
        for body in bodies:
            client.post("/commands/CreatePurchaseOrder", body)


@attack(
    "delete-what-was-decided",
    "no_such_way not_found denied",
    "No route deletes or changes a proposal, a decision or an entry of the log.",
)
def delete(company: AttackedCompany) -> None:
    """An administrator's client sends DELETE, PUT and PATCH to proposals, policies, audit entries and users."""
    proposal = company.order(5_000)
    company.approve(proposal, "manager")
    entry = company.read(lambda c: c.execute(audit_entries.select().limit(1)).one())
    with served(company) as http:
        client = Client(http, company, token_of(company, "admin"))
        for path in (
            f"/proposals/{proposal.proposal_id}",
            f"/proposals/{proposal.proposal_id}/decisions",
            f"/audit/{entry.id}",
            "/audit",
            f"/policies/{uuid4()}",
            f"/users/{company.person('manager').user_id}",
        ):
            for method in ("DELETE", "PUT", "PATCH"):
                client.send(method, path, {"status": "executed"})
