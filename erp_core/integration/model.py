"""Tables of imports. Staging holds validated rows until they are posted in chunks under one import."""

from __future__ import annotations

from sqlalchemy import Column, Date, ForeignKey, Integer, String, Table, Text, UniqueConstraint

from erp_core.storage.base import metadata
from erp_core.storage.types import Id, Json, UtcDateTime

imports = Table(
    "imports",
    metadata,
    Column("id", Id, primary_key=True),
    Column("source", String(30), nullable=False, comment="online-retail, scms, items, suppliers, ..."),
    Column("file_name", String(200), nullable=False),
    Column("file_sha256", String(64), nullable=False),
    Column("as_of", Date, nullable=False),
    Column("status", String(12), nullable=False, comment="staged, posting, complete or rejected"),
    Column("rows_read", Integer, nullable=False),
    Column("rows_accepted", Integer, nullable=False),
    Column("rows_refused", Integer, nullable=False),
    Column("chunks", Integer, nullable=False),
    Column("counts", Json, nullable=False, comment="rows by rule applied"),
    Column("requested_by", Id, nullable=False),
    Column("started_at", UtcDateTime, nullable=False),
    Column("finished_at", UtcDateTime),
    UniqueConstraint("source", "file_sha256", "as_of"),
)

import_chunks = Table(
    "import_chunks",
    metadata,
    Column("import_id", Id, ForeignKey("imports.id"), primary_key=True),
    Column("chunk", Integer, primary_key=True),
    Column("kind", String(30), nullable=False, comment="which command posts it"),
    Column("rows", Integer, nullable=False),
    Column("payload", Text, nullable=False, comment="the staged rows; emptied once posted"),
    Column("payload_sha256", String(64), nullable=False),
)

import_refusals = Table(
    "import_refusals",
    metadata,
    Column("import_id", Id, ForeignKey("imports.id"), primary_key=True),
    Column("line", Integer, primary_key=True),
    Column("field", String(60), primary_key=True),
    Column("rule", String(60), nullable=False),
    Column("reason", Text, nullable=False),
    Column("remedy", Text, nullable=False),
)
