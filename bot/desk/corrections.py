"""Answers that rest on what is said otherwise by now, by the rulings that are kept with them."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from bot.conversations import RuledTurn
from knowledge.figures import normalize, read_fiscal_years
from knowledge.rules.tables import terms_on
from knowledge.types import Outcome, Program, Row, Subject, Terms

LOOKED_BACK = timedelta(days=90)
"""How old an answer may be that is still put right."""


@dataclass(frozen=True)
class Outdated:
    """Answers that rest on one value of a parameter which is not in force any more.

    `key` names the value, `label` the parameter. `said` is what was said of it last, `now` what holds today, "" where
    nothing is stated. `turns` are the keys of the answers.
    """

    key: str
    program: str
    label: str
    said: str
    now: str
    turns: tuple[str, ...]


def outdated(turns: Iterable[RuledTurn], programs: Mapping[str, Program], day: date) -> tuple[Outdated, ...]:
    """The answers that were given of what is otherwise on a day, by the value that they rest on.

    Who named a fiscal year was told of that year, and is put right by what is said of it now. What was not stated and
    is now, and a limit that has become 未満 from 以下 with the same words, are not seen.
    """
    terms = {id: terms_on(program, day) for id, program in programs.items()}
    groups: dict[str, list[tuple[RuledTurn, Any]]] = {}
    for turn in turns:
        named = read_fiscal_years(normalize(turn.question))
        for ruling in turn.rulings:
            if ruling["outcome"] != Outcome.SETTLED or ruling["program"] not in terms:
                continue
            of_program, year = programs[ruling["program"]], ruling["fiscal_year"]
            in_force = terms_on(of_program, date(year + 1, 3, 31)) if year in named else terms[of_program.id]
            if _is_over(ruling, in_force):
                groups.setdefault(_key(ruling), []).append((turn, ruling))
    return tuple(_outdated(key, found, terms) for key, found in groups.items())


def _is_over(ruling: Any, terms: Terms) -> bool:
    rows = terms.rows.get(Subject(ruling["subject"]), ())
    stated = {(evidence.place, evidence.quote) for row in rows for evidence in row.evidence}
    rests_on = {(evidence["place"], evidence["quote"]) for evidence in ruling["evidence"]}
    if not rests_on <= stated:
        return True
    decided = [row.verdict for row in rows if row.verdict and rests_on & {(e.place, e.quote) for e in row.evidence}]
    if decided and ruling["verdict"] not in (None, *decided):
        return True
    values = [_plain(row) for row in rows if row.value is not None]
    return not isinstance(ruling["value"], str | None) and [ruling["value"], ruling["unit"]] not in values


def _plain(row: Row) -> list[Any]:
    """A row's value and unit as a recorded ruling has them."""
    value: Any = row.value
    if isinstance(value, Decimal):
        value = int(value) if value == value.to_integral_value() else float(value)
    return [list(value) if isinstance(value, tuple) else value, row.unit]


def _key(ruling: Any) -> str:
    rested = [ruling[name] for name in ("program", "subject", "value", "unit", "verdict", "evidence")]
    return f"outdated-{hashlib.sha256(json.dumps(rested, sort_keys=True).encode()).hexdigest()[:32]}"


def _outdated(key: str, found: list[tuple[RuledTurn, Any]], terms: Mapping[str, Terms]) -> Outdated:
    _, ruling = found[-1]
    of_program, subject = terms[ruling["program"]], Subject(ruling["subject"])
    parameter, rows = of_program.parameters[subject], of_program.rows.get(subject, ())
    now = parameter.overview or "".join(dict.fromkeys(row.says for row in rows if "{" not in row.says))
    return Outdated(
        key,
        of_program.program,
        f"{of_program.program_name}の{parameter.description}",
        ruling["says"],
        now if rows else "",
        tuple(dict.fromkeys(turn.key for turn, _ in found)),
    )
