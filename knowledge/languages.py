"""The catalog in another language, and what English words are read as."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, TypeVar, cast

from knowledge.catalog import read_yaml
from knowledge.types import Language

_Value = TypeVar("_Value")


@dataclass(frozen=True)
class EnglishGlossary:
    """English phrases by the Japanese that they are read as; `english.yaml` says what each part is for."""

    programs: Mapping[str, Sequence[str]]
    facts: Mapping[str, Sequence[str]]
    asks: Mapping[str, Sequence[str]]
    index: Sequence[str]
    turns: Sequence[str]
    plain: Sequence[str]


@cache
def load_glossary() -> EnglishGlossary:
    """Reads english.yaml."""
    return EnglishGlossary(**read_yaml(Path(__file__).parent / "english.yaml"))


def in_language(value: _Value, language: Language) -> _Value:
    """A value of the catalog of which each field that has a sibling in the language has its words.

    What nobody wrote in the language stays in Japanese.
    """
    return cast("_Value", _worded(value, language))


def _worded(value: Any, language: Language) -> Any:
    if isinstance(value, Mapping):
        return {key: _worded(inner, language) for key, inner in value.items()}
    if isinstance(value, tuple):
        return tuple(_worded(inner, language) for inner in value)
    if not is_dataclass(value) or isinstance(value, type):
        return value
    words = {field.name: getattr(value, f"{field.name}_{language}", "") for field in fields(value)}
    return replace(value, **{name: words[name] or _worded(getattr(value, name), language) for name in words})
