"""The settings that ingest shares with the bot, from the same places: the environment, then `.env`."""

from pathlib import Path

from pydantic_settings import BaseSettings, SettingsConfigDict


class IngestSettings(BaseSettings):
    """Where everything is written, which embedding model makes the vectors, and where these are kept.

    "" stands for the repository's own model, and for Chroma in the data folder. With `chroma_url` and a PostgreSQL in
    `database_url`, hosts share what is written. `watch_local` lets pages of this
    machine be fetched, for tests.
    """

    model_config = SettingsConfigDict(env_file=".env", env_file_encoding="utf-8", env_ignore_empty=True, extra="ignore")

    data_dir: Path = Path("data")
    embedding_model: str = ""
    chroma_url: str = ""
    database_url: str = ""
    watch_local: bool = False
