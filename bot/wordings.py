"""How people write things: the patterns of wordings.yaml, compiled."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from knowledge.catalog import read_yaml
from knowledge.types import ApplicantKind, Fact, Subject

_FILE = Path(__file__).with_name("wordings.yaml")


@dataclass(frozen=True)
class Wordings:
    """The compiled patterns of wordings.yaml; `spellings` are plain words, the longest first."""

    spellings: tuple[tuple[str, str], ...]
    relations: Mapping[Fact, Mapping[str, tuple[re.Pattern[str], ...]]]
    facts: Mapping[Fact, Mapping[str, tuple[re.Pattern[str], ...]]]
    replies: Mapping[Fact, Mapping[str, re.Pattern[str]]]
    kinds: tuple[tuple[ApplicantKind, re.Pattern[str]], ...]
    subjects: tuple[tuple[Subject, re.Pattern[str]], ...]
    sought: tuple[tuple[re.Pattern[str], re.Pattern[str]], ...]
    around: Mapping[str, re.Pattern[str]]
    signs: Mapping[str, re.Pattern[str]]


def respell(text: str) -> str:
    """A normalised message with what is written in kana or in English put as the documents write it."""
    for written, usual in load_wordings().spellings:
        text = text.replace(written, usual)
    return re.sub(r"(?<=\d) (?=時間|日|分|回|億|万|円)", "", text)


@cache
def load_wordings() -> Wordings:
    """The patterns, compiled once. Raises CatalogError when the file cannot be read."""
    raw = read_yaml(_FILE)
    words = {name: raw.pop(name) for name in ("gov", "bureau", "yes", "no")}

    def compiled(pattern: str) -> re.Pattern[str]:
        for name, meaning in words.items():
            pattern = pattern.replace("{" + name + "}", meaning)
        return re.compile(pattern)

    def by_value(table: Any) -> dict[Fact, dict[str, tuple[re.Pattern[str], ...]]]:
        return {
            Fact(fact): {value: tuple(map(compiled, patterns)) for value, patterns in values.items()}
            for fact, values in table.items()
        }

    return Wordings(
        spellings=tuple(sorted(raw.pop("spellings").items(), key=lambda pair: -len(pair[0]))),
        relations=by_value(raw.pop("relations")),
        facts=by_value(raw.pop("facts")),
        replies={
            Fact(fact): {value: compiled(pattern) for value, pattern in values.items()}
            for fact, values in raw.pop("replies").items()
        },
        kinds=tuple((ApplicantKind(kind), compiled(p)) for row in raw.pop("kinds") for kind, p in row.items()),
        subjects=tuple((Subject(subject), compiled(p)) for row in raw.pop("subjects") for subject, p in row.items()),
        sought=tuple((compiled(row["asks"]), compiled(row["holds"])) for row in raw.pop("sought")),
        around={name: compiled(pattern) for name, pattern in raw.pop("around").items()},
        signs={name: compiled(pattern) for name, pattern in raw.items()},
    )
