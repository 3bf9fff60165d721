"""The company's master data as commands: what is created before the first day."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from uuid import UUID

from erp_core.finance.commands import OpeningCost, SetOpeningCost
from erp_core.gate.commands import SetCompanyFact
from erp_core.gate.contract import Command
from erp_core.inventory.commands import PostOpeningStock, StockLine
from erp_core.master.commands import (
    ActivateItem,
    ActivateSupplier,
    AddSupplierDocument,
    CreateChannel,
    CreateItem,
    CreateLocation,
    CreateSupplier,
    SetItemUnit,
    SetPlanningPolicy,
    SetSupplierItem,
    SetTaxRule,
    SubmitSupplier,
)
from erp_core.orders.commands import RegisterCustomer
from erp_core.storage.derived import derived_id
from erp_core.storage.ids import SeededIds
from evals.worlds.catalogue import CENT, Catalogue
from evals.worlds.engine import Premise

COMPANY = "Linden & Vale"
CURRENCY = "EUR"
_SERVICE = {"A": "0.97", "B": "0.95", "C": "0.9"}
_LANDED = 1.04
_RUNS_OUT = 3
_VAT = {
    "Austria": 200_000,
    "Belgium": 210_000,
    "Denmark": 250_000,
    "France": 200_000,
    "Germany": 190_000,
    "Ireland": 230_000,
    "Netherlands": 210_000,
    "United Kingdom": 200_000,
}
"""Standard rates where the company sells, in millionths."""


@dataclass(frozen=True, slots=True)
class MasterIds:
    """Ids of the master data, by index in the catalogue."""

    items: tuple[UUID, ...]
    suppliers: tuple[UUID, ...]
    locations: tuple[UUID, ...]
    channels: tuple[UUID, ...]
    customers: tuple[UUID, ...]

    @classmethod
    def draw(cls, catalogue: Catalogue, ids: SeededIds) -> MasterIds:
        """Fresh ids for everything in the catalogue."""
        return cls(
            items=tuple(ids() for _ in catalogue.items),
            suppliers=tuple(ids() for _ in catalogue.suppliers),
            locations=tuple(ids() for _ in catalogue.locations),
            channels=tuple(ids() for _ in catalogue.channels),
            customers=tuple(ids() for _ in catalogue.customers),
        )

    def supplier_item(
        self, catalogue: Catalogue, item: int, rank: int, moment: datetime, *, price: int | None = None
    ) -> SetSupplierItem:
        """What a supplier asks for an item; `rank` 0 is the preferred one."""
        source = catalogue.items[item].sources[rank]
        return SetSupplierItem(
            occurred_at=moment,
            supplier_id=self.suppliers[source.supplier],
            item_id=self.items[item],
            price=price or source.price,
            supplier_sku=source.supplier_sku,
            minimum_quantity=source.minimum,
            order_multiple=source.multiple,
            lead_time_days=catalogue.suppliers[source.supplier].lead,
            rank=rank + 1,
        )


def master_commands(
    premise: Premise, master: MasterIds, ids: SeededIds
) -> Iterator[tuple[str, list[Command]]]:
    """Batches of (who, commands) in the order in which they must be posted."""
    catalogue, start = premise.catalogue, datetime.combine(premise.world.start, time(6), tzinfo=UTC)
    facts = {
        "name": COMPANY,
        "currency": CURRENCY,
        "business_date": premise.world.end.isoformat(),
        "seed": str(premise.seed),
    }
    yield (
        "admin",
        [
            SetCompanyFact.model_validate({"occurred_at": start, "key": key, "value": value})
            for key, value in facts.items()
        ],
    )
    yield "admin", _places(catalogue, master, start)
    yield "finance", _taxes(start)
    yield "admin", _suppliers(catalogue, master, start)
    yield "admin", _documents(premise, master, start)
    yield "admin", [SubmitSupplier(occurred_at=start, supplier_id=supplier) for supplier in master.suppliers]
    yield (
        "admin",
        [ActivateSupplier(occurred_at=start, supplier_id=supplier) for supplier in master.suppliers],
    )
    yield "admin", _items(premise, master, start)
    yield "admin", [ActivateItem(occurred_at=start, item_id=item) for item in master.items]
    yield (
        "buyer",
        [
            master.supplier_item(catalogue, item, rank, start)
            for item, one in enumerate(catalogue.items)
            for rank in range(len(one.sources))
        ],
    )
    yield (
        "planner",
        [
            SetPlanningPolicy(
                occurred_at=start,
                item_id=master.items[index],
                location_id=master.locations[place],
                service_level=_SERVICE[item.abc],
                review_days=14,
            )
            for index, item in enumerate(catalogue.items)
            for place in item.stocked
        ],
    )
    yield (
        "service",
        [
            RegisterCustomer(
                occurred_at=start,
                customer_id=master.customers[index],
                code=f"C-{index + 1:05d}",
                country=country,
                customer_name=name,
                email=f"orders{index + 1}@customer.example",
            )
            for index, (name, country) in enumerate(catalogue.customers)
        ],
    )
    yield "admin", _opening(premise, master, ids, start)
    costs = tuple(
        OpeningCost(item_id=master.items[index], unit_cost=round(item.cost * _LANDED / CENT) * CENT)
        for index, item in enumerate(catalogue.items)
        if item.introduced == 0
    )
    yield "admin", [SetOpeningCost(occurred_at=start, document_id=ids(), lines=costs)]


def _places(catalogue: Catalogue, master: MasterIds, start: datetime) -> list[Command]:
    locations: list[Command] = [
        CreateLocation(
            occurred_at=start,
            location_id=master.locations[index],
            code=one.code,
            location_name=one.name,
            kind="store" if one.kind == "store" else "warehouse",
            country=one.country,
        )
        for index, one in enumerate(catalogue.locations)
    ]
    channels: list[Command] = [
        CreateChannel(
            occurred_at=start,
            channel_id=master.channels[index],
            code=one.code,
            channel_name=one.name,
            kind="store" if one.kind == "store" else "web",
            priority=10,
        )
        for index, one in enumerate(catalogue.channels)
    ]
    return locations + channels


def _taxes(start: datetime) -> list[Command]:
    """Tax where the customer is, rounded once a document; what goes anywhere else is exported without."""
    day = start.date()
    export = SetTaxRule(
        occurred_at=start,
        rule_id=derived_id(day, "tax rule", "export"),
        rule_name="Export",
        treatment="zero_rated",
        reason="Export: zero-rated",
        valid_from=day,
    )
    return [
        export,
        *(
            SetTaxRule(
                occurred_at=start,
                rule_id=derived_id(day, "tax rule", country),
                rule_name=f"VAT {country}",
                customer_countries=(country,),
                treatment="taxed",
                rate=rate,
                rounding="document",
                valid_from=day,
            )
            for country, rate in _VAT.items()
        ),
    ]


def _suppliers(catalogue: Catalogue, master: MasterIds, start: datetime) -> list[Command]:
    return [
        CreateSupplier.model_validate(
            {
                "occurred_at": start,
                "supplier_id": master.suppliers[index],
                "code": one.code,
                "supplier_name": one.name,
                "currency": CURRENCY,
                "country": one.country,
                "payment_days": one.payment_days,
                "delivery_terms": one.terms,
                "minimum_order": one.minimum_order,
                "lead_time_days": one.lead,
                "segment": one.segment,
                "risk_class": one.risk,
                "tax_id": f"{one.country[:2].upper()}{300_000_000 + index * 7_919:09d}",
                "bank_account": f"{one.country[:2].upper()}00{40_000_000_000 + index * 104_729:016d}",
            }
        )
        for index, one in enumerate(catalogue.suppliers)
    ]


def _documents(premise: Premise, master: MasterIds, start: datetime) -> list[Command]:
    """What suppliers must have: without end, but of every seventh a declaration that runs out soon after the end."""
    begun, end = start.date() - timedelta(days=400), premise.world.end
    commands: list[Command] = []
    for index, one in enumerate(premise.catalogue.suppliers):
        kinds = ["business_registration", *(["product_conformity"] if one.segment == "imported" else [])]
        for kind in kinds:
            soon = kind == kinds[-1] and index % 7 == _RUNS_OUT
            commands.append(
                AddSupplierDocument(
                    occurred_at=start,
                    document_id=derived_id(begun, "supplier document", one.code, kind),
                    supplier_id=master.suppliers[index],
                    kind=kind,
                    number=f"{one.country[:2].upper()}-{kind[:2].upper()}-{1_000 + index * 37}",
                    valid_from=begun,
                    valid_to=end + timedelta(days=4 + index) if soon else None,
                )
            )
    return commands


def _items(premise: Premise, master: MasterIds, start: datetime) -> list[Command]:
    items: list[Command] = []
    units: list[Command] = []
    for index, one in enumerate(premise.catalogue.items):
        age = 60 + index * 37 % 1_400
        introduced = (
            premise.world.day(one.introduced) if one.introduced else premise.world.start - timedelta(days=age)
        )
        items.append(
            CreateItem.model_validate(
                {
                    "occurred_at": start,
                    "item_id": master.items[index],
                    "sku": one.sku,
                    "item_name": one.name,
                    "category": one.category,
                    "brand": one.brand,
                    "base_unit": "piece",
                    "abc_class": one.abc,
                    "standard_cost": one.cost,
                    "list_price": one.price,
                    "introduced_on": introduced,
                }
            )
        )
        units.append(
            SetItemUnit(occurred_at=start, item_id=master.items[index], unit="carton", factor=one.carton)
        )
    return items + units


def _opening(premise: Premise, master: MasterIds, ids: SeededIds, start: datetime) -> list[Command]:
    places = len(master.locations)
    commands: list[Command] = []
    for place, location in enumerate(master.locations):
        lines = tuple(
            StockLine(item_id=item, quantity=premise.opening[index * places + place])
            for index, item in enumerate(master.items)
            if premise.opening[index * places + place]
        )
        commands.append(
            PostOpeningStock(occurred_at=start, document_id=ids(), location_id=location, lines=lines)
        )
    return commands
