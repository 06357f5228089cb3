"""What the desk says to askers, and the words by which they speak to it."""

import re
from collections.abc import Iterable
from datetime import datetime

from bot.desk.corrections import Outdated
from bot.desk.hours import OfficeHours, day_text
from bot.desk.types import Case, Reply, State
from knowledge.figures import normalize

ASK_STAFF = "職員に聞く"
SEND, KEEP = "職員に送る", "やめる"
FETCH = "回答を受け取る"
SOLVED = "解決しましたか。"

AWAITED = "職員に聞きたいことを、文字でお送りください。送る前に、内容を確認していただきます。"
KEPT = "職員には送りませんでした。ほかにも分からないことがあれば、お送りください。"
NO_LONGER = "このご質問の記録は残っていません。お手数ですが、もう一度ご質問をお送りください。"
WHICH = "どの受付番号のことかが分かりません。「受付12を取り下げる」のように、番号を付けてお送りください。"
SEEN_BY_ALL = "職員の回答は、このトークの全員に表示されます。"
SEND_IT = "次の内容を職員に送ります。"

_SAYS_YES = frozenset(
    map(normalize, (SEND, "はい", "送る", "送って", "送ってください", "送ります", "お願いします", "はいお願いします"))
)
_SAYS_NO = frozenset(
    map(normalize, (KEEP, "いいえ", "送らない", "送らないで", "やめます", "やめて", "結構です", "不要です"))
)

_NUMBER = r"(?:受付(?:番号)?[::# ]?)?(\d{1,9})番?"
_NAMED = r"受付(?:番号)?[::# ]?(\d{1,9})番?"
_STATUS = re.compile(rf"{_NUMBER}(?:は|の(?:状況|回答|返事|件)は?|は?どう(?:なりましたか?|ですか)?)")
_STATUS_NAMED = re.compile(rf"{_NAMED}(?:は|の(?:状況|回答|返事|件)は?|は?どう(?:なりましたか?|ですか)?)?")
_WITHDRAW = re.compile(rf"(?:{_NUMBER}(?:を|の質問を)?)?取り?下げ(?:る|ます|たい|たいです|て|てください)?")
_SOLVED = re.compile(rf"{_NAMED}は解決(?:した|しました)")
_UNSOLVED = re.compile(rf"{_NAMED}は(?:まだ)?解決してい(?:ない|ません)")

_LOOKS_AT = re.compile(r"職員回答(\d{1,9})(?:を見る)?")

_ENDS = "。.!?、 "
_QUOTED = 30


def says_yes(text: str) -> bool:
    """Whether a reply agrees to a proposal."""
    return _bare(text) in _SAYS_YES


def taps_send(text: str) -> bool:
    """Whether this is the very label of the tap that sends."""
    return _bare(text) == normalize(SEND)


def fetches(text: str) -> bool:
    """Whether this is the label of the tap that asks for what officials have written."""
    return _bare(text) == normalize(FETCH)


def says_no(text: str) -> bool:
    """Whether a reply declines a proposal."""
    return _bare(text) in _SAYS_NO


def asks_status(text: str, *, named: bool) -> int | None:
    """The number whose state is asked for; with `named`, only where it is called a 受付番号."""
    said = _bare(text)
    return _number(_STATUS_NAMED.fullmatch(said) or (None if named else _STATUS.fullmatch(said)))


def withdraws(text: str) -> tuple[bool, int | None]:
    """Whether a case is withdrawn, and which, where it is named."""
    found = _WITHDRAW.fullmatch(_bare(text))
    return found is not None, _number(found)


def says_solved(text: str) -> int | None:
    """The number of the case that an asker calls solved."""
    return _number(_SOLVED.fullmatch(_bare(text)))


def says_unsolved(text: str) -> int | None:
    """The number of the case that an asker calls not solved."""
    return _number(_UNSOLVED.fullmatch(_bare(text)))


def looks_at(text: str) -> int | None:
    """The id of the official's answer that somebody wants to see."""
    return _number(_LOOKS_AT.fullmatch(_bare(text)))


def look_at(id: int) -> str:
    """The tap that shows an official's answer."""
    return f"職員回答{id}を見る"


def near(id: int, question: str) -> str:
    """An official has answered a question that is near: the question is shown, so that it is not taken for the same."""
    return f"近いご質問に、職員が回答しています(職員回答{id})。\nご質問: 「{question}」"


def _bare(text: str) -> str:
    return normalize(text).strip(_ENDS)


def _number(found: re.Match[str] | None) -> int | None:
    number = next(filter(None, found.groups()), None) if found else None
    return int(number) if number else None


def proposal(question: str, answered: str, in_room: bool) -> str:
    """Shows what would be sent, before it is."""
    lines = [SEND_IT, f"ご質問: 「{question}」"]
    if answered:
        lines.append(f"窓口の回答: 「{answered}」")
    if in_room:
        lines.append(SEEN_BY_ALL)
    return "\n".join([*lines, "送ってよろしいですか。"])


def receipt(case: Case, hours: OfficeHours, now: datetime) -> str:
    """Says that a case is with the office, under which number, and when it will be looked at."""
    closed = "" if hours.is_open(now) else f"ただいま受付時間外です。次は{day_text(hours.next_opening(now))}からです。"
    return (
        f"受付番号{case.number}で、職員に送りました。{hours.described()}に、職員が確認してお答えします。{closed}"
        f"「受付{case.number}は?」と送ると、状況をお答えします。"
    )


def state(case: Case, replies: Iterable[Reply], hours: OfficeHours, now: datetime) -> str:
    """How a case stands, for its asker."""
    last = max(replies, key=lambda reply: reply.id, default=None)
    match case.state, case.ended:
        case State.OPEN, _:
            when = "" if hours.is_open(now) else f"次の受付は{day_text(hours.next_opening(now))}からです。"
            return f"受付番号{case.number}は、担当を決めているところです。{when}"
        case State.TAKEN, _:
            return f"受付番号{case.number}は、担当の職員が確認しています。"
        case _, "withdrawn":
            return f"受付番号{case.number}は、取り下げられています。"
    if last:
        return f"受付番号{case.number}には、回答しています。\n\n{reply_text(last)}"
    return f"受付番号{case.number}は、終了しています。"


def listed(cases: Iterable[Case]) -> str:
    """How the questions of an asker stand, one a line."""
    lines = [f"受付番号{case.number}「{_shortened(case.question)}」: {_stand(case)}" for case in cases]
    return "\n".join(lines) or f"職員に送ったご質問はありません。「{ASK_STAFF}」から送れます。"


def _stand(case: Case) -> str:
    if case.ended == "withdrawn":
        return "取り下げ"
    if case.was_answered:
        return "回答済み"
    return {State.OPEN: "担当を決めています", State.TAKEN: "職員が確認しています"}.get(case.state, "終了")


def _shortened(question: str) -> str:
    text = " ".join(question.split())
    return text if len(text) <= _QUOTED else f"{text[: _QUOTED - 1]}…"


def reply_text(reply: Reply) -> str:
    """What an official wrote, as its asker reads it."""
    question = f"ご質問: 「{reply.question}」\n" if reply.question else ""
    if reply.kind == "correction":
        return f"以前のお答えを訂正します。\n{question}\n{reply.text}\n\n{reply.signed}"
    said = "職員からの回答です。" if reply.kind == "answer" else "職員から、次の連絡がありました。"
    return f"受付番号{reply.number}への{said}\n{question}\n{reply.text}\n\n{reply.signed}"


def outdated(found: Outdated) -> str:
    """Asks officials whether answers are put right."""
    return (
        f"{found.label}が変わりました。{len(found.turns)}件の回答が、前の内容に基づいています。\n"
        f"前の内容: {found.said}\n今の内容: {found.now or '記載がありません'}"
    )


def correction(found: Outdated) -> str:
    """What officials may start from when they put answers right."""
    now = found.now or "資料に記載がありません。"
    return f"以前のお答えのうち、{found.label}が変わりました。今は次のとおりです。\n{now}"


def unheld(figures: Iterable[str]) -> str:
    """Figures of an official's answer that stand in no rule and no document."""
    return f"資料や規則に見当たらない数字や日付があります: {'、'.join(figures)}。確かめてから進めてください。"


def withdrawn(number: int) -> str:
    """The asker has withdrawn a case."""
    return f"受付番号{number}を取り下げました。"


def solved(number: int) -> str:
    """The answer has helped."""
    return f"受付番号{number}を終了しました。ご確認ありがとうございました。"


def reopened(case: Case, hours: OfficeHours, now: datetime) -> str:
    """The answer has not helped."""
    when = "" if hours.is_open(now) else f"次の受付は{day_text(hours.next_opening(now))}からです。"
    return f"受付番号{case.number}を、もう一度職員に送りました。{when}分からないところがあれば、続けてお送りください。"


def offers(case: Case) -> tuple[str, ...]:
    """What an asker may say next about a case."""
    if case.state in (State.OPEN, State.TAKEN):
        return f"受付{case.number}は?", f"受付{case.number}を取り下げる"
    if case.state is State.ANSWERED:
        return solved_or_not(case.number)
    return ()


def title(reply: Reply) -> str:
    """What a reply is called above it."""
    return {"answer": "職員からの回答", "return": "職員からの連絡", "correction": "以前のお答えの訂正"}[reply.kind]


def taps_below(reply: Reply) -> tuple[str, ...]:
    """What may be tapped below a reply."""
    return (ASK_STAFF,) if reply.kind == "correction" else solved_or_not(reply.number)


def solved_or_not(number: int) -> tuple[str, str]:
    """The two taps below an answer."""
    return f"受付{number}は解決した", f"受付{number}は解決していない"
