"""The README names only what exists, and every setting and decision."""

import re
from pathlib import Path

import pytest
import typer

from bot.__main__ import app as bot_app
from bot.settings import Settings
from ingest.__main__ import app as ingest_app

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
SETTINGS = {name.upper() for name in Settings.model_fields}
TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.M))


def verbs(app: typer.Typer) -> set[str]:
    command = typer.main.get_command(app)
    return set(getattr(command, "commands", {}))


def options(app: typer.Typer) -> set[str]:
    command = typer.main.get_command(app)
    return {
        option
        for verb in getattr(command, "commands", {}).values()
        for parameter in verb.params
        for option in parameter.opts
    }


def test_every_setting_is_in_the_table() -> None:
    assert set(re.findall(r"^\| `([A-Z_]+)` \|", README, flags=re.M)) == SETTINGS


@pytest.mark.parametrize("target", sorted(set(re.findall(r"make ([a-z-]+)", README))))
def test_make_has_the_target(target: str) -> None:
    assert target in TARGETS


@pytest.mark.parametrize("verb", sorted(set(re.findall(r"python -m bot ([a-z]+)", README))))
def test_bot_has_the_verb(verb: str) -> None:
    assert verb in verbs(bot_app)


@pytest.mark.parametrize("verb", sorted(set(re.findall(r"python -m ingest ([a-z]+)", README))))
def test_ingest_has_the_verb(verb: str) -> None:
    assert verb in verbs(ingest_app)


@pytest.mark.parametrize("option", sorted(set(re.findall(r"(?<![-\w])--[a-z][a-z-]+", README)) - {"--help"}))
def test_a_command_has_the_option(option: str) -> None:
    assert option in options(bot_app) | options(ingest_app)


def test_every_decision_is_linked() -> None:
    decisions = {f"docs/decisions/{file.name}" for file in (ROOT / "docs" / "decisions").glob("*.md")}
    assert set(re.findall(r"\]\((docs/decisions/[^)]+)\)", README)) == decisions


@pytest.mark.parametrize("path", sorted(set(re.findall(r"`((?:bot|ingest|knowledge|tests)/[\w./-]+)`", README))))
def test_the_file_or_folder_exists(path: str) -> None:
    assert (ROOT / path).exists()
