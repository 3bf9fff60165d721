"""Every domain of master data has a named owner, and what has none is listed."""

from __future__ import annotations

from uuid import uuid4

import pytest

from erp_core.gate.contract import Executed, Proposed
from erp_core.gate.queries import get_proposal
from erp_core.master.commands import ActivateSupplier, AssignDataOwner, SubmitSupplier
from erp_core.master.queries.owners import DOMAINS, list_domains, owner_logins, records_without_owner
from erp_core.storage.engine import reading
from tests.master.market import ask, document, supplier
from tests.shop import Shop


@pytest.mark.capability("S17")
def test_records_without_an_owner_are_listed_until_their_domain_or_they_have_one(fresh_shop: Shop) -> None:
    shop = fresh_shop
    first, second = shop.item("A-1"), shop.item("A-2")
    keeper = shop.gate.bootstrap_user("keeper", roles=("planner",)).user_id
    other = shop.gate.bootstrap_user("other", roles=("buyer",)).user_id
    with reading(shop.gate.engine) as connection:
        domains = {one.domain: one for one in list_domains(connection)}
        assert set(domains) == set(DOMAINS)
        assert (domains["items"].owner, domains["items"].unowned) == (None, 2)
        assert domains["customers"].unowned is None
        assert [one.code for one in records_without_owner(connection, "items")] == ["A-1", "A-2"]
    shop.run(AssignDataOwner(domain="items", user_id=keeper, record_id=first))
    with reading(shop.gate.engine) as connection:
        assert [one.code for one in records_without_owner(connection, "items")] == ["A-2"]
    shop.run(AssignDataOwner(domain="items", user_id=other))
    with reading(shop.gate.engine) as connection:
        assert records_without_owner(connection, "items") == []
        assert owner_logins(connection, "items", [first, second]) == {first: "keeper", second: "other"}
        assert {one.domain: one.owner for one in list_domains(connection)}["items"] == "other"


@pytest.mark.capability("S17")
def test_an_owner_is_an_active_person_and_a_domain_one_of_the_list(shop: Shop) -> None:
    robot = shop.gate.bootstrap_user("robot", roles=("planner",), kind="service").user_id
    for user_id in (robot, uuid4()):
        error = shop.refused(AssignDataOwner(domain="items", user_id=user_id))
        assert (error.code, error.field) == ("unknown_kind", "user_id")
    keeper = shop.gate.bootstrap_user("keeper", roles=("planner",)).user_id
    error = shop.refused(AssignDataOwner(domain="weather", user_id=keeper))
    assert (error.field, "items" in error.remedy) == ("domain", True)


@pytest.mark.capability("S17")
def test_an_approval_names_the_owner_of_the_data(fresh_shop: Shop) -> None:
    shop = fresh_shop
    keeper = shop.gate.bootstrap_user("keeper", roles=("buyer",)).user_id
    draft = supplier()
    shop.run(draft)
    shop.run(document(draft.supplier_id))
    shop.run(SubmitSupplier(supplier_id=draft.supplier_id))
    shop.run(AssignDataOwner(domain="suppliers", user_id=keeper))
    outcome = ask(shop, ActivateSupplier(supplier_id=draft.supplier_id))
    assert isinstance(outcome, Proposed)
    assert not isinstance(outcome, Executed)
    with reading(shop.gate.engine) as connection:
        shown = get_proposal(connection, outcome.proposal_id)
    assert shown is not None
    assert shown.facts["domain_owner"] == "keeper"
