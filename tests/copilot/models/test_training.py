"""Train, forecast and scan on a company, through the gate."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import numpy as np
import pytest
from sqlalchemy import Engine, func, select

from api.composition import make_gate
from copilot.models import registry
from copilot.models.scan import scan
from copilot.models.training import NothingToLearn, forecast, train
from erp_core.clock import Clock
from erp_core.exceptions.draft import AT_ONCE
from erp_core.exceptions.model import cases
from erp_core.gate.principals import Principal
from erp_core.gate.submission import Gate
from erp_core.planning import queries as planning
from erp_core.planning.model import forecast_weeks
from erp_core.storage.engine import open_engine, reading
from erp_core.storage.schema import migrate
from evals.worlds import tiny
from tests.conftest import TODAY

JOBS = Principal("service", UUID(int=7), "jobs", frozenset({"jobs"}))


@dataclass(frozen=True)
class Company:
    gate: Gate
    engine: Engine
    clock: Clock
    home: Path


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Company]:
    home = tmp_path_factory.mktemp("company")
    engine = open_engine(f"sqlite:///{home / 'company.db'}")
    migrate(engine)
    clock = Clock(fixed_business_date=TODAY)
    gate = make_gate(engine, clock, home=home)
    tiny(gate, engine, home=home)
    train(gate, engine, JOBS, clock, home)
    yield Company(gate, engine, clock, home)
    engine.dispose()


def test_forecasting_before_training_says_what_to_do(
    gate: Gate, engine: Engine, clock: Clock, tmp_path: Path
) -> None:
    with pytest.raises(NothingToLearn) as refused:
        forecast(gate, engine, JOBS, clock, tmp_path)
    assert "quartermaster train" in refused.value.remedy
    with pytest.raises(NothingToLearn) as refused:
        train(gate, engine, JOBS, clock, tmp_path)
    assert "import a sales" in refused.value.remedy


def test_an_empty_company_scans_to_nothing_with_reasons(
    gate: Gate, engine: Engine, clock: Clock, tmp_path: Path
) -> None:
    report = scan(gate, engine, JOBS, clock, tmp_path)
    assert report.cases == {}
    assert {one.kind for one in report.withheld} >= {"stockout_risk", "overstock", "demand_spike"}


def test_the_whole_way_from_history_to_ranked_cases(company: Company) -> None:
    arguments = (company.gate, company.engine, JOBS, company.clock, company.home)
    trained = train(*arguments)
    assert set(trained.versions) == {"demand", "demand_anomaly", "supplier_delay"}
    made = forecast(*arguments)
    assert made.reorder_points > 0
    found = scan(*arguments)
    with reading(company.engine) as connection:
        stored = planning.latest_forecast(connection)
        tested = connection.execute(
            select(func.count()).where(forecast_weeks.c.actual_units.is_not(None))
        ).scalar_one()
        scanned = cases.c.kind.not_in(AT_ONCE)
        opened = connection.execute(select(func.count()).select_from(cases).where(scanned)).scalar_one()
        card = planning.active_model(connection, "demand")
    assert stored is not None and stored.version.as_of == TODAY
    assert stored.mean.shape == (made.series, 84)
    assert (np.diff(stored.quantiles, axis=1) >= 0).all()
    assert tested > 0
    assert opened == sum(found.cases.values()) > 0
    assert card is not None and "do_not_use" in card.card
    again = scan(*arguments)
    assert again.written["opened"] == again.written["updated"] == again.written["closed"] == 0


def test_the_same_seed_gives_the_same_forecast_again(company: Company) -> None:
    arguments = (company.gate, company.engine, JOBS, company.clock, company.home)
    means = []
    for _ in range(2):
        train(*arguments, seed=3)
        forecast(*arguments)
        with reading(company.engine) as connection:
            stored = planning.latest_forecast(connection)
        assert stored is not None
        means.append(stored.mean)
    assert np.array_equal(*means)


def test_an_artefact_changed_after_publication_is_not_loaded(company: Company) -> None:
    with reading(company.engine) as connection:
        version = planning.active_model(connection, registry.DEMAND)
    assert version is not None
    path = company.home / version.artifact
    content = path.read_bytes()
    try:
        path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
        with pytest.raises(registry.ArtifactMismatch, match="changed after it was published"):
            registry.load_active(company.engine, company.home, registry.DEMAND)
        path.unlink()
        with pytest.raises(registry.ArtifactMismatch, match="not under the home folder"):
            registry.load_active(company.engine, company.home, registry.DEMAND)
    finally:
        path.write_bytes(content)


def test_a_person_without_the_right_cannot_publish_a_model(company: Company) -> None:
    buyer = Principal("person", UUID(int=8), "buyer", frozenset({"buyer"}))
    with pytest.raises(registry.NotPublished, match="PublishModel"):
        train(company.gate, company.engine, buyer, company.clock, company.home)


def test_a_card_reads_as_a_page(company: Company) -> None:
    page = next(iter(sorted((company.home / "models").glob("demand-*.md")))).read_text()
    assert page.startswith("# Model card: demand")
    assert "Baseline" in page and "Limits" in page
