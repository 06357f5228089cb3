"""Dates: is a call open on a day, when is the next opening, by when and in which year something is due."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

from knowledge.rules.tables import state
from knowledge.types import Outcome, Ruling, Subject, Terms, Verdict


def decide_window(terms: Terms, first_on: date, last_on: date) -> Ruling:
    """Whether applications are taken on the days asked about (募集期間); `value` is the next opening when they are not.

    Open is conditional: the call may have closed early (募集が上限に達した場合, reading T22). Days on both sides of
    the bound leave the verdict open and the period is stated.
    """
    stated = state(terms, Subject.WINDOW)
    months = stated.value
    if stated.outcome is Outcome.NOT_STATED or not isinstance(months, tuple):
        return stated
    inside = {first_on.month in months, last_on.month in months}
    if inside == {True}:
        return replace(stated, verdict=Verdict.CONDITIONAL, asked=(first_on, last_on))
    if inside == {False}:
        opens_on = date(last_on.year + (last_on.month >= months[0]), months[0], 1)
        return replace(stated, verdict=Verdict.INELIGIBLE, asked=(first_on, last_on), value=opens_on)
    return stated


def decide_report_due(terms: Terms, ended_on: date, handed_in: date | None = None) -> Ruling:
    """The last day for the report (実施報告書): counted from the day after the end (民法140条, reading T21).

    With the day on which it is handed in, whether that is in time: conditional on the first weekday after a last day
    that is a Saturday or Sunday, of which nothing is stated.
    """
    ruling = _due(state(terms, Subject.REPORT_DUE), ended_on, lambda days: ended_on + timedelta(days=days))
    if handed_in is None or not isinstance(ruling.value, date):
        return ruling
    verdict = Verdict.ELIGIBLE if handed_in <= ruling.value else Verdict.INELIGIBLE
    if handed_in > ruling.value and handed_in <= _weekday_from(ruling.value):
        verdict = Verdict.CONDITIONAL
    return replace(ruling, asked=(handed_in, handed_in), verdict=verdict)


def _weekday_from(day: date) -> date:
    """The day itself, or the Monday after a Saturday or Sunday."""
    return day + timedelta(days=7 - day.weekday() if day.weekday() >= _SATURDAY else 0)


_SATURDAY = 5


def decide_questionnaire(terms: Terms, ended_on: date) -> Ruling:
    """The fiscal year of the questionnaire (アンケート), as the first day of that year (1 April)."""
    ended_in = ended_on.year if ended_on.month >= 4 else ended_on.year - 1
    return _due(state(terms, Subject.QUESTIONNAIRE), ended_on, lambda years: date(ended_in + years, 4, 1))


def _due(stated: Ruling, ended_on: date, due_after: Callable[[int], date]) -> Ruling:
    """A stated distance in days or years turned into the day or year it falls on."""
    if not isinstance(stated.value, Decimal):
        return stated
    return replace(stated, asked=(ended_on, ended_on), value=due_after(int(stated.value)))
