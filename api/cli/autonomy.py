"""Automation on the command line: how far it may go, what it did, the kill switch, readiness, and outcomes."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from api.cli.options import AsJson, Home, new_key

Why = Annotated[str, typer.Option("--reason", help="Why; it is kept with the change.")]


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    group = typer.Typer(help="How far automation may go: show, set, stop, resume, run.", no_args_is_help=True)
    for name, command in (
        ("show", show),
        ("set", set_),
        ("stop", stop),
        ("resume", resume),
        ("run", run),
        ("recommendations", recommendations),
        ("ready", ready),
        ("go-live", go_live),
        ("reviews", reviews),
        ("review", review),
        ("rules", rules),
    ):
        group.command(name)(command)
    app.add_typer(group, name="autonomy")
    app.command()(outcomes)


def show(home: Home = None, as_json: AsJson = False) -> None:
    """Show levels, limits, the switch, and what automation used of today's caps."""
    from api.cli.client import connect
    from api.cli.output import facts, moment, money, print_json, table, words

    with connect(home) as client:
        found = client.get("/autonomy")
    if as_json:
        print_json(found)
        return
    limits = found["limits"]
    facts(
        [
            ("automation", f"stopped: {found['stopped_because']}" if found["stopped"] else "on"),
            ("orders today", f"{found['orders_today']} of {limits['day_orders']}"),
            ("bought today", f"{money(found['amount_today'])} of {money(limits['day_amount'])}"),
            ("most per order", money(limits["order_amount"])),
            ("most per category a day", money(limits["category_day_amount"])),
            ("without a level", f"at most {found['default_level']}"),
        ]
    )
    rows = [
        (words(one["scope_kind"]), one["scope"], one["level"], moment(one["since"]), one["reason"])
        for one in found["levels"]
    ]
    names = ("scope", "name", "level", "since", "why")
    table(f"{len(rows)} levels", [(name, "left") for name in names], rows)


def set_(
    scope: Annotated[
        str, typer.Argument(help="category, supplier, supplier_group, warehouse, channel, company.")
    ],
    level: Annotated[str, typer.Argument(help="see, alert, recommend, propose or act.")],
    reason: Why,
    name: Annotated[str, typer.Option(help="The category, or the code; not for the company.")] = "",
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Ask for a level of a scope; people approve it."""
    body = {"scope_kind": scope, "scope": name, "level": level, "reason": reason}
    _submit("SetAutonomy", body, home, as_json)


def stop(reason: Why, home: Home = None, as_json: AsJson = False) -> None:
    """Stop automation at once."""
    _submit("StopAutomation", {"reason": reason}, home, as_json)


def resume(reason: Why, home: Home = None, as_json: AsJson = False) -> None:
    """Ask that automation works again; people approve it."""
    _submit("ResumeAutomation", {"reason": reason}, home, as_json)


def run(home: Home = None, as_json: AsJson = False) -> None:
    """Let automation look once at what the stored rules recommend, and take it as far as it may."""
    from api.cli.client import connect
    from api.cli.data import follow
    from api.cli.output import facts, out, print_json

    with connect(home, jobs=True) as client:
        result = follow(client, client.post("/jobs", {"kind": "automation"}))["result"] or {}
    if as_json:
        print_json(result)
        return
    if result.get("stopped"):
        out.print("automation is stopped: nothing was done", markup=False)
        return
    facts([(name, len(result[name])) for name in ("executed", "proposed", "recommended", "refused")])
    for one in result["refused"]:
        out.print(f"left to people: {one['supplier']} for {one['warehouse']}: {one['why']}", markup=False)
    for fall in result["stepped_down"]:
        out.print(f"stepped down: {' '.join(fall['scope'])}: {fall['reason']}", markup=False)


def recommendations(home: Home = None, as_json: AsJson = False) -> None:
    """List what the stored rules recommend to buy now, and how far automation may take it."""
    from api.cli.client import connect
    from api.cli.output import money, out, print_json, table

    with connect(home) as client:
        found = client.get("/autonomy/recommendations")
    if as_json:
        print_json(found)
        return
    rows = [
        (one["supplier"], one["warehouse"], len(one["lines"]), money(one["amount"]), one["level"], one["why"])
        for one in found
    ]
    columns = [("supplier", "left"), ("warehouse", "left"), ("items", "right"), ("amount", "right")]
    table(f"{len(rows)} recommended orders", [*columns, ("level", "left"), ("why", "left")], rows)
    for one in found:
        for said in one["short_of"] or ():
            out.print(f"{one['supplier']} for {one['warehouse']}: {said}", markup=False)


def ready(
    site: Annotated[str, typer.Argument(help="A warehouse's code.")],
    process: str = "automation",
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Measure whether a process may go live at a site."""
    from api.cli.client import connect
    from api.cli.output import print_json, table, words

    with connect(home) as client:
        found = client.get(f"/readiness/{process}/{site}")
    if as_json:
        print_json(found)
        return
    rows = [
        (
            "green" if one["green"] else "red",
            words(one["name"]),
            "–" if one["percent"] is None else f"{one['percent']} %",
            one["number"],
            f"{one['least']} % of {one['least_number']}",
        )
        for one in found["checks"]
    ]
    since = f"live since {found['live_since'][:10]}" if found["live_since"] else "not live"
    columns = [("", "left"), ("check", "left"), ("share", "right"), ("of", "right"), ("needs", "right")]
    table(f"{process} at {site}: {since}", columns, rows)


def go_live(
    site: Annotated[str, typer.Argument(help="A warehouse's code.")],
    process: str = "automation",
    override_reason: Annotated[
        str | None, typer.Option(help="Why before its checks are green; policy asks more people.")
    ] = None,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Ask that a process goes live at a site; people approve it."""
    body = {"process": process, "site": site, "override_reason": override_reason}
    _submit("GoLive", {name: value for name, value in body.items() if value is not None}, home, as_json)


def reviews(home: Home = None, as_json: AsJson = False) -> None:
    """List the days after a start that wait for a person's review."""
    from api.cli.client import connect
    from api.cli.output import money, print_json, table

    with connect(home) as client:
        found = client.get("/readiness/reviews")
    if as_json:
        print_json(found)
        return
    rows = [(one["day"], one["process"], one["site"], one["orders"], money(one["amount"])) for one in found]
    columns = [
        ("day", "left"),
        ("process", "left"),
        ("site", "left"),
        ("orders", "right"),
        ("amount", "right"),
    ]
    table(f"{len(rows)} days to review", columns, rows)


def review(
    site: Annotated[str, typer.Argument(help="A warehouse's code.")],
    day: Annotated[str, typer.Argument(help="The day, as 2026-06-30.")],
    note: Annotated[str, typer.Option(help="What was found.")],
    process: str = "automation",
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Acknowledge that you looked at a day."""
    body = {"process": process, "site": site, "day": day, "note": note}
    _submit("AcknowledgeReview", body, home, as_json)


def rules(
    item: Annotated[str | None, typer.Argument(help="Only those of this SKU.")] = None,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """List planning rules with the source that set each, and why it was that one's to set."""
    from api.cli.client import connect
    from api.cli.output import print_json, table, words

    with connect(home) as client:
        found = client.get("/planning/rules", item=item)
    if as_json:
        print_json(found)
        return
    rows = [(words(one["rule"]), one["item"], one["location"], one["source"], one["why"]) for one in found]
    names = ("rule", "item", "location", "source", "why")
    table(f"{len(rows)} planning rules", [(name, "left") for name in names], rows)


def outcomes(
    limit: Annotated[int, typer.Option(min=1, max=200)] = 20, home: Home = None, as_json: AsJson = False
) -> None:
    """Show what came of decisions: by origin, model version and override, and the latest one by one."""
    from api.cli.client import connect
    from api.cli.output import print_json, table

    with connect(home) as client:
        found = client.get("/outcomes", limit=limit)
    if as_json:
        print_json(found)
        return
    sums = [
        (
            one["origin"],
            one["model_version"] or "–",
            "changed" if one["overridden"] else "as made",
            one["decided"],
            _share(one["executed"], one["decided"], one["accepted_interval"]),
            _share(one["good"], one["judged"], one["good_interval"]),
            one["bad"],
        )
        for one in found["sums"]
    ]
    columns = [("origin", "left"), ("version", "left"), ("override", "left"), ("decided", "right")]
    table(
        "Decisions and what came of them",
        [*columns, ("accepted", "right"), ("good", "right"), ("bad", "right")],
        sums,
        "shares with their 95 % intervals",
    )
    rows = [
        (
            one["decided_on"],
            one["status"],
            one["origin"],
            _plain(one["stockout_days"]),
            _plain(one["excess_units"]),
            _plain(one["days_late"]),
            one["verdict"] or "no data",
        )
        for one in found["rows"]
    ]
    names = ("decided", "status", "origin", "days out", "excess", "days late", "verdict")
    table("The latest", [(name, "left") for name in names], rows)


def _share(part: int, whole: int, interval: list[float] | None) -> str:
    if interval is None:
        return "–"
    return f"{part} of {whole} ({interval[0]:.0%}–{interval[1]:.0%})"


def _plain(value: Any) -> str:
    return "–" if value is None else str(value)


def _submit(command: str, body: dict[str, Any], home: Home, as_json: bool) -> None:
    from api.cli.client import connect
    from api.cli.deciding import show_outcome

    with connect(home) as client:
        show_outcome(client.post(f"/commands/{command}", body, key=new_key()), as_json)
