"""MCP: how a client connects, whether it can, and the bridge for clients that start a program."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from api.cli.options import AsJson, Home

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path

    from mcp import Client

mcp = typer.Typer(help="The agent's tools for MCP clients.", no_args_is_help=True)
READS = ("ask", "read_metrics", "read_records", "see_cost")
PROPOSES = ("CreatePurchaseOrder", "SubmitPurchaseOrder")
Key = Annotated[
    str | None,
    typer.Option(envvar="QUARTERMASTER_MCP_KEY", help="The agent's key.", show_envvar=True),
]


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    app.add_typer(mcp, name="mcp")


@mcp.command()
def connect(home: Home = None, as_json: AsJson = False) -> None:
    """Show how to connect a client: the command that makes its key, and what to write into its configuration."""
    from api.cli.output import out, print_json

    url = f"{_server(home, required=False)}/mcp"
    make_key = _key_command(home)
    over_http = {"type": "http", "url": url, "headers": {"Authorization": "Bearer KEY"}}
    over_stdio = {
        "command": "quartermaster",
        "args": ["mcp", "stdio"],
        "env": {"QUARTERMASTER_URL": url.removesuffix("/mcp"), "QUARTERMASTER_MCP_KEY": "KEY"},
    }
    if as_json:
        print_json({"make_key": make_key, "http": over_http, "stdio": over_stdio})
        return
    out.print("1. Make a key. It can read and propose, and nothing else; it is shown once:")
    out.print(f"   {make_key}", markup=False, soft_wrap=True, highlight=False)
    out.print("2. Give the client one of these, with the key in the place of KEY. Over HTTP:")
    out.print_json(data={"mcpServers": {"quartermaster": over_http}})
    out.print("   or, for clients that start a program:")
    out.print_json(data={"mcpServers": {"quartermaster": over_stdio}})
    out.print("3. Try it: QUARTERMASTER_MCP_KEY=KEY quartermaster mcp tools", markup=False)


@mcp.command()
def tools(key: Key = None, home: Home = None, as_json: AsJson = False) -> None:
    """List the tools that a client with this key has, as it sees them."""
    from api.cli.output import print_json, table

    found = _over_mcp(_list_tools, home, key)
    if as_json:
        print_json(found)
        return
    rows = [(one["name"], "read" if one["reads"] else "propose", one["description"]) for one in found]
    table("tools", [("tool", "left"), ("does", "left"), ("what", "left")], rows)


@mcp.command()
def stdio(key: Key = None, home: Home = None) -> None:
    """Bridge a client that speaks over standard input and output to the server. It decides nothing by itself."""
    _over_mcp(_bridge, home, key)


def _server(home: Path | None, *, required: bool = True) -> str:
    """Where the server of the company answers, or would by its settings."""
    import os

    from api.cli.client import find_settings
    from api.cli.errors import UNREACHABLE, CliError
    from api.serving import running_server

    if url := os.environ.get("QUARTERMASTER_URL"):
        return url.rstrip("/")
    settings = find_settings(home)
    server = running_server(settings.home)
    if server is not None:
        return server.url
    if required:
        raise CliError(
            "no server of this company is running",
            remedy="start it with `quartermaster serve`, or set QUARTERMASTER_URL",
            code=UNREACHABLE,
        )
    return settings.public_url or f"http://{settings.host}:{settings.port}"


def _key_command(home: Path | None) -> str:
    """The command that makes a key with all that the tools use and whoever is logged in may do."""
    from api.cli.client import connect as connect_to
    from api.cli.errors import CliError
    from erp_core.gate.roles import may_run

    rights, commands = list(READS), list(PROPOSES)
    try:
        with connect_to(home) as client:
            who = client.get("/me")
        rights = [one for one in rights if one in who["rights"]]
        commands = [one for one in commands if may_run(who["roles"], one)]
    except CliError:
        pass
    options = [*(f"--right {one}" for one in rights), *(f"--command {one}" for one in commands)]
    return " ".join(["quartermaster keys issue assistant --agent", *options])


def _over_mcp(work: Any, home: Path | None, key: str | None) -> Any:
    """What `work` gives with a client of the server's MCP endpoint; failures come out as `CliError`."""
    import anyio
    import httpx2
    from mcp.shared.exceptions import MCPError

    from api.cli.errors import EXIT_CODES, UNREACHABLE, USAGE, CliError

    if not key:
        raise CliError(
            "there is no key",
            remedy="set QUARTERMASTER_MCP_KEY; `quartermaster mcp connect` says how to make one",
            code=USAGE,
        )
    url = _server(home)

    async def run() -> Any:
        async with httpx2.AsyncClient(
            headers={"Authorization": f"Bearer {key}"}, timeout=120.0, trust_env=False
        ) as http:
            answer = await http.post(f"{url}/mcp", json={"jsonrpc": "2.0", "id": 0, "method": "ping"})
            if answer.status_code >= 400:
                problem = answer.json()
                raise CliError(
                    problem.get("detail", answer.reason_phrase),
                    remedy=problem.get("remedy", ""),
                    code=EXIT_CODES.get(answer.status_code, 1),
                    problem=problem,
                )
            async with _client(f"{url}/mcp", http) as client:
                try:
                    return await work(client)
                except MCPError as error:
                    failed = error
        raise CliError(failed.message)

    try:
        return anyio.run(run)
    except httpx2.TransportError as error:
        raise CliError(
            f"the server does not answer ({error})", remedy="is it running?", code=UNREACHABLE
        ) from error


def _client(url: str, http: Any) -> AbstractAsyncContextManager[Client]:
    from mcp import Client
    from mcp.client.streamable_http import streamable_http_client

    return Client(streamable_http_client(url, http_client=http))


async def _list_tools(client: Client) -> list[dict[str, Any]]:
    found = (await client.list_tools()).tools
    return [
        {
            "name": one.name,
            "reads": bool(one.annotations and one.annotations.read_only_hint),
            "description": one.description,
        }
        for one in found
    ]


async def _bridge(client: Client) -> None:
    from mcp.server.lowlevel import Server
    from mcp.server.stdio import stdio_server

    async def list_tools(_context: Any, _params: Any) -> Any:
        return await client.list_tools()

    async def call_tool(_context: Any, params: Any) -> Any:
        return await client.call_tool(params.name, params.arguments)

    server: Server[Any] = Server(
        "quartermaster",
        title="Quartermaster",
        version=client.server_info.version if client.server_info else "",
        instructions=client.instructions,
        on_list_tools=list_tools,
        on_call_tool=call_tool,
    )
    async with stdio_server() as (incoming, outgoing):
        await server.run(incoming, outgoing, server.create_initialization_options())
