"""A new company: its schema and calendar, approval policies, first administrator, knowledge index."""

from __future__ import annotations

from api.company import Company
from api.database import bring_up_to_date
from erp_core.gate.commands import SetCompanyFact
from erp_core.gate.contract import Submission
from erp_core.gate.passwords import hash_password
from erp_core.gate.principals import Principal
from erp_core.storage.ids import new_id


def initialise(
    company: Company, *, admin_login: str, password: str, name: str | None = None, currency: str | None = None
) -> Principal:
    """Bring a company to a state in which people can log in; gives its administrator.

    Safe to repeat: what is there stays as it is, also the administrator's password.
    """
    bring_up_to_date(company.settings, company.engine)
    company.gate.install_policies()
    admin = company.gate.bootstrap_user(
        admin_login, roles=("admin",), name=admin_login, password_hash=hash_password(password)
    )
    facts = {"name": name, "currency": currency}
    company.gate.submit_many(
        [
            Submission(SetCompanyFact.model_validate({"key": key, "value": value}), str(new_id()))
            for key, value in facts.items()
            if value
        ],
        admin,
    )
    build_knowledge(company)
    return admin


def build_knowledge(company: Company) -> None:
    """Bring the agent's knowledge index under the home folder up to date with its documents."""
    from copilot.agents.knowledge.index import build_index

    build_index(company.home, chroma_url=company.settings.chroma_url).close()
