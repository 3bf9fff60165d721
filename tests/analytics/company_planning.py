"""Forecasts, reorder points, promotions, cases and proposals of a generated company."""

from __future__ import annotations

from datetime import timedelta

from erp_core.exceptions.model import case_subjects, cases
from erp_core.gate.model import proposal_states, proposals
from erp_core.planning.model import forecast_versions, forecast_weeks, promotions, reorder_points
from tests.analytics.rows import TODAY, Company, moment, places


def planning(company: Company) -> None:
    rng = company.random
    live = [("live", TODAY - timedelta(days=7), 1), ("live", TODAY, 1), ("live", TODAY, 0)]
    past = [("backtest", TODAY - timedelta(days=days), 1) for days in (28, 28, 56)]
    for number, (purpose, as_of, complete) in enumerate(live + past):
        version = company.add(
            forecast_versions,
            as_of=as_of,
            start_on=as_of + timedelta(days=1),
            horizon_days=28,
            levels=["0.5"],
            purpose=purpose,
            complete=complete,
            published_at=moment(TODAY, 6 + number),
        )
        monday = as_of + timedelta(days=1) - timedelta(days=(as_of + timedelta(days=1)).weekday())
        for item in company.rows["items"][:6]:
            for place in places(company)[:2]:
                for week in range(4):
                    company.add(
                        forecast_weeks,
                        version_id=version["id"],
                        item_id=item["id"],
                        location_id=place["id"],
                        week=monday + timedelta(weeks=week),
                        mean_units=0.0 if item is company.rows["items"][0] else rng.randint(0, 80) / 8,
                        baseline_units=rng.randint(0, 80) / 8,
                        actual_units=rng.randint(0, 9)
                        if purpose == "backtest" and rng.random() < 0.9
                        else None,
                    )
    for item in company.rows["items"][:4]:
        company.add(
            reorder_points,
            item_id=item["id"],
            location_id=places(company)[0]["id"],
            safety_stock=1,
            reorder_point=5,
            order_up_to=rng.randint(6, 60),
            demand_mean=1.0,
            demand_std=1.0,
            lead_time_mean=10.0,
            lead_time_std=1.0,
            service_level=0.95,
            as_of=TODAY,
            source="company",
            source_reason="its own",
        )
    for item in company.rows["items"][:5]:
        for _ in range(2):
            start = company.day()
            company.add(
                promotions,
                item_id=item["id"],
                channel_id=rng.choice(company.rows["channels"])["id"],
                starts_on=start,
                ends_on=start + timedelta(days=45),
                discount=0.2,
                name="Sale",
                known_on=start,
            )


def governance(company: Company) -> None:
    rng = company.random
    for number in range(24):
        opened = moment(company.day(), rng.randint(0, 20), 11)
        status = rng.choice(("open", "assigned", "snoozed", "resolved", "resolved", "expired"))
        loss = rng.randint(0, 900) * 10_000
        closed = (
            opened + timedelta(minutes=rng.randint(10, 9_000)) if status in ("resolved", "expired") else None
        )
        case = company.add(
            cases,
            kind=rng.choice(("stockout_risk", "overstock", "po_overdue")),
            subject_key=f"case {number}",
            title="Case",
            status=status,
            probability=0.5,
            deadline=moment(TODAY + timedelta(days=5)),
            expected_loss=loss,
            residual_loss=0,
            action_cost=0,
            net_benefit=loss,
            evidence=[],
            resolution=rng.choice(("acted_on", "no_longer_detected", None)) if closed else None,
            dismissed=False,
            opened_at=opened,
            changed_at=opened,
            closed_at=closed,
            version=1,
        )
        subjects = [("item", row["id"]) for row in rng.sample(company.rows["items"], rng.randint(0, 2))]
        subjects += [("location", row["id"]) for row in rng.sample(places(company), rng.randint(0, 2))]
        subjects += [
            ("supplier", row["id"]) for row in rng.sample(company.rows["suppliers"], rng.randint(0, 1))
        ]
        for kind, subject in subjects:
            company.add(case_subjects, case_id=case["id"], subject_kind=kind, subject_id=subject)
    for _ in range(6):
        proposal = company.add(
            proposals,
            chain_id=company.id(),
            version=1,
            title="Order",
            reason="",
            payload=[],
            payload_hash="0",
            read_set=[],
            evidence=[],
            facts={},
            policies=[],
            in_order=False,
            compensation=[],
            urgent=False,
            policy_name="p",
            approvers=[],
            requested_by=rng.choice(company.rows["users"])["id"],
            via="person",
            tainted=False,
            created_at=moment(TODAY),
            expires_at=moment(TODAY + timedelta(days=2)),
        )
        company.add(
            proposal_states,
            proposal_id=proposal["id"],
            status=rng.choice(("pending", "executed")),
            changed_at=moment(TODAY),
        )
