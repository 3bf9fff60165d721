"""The product as the approval-bypass suite attacks it: its gate, and its HTTP API over a gate."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import httpx
from fastapi import FastAPI

from api.app import answer_for, create_app
from api.cli.inprocess import client_of
from api.company import Company
from api.composition import make_gate
from erp_core.gate.audit import Sealer
from erp_core.gate.submission import Gate
from erp_core.settings import Settings
from evals.attacks.product import Product

_apps: list[FastAPI] = []


@contextmanager
def serve(gate: Gate) -> Iterator[httpx.Client]:
    """A client of the HTTP API over a gate that is open, in this process; one company at a time."""
    company = Company(
        Settings(home=gate.home, database_url=None, public_url="http://quartermaster"),
        gate.engine,
        gate.clock,
        gate,
        Sealer(gate.engine, gate.home),
    )
    if not _apps:
        _apps.append(create_app(company.settings, company=company, console=False))
    (app,) = _apps
    answer_for(app, company)
    with client_of(app) as http:
        yield http


PRODUCT = Product(make_gate, serve)
