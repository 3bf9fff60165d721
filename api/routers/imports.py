"""Imports: upload a file, follow its job, read its report; and the canonical export."""

from __future__ import annotations

import re
import shutil
from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Literal
from uuid import uuid4

from fastapi import APIRouter, Depends, Form, UploadFile
from fastapi.responses import StreamingResponse

from api.auth import Human, OfCompany, holding
from api.board import Board, Job
from api.company import Company
from api.problems import Problem, invalid
from erp_core.gate.principals import Principal
from erp_core.gate.roles import who_may
from erp_core.integration.sources import SOURCES

router = APIRouter(tags=["imports"])
_UNSAFE = re.compile(r"[^\w. ()-]")
Exporter = Annotated[Principal, Depends(holding("export"))]


@router.get("/imports/sources")
def sources(_actor: Human) -> list[str]:
    """The kinds of file that can be imported."""
    return sorted(SOURCES)


@router.post("/imports", status_code=202)
def upload(
    actor: Human,
    company: OfCompany,
    file: UploadFile,
    source: Annotated[str, Form()],
    as_of: Annotated[date, Form()],
    on_error: Annotated[Literal["reject-file", "skip-rows"], Form()] = "reject-file",
) -> Job:
    """Keep the file and queue its import, which acts as the person who sent it."""
    if not actor.may_run("BeginImport"):
        raise Problem(
            403,
            "denied",
            f"{actor.login} may not import",
            remedy=f"it is for: {', '.join(who_may('BeginImport'))}",
        )
    if source not in SOURCES:
        raise invalid(
            [
                {
                    "field": "source",
                    "reason": f"there is no source {source}",
                    "remedy": f"use one of {', '.join(sorted(SOURCES))}",
                }
            ]
        )
    options = {
        "source": source,
        "file": str(_keep(company, file).relative_to(company.home)),
        "as_of": as_of.isoformat(),
        "on_error": on_error,
    }
    return Board(company.home).add("import", options, actor.user_id, company.clock.now())


def _keep(company: Company, file: UploadFile) -> Path:
    """The upload as a file named by its content, so that sending it again keeps one copy."""
    folder = company.home / "uploads"
    folder.mkdir(parents=True, exist_ok=True)
    fresh = folder / f".{uuid4()}.new"
    digest = sha256()
    with fresh.open("wb") as target:
        while piece := file.file.read(1 << 20):
            digest.update(piece)
            target.write(piece)
    name = _UNSAFE.sub("_", Path(file.filename or "").name)[-100:].lstrip(".") or "upload.csv"
    kept = folder / digest.hexdigest()[:16] / name
    kept.parent.mkdir(exist_ok=True)
    shutil.move(fresh, kept)
    return kept


@router.get("/export", response_class=StreamingResponse)
def export(_actor: Exporter, company: OfCompany, canonical: bool = True) -> StreamingResponse:
    """The company's business facts as JSON lines; canonical: the same bytes for the same facts."""
    from erp_core.integration.export import export_lines

    return StreamingResponse(export_lines(company.engine), media_type="application/x-ndjson")
