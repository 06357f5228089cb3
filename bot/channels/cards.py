"""What both platforms show of an answer, before it takes the form of either."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Literal

from bot import replies
from bot.types import Answer, AnswerStatus, Citation
from knowledge.figures import format_number, format_yen
from knowledge.types import Outcome, Program, Ruling, Subject, Unit, Verdict

Look = Literal["yes", "no", "depends", "asks", "silent", ""]

_SUBJECTS: Mapping[Subject, str] = {
    Subject.ELIGIBILITY: "対象になるか",
    Subject.CAP: "上限",
    Subject.BUDGET: "全体の予算",
    Subject.COST: "費用の負担",
    Subject.DURATION: "支援の期間",
    Subject.CALLS_PER_YEAR: "公募の回数",
    Subject.WINDOW: "募集の期間",
    Subject.DEADLINE: "締切",
    Subject.REPORT_DUE: "報告書の期限",
    Subject.QUESTIONNAIRE: "アンケート",
    Subject.REPEAT: "もう一度の申請",
    Subject.INDEX_LIMIT: "財政力指数の条件",
    Subject.ONLINE: "オンラインだけの利用",
    Subject.RECOMMENDATION: "推薦",
    Subject.EXPERT: "専門家",
}

_VERDICTS: Mapping[Verdict, tuple[Look, str]] = {
    Verdict.ELIGIBLE: ("yes", "対象"),
    Verdict.INELIGIBLE: ("no", "対象外"),
    Verdict.CONDITIONAL: ("depends", "条件付き"),
}

_VERDICTS_ON: Mapping[tuple[Subject, Verdict], str] = {
    (Subject.CAP, Verdict.ELIGIBLE): "範囲内",
    (Subject.CAP, Verdict.INELIGIBLE): "上限を超えます",
    (Subject.WINDOW, Verdict.ELIGIBLE): "募集期間内",
    (Subject.WINDOW, Verdict.INELIGIBLE): "募集期間外",
    (Subject.WINDOW, Verdict.CONDITIONAL): "原則、募集期間内",
    (Subject.REPEAT, Verdict.ELIGIBLE): "申請できます",
    (Subject.REPEAT, Verdict.INELIGIBLE): "申請できません",
}

_STATUSES: Mapping[AnswerStatus, tuple[Look, str]] = {
    AnswerStatus.NEEDS_INFO: ("asks", "確認が必要"),
    AnswerStatus.UNKNOWN: ("silent", "資料に記載なし"),
}

_UNITS: Mapping[Unit, str] = {"day": "日", "hour": "時間", "month": "か月"}

_ROUGHLY = (Subject.BUDGET, Subject.DURATION)
"""The documents give these with 程度."""


@dataclass(frozen=True)
class Headline:
    """A ruling at a glance: what it is about, the figure, and the verdict with its look."""

    about: str
    value: str
    verdict: str
    look: Look


@dataclass(frozen=True)
class Card:
    """An answer in its parts. `said` has neither sources nor year; `basis` says which year it rests on."""

    headlines: tuple[Headline, ...]
    said: str
    basis: str
    citations: tuple[Citation, ...]


def lay_out_card(answer: Answer, programs: Mapping[str, Program]) -> Card:
    """Takes an answer apart for showing."""
    said, marker, tail = answer.text.partition(replies.SOURCES)
    basis = "".join(tail.split("\n")[1:]) if marker else ""
    settled = any(ruling.outcome is Outcome.SETTLED for ruling in answer.rulings)
    shown = [ruling for ruling in answer.rulings if not settled or ruling.outcome is not Outcome.NOT_STATED]
    headlines = tuple(headline for ruling in shown if (headline := _headline(ruling, programs)))
    if not headlines and answer.status in _STATUSES and not answer.for_staff:
        look, verdict = _STATUSES[answer.status]
        headlines = (Headline("", "", verdict, look),)
    return Card(headlines, said, basis, answer.citations)


def _headline(ruling: Ruling, programs: Mapping[str, Program]) -> Headline | None:
    look: Look = ""
    verdict = ""
    match ruling.outcome:
        case Outcome.NEEDS_FACTS:
            look, verdict = "asks", "確認が必要"
        case Outcome.NOT_STATED:
            look, verdict = "silent", "記載なし"
        case Outcome.SETTLED if ruling.verdict:
            look, verdict = _VERDICTS[ruling.verdict]
            verdict = _VERDICTS_ON.get((ruling.subject, ruling.verdict), verdict)
    value = _value(ruling) if ruling.outcome is Outcome.SETTLED else ""
    if value and ruling.subject is Subject.CAP:
        value = f"上限{value}"
    if not verdict and not value:
        return None
    return Headline(f"{programs[ruling.program].name}・{_SUBJECTS[ruling.subject]}", value, verdict, look)


def _value(ruling: Ruling) -> str:
    roughly = "約" if ruling.subject in _ROUGHLY else ""
    match ruling.value, ruling.unit:
        case Decimal() as amount, "yen":
            return roughly + format_yen(amount)
        case Decimal() as amount, "count":
            return f"年{format_number(amount)}回"
        case Decimal() as amount, ("day" | "hour" | "month") as unit:
            return f"{roughly if unit == 'month' else ''}{format_number(amount)}{_UNITS[unit]}"
        case (int() as first, *_, int() as last), "months_of_year":
            return f"{first}月〜{last}月"
        case date() as day, _ if ruling.subject is Subject.REPORT_DUE:
            return f"{day.year}年{day.month}月{day.day}日まで"
        case _:
            return ""
