"""Channels: their priority, permitted places, service level and buffer."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from erp_core.gate.contract import Executed, Proposed
from erp_core.master.commands import AssignDataOwner, CreateChannel, SetChannelTerms
from erp_core.master.queries.channels import channel_terms
from erp_core.master.rules.channels import ChannelTerms
from erp_core.storage.engine import reading
from tests.master.market import agree, ask
from tests.shop import Shop


def terms(shop: Shop, channel_id: UUID) -> ChannelTerms:
    with reading(shop.gate.engine) as connection:
        (found,) = channel_terms(connection, [channel_id]).values()
        assert channel_terms(connection)[found.id] == found
    return found


@pytest.mark.capability("S13")
def test_a_channel_has_priority_places_service_level_and_buffer_after_a_manager_agreed(shop: Shop) -> None:
    channel_id = uuid4()
    shop.run(
        CreateChannel(channel_id=channel_id, code=f"B2B-{channel_id.hex[:4]}", channel_name="B2B", kind="b2b")
    )
    fresh = terms(shop, channel_id)
    assert (fresh.priority, fresh.service_level, fresh.dispatch_hours, fresh.locations) == (
        10,
        None,
        None,
        None,
    )
    assert fresh.permits(shop.store)
    assert fresh.published(7) == 7
    wanted = SetChannelTerms(
        channel_id=channel_id,
        priority=2,
        service_level="0.98",
        dispatch_hours=24,
        buffer_units=3,
        buffer_percent=10,
        locations=(shop.south, shop.north),
    )
    assert isinstance(ask(shop, wanted), Proposed)
    assert terms(shop, channel_id) == fresh, "nothing holds before somebody agreed"
    assert isinstance(agree(shop, wanted.model_copy(update={"priority": 3})), Executed)
    found = terms(shop, channel_id)
    assert (found.priority, found.service_level, found.dispatch_hours) == (3, 0.98, 24)
    assert found.locations == (shop.south, shop.north), "the preferred place stands first"
    assert found.permits(shop.south)
    assert not found.permits(shop.store)
    assert [found.published(units) for units in (0, 3, 4, 30, 31, 100)] == [0, 0, 1, 27, 27, 90]
    agree(shop, SetChannelTerms(channel_id=channel_id, priority=5))
    assert terms(shop, channel_id).locations is None


@pytest.mark.capability("S13")
def test_terms_that_name_nothing_or_cannot_be_planned_are_refused(shop: Shop) -> None:
    def failed(**fields: object) -> dict[str, str]:
        values = {"channel_id": shop.web, "priority": 1} | fields
        outcome = agree(shop, SetChannelTerms.model_validate(values))
        assert isinstance(outcome, Executed)
        return dict(outcome.result["failed"])

    assert failed(channel_id=uuid4())["field"] == "channel_id"
    assert failed(locations=(shop.north, uuid4()))["field"] == "locations"
    assert failed(service_level="0.4")["code"] == "service_level_out_of_range"
    assert terms(shop, shop.web).locations is None
    with pytest.raises(ValidationError):
        SetChannelTerms(channel_id=shop.web, priority=1, buffer_percent=101)


@pytest.mark.capability("S17")
def test_who_approves_terms_sees_whose_data_they_are(fresh_shop: Shop) -> None:
    from erp_core.gate.queries import get_proposal

    shop = fresh_shop
    keeper = shop.gate.bootstrap_user("keeper", roles=("buyer",)).user_id
    shop.run(AssignDataOwner(domain="channels", user_id=keeper))
    outcome = ask(shop, SetChannelTerms(channel_id=shop.web, priority=1))
    assert isinstance(outcome, Proposed)
    with reading(shop.gate.engine) as connection:
        shown = get_proposal(connection, outcome.proposal_id)
    assert shown is not None
    assert shown.facts["domain_owner"] == "keeper"


@given(st.integers(-5, 10_000), st.integers(0, 500), st.integers(0, 100))
def test_what_is_published_never_exceeds_available_less_buffer(
    available: int, units: int, percent: int
) -> None:
    channel = ChannelTerms(uuid4(), "WEB", "web", 1, None, None, units, percent, None)
    published = channel.published(available)
    assert published >= 0
    assert published == 0 or published <= available - units
    assert published == 0 or published * 100 <= available * (100 - percent)
