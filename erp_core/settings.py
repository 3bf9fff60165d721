"""Settings, read once from the environment. Everything has a default that works on one machine."""

from __future__ import annotations

from datetime import date
from functools import lru_cache
from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """What a deployment may configure.

    `home` holds the SQLite database, model artefacts, the knowledge index and the signed audit
    checkpoints. `database_url` (``DATABASE_URL``) moves the company to PostgreSQL.
    `business_date` fixes "today"; without it the company's own fixed date (the demo has one) or
    the wall clock rules.
    """

    model_config = SettingsConfigDict(env_prefix="QUARTERMASTER_", extra="ignore", populate_by_name=True)

    home: Path = Path("var")
    database_url: str | None = Field(default=None, validation_alias="DATABASE_URL")
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
    scan_every_hours: int = Field(default=0, ge=0, description="background scans; 0 means only when asked")

    @property
    def url(self) -> str:
        """The SQLAlchemy URL of the company's database; PostgreSQL always by psycopg 3."""
        if self.database_url:
            for scheme in ("postgresql://", "postgres://"):
                if self.database_url.startswith(scheme):
                    return "postgresql+psycopg://" + self.database_url.removeprefix(scheme)
            return self.database_url
        return f"sqlite:///{(self.home / 'quartermaster.db').resolve()}"


@lru_cache(maxsize=1)
def settings() -> Settings:
    """The process's settings. Tests make their own `Settings` and pass them in instead."""
    return Settings()
