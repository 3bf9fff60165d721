"""The page that lists the attacks, generated from them."""

from __future__ import annotations

from evals.attacks.attack import Attack, all_attacks

_HEAD = """# The approval-bypass suite

`quartermaster eval run approval-bypass` lets {count} attacks loose on the gate, each on a small company of its own: people by role, suppliers in three
currencies, items, stock, and the default approval policies. It needs no server and no demo company. `--database URL` runs it on a PostgreSQL server on which
databases and roles may be made; there the application works with a role of its own, as in a guarded deployment. The run prints how each attack ended, writes
`report.json`, `report.html` and `junit.xml`, and exits 1 unless every attack ended as it must.

**The judge reads the database and believes no answer.** After each attack it looks, by rules of its own, at what was bought, decided, executed, granted and moved,
and runs `audit verify` and the checks of `doctor`. An attack ends as

- **held**: nothing happened that needs approvals it did not have, and it was stopped by the guard it is about;
- **detected**: the attacker owns the database and wrote into it, and verification names what was written;
- **BREACH**: something was done, decided or changed; the run fails;
- **proved nothing**: something else stopped it, so that its guard was never met; the run fails too;
- **skipped**, with the reason, where something it needs is not there.

Tests take guards off one by one and see the judge report a breach, so that a clean run means something
(`tests/evals/test_approval_bypass_fails.py`). This page is generated: `python -m evals.attacks.table > docs/approval-bypass.md`.
"""

_TITLES = {"http": "HTTP", "mcp": "MCP: who comes in", "mcp_calls": "MCP: what is sent"}


def page() -> str:
    """The page, in Markdown: a table for each kind of attack."""
    attacks = all_attacks()
    parts = [_HEAD.format(count=len(attacks))]
    kinds: dict[str, list[Attack]] = {}
    for one in attacks.values():
        kinds.setdefault(one.kind, []).append(one)
    for kind, some in kinds.items():
        rows = "".join(f"| `{one.name}` | {one.story} | {one.guard} |\n" for one in some)
        title = _TITLES.get(kind, kind.capitalize())
        parts.append(
            f"\n## {title}\n\n| attack | what the attacker does | what stops it |\n|---|---|---|\n{rows}"
        )
    return "".join(parts)


if __name__ == "__main__":
    print(page(), end="")
