"""Legal entities, brands and warehouses are added as records or after a template, never by code."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from erp_core.analytics.query import MetricQuery
from erp_core.analytics.run import run
from erp_core.gate.contract import Executed, Proposed
from erp_core.master.commands import (
    AssignLegalEntity,
    CreateLegalEntity,
    CreateLocation,
    OpenLocation,
    SetCarrier,
    SetCarrierCutoff,
    SetCarrierService,
    SetChannelTerms,
    SetPlanningPolicy,
)
from erp_core.master.model import locations
from erp_core.master.queries.channels import channel_terms
from erp_core.master.queries.fulfilment import list_cutoffs
from erp_core.master.queries.planning_policies import planning_policies_in_force
from erp_core.storage.engine import reading
from tests.conftest import TODAY
from tests.master.market import agree, approve, ask
from tests.shop import Shop


def entity(shop: Shop, code: str) -> UUID:
    legal_entity_id = uuid4()
    shop.run(
        CreateLegalEntity(legal_entity_id=legal_entity_id, code=code, entity_name=f"{code} Ltd", country="GB")
    )
    return legal_entity_id


def entity_of(shop: Shop, location_id: UUID) -> UUID | None:
    with reading(shop.gate.engine) as connection:
        found: UUID | None = connection.scalar(
            select(locations.c.legal_entity_id).where(locations.c.id == location_id)
        )
        return found


@pytest.mark.capability("S20")
def test_a_warehouse_is_opened_after_a_template_with_all_that_is_set_for_it(fresh_shop: Shop) -> None:
    shop = fresh_shop
    lamp = shop.item(north=5)
    british = entity(shop, "UK")
    carrier_id, service_id = uuid4(), uuid4()
    shop.run(SetCarrier(carrier_id=carrier_id, code="POST", carrier_name="Post"))
    shop.run(
        SetCarrierService(
            service_id=service_id,
            carrier_id=carrier_id,
            code="POST-STD",
            service_name="Parcel",
            speed="standard",
        )
    )
    pickup = {"location_id": shop.north, "service_id": service_id, "weekdays": ("mon", "fri")}
    shop.run(SetCarrierCutoff.model_validate(pickup | {"at": "15:00", "time_zone": "Europe/London"}))
    shop.run(SetPlanningPolicy(item_id=lamp, location_id=shop.north, service_level="0.95"))
    agree(shop, SetChannelTerms(channel_id=shop.web, priority=1, locations=(shop.north,)))
    assert isinstance(
        approve_as(
            shop,
            "finance",
            AssignLegalEntity(record="location", record_id=shop.north, legal_entity_id=british),
        ),
        Executed,
    )
    new = uuid4()
    opening = OpenLocation(location_id=new, code="NORTH-2", location_name="North two", like=shop.north)
    outcome = agree(shop, opening)
    assert isinstance(outcome, Executed)
    with reading(shop.gate.engine) as connection:
        assert [(one.weekday, one.minute, one.time_zone) for one in list_cutoffs(connection, new)] == [
            (0, 900, "Europe/London"),
            (4, 900, "Europe/London"),
        ]
        assert channel_terms(connection)[shop.web].permits(new)
        assert {one.location_id for one in planning_policies_in_force(connection, TODAY)} == {shop.north, new}
    assert entity_of(shop, new) == british
    assert shop.at(lamp, new).on_hand == 0
    shop.stock(lamp, 3, new)
    shop.ship(shop.place((lamp, 2), place=new))
    assert shop.at(lamp, new).on_hand == 1, "the new place works like any other"


def approve_as(shop: Shop, role: str, command: AssignLegalEntity) -> object:
    from erp_core.gate.decisions import ApproveProposal

    proposed = ask(shop, command)
    assert isinstance(proposed, Proposed)
    judge = shop.gate.bootstrap_user(role, roles=(role,))
    decision = ApproveProposal(proposal_id=proposed.proposal_id, payload_hash=proposed.payload_hash)
    return shop.gate.submit(decision, judge, key=uuid4().hex)


@pytest.mark.capability("S20")
def test_a_place_of_an_unknown_entity_or_template_is_refused_and_the_rest_of_its_batch_is_not(
    shop: Shop,
) -> None:
    ghost = CreateLocation(location_id=uuid4(), code="GHOST", location_name="G", legal_entity_id=uuid4())
    owner = entity(shop, f"E{uuid4().hex[:5]}")
    good = CreateLocation(location_id=uuid4(), code="GOOD", location_name="G", legal_entity_id=owner)
    refused, made = shop.submit(ghost, good)
    assert (refused.error.code, refused.error.field) == ("not_found", "legal_entity_id")
    assert isinstance(made, Executed)
    assert entity_of(shop, good.location_id) == owner
    opening = OpenLocation(location_id=uuid4(), code="NEW", location_name="New", like=uuid4())
    outcome = approve(shop, ask(shop, opening))
    assert isinstance(outcome, Executed)
    assert outcome.result["failed"]["field"] == "like"
    taken = OpenLocation(location_id=uuid4(), code="good", location_name="New", like=shop.north)
    outcome = approve(shop, ask(shop, taken))
    assert isinstance(outcome, Executed)
    assert outcome.result["failed"]["code"] == "already_exists"


@pytest.mark.capability("S20")
def test_figures_of_a_legal_entity_are_those_of_its_places_and_add_up(fresh_shop: Shop) -> None:
    shop = fresh_shop
    lamp = shop.item(north=30, south=20)
    for place, code in ((shop.north, "UK"), (shop.south, "IE")):
        owner = entity(shop, code)
        outcome = approve_as(
            shop,
            "finance",
            AssignLegalEntity(record="location", record_id=place, legal_entity_id=owner),
        )
        assert isinstance(outcome, Executed)
    shop.ship(shop.place((lamp, 4)))
    shop.ship(shop.place((lamp, 3), place=shop.south))
    shop.stock(lamp, 5, shop.store)

    def figures(**asked: object) -> dict[str | None, list[object]]:
        query = MetricQuery.model_validate(
            {"metrics": ["on_hand_units", "ordered_units"], "by": ["legal_entity"]} | asked
        )
        with reading(shop.gate.engine) as connection:
            result = run(connection, query, today=TODAY, rights=(), computed_at=shop.now)
        return {row[0]: list(row[-2:]) for row in result.rows}

    assert figures() == {"UK": [26, 4], "IE": [17, 3], None: [5, 0]}
    one = {"where": [{"dim": "legal_entity", "op": "eq", "values": ["IE"]}]}
    assert figures(**one) == {"IE": [17, 3]}
    others = {
        "where": [{"dim": "legal_entity", "op": "ne", "values": ["IE"]}],
        "by": ["legal_entity", "brand"],
    }
    assert figures(**others) == {"UK": [26, 4], None: [5, 0]}
