"""What really happened in a world, for scorers only. It never enters the database."""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from evals.worlds.buying import purchase_number
from evals.worlds.engine import Story
from evals.worlds.events import Mail


def truth_path(home: Path, seed: int) -> Path:
    """Where the truth of a seed lies."""
    return home / "truth" / f"{seed}.json.gz"


def write_truth(values: Mapping[str, Any], home: Path) -> Path:
    """Write what `truth` gives; byte-equal for equal stories."""
    path = truth_path(home, values["seed"])
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(values, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    path.write_bytes(gzip.compress(text.encode(), compresslevel=6, mtime=0))
    return path


def read_truth(home: Path, seed: int) -> dict[str, Any]:
    """The truth of a seed as written."""
    loaded: dict[str, Any] = json.loads(gzip.decompress(truth_path(home, seed).read_bytes()))
    return loaded


def truth(story: Story) -> dict[str, Any]:
    """Anomalies, late lines with causes, lost demand, promotions, invoices that are wrong and hostile mail as JSON values.

    Items are named by SKU, places and channels by code, days by date.
    """
    world, items, places = story.world, story.catalogue.items, story.catalogue.locations
    channels = [channel.code for channel in story.catalogue.channels]
    recorded = {
        event.document[1]: event.data for event in story.events if event.kind == "RecordSupplierInvoice"
    }
    settled = {
        event.document[1]
        for event in story.events
        if event.kind in ("RejectSupplierInvoice", "AcceptSupplierInvoice")
    }
    return {
        "world": world.name,
        "seed": story.seed,
        "start": world.start.isoformat(),
        "end": world.end.isoformat(),
        "anomalies": [
            {
                "sku": items[one.item].sku,
                "kind": one.kind,
                "cause": one.cause,
                "channel": None if one.channel is None else channels[one.channel],
                "from": world.day(one.start).isoformat(),
                "to": world.day(one.stop - 1).isoformat(),
                "factor": one.factor,
                "units": one.units,
            }
            for one in story.anomalies
        ],
        "late_lines": [
            {
                "po": purchase_number(one.purchase),
                "line": one.line + 1,
                "supplier": story.catalogue.suppliers[story.purchases[one.purchase].supplier].code,
                "cause": one.cause,
                "days": one.days,
            }
            for one in story.delays
        ],
        "lost_demand": [
            {
                "sku": items[cell // len(places)].sku,
                "location": places[cell % len(places)].code,
                "on": world.day(day).isoformat(),
                "units": units,
            }
            for cell, day, units in story.lost
        ],
        "promotions": [
            {
                "sku": items[one.item].sku,
                "channels": [channels[channel] for channel in one.channels],
                "from": world.day(one.start).isoformat(),
                "to": world.day(one.stop).isoformat(),
                "discount": one.discount,
            }
            for one in story.demand.promotions
        ],
        "wrong_invoices": [
            {
                "number": bill.number,
                "supplier": story.catalogue.suppliers[bill.supplier].code,
                "wrong": bill.wrong,
                "settled": number in settled,
            }
            for number, bill in recorded.items()
            if bill.wrong is not None
        ],
        "mail": [
            {"po": purchase_number(event.document[1]), "tone": event.data.tone, "body": event.data.body}
            for event in story.events
            if isinstance(event.data, Mail)
        ],
    }
