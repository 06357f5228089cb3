"""Where an added document and a rule give different figures for the same thing, as the last ingest found it."""

import json
from dataclasses import dataclass
from pathlib import Path

FILE = "audit.json"


@dataclass(frozen=True)
class Conflict:
    """A document that differs from a rule, until a person settles which of them holds.

    `subject` is a Subject's value, or the section of the guide that states the figure; `rule_says` and `document_says`
    are sentences or phrases with the two figures, `document` the added document's id and `place` where it says so.
    `document_says` is "" where the newest edition of a page no longer has the phrase `rule_says`, which stood at
    `place`.
    """

    program: str
    subject: str
    rule_says: str
    document: str
    place: str
    document_says: str


def load_conflicts(data_dir: Path) -> tuple[Conflict, ...]:
    """The conflicts that the last ingest found; none where nothing has been ingested.

    Raises:
        ValueError: the file is not what ingest writes.
    """
    try:
        content = json.loads((data_dir / FILE).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return ()
    try:
        return tuple(Conflict(**conflict) for conflict in content["conflicts"])
    except (KeyError, TypeError) as error:
        raise ValueError(f"{data_dir / FILE} is not an audit: run python -m ingest again") from error
