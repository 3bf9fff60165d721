"""Settings, read once from the environment. Everything has a default that works on one machine."""

from __future__ import annotations

from datetime import date, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict


def is_safe_address(address: str) -> bool:
    """Whether secrets may be sent there: over TLS, or without leaving this machine."""
    parts = urlsplit(address)
    here = parts.hostname in ("127.0.0.1", "localhost", "::1")
    return bool(parts.hostname) and (parts.scheme == "https" or (parts.scheme == "http" and here))


class Settings(BaseSettings):
    """What a deployment may configure.

    `home` holds the SQLite database, model artefacts, the knowledge index and the signed audit
    checkpoints. `database_url` (``DATABASE_URL``) moves the company to PostgreSQL.
    `migration_url` is the same database as the role that owns its tables; then the application's own role has only the
    rights it needs, and its sessions are unlocked with `gate_secret`, or the secret kept under `home`.
    `business_date` fixes "today"; without it the company's own fixed date (the demo has one) or
    the wall clock rules.
    """

    model_config = SettingsConfigDict(env_prefix="QUARTERMASTER_", extra="ignore", populate_by_name=True)

    home: Path = Path("var")
    database_url: str | None = Field(default=None, validation_alias="DATABASE_URL")
    migration_url: str | None = None
    gate_secret: str | None = None
    business_date: date | None = None
    host: str = "127.0.0.1"
    port: int = 8321
    token: str | None = None
    model: str | None = None
    openai_base_url: str | None = Field(default=None, validation_alias="OPENAI_BASE_URL")
    openai_api_key: str | None = Field(default=None, validation_alias="OPENAI_API_KEY")
    chroma_url: str | None = None
    approval_hours: int = 72
    agent_open_proposals: int = 20
    public_url: str | None = Field(
        default=None, description="how browsers reach the server, for the provider's way back"
    )
    oidc_issuer: str | None = None
    oidc_client_id: str | None = None
    oidc_client_secret: SecretStr | None = None
    oidc_label: str = "Log in with the company account"
    oidc_role_claim: str | None = Field(
        default=None, description="the claim that says which roles a session has"
    )
    oidc_roles: dict[str, str] = Field(
        default={}, description="value of that claim to role; others give none"
    )
    oidc_create_users: bool = Field(
        default=False, description="make an account at the first log-in, with mapped roles"
    )
    key_days: int = Field(default=365, ge=1, le=3650, description="longest life of an API key")
    session_idle_minutes: int = Field(default=120, ge=1, description="a session unused for so long ends")
    scan_every_hours: int = Field(default=0, ge=0, description="background scans; 0 means only when asked")
    automation_every_hours: int = Field(
        default=0, ge=0, description="runs of automation; 0 means only when asked"
    )

    @model_validator(mode="after")
    def _whole_provider(self) -> Self:
        if self.oidc_issuer is None:
            return self
        if not self.oidc_client_id:
            raise ValueError("QUARTERMASTER_OIDC_CLIENT_ID is missing: the issuer needs it")
        if not is_safe_address(self.oidc_issuer):
            raise ValueError("QUARTERMASTER_OIDC_ISSUER must be an https address")
        return self

    @property
    def session_idle(self) -> timedelta:
        """How long a session may go unused."""
        return timedelta(minutes=self.session_idle_minutes)

    @property
    def url(self) -> str:
        """The SQLAlchemy URL of the company's database; PostgreSQL always by psycopg 3."""
        if self.database_url:
            return _by_psycopg(self.database_url)
        return f"sqlite:///{(self.home / 'quartermaster.db').resolve()}"

    @property
    def owner_url(self) -> str:
        """The SQLAlchemy URL for migrations and grants: the owner's, where it is another's than the application's."""
        return _by_psycopg(self.migration_url) if self.migration_url else self.url


def _by_psycopg(url: str) -> str:
    for scheme in ("postgresql://", "postgres://"):
        if url.startswith(scheme):
            return "postgresql+psycopg://" + url.removeprefix(scheme)
    return url


@lru_cache(maxsize=1)
def settings() -> Settings:
    """The process's settings. Tests make their own `Settings` and pass them in instead."""
    return Settings()
