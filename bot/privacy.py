"""What people may ask of their own record in any channel: to see it, to have it deleted, how it is kept."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from knowledge.figures import normalize

OwnRequest = Literal["shown", "forgotten", "told"]
"""That one's own record be shown or deleted, or that one be told how it is kept and deleted."""

SHOW, FORGET = "私の情報を見せて", "私の情報を消して"

_OWNER = r"(?:私|わたし|わたくし|自分|ぼく|僕|おれ|俺|うち|当方)(?:の|に関する|についての)"
_OWN = (
    rf"(?:(?:{_OWNER}|(?:これまで|今まで|いままで)の)+"
    r"(?:個人情報|情報|(?:個人|会話)?データ|(?:質問|会話|利用)?の?(?:記録|履歴)|会話|質問|やり取り|やりとり)"
    r"|(?:この)?会話の?(?:記録|履歴))"
)
_ALL = r"(?:すべて|全て|全部|ぜんぶ)?"
_PLEASE = r"(?:ください|下さい|ほしい(?:です)?|欲しい(?:です)?|もらえますか|くれますか|いただけますか|お願いします)?"
_FORGETS = re.compile(
    rf"{_OWN}(?:を|は|も)?{_ALL}(?:消し|消去し?|削除し?|破棄し?|忘れ)(?:て{_PLEASE}|たい(?:です)?|(?:を)?お願いします)?"
)
_SHOWS = re.compile(
    rf"{_OWN}(?:を|は|も)?{_ALL}(?:見せ|出力し?|開示し?|書き出し|ダウンロードし?|表示し?|確認し?|見)"
    rf"(?:て{_PLEASE}|たい(?:です)?|(?:を)?お願いします)?"
)
_ASKS_HOW = re.compile(
    rf"{_OWN}(?:は|を|が|の)?(?:どう(?:やって|なり|扱|すれば|保存)|いつまで|いつ消|消す方法|消し方|削除方法|取り?扱い|残り|残る|"
    r"消せ|保存され|見られ).{0,20}"
)
_ENDS = "。.!?、 "

FORGOTTEN = (
    "あなたの記録を消しました。消したのは、ご質問と回答、うかがった条件、回答への評価とメモ、職員へのご質問と回答の返信先です。"
    "この画面に表示されているやりとりは、アプリの側で消してください。"
)
NOT_HERE = "このトークは、ほかの人にも見えます。記録は、1対1のトークで「私の情報を見せて」と送ると表示します。"
NOTHING = "あなたの記録はありません。"


@dataclass(frozen=True)
class OwnRecord:
    """All that is stored of a person, in the form of JSON: questions with their answers, cases, briefing questions."""

    questions: Sequence[Mapping[str, Any]]
    cases: Sequence[Mapping[str, Any]]
    briefings: Sequence[Mapping[str, Any]]

    def as_json(self) -> dict[str, Any]:
        """For a file."""
        return {"questions": list(self.questions), "cases": list(self.cases), "briefings": list(self.briefings)}


def own_request(text: str) -> OwnRequest | None:
    """What a message asks of the asker's own record; None for every other message."""
    said = normalize(text).strip(_ENDS)
    if _FORGETS.fullmatch(said):
        return "forgotten"
    if _SHOWS.fullmatch(said):
        return "shown"
    return "told" if _ASKS_HOW.fullmatch(said) else None


def how_it_is_kept(days: int) -> str:
    """How long a record is kept, and the words that show and delete it."""
    return (
        f"ご質問と回答は{days}日間保存し、その後に消します。利用者のIDは、元に戻せない形に変えて保存します"
        "(職員が回答するまでの間は、返信先を暗号化して持ちます)。"
        f"「{SHOW}」と送ると記録を表示し、「{FORGET}」と送ると消します。"
    )


def described(record: OwnRecord, days: int, limit: int) -> str:
    """A record as its owner reads it in a chat, the newest first, in at most so many characters."""
    entries = [
        f"・{entry['asked_at'][:16].replace('T', ' ')} 「{entry['question']}」" for entry in reversed(record.questions)
    ]
    entries += [f"・受付番号{case['number']} 「{case['question']}」" for case in reversed(record.cases)]
    entries += [f"・説明会 「{asked['question']}」" for asked in reversed(record.briefings)]
    if not entries:
        return NOTHING
    head = f"保存しているのは、次のご質問{len(entries)}件と、その回答です。{days}日で消えます。"
    tail = f"「{FORGET}」と送ると、今すぐ消します。"
    shown, room = [], limit - len(head) - len(tail) - len("ほか0000件")
    for entry in entries:
        room -= len(entry) + 1
        if room < 0:
            break
        shown.append(entry)
    left = [f"ほか{len(entries) - len(shown)}件"] if len(shown) < len(entries) else []
    return "\n".join([head, *shown, *left, tail])
