"""A small company to talk about: the members that the question tables speak of."""

from __future__ import annotations

from datetime import date
from functools import lru_cache

from copilot.agents.interpreter.lexicon import DimensionWord, Lexicon, MemberWord, MetricWord, build
from erp_core.analytics.dimensions import DIMENSIONS, fixed_members

TODAY = date(2026, 6, 30)

ITEMS = (
    ("MUG-001", "Stoneware Mug Blue"),
    ("MUG-002", "Stoneware Mug White"),
    ("KET-010", "Copper Kettle 1.7L"),
    ("LMP-100", "Arc Floor Lamp"),
    ("LMP-200", "Desk Lamp Mini"),
    ("TOY-300", "Wooden Train Set"),
    ("TOY-301", "Puzzle Castle 500"),
    ("GRD-400", "Garden Hose 20m"),
    ("GRD-401", "Rose Pruner"),
    ("BAG-500", "Canvas Tote Bag"),
)
SUPPLIERS = (
    ("SUP-01", "Northwind Ceramics"),
    ("SUP-02", "Brightway Lighting"),
    ("SUP-03", "Oak & Pine Toys"),
    ("SUP-04", "Shenzhen Metalworks"),
    ("SUP-05", "Green Valley Garden"),
)
CHANNELS = (("WEB-EU", "Web Shop EU"), ("WEB-US", "Web Shop US"), ("SHOP", "High Street Shop"))
WAREHOUSES = (("WH-N", "North Warehouse"), ("WH-S", "South Warehouse"), ("WH-E", "East Warehouse"))
TEXTS = {
    "category": ("Kitchen", "Lighting", "Toys", "Garden", "Bags"),
    "brand": ("Hearth", "Lumina", "Tinker", "Verdant"),
    "customer_country": ("Germany", "France", "United Kingdom", "Netherlands"),
    "abc_class": ("A", "B", "C"),
    "return_reason": ("damaged", "wrong_item", "not_as_described", "changed_mind"),
}


def members() -> list[MemberWord]:
    found = []
    for dim, rows in (
        ("item", ITEMS),
        ("supplier", SUPPLIERS),
        ("channel", CHANNELS),
        ("warehouse", WAREHOUSES),
    ):
        found += [MemberWord(dim, code, name) for code, name in rows]
    for dim, values in TEXTS.items():
        found += [MemberWord(dim, value, value.replace("_", " ")) for value in values if len(value) > 1]
    for one in DIMENSIONS:
        if one.name in ("order_status", "po_status", "disposition", "stock_state"):
            found += [MemberWord(one.name, m.code, m.name, m.aliases) for m in fixed_members(one)]
    return found


@lru_cache(maxsize=1)
def lexicon() -> Lexicon:
    from erp_core.analytics.metrics import catalogue
    from erp_core.analytics.plan import dimensions_of

    return build(
        [
            MetricWord(
                m.name,
                m.label,
                m.definition,
                m.unit,
                m.direction,
                m.synonyms,
                m.kind == "position",
                frozenset(dimensions_of(m)),
            )
            for m in catalogue().metrics.values()
        ],
        [DimensionWord(d.name, d.label, d.synonyms) for d in DIMENSIONS],
        members(),
    )
