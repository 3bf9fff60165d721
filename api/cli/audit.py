"""The audit log on the command line: search, verify, prove, export, and check what somebody else gave."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from api.cli.options import AsJson, Home

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

Given = Annotated[Path, typer.Argument(exists=True, readable=True)]
Key = Annotated[
    Path | None,
    typer.Option(
        exists=True,
        dir_okay=False,
        help="The public key to trust (default: the one under the company's folder).",
    ),
]


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    log = typer.Typer(help="Search the audit log, verify it, prove and export.", invoke_without_command=True)
    log.callback()(search)
    for command in (verify, prove, consistency, key, export):
        log.command()(command)
    log.command("check-proof")(check_proof_file)
    log.command("check-export")(check_export_file)
    app.add_typer(log, name="audit")


def search(
    context: typer.Context,
    command: Annotated[str | None, typer.Option(help="Only this command.")] = None,
    outcome: Annotated[
        str | None,
        typer.Option(help="executed, proposed, denied, refused; of tool calls done, failed; read."),
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=500)] = 30,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Search the audit log, verify it, prove and export."""
    if context.invoked_subcommand is not None:
        return
    from api.cli.client import connect
    from api.cli.output import moment, print_json, table

    with connect(home) as client:
        entries = client.get("/audit", command=command, outcome=outcome, limit=limit)
    if as_json:
        print_json(entries)
        return
    rows = [
        (
            one["id"],
            moment(one["recorded_at"]),
            one["person"],
            one["principal_kind"],
            one["command"],
            one["outcome"],
            one["rule"],
        )
        for one in entries
    ]
    columns = [(name, "left") for name in ("id", "when", "who", "as", "command", "outcome", "rule")]
    table("audit log, newest first", columns, rows, "" if rows else "no entry fits")


def verify(
    against: Annotated[
        Path | None,
        typer.Option(
            exists=True, dir_okay=False, help="Checkpoints kept elsewhere: a copy of checkpoints.jsonl."
        ),
    ] = None,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Recompute the log, compare it with the signed checkpoints, and name the first bad entry."""
    from api.cli.client import connect
    from api.cli.output import out, print_json, waiting

    body = None if against is None else {"against": _checkpoints(against)}
    with connect(home) as client, waiting("verifying the audit log"):
        found = client.post("/audit/verify", body)
    if as_json:
        print_json(found)
    else:
        out.print(
            f"{found['sealed']} of {found['entries']} entries sealed, {found['unsealed']} not yet; root {found['root']}",
            markup=False,
        )
    _end(found["findings"], "the audit log", as_json)


def prove(
    entry: Annotated[str, typer.Argument(help="The id of an audit entry.")],
    home: Home = None,
) -> None:
    """Prove that an entry stands in the sealed log; prints the proof as JSON."""
    from api.cli.client import connect
    from api.cli.output import print_json

    with connect(home) as client:
        print_json(client.get(f"/audit/{entry}/proof"))


def consistency(
    old: Annotated[str, typer.Argument(help="The size of a checkpoint, or a file with one that was kept.")],
    new: Annotated[int | None, typer.Argument(help="The size of a later one (default: the newest).")] = None,
    home: Home = None,
) -> None:
    """Prove that the log extends an older checkpoint of it unchanged; prints the proof as JSON."""
    from api.cli.client import connect
    from api.cli.errors import USAGE, CliError
    from api.cli.output import print_json

    with connect(home) as client:
        if old.isdecimal():
            print_json(client.get("/audit/consistency", old=int(old), new=new))
            return
        if not Path(old).is_file():
            raise CliError(
                f"{old} is neither a size nor a file", remedy="name a checkpoint kept elsewhere", code=USAGE
            )
        print_json(client.post("/audit/consistency", {"old": _checkpoints(Path(old))[-1], "new": new}))


def key(home: Home = None) -> None:
    """Print the public key, for whoever checks proofs and exports."""
    from api.cli.client import connect
    from api.cli.output import out

    with connect(home) as client:
        out.print(client.get("/audit/key")["public_key"], end="", markup=False)


def export(
    path: Annotated[Path, typer.Argument(dir_okay=False, help="The zip file to write.")],
    since: Annotated[str | None, typer.Option(help="First day of recording, as 2026-06-01.")] = None,
    until: Annotated[str | None, typer.Option(help="Last day of recording.")] = None,
    subject: Annotated[str | None, typer.Option(help="Only about the record with this id.")] = None,
    person: Annotated[str | None, typer.Option(help="Only by the user with this id, or their agent.")] = None,
    home: Home = None,
) -> None:
    """Write the sealed log for an auditor: entries, checkpoints, public key, manifest."""
    from api.cli.client import connect
    from api.cli.errors import USAGE, CliError
    from api.cli.output import out, waiting

    with connect(home) as client, waiting("exporting the audit log"):
        pieces = client.download("/audit/export", since=since, until=until, subject=subject, person=person)
        first = next(pieces, b"")
        try:
            with path.open("wb") as file:
                file.write(first)
                for piece in pieces:
                    file.write(piece)
        except OSError as error:
            raise CliError(
                f"{path} cannot be written: {error.strerror}",
                remedy="name a file in a folder that exists and has room",
                code=USAGE,
            ) from error
    out.print(f"{path} is written; check it with `quartermaster audit check-export {path}`", markup=False)


def check_proof_file(file: Given, key: Key = None, home: Home = None, as_json: AsJson = False) -> None:
    """Check a proof. Needs the public key and no database."""
    from api.cli.errors import REFUSED, CliError
    from api.cli.output import out, print_json
    from erp_core.gate.audit.proofs import ProofRefused, check_proof

    try:
        shown = check_proof(json.loads(file.read_text(encoding="utf-8")), _trusted(key, home))
    except (ProofRefused, ValueError) as error:
        raise CliError(f"not proved: {error}", remedy=getattr(error, "remedy", ""), code=REFUSED) from error
    if as_json:
        print_json({"proved": shown})
    else:
        out.print(f"proved: {shown}", markup=False)


def check_export_file(path: Given, key: Key = None, home: Home = None, as_json: AsJson = False) -> None:
    """Recompute an export, zipped or unpacked, and name the first bad entry. Needs no database."""
    from api.cli.errors import REFUSED, CliError
    from api.cli.output import out, print_json, waiting
    from erp_core.gate.audit.export import ExportRefused, check_export

    try:
        with waiting("checking the export"):
            found = check_export(path, _pem(key, home))
    except ExportRefused as error:
        raise CliError(error.message, remedy=error.remedy, code=REFUSED) from error
    findings = [
        {"problem": one.problem, "leaf": one.leaf, "audit_id": one.audit_id, "about": one.about}
        for one in found.findings
    ]
    if as_json:
        print_json(
            {
                "intact": found.intact,
                "log": found.log,
                "entries": found.shown,
                "left_out": found.left_out,
                "root": found.root,
                "findings": findings,
            }
        )
    else:
        out.print(f"{found.shown} entries of log {found.log}, {found.left_out} left out; root {found.root}")
    _end(findings, "the export", as_json)


def _end(findings: list[dict[str, Any]], what: str, as_json: bool) -> None:
    from api.cli.errors import REFUSED, CliError
    from api.cli.output import out
    from erp_core.gate.audit import Finding

    if not as_json:
        for one in findings:
            told = Finding(one["problem"], one["leaf"], one["audit_id"], one["about"])
            out.print(str(told), style="red", markup=False, soft_wrap=True)
    if findings:
        raise CliError(
            f"{what} is not intact", remedy="keep everything as it is and investigate", code=REFUSED
        )
    if not as_json:
        out.print("intact")


def _checkpoints(file: Path) -> list[dict[str, Any]]:
    from api.cli.errors import USAGE, CliError
    from erp_core.gate.audit.checkpoints import read_lines

    found = sorted(read_lines(file.read_text(encoding="utf-8", errors="replace")))
    if not found:
        raise CliError(f"{file} holds no checkpoint", remedy="give a copy of checkpoints.jsonl", code=USAGE)
    return [one.as_json() for one in found]


def _pem(key: Path | None, home: Path | None) -> str | None:
    from api.cli.client import find_settings
    from erp_core.gate.audit import LogFiles

    return key.read_text(encoding="utf-8") if key else LogFiles(find_settings(home).home).public_pem()


def _trusted(key: Path | None, home: Path | None) -> Ed25519PublicKey:
    from api.cli.errors import USAGE, CliError
    from erp_core.gate.audit.checkpoints import public_key_from

    pem = _pem(key, home)
    if pem is None:
        raise CliError("there is no public key here", remedy="give it with --key", code=USAGE)
    try:
        return public_key_from(pem)
    except ValueError as error:
        raise CliError(
            "the key is no public key as `quartermaster audit key` prints it",
            remedy="give that file with --key",
            code=USAGE,
        ) from error
