"""The flow of orders: what is being fetched, which clocks run out, what is stuck and why."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query

from api.auth import OfCompany, Reader
from api.fields import public_in, reveal
from api.paging import Limit
from api.problems import not_found, require_known
from erp_core.orders.queries import get_order
from erp_core.orders.queries.promises import PromiseChange, list_promise_changes
from erp_core.orders.queries.published import Published, published_quantities
from erp_core.orders.queries.quotas import ChannelQuota, list_quotas
from erp_core.orders.queries.shortages import Shortage, list_shortages
from erp_core.orders.queries.stages import Ageing, StageClock, order_ageing, stage_clocks
from erp_core.orders.queries.story import OrderStory, order_story
from erp_core.orders.queries.waves import PickList, list_pick_lists
from erp_core.orders.rules import PICK_STATUSES, SHORTAGE_ACTIONS
from erp_core.storage.engine import reading

router = APIRouter(tags=["orders"])
Standings = Annotated[list[str] | None, Query(description="left out: at_risk and breached")]


@router.get("/pick-lists", response_model=public_in(list, PickList))
def pick_lists(
    actor: Reader,
    company: OfCompany,
    location_id: UUID | None = None,
    order_id: UUID | None = None,
    status: Annotated[list[str] | None, Query(description="left out: those that are open")] = None,
    limit: Limit = 200,
) -> Any:
    """Pick lists, the earliest carrier cutoff first, with units by order line."""
    require_known("status", status, PICK_STATUSES)
    with reading(company.engine) as connection:
        found = list_pick_lists(
            connection, location_id=location_id, order_id=order_id, status=status, limit=limit
        )
    return [reveal(one, actor.rights) for one in found]


@router.get("/order-clocks")
def order_clocks(
    _reader: Reader, company: OfCompany, standing: Standings = None, channel_id: UUID | None = None
) -> list[StageClock]:
    """Open orders whose stage is about to pass its limit or has, the first to run out first."""
    require_known("standing", standing, ("in_time", "at_risk", "breached"))
    now = company.clock.business_now()
    with reading(company.engine) as connection:
        return stage_clocks(
            connection, now, standings=standing or ("at_risk", "breached"), channel_id=channel_id
        )


@router.get("/order-ageing")
def ageing(_reader: Reader, company: OfCompany) -> list[Ageing]:
    """Orders on hold or without stock, by exception code and age."""
    with reading(company.engine) as connection:
        return order_ageing(connection, company.clock.business_now())


@router.get("/channels/{channel_id}/published")
def published(
    _reader: Reader,
    company: OfCompany,
    channel_id: UUID,
    item_id: Annotated[list[UUID] | None, Query(description="left out: every item with stock")] = None,
) -> list[Published]:
    """What the channel may offer of each item: never above available less its buffer."""
    with reading(company.engine) as connection:
        found = published_quantities(connection, channel_id, item_id, today=company.clock.today())
    if found is None:
        raise not_found("channel", "list the channels first")
    return found


@router.get("/channel-quotas")
def channel_quotas(
    _reader: Reader, company: OfCompany, channel_id: UUID | None = None, on: date | None = None
) -> list[ChannelQuota]:
    """What channels may take of which stock, on a day or today, with the owner of these policies."""
    with reading(company.engine) as connection:
        return list_quotas(connection, on or company.clock.today(), channel_id)


@router.get("/promise-changes")
def promise_changes(
    _reader: Reader,
    company: OfCompany,
    purchase_order_id: UUID | None = None,
    order_id: UUID | None = None,
    limit: Limit = 200,
) -> list[PromiseChange]:
    """Order lines that are expected on another day, the latest change first: of one purchase order, or of all."""
    with reading(company.engine) as connection:
        return list_promise_changes(connection, cause_id=purchase_order_id, order_id=order_id, limit=limit)


@router.get("/shortages")
def shortages(
    _reader: Reader,
    company: OfCompany,
    action: str | None = None,
    order_id: UUID | None = None,
    still_missing: bool = False,
    limit: Limit = 200,
) -> list[Shortage]:
    """What was decided by rule about stock that was short, the latest first; `procure` waits for a buyer."""
    require_known("action", None if action is None else [action], SHORTAGE_ACTIONS)
    with reading(company.engine) as connection:
        return list_shortages(
            connection, action=action, order_id=order_id, still_missing=still_missing, limit=limit
        )


@router.get("/orders/{order_id}/story")
def story(order_id: UUID, _reader: Reader, company: OfCompany) -> OrderStory:
    """The steps an order took with its status after each, and how its parcels travel, the oldest first."""
    with reading(company.engine) as connection:
        if get_order(connection, order_id) is None:
            raise not_found("order", "list the orders first")
        return order_story(connection, order_id)
