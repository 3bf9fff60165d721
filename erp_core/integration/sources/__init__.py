"""Sources: a module per kind of file."""

from __future__ import annotations

from erp_core.integration.sources.base import Source
from erp_core.integration.sources.online_retail import OnlineRetail
from erp_core.integration.sources.scms import Scms

SOURCES: dict[str, Source] = {source.name: source for source in (OnlineRetail(), Scms())}

__all__ = ["SOURCES", "Source"]
