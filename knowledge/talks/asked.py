"""What the last message of a talk may ask: an entry of a program's FAQ, what its rules decide, or nothing of it.

Each has a name: that of the entry, or `program/subject` for what rules decide, however many entries lead there.
"""

from functools import cache

from knowledge.catalog import load_catalog
from knowledge.types import FaqEntry

OUTSIDE = "outside"
"""Asks something that is no business of the programs."""

OTHER = "other"
"""Asks something of the programs of which no entry is."""

NOTHING = "nothing"
"""Asks nothing, and completes nothing that was asked before."""


def asked_by(program: str, entry: FaqEntry) -> str:
    """The name of what an entry of a program's FAQ is about."""
    return by_rules(program, entry.rule) if entry.rule else entry.id


def by_rules(program: str, subject: str) -> str:
    """The name of what a program's rules decide on a subject."""
    return f"{program}/{subject}"


@cache
def names_of_entries() -> dict[tuple[str, str], str]:
    """The name of what each entry is about, by its program and its id."""
    return {
        (program, entry.id): asked_by(program, entry) for program, faq in load_catalog().faq.items() for entry in faq
    }


@cache
def programs_of_asked() -> dict[str, str]:
    """Everything that may be asked by its name, in a fixed order, with its program ("" for none)."""
    asked = {name: program for (program, _), name in names_of_entries().items()}
    return {OUTSIDE: "", OTHER: "", NOTHING: "", **asked}
