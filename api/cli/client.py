"""The command line as a client of the HTTP API.

Where a server holds the company it is asked over HTTP; otherwise the same app is opened in this
process, under the company's lock. Either way every command goes through the same authentication.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from api.cli.errors import EXIT_CODES, UNREACHABLE, CliError

if TYPE_CHECKING:
    import httpx

    from erp_core.settings import Settings

PREFIX = "/api/v1"
DEMO_HOME = Path("var/demo")


def find_settings(home: Path | None = None) -> Settings:
    """The settings, with the home folder given, set, or found: `var`, or the demo's when it alone exists."""
    from erp_core.settings import Settings

    found = Settings() if home is None else Settings(home=home)
    chosen = home is not None or "QUARTERMASTER_HOME" in os.environ or found.database_url is not None
    if (
        not chosen
        and not (found.home / "quartermaster.db").exists()
        and (DEMO_HOME / "quartermaster.db").exists()
    ):
        return found.model_copy(update={"home": DEMO_HOME})
    return found


class Tokens:
    """Session tokens of this account on this machine, by company; a file that only its owner can read."""

    def __init__(self) -> None:
        from platformdirs import user_config_path

        folder = os.environ.get("QUARTERMASTER_CONFIG")
        self._file = (Path(folder) if folder else user_config_path("quartermaster")) / "tokens.json"

    def get(self, company: str) -> str | None:
        """The token stored for a company."""
        token = self._read().get(company)
        return str(token) if token else None

    def put(self, company: str, token: str | None) -> None:
        """Store a token, or forget it."""
        known = self._read()
        known.pop(company, None)
        if token is not None:
            known[company] = token
        self._file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        fresh = self._file.with_suffix(".new")
        fresh.unlink(missing_ok=True)
        with os.fdopen(
            os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8"
        ) as file:
            json.dump(known, file)
        fresh.replace(self._file)

    def _read(self) -> dict[str, Any]:
        try:
            known: dict[str, Any] = json.loads(self._file.read_text(encoding="utf-8"))
        except (FileNotFoundError, ValueError):
            return {}
        return known


class Client:
    """Requests as the logged-in user. Problems come out as `CliError`."""

    def __init__(self, http: httpx.Client, company: str, token: str | None) -> None:
        self._http = http
        self.company = company
        self.token = token

    def get(self, path: str, **params: Any) -> Any:
        """GET, with parameters that are None left out."""
        return self._send(
            "GET", path, params={name: value for name, value in params.items() if value is not None}
        )

    def post(
        self, path: str, body: Any = None, *, key: str | None = None, files: Any = None, data: Any = None
    ) -> Any:
        """POST JSON, or a form with files."""
        headers = {"Idempotency-Key": key} if key else {}
        given = {"files": files, "data": data} if files is not None else {"json": body}
        return self._send("POST", path, headers=headers, **given)

    def download(self, path: str, **params: Any) -> Iterator[bytes]:
        """The body of a GET in pieces, with parameters that are None left out."""
        given = {name: value for name, value in params.items() if value is not None}
        with self._http.stream("GET", PREFIX + path, params=given, headers=self._credential()) as answer:
            if answer.status_code >= 400:
                answer.read()
                raise _error(answer)
            yield from answer.iter_bytes()

    def _credential(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"} if self.token else {}

    def _send(self, method: str, path: str, *, headers: Mapping[str, str] | None = None, **given: Any) -> Any:
        import httpx

        target = path if path.endswith("z") and path.count("/") == 1 else PREFIX + path
        try:
            answer = self._http.request(
                method, target, headers={**self._credential(), **(headers or {})}, **given
            )
        except httpx.TransportError as error:
            raise CliError(
                f"the server does not answer ({error})",
                remedy="start it with `quartermaster serve`",
                code=UNREACHABLE,
            ) from error
        if answer.status_code >= 400 and target.startswith(PREFIX):
            raise _error(answer)
        return answer.json() if answer.content else None


def _error(answer: httpx.Response) -> CliError:
    try:
        problem = answer.json()
    except ValueError:
        problem = {"detail": answer.text[:200] or answer.reason_phrase}
    remedy = problem.get("remedy", "")
    if answer.status_code == 401 and not str(problem.get("instance", "")).endswith("/login"):
        remedy = "run `quartermaster login LOGIN`, or set QUARTERMASTER_TOKEN"
    return CliError(
        str(problem.get("detail", answer.reason_phrase)),
        remedy=remedy,
        code=EXIT_CODES.get(answer.status_code, 1),
        problem=problem,
    )


@contextmanager
def connect(home: Path | None = None, *, jobs: bool = False) -> Iterator[Client]:
    """A client of the company: over HTTP where a server holds it, in this process otherwise.

    `jobs` lets this process do background work while it is open. `QUARTERMASTER_URL` names a server elsewhere.
    """

    url = os.environ.get("QUARTERMASTER_URL")
    settings = find_settings(home)
    with ExitStack() as stack:
        if url is None:
            from api.serving import running_server

            server = running_server(settings.home)
            url = server.url if server else None
            company = settings.database_url or str(settings.home.resolve())
        else:
            company = url.rstrip("/")
        if url is not None:
            http = stack.enter_context(_over_http(url))
        else:
            http = stack.enter_context(_in_process(settings, jobs))
        yield Client(http, company, settings.token or Tokens().get(company))


def _over_http(url: str) -> httpx.Client:
    import httpx

    return httpx.Client(base_url=url, timeout=300.0, trust_env=False)


@contextmanager
def _in_process(settings: Settings, jobs: bool) -> Iterator[httpx.Client]:
    from api.cli.inprocess import open_client
    from api.serving import CompanyHeld, running_server

    with ExitStack() as stack:
        try:
            http = stack.enter_context(open_client(settings, jobs=jobs))
        except CompanyHeld as error:
            server = running_server(settings.home)  # it was starting up a moment ago
            if server is None:
                raise CliError(
                    str(error), remedy="wait for it to finish, or stop it", code=UNREACHABLE
                ) from error
            http = stack.enter_context(_over_http(server.url))
        yield http
