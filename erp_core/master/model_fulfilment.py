"""Tables of fulfilment: carriers with their services, zones, lanes and cutoffs, packagings, and rules."""

from __future__ import annotations

from sqlalchemy import Boolean, CheckConstraint, Column, Date, ForeignKey, Integer, String, Table

from erp_core.storage.base import among, metadata
from erp_core.storage.types import Id, Json, Money, Quantity

SPEEDS = ("economy", "standard", "express", "overnight")
"""What customers are offered, the slowest first."""

channel_locations = Table(
    "channel_locations",
    metadata,
    Column("channel_id", Id, ForeignKey("channels.id"), primary_key=True),
    Column("location_id", Id, ForeignKey("locations.id"), primary_key=True, index=True),
    Column("rank", Integer, nullable=False, comment="1 is preferred"),
    Column("audit_id", Id, nullable=False),
    CheckConstraint("rank >= 1", name="rank"),
    comment="Places that may serve a channel; a channel without any is served from all.",
)

carriers = Table(
    "carriers",
    metadata,
    Column("id", Id, primary_key=True),
    Column("code", String(40), nullable=False, unique=True),
    Column("name", String(120), nullable=False),
    Column("active", Boolean, nullable=False),
    Column("audit_id", Id, nullable=False),
)

carrier_services = Table(
    "carrier_services",
    metadata,
    Column("id", Id, primary_key=True),
    Column("carrier_id", Id, ForeignKey("carriers.id"), nullable=False, index=True),
    Column("code", String(40), nullable=False, unique=True),
    Column("name", String(120), nullable=False),
    Column("speed", String(10), nullable=False),
    Column("most_grams", Integer, comment="the heaviest parcel; NULL without limit"),
    Column("active", Boolean, nullable=False),
    Column("audit_id", Id, nullable=False),
    CheckConstraint(among("speed", SPEEDS), name="speed"),
    CheckConstraint("most_grams >= 1", name="most_grams"),
)

shipping_zones = Table(
    "shipping_zones",
    metadata,
    Column("code", String(40), primary_key=True),
    Column("name", String(120), nullable=False),
    Column("audit_id", Id, nullable=False),
)

zone_countries = Table(
    "zone_countries",
    metadata,
    Column("country_key", String(60), primary_key=True, comment="casefolded; empty for all others"),
    Column("country", String(60), nullable=False),
    Column("zone", String(40), ForeignKey("shipping_zones.code"), nullable=False, index=True),
    comment="A country lies in one zone at most.",
)

carrier_lanes = Table(
    "carrier_lanes",
    metadata,
    Column("service_id", Id, ForeignKey("carrier_services.id"), primary_key=True),
    Column("zone", String(40), ForeignKey("shipping_zones.code"), primary_key=True),
    Column("valid_from", Date, primary_key=True),
    Column("transit_days", Integer, nullable=False, comment="calendar days from pickup to delivery"),
    Column("rates", Json, nullable=False, comment="(from grams, price of a parcel) pairs"),
    Column("active", Boolean, nullable=False, comment="False: from this day on it is not served"),
    Column("audit_id", Id, nullable=False),
    CheckConstraint("transit_days >= 0", name="transit_days"),
)

carrier_cutoffs = Table(
    "carrier_cutoffs",
    metadata,
    Column("location_id", Id, ForeignKey("locations.id"), primary_key=True),
    Column("service_id", Id, ForeignKey("carrier_services.id"), primary_key=True),
    Column("weekday", Integer, primary_key=True, comment="0 is Monday"),
    Column("minute", Integer, nullable=False, comment="of the day, on the clock of the place"),
    Column("time_zone", String(40), nullable=False),
    Column("audit_id", Id, nullable=False),
    CheckConstraint("weekday >= 0 AND weekday <= 6", name="weekday"),
    CheckConstraint("minute >= 0 AND minute < 1440", name="minute"),
    comment="What is packed before the cutoff leaves on that day.",
)

carrier_holidays = Table(
    "carrier_holidays",
    metadata,
    Column("carrier_id", Id, ForeignKey("carriers.id"), primary_key=True),
    Column("day", Date, primary_key=True),
    Column("name", String(120), nullable=False),
    Column("audit_id", Id, nullable=False),
    comment="Days on which a carrier neither picks up nor delivers.",
)

packagings = Table(
    "packagings",
    metadata,
    Column("id", Id, primary_key=True),
    Column("code", String(40), nullable=False, unique=True),
    Column("name", String(120), nullable=False),
    Column("length_mm", Integer),
    Column("width_mm", Integer),
    Column("height_mm", Integer),
    Column("tare_grams", Integer, nullable=False),
    Column("most_grams", Integer, comment="what it carries; NULL without limit"),
    Column("active", Boolean, nullable=False),
    Column("audit_id", Id, nullable=False),
    CheckConstraint("tare_grams >= 0 AND most_grams >= 1", name="grams"),
    CheckConstraint("length_mm >= 1 AND width_mm >= 1 AND height_mm >= 1", name="size"),
)

packaging_rules = Table(
    "packaging_rules",
    metadata,
    Column("id", Id, primary_key=True),
    Column("name", String(120), nullable=False),
    Column("rank", Integer, nullable=False, comment="1 is asked first"),
    Column("item_id", Id, ForeignKey("items.id")),
    Column("category", String(80)),
    Column("packaging_id", Id, ForeignKey("packagings.id"), nullable=False),
    Column("alone", Boolean, nullable=False, comment="shares its parcel with no other item"),
    Column("most_units", Quantity, comment="of the item in one parcel"),
    Column("active", Boolean, nullable=False),
    Column("audit_id", Id, nullable=False),
    CheckConstraint("item_id IS NULL OR category IS NULL", name="product"),
    CheckConstraint("rank >= 1", name="rank"),
    CheckConstraint("most_units >= 1", name="most_units"),
    comment="Which packaging an item leaves in; without item and category, every item.",
)

fulfilment_rules = Table(
    "fulfilment_rules",
    metadata,
    Column("id", Id, primary_key=True),
    Column("name", String(120), nullable=False),
    Column("rank", Integer, nullable=False, comment="1 is asked first"),
    Column("channel_id", Id, ForeignKey("channels.id")),
    Column("category", String(80)),
    Column("zone", String(40), ForeignKey("shipping_zones.code")),
    Column("most_priority", Integer, comment="holds for channels of this priority or a higher one"),
    Column("margin_below", Integer, comment="of the order, in hundredths of a percent; exclusive"),
    Column("value_from", Money),
    Column("value_below", Money, comment="exclusive"),
    Column("locations", Json, comment="ids of places that may ship, the first preferred; NULL says nothing"),
    Column("speeds", Json, comment="permitted; NULL says nothing"),
    Column("services", Json, comment="ids of permitted services, the first preferred; NULL says nothing"),
    Column("most_parcels", Integer, comment="NULL says nothing"),
    Column("active", Boolean, nullable=False),
    Column("audit_id", Id, nullable=False),
    CheckConstraint("rank >= 1", name="rank"),
    CheckConstraint("most_parcels >= 1", name="most_parcels"),
)
