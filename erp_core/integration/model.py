"""Tables of imports. Staging holds validated rows until they are posted in chunks under one import.

Every row read is accepted, set aside by a stated rule, or refused as malformed; nothing is counted twice.
"""

from __future__ import annotations

from sqlalchemy import (
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from erp_core.storage.base import metadata
from erp_core.storage.types import Id, Json, UtcDateTime

imports = Table(
    "imports",
    metadata,
    Column("id", Id, primary_key=True),
    Column("source", String(30), nullable=False, comment="online-retail, scms, items, suppliers, ..."),
    Column("file_name", String(200), nullable=False),
    Column("file_sha256", String(64), nullable=False, comment="of the content, unpacked"),
    Column("as_of", Date, nullable=False),
    Column("status", String(12), nullable=False),
    Column("rows_read", Integer, nullable=False),
    Column("rows_accepted", Integer, nullable=False),
    Column("rows_set_aside", Integer, nullable=False),
    Column("rows_refused", Integer, nullable=False),
    Column("chunks", Integer, nullable=False),
    Column("counts", Json, nullable=False, comment="rows by rule: set_aside and noted"),
    Column("feeds", Json, nullable=False, comment="first and last day of each kind of fact"),
    Column("requested_by", Id, nullable=False),
    Column("started_at", UtcDateTime, nullable=False),
    Column("finished_at", UtcDateTime),
    UniqueConstraint("source", "file_sha256", "as_of"),
    CheckConstraint("status IN ('staging', 'posting', 'complete', 'rejected')", name="status"),
    CheckConstraint(
        "status = 'staging' OR rows_read = rows_accepted + rows_set_aside + rows_refused", name="rows_add_up"
    ),
)

edi_interchanges = Table(
    "edi_interchanges",
    metadata,
    Column("id", Id, primary_key=True),
    Column("supplier_id", Id, ForeignKey("suppliers.id"), nullable=False),
    Column("reference", String(35), nullable=False, comment="the sender's; taken once"),
    Column("sha256", String(64), nullable=False, comment="of the text, which is not kept"),
    Column("received_at", UtcDateTime, nullable=False),
    Column("result", Json, nullable=False, comment="what each message came to"),
    Column("audit_id", Id, nullable=False),
    UniqueConstraint("supplier_id", "reference"),
)

edi_partners = Table(
    "edi_partners",
    metadata,
    Column("supplier_id", Id, ForeignKey("suppliers.id"), primary_key=True),
    Column("identification", String(35), nullable=False, comment="as the sender in UNB"),
    Column("qualifier", String(4), nullable=False, comment="what the identification is, 14 for a GLN"),
    Column("audit_id", Id, nullable=False),
    UniqueConstraint("identification", "qualifier"),
)

import_chunks = Table(
    "import_chunks",
    metadata,
    Column("import_id", Id, ForeignKey("imports.id"), primary_key=True),
    Column("chunk", Integer, primary_key=True),
    Column("kind", String(30), nullable=False, comment="what it holds, and so which command posts it"),
    Column("rows", Integer, nullable=False),
    Column("payload", Text, nullable=False, comment="the staged rows; emptied once posted"),
    Column("payload_sha256", String(64), nullable=False),
    Column("audit_id", Id, comment="the audit entry that posted it; NULL until then"),
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
