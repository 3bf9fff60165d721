"""Fulfilment and what segments and classes select: carriers, rules, workflows, classes, alerts."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import AwareDatetime

from api.auth import OfCompany, Reader
from api.fields import public_in, reveal
from erp_core.master.queries.channels import channel_terms
from erp_core.master.queries.classes import classes_of, list_class_policies, selected_policies
from erp_core.master.queries.fulfilment import (
    Carrier,
    Holiday,
    Zone,
    active_fulfilment_rules,
    active_packaging_rules,
    active_packagings,
    active_services,
    lanes_in_force,
    list_carriers,
    list_cutoffs,
    list_holidays,
    list_zones,
    shipping_offers,
)
from erp_core.master.queries.landed_costs import list_components
from erp_core.master.queries.records import LegalEntity, list_legal_entities
from erp_core.master.queries.workflows import list_workflows
from erp_core.master.rules.channels import ChannelTerms
from erp_core.master.rules.classes import ClassPolicy, Selected
from erp_core.master.rules.fulfilment import (
    Cutoff,
    FulfilmentRule,
    Lane,
    Offer,
    Packaging,
    PackagingRule,
    Service,
)
from erp_core.master.rules.landed_costs import Component
from erp_core.master.rules.workflows import Workflow
from erp_core.orders.outages import Outage, list_outages
from erp_core.orders.queries.alerts import CustomerMessage, OrderAlert, list_alerts, messages_of
from erp_core.planning.promotions import PromotionReadiness, promotion_readiness
from erp_core.procurement.ordering.drop_ship import DropShipment, drop_shipments_of
from erp_core.procurement.ordering.steps import DueStep, due_steps
from erp_core.storage.engine import reading

router = APIRouter(tags=["fulfilment"])


@router.get("/carriers")
def carriers(_actor: Reader, company: OfCompany) -> list[Carrier]:
    """Carriers by code, those out of use too."""
    with reading(company.engine) as connection:
        return list_carriers(connection)


@router.get("/carrier-services")
def services(_actor: Reader, company: OfCompany) -> list[Service]:
    """Services that may be used, by code."""
    with reading(company.engine) as connection:
        return active_services(connection)


@router.get("/shipping-zones")
def zones(_actor: Reader, company: OfCompany) -> list[Zone]:
    """Zones with their countries."""
    with reading(company.engine) as connection:
        return list_zones(connection)


@router.get("/carrier-lanes", response_model=public_in(list, Lane))
def lanes(actor: Reader, company: OfCompany, on: date | None = None) -> Any:
    """The lanes that are served on a day, today unless given, with their rates."""
    with reading(company.engine) as connection:
        found = lanes_in_force(connection, on or company.clock.today())
    return [reveal(one, actor.rights) for one in found]


@router.get("/carrier-cutoffs")
def cutoffs(_actor: Reader, company: OfCompany, location_id: UUID | None = None) -> list[Cutoff]:
    """Until when services pick up, on the clock of the place."""
    with reading(company.engine) as connection:
        return list_cutoffs(connection, location_id)


@router.get("/carrier-holidays")
def holidays(
    _actor: Reader, company: OfCompany, carrier_id: UUID | None = None, first_on: date | None = None
) -> list[Holiday]:
    """Days on which carriers neither pick up nor deliver, from today or the day given."""
    with reading(company.engine) as connection:
        return list_holidays(connection, first_on or company.clock.today(), carrier_id=carrier_id)


@router.get("/shipping-offers", response_model=public_in(list, Offer))
def offers(
    actor: Reader,
    company: OfCompany,
    location_id: UUID,
    country: Annotated[str, Query(min_length=1, max_length=60)],
    grams: Annotated[int | None, Query(ge=1)] = None,
    ready: AwareDatetime | None = None,
) -> Any:
    """How a parcel that is packed at `ready` may go from a place to a country, the cheapest first."""
    with reading(company.engine) as connection:
        found = shipping_offers(connection, location_id, country, ready or company.clock.now(), grams)
    return [reveal(one, actor.rights) for one in found]


@router.get("/packagings")
def packagings(_actor: Reader, company: OfCompany) -> list[Packaging]:
    """Packagings that may be used, by code."""
    with reading(company.engine) as connection:
        return active_packagings(connection)


@router.get("/packaging-rules")
def packaging_rules(_actor: Reader, company: OfCompany) -> list[PackagingRule]:
    """Which item leaves in which packaging; the first rule that covers it decides."""
    with reading(company.engine) as connection:
        return active_packaging_rules(connection)


@router.get("/fulfilment-rules")
def fulfilment_rules(_actor: Reader, company: OfCompany) -> list[FulfilmentRule]:
    """What orders may use, by rank; for each aspect the first rule that holds decides."""
    with reading(company.engine) as connection:
        return active_fulfilment_rules(connection)


@router.get("/channel-terms")
def terms(_actor: Reader, company: OfCompany) -> list[ChannelTerms]:
    """How channels are served: priority, places, service level and buffer, by priority."""
    with reading(company.engine) as connection:
        found = channel_terms(connection).values()
    return sorted(found, key=lambda one: (one.priority, one.code))


@router.get("/legal-entities")
def entities(_actor: Reader, company: OfCompany) -> list[LegalEntity]:
    """Legal entities by code."""
    with reading(company.engine) as connection:
        return list_legal_entities(connection)


@router.get("/supplier-workflows")
def workflows(_actor: Reader, company: OfCompany) -> list[Workflow]:
    """What the segment of a supplier selects, by segment."""
    with reading(company.engine) as connection:
        return [one for _, one in sorted(list_workflows(connection).items())]


@router.get("/due-steps")
def steps(_actor: Reader, company: OfCompany) -> list[DueStep]:
    """What purchase orders on their way still lack by their supplier's workflow, the latest first."""
    with reading(company.engine) as connection:
        return due_steps(connection, company.clock.today())


@router.get("/class-policies")
def class_policies(_actor: Reader, company: OfCompany) -> list[ClassPolicy]:
    """What each inventory class selects, by rank."""
    with reading(company.engine) as connection:
        found = list_class_policies(connection).values()
    return sorted(found, key=lambda one: (one.rank, one.item_class))


@router.get("/items/{item_id}/classes")
def item_classes(item_id: UUID, _actor: Reader, company: OfCompany) -> tuple[list[str], Selected | None]:
    """The inventory classes of an item, and what they select where nothing is set for itself."""
    with reading(company.engine) as connection:
        classes = classes_of(connection, [item_id]).get(item_id, ())
        return list(classes), selected_policies(connection, [item_id]).get(item_id)


@router.get("/landed-cost-components")
def components(_actor: Reader, company: OfCompany) -> list[Component]:
    """Components of landed cost, with what the amount of each is shared by."""
    with reading(company.engine) as connection:
        return list(list_components(connection).values())


@router.get("/order-alerts")
def alerts(_actor: Reader, company: OfCompany) -> list[OrderAlert]:
    """Late and short lines of live orders, the earliest promise first."""
    with reading(company.engine) as connection:
        return list_alerts(connection)


@router.get("/orders/{order_id}/messages")
def messages(order_id: UUID, _actor: Reader, company: OfCompany) -> list[CustomerMessage]:
    """What the customer of an order was told, in order."""
    with reading(company.engine) as connection:
        return messages_of(connection, [order_id])


@router.get("/orders/{order_id}/drop-shipments")
def drop_shipments(order_id: UUID, _actor: Reader, company: OfCompany) -> list[DropShipment]:
    """What suppliers send to the customer of an order, and how far they are."""
    with reading(company.engine) as connection:
        return drop_shipments_of(connection, [order_id])


@router.get("/outages")
def outages(_actor: Reader, company: OfCompany) -> list[Outage]:
    """Outages of places, the latest first, with what went elsewhere and what came back."""
    with reading(company.engine) as connection:
        return list_outages(connection)


@router.get("/promotions/{promotion_id}/readiness")
def promotion(
    promotion_id: UUID, _actor: Reader, company: OfCompany, expected: Annotated[int, Query(ge=1)]
) -> PromotionReadiness:
    """Whether stock is ready for a promotion that is expected to sell so many units."""
    with reading(company.engine) as connection:
        return promotion_readiness(connection, promotion_id, expected, company.clock.today())
