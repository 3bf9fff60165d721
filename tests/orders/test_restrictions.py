"""Restricted products: forbidden or limited by channel, country of the customer and place."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID, uuid4

import pytest

from erp_core.gate.contract import Executed, Proposed, Refused
from erp_core.gate.decisions import ApproveProposal
from erp_core.master.commands import CreateChannel
from erp_core.master.commands.restrictions import SetSaleRestriction
from tests.shop import Shop

Restrict = Callable[..., UUID]


@pytest.fixture
def restrict(shop: Shop) -> Restrict:
    """`restrict(item_id=…, country="DE")`: a restriction that an administrator asked for and a manager approved."""
    admin = shop.gate.bootstrap_user("admin", roles=("admin",))
    manager = shop.gate.bootstrap_user("manager", roles=("manager",))

    def make(**fields: Any) -> UUID:
        command = SetSaleRestriction(
            **{"restriction_id": uuid4(), "restriction_name": "Export control"} | fields
        )
        proposed = shop.gate.submit(command, admin, key=uuid4().hex)
        assert isinstance(proposed, Proposed), proposed
        approval = ApproveProposal(proposal_id=proposed.proposal_id, payload_hash=proposed.payload_hash)
        assert isinstance(shop.gate.submit(approval, manager, key=uuid4().hex), Executed)
        return command.restriction_id

    return make


@pytest.mark.capability("S212")
def test_a_product_forbidden_in_a_country_is_refused_there_and_sold_elsewhere(
    shop: Shop, restrict: Restrict
) -> None:
    item, other = shop.item(north=10), shop.item(north=10)
    restrict(item_id=item, country="de", restriction_name="No batteries to Germany")
    error = shop.refused(shop.order((other, 1), (item, 1)))
    assert error.code == "product_restricted" and "No batteries to Germany" in error.message and error.remedy
    assert shop.at(other).available == 10
    shop.place((item, 1), customer_country="FR")
    shop.place((other, 1))


@pytest.mark.capability("S212")
def test_a_restriction_of_a_channel_or_of_a_place_holds_only_there(shop: Shop, restrict: Restrict) -> None:
    item, counter = shop.item(north=10, south=10), uuid4()
    shop.run(
        CreateChannel(channel_id=counter, code=f"C-{counter.hex[:6]}", channel_name="Counter", kind="store")
    )
    restrict(item_id=item, channel_id=counter)
    restrict(item_id=item, location_id=shop.north)
    assert (
        shop.refused(shop.order((item, 1), channel_id=counter, place=shop.south)).code == "product_restricted"
    )
    assert shop.refused(shop.order((item, 1))).code == "product_restricted"
    shop.place((item, 1), place=shop.south)


@pytest.mark.capability("S212")
def test_an_order_without_a_place_goes_round_a_place_that_may_not_send_it(
    shop: Shop, restrict: Restrict
) -> None:
    item = shop.item(north=10, south=2)
    restrict(item_id=item, location_id=shop.north)
    (line,) = shop.lines(shop.place((item, 2), place=None))
    assert line.location_id == shop.south
    restrict(item_id=item, location_id=shop.south)
    assert shop.refused(shop.order((item, 1), place=None)).code == "product_restricted"


@pytest.mark.capability("S212")
def test_a_most_per_order_may_be_reached_and_lines_count_together(shop: Shop, restrict: Restrict) -> None:
    item = shop.item(north=100)
    restrict(item_id=item, most_per_order=5)
    shop.place((item, 5))
    shop.place((item, 2), (item, 3))
    for lines in (((item, 6),), ((item, 3), (item, 3))):
        error = shop.refused(shop.order(*lines))
        assert (error.code, error.details["most"], error.details["units"]) == ("quantity_restricted", 5, 6)


@pytest.mark.capability("S212")
def test_a_most_per_day_counts_every_order_of_the_day_and_starts_again_the_next(
    shop: Shop, restrict: Restrict
) -> None:
    item = shop.item(north=100)
    restrict(item_id=item, most_per_day=10, country="DE")
    first = shop.order((item, 6))
    outcomes = shop.submit(first, shop.order((item, 5)), shop.order((item, 4)), shop.order((item, 1)))
    assert [type(one).__name__ for one in outcomes] == ["Executed", "Refused", "Executed", "Refused"]
    assert "0 are left today" in shop.refused(shop.order((item, 1))).message
    shop.place((item, 50), customer_country="FR")
    shop.cancel(first)
    shop.place((item, 6))
    shop.later(1)
    shop.place((item, 10))


@pytest.mark.capability("S212")
def test_orders_at_the_same_moment_do_not_pass_a_most_per_day_together(
    shop: Shop, restrict: Restrict
) -> None:
    item = shop.item(north=100)
    restrict(item_id=item, most_per_day=10)
    guests = [shop.visit() for _ in range(6)]
    with ThreadPoolExecutor(6) as pool:
        outcomes = list(pool.map(lambda guest: guest.submit(guest.order((item, 4)))[0], guests))
    assert sum(isinstance(one, Executed) for one in outcomes) == 2
    assert sum(isinstance(one, Refused) for one in outcomes) == 4


@pytest.mark.capability("S212")
def test_a_category_is_restricted_like_an_item_and_a_lifted_restriction_holds_no_more(
    shop: Shop, restrict: Restrict
) -> None:
    item = shop.item(north=10)
    id_ = restrict(category="Things", country="KP")
    assert shop.refused(shop.order((item, 1), customer_country="KP")).code == "product_restricted"
    restrict(restriction_id=id_, category="Things", country="KP", active=False)
    shop.place((item, 1), customer_country="KP")


@pytest.mark.capability("S212")
def test_what_became_forbidden_while_an_order_waited_is_not_given_to_it(
    shop: Shop, restrict: Restrict
) -> None:
    item, held_item = shop.item(), shop.item(north=5)
    waiting = shop.place((item, 3))
    free = shop.place((item, 3), customer_country="FR")
    held = shop.place((held_item, 1), payment_status="pending")
    restrict(item_id=item, country="DE")
    restrict(item_id=held_item, country="DE", restriction_name="Recalled in Germany")
    shop.stock(item, 10)
    assert shop.status(waiting) == "backordered" and shop.status(free) == "reserved"
    from erp_core.orders.commands import ReleaseOrder

    error = shop.refused(ReleaseOrder(order_id=held.order_id))
    assert error.code == "product_restricted" and "Recalled in Germany" in error.message
    assert shop.status(held) == "on_hold"


def test_a_restriction_names_one_product_and_things_that_exist(shop: Shop, restrict: Restrict) -> None:
    with pytest.raises(ValueError, match="exactly one"):
        SetSaleRestriction(restriction_id=uuid4(), restriction_name="Everything")
    admin = shop.gate.bootstrap_user("admin", roles=("admin",))
    manager = shop.gate.bootstrap_user("manager", roles=("manager",))
    command = SetSaleRestriction(restriction_id=uuid4(), restriction_name="Ghost", item_id=uuid4())
    proposed = shop.gate.submit(command, admin, key=uuid4().hex)
    assert isinstance(proposed, Proposed)
    approval = ApproveProposal(proposal_id=proposed.proposal_id, payload_hash=proposed.payload_hash)
    answer = shop.gate.submit(approval, manager, key=uuid4().hex)
    assert isinstance(answer, Executed) and answer.result["failed"]["code"] == "not_found"
