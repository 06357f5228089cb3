"""Holds the figures of what a person wrote against what rules and documents say."""

from datetime import date
from functools import cache

from knowledge.catalog import Catalog
from knowledge.figures import Dimension, normalize, read_days, read_figures
from knowledge.rules.tables import rows_of

_TURNS_OF_SPEECH = frozenset({Dimension.OTHER, Dimension.CASE, Dimension.PEOPLE})
"""Counters of everything (2つ, 1件), which say nothing that a rule could say otherwise."""


def known_text(catalog: Catalog) -> str:
    """All that the rules say, with the words of the documents that they rest on."""
    rows = [row for program in catalog.programs.values() for row in rows_of(program)]
    overviews = (
        parameter.overview
        for program in catalog.programs.values()
        for year in program.years
        for parameter in year.parameters.values()
    )
    return "\n".join((*(row.says for row in rows), *(e.quote for row in rows for e in row.evidence), *overviews))


def unsupported_figures(text: str, known: str, today: date) -> list[str]:
    """The figures and days of a text, as they are written there, that what is known does not have."""
    read = normalize(text)
    supported = _figures(known)
    found = [
        (figure.start, figure.end)
        for figure in read_figures(read)
        if figure.dimension not in _TURNS_OF_SPEECH and (figure.dimension, figure.value) not in supported
    ]
    known_days = {day.first_on for day in read_days(normalize(known), today)}
    found += [
        (day.start, day.end)
        for day in read_days(read, today)
        if day.precision == "day" and day.first_on not in known_days
    ]
    return list(dict.fromkeys(read[start:end] for start, end in sorted(found)))


@cache
def _figures(known: str) -> frozenset[tuple[Dimension, object]]:
    return frozenset((figure.dimension, figure.value) for figure in read_figures(normalize(known)))
