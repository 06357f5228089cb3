"""What officials see of cases in Slack: the card, the modals, the lists. Block Kit, with the limits of each."""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from bot.channels.slack_blocks import actions, button, clip, context, escape, modal, plain, plain_section, section
from bot.desk.faq import StaffAnswer
from bot.desk.reporting import Group
from bot.desk.types import CORRECTION, Case, Json, Kind, Reply, State, View
from bot.replies import SOURCES
from knowledge.types import Program
from knowledge.watching import Change

if TYPE_CHECKING:
    from bot.drafting import Draft

LONGEST_REPLY = 1400
"""Characters of a reply: the preview hands it on in a view's metadata, of which Slack takes 3,000, escaped."""

_CHANNELS = {"line": "LINE", "slack": "Slack", "web": "チャットの画面", "briefing": "説明会", CORRECTION: "規則の変更"}
_STATES = {
    State.OPEN: "未対応",
    State.TAKEN: "対応中",
    State.ANSWERED: "回答済み",
    State.CLOSED: "終了",
}
_ENDED = {
    "solved": "質問者が「解決した」と答えました。",
    "withdrawn": "質問者が取り下げました。",
    "unheard": "回答のあと、質問者から連絡がないため終了しました。",
    "gone": "質問者が質問を取り消したか、退会したため、内容を消しました。",
    "expired": "保存期間を過ぎたため、内容を消しました。",
    "dropped": "訂正は送らないことにしました。",
}
_STOPPED = {
    "unknown": "資料に記載が見当たりません。",
    "needs_info": "確認が必要な事柄が残っています。",
    "offtopic": "窓口で答えられる範囲の外とされました。",
    "error": "窓口では答えられませんでした。",
}
_ASKED_FOR = "窓口は答えましたが、職員の回答を希望されています。"
_DIRECT = "職員への直接のご質問です。"
_UNHELPFUL = "窓口の回答は「役に立たない」とされました。"

_QUOTED = 600
_LISTED = 150

_PASSAGE = 500
"""Characters of a passage that an official may start from."""

_FROM_SOURCES = "下書きは、資料の文から作りました。確かめてから直してください。"
_LOOKING = "近い資料を探しています。"
_NO_DRAFT = "資料に答えは見当たりません。近い箇所から始めることもできます。"

_GROUPS = 8
_CHANGES = 10
_EXAMPLES = 7

WRITTEN = "text"
"""What the name of the field begins with in which an official writes."""

_OF_A_VIEW = ("type", "title", "close", "submit", "callback_id", "private_metadata")
"""What of a view goes back when it is updated."""

PAGE = 12
"""Cases on a page of the home tab, which takes 100 blocks in all."""

VIEWS: Mapping[View, str] = {"waiting": "未対応・対応中", "mine": "自分の担当", "overdue": "期限切れ"}

LISTS: Mapping[str, View] = {"未対応": "waiting", "担当": "mine", "期限切れ": "overdue"}
"""What a list is called in the command that asks for it."""


def case_message(case: Case, replies: Sequence[Reply], programs: Mapping[str, Program]) -> Json:
    """The card of a case, as it now stands."""
    title = f"受付{case.number} {_STATES[case.state]}"
    blocks: list[Json] = [{"type": "header", "text": plain(title)}]
    if case.question:
        heading = "訂正の検討" if case.corrects else "質問"
        blocks.append(section(f"*{heading}*\n{_quoted(clip(case.question, 2500))}"))
    blocks.append(context([_origin(case, programs)]))
    if case.question and not case.corrects:
        blocks += _what_is_known(case)
    if case.assignee:
        blocks.append(section(f"*担当* <@{case.assignee}>"))
    blocks += (
        [_correction(replies)] if case.corrects and replies else [_reply(reply) for reply in replies if reply.text]
    )
    if case.ended:
        blocks.append(context([_ENDED[case.ended]]))
    if buttons := _buttons(case):
        blocks.append(actions(buttons))
    return {"text": escape(clip(f"{title}: {case.question}", 300)), "blocks": blocks}


def _what_is_known(case: Case) -> list[Json]:
    """What the bot understood and found, and why it stopped there."""
    if case.found is None:
        return [section(f"*窓口で止まった理由*\n{_DIRECT}")]
    blocks = []
    if labels := [fact["label"] for fact in case.found["understood"]]:
        blocks.append(section(f"*読み取ったこと*\n{escape('、'.join(labels))}"))
    said = case.found["text"].partition(SOURCES)[0]
    blocks.append(section(f"*窓口の回答*\n{_quoted(clip(said, _QUOTED))}"))
    stopped = _UNHELPFUL if case.found.get("helpful") is False else _STOPPED.get(case.found["status"], _ASKED_FOR)
    blocks.append(section(f"*窓口で止まった理由*\n{stopped}"))
    if places := [citation["place"] for citation in case.found["citations"]]:
        blocks.append(context([f"見つかった資料: {escape(clip('、'.join(dict.fromkeys(places)), 1900))}"]))
    return blocks


def _origin(case: Case, programs: Mapping[str, Program]) -> str:
    where = _CHANNELS.get(case.channel, case.channel) + (
        "(グループ)" if case.in_room and case.channel == "line" else ""
    )
    stamp, shown = int(case.opened_at.timestamp()), f"{case.opened_at:%Y-%m-%d %H:%M}"
    moment = f"<!date^{stamp}^{{date_num}} {{time}}({{ago}})|{shown}>"
    return f"{escape(_program(case.program, programs))} ・ {where}から ・ {moment}"


def _program(id: str, programs: Mapping[str, Program]) -> str:
    return programs[id].short_name if id in programs else "事業の指定なし"


def _reply(reply: Reply) -> Json:
    kind = "回答" if reply.kind == "answer" else "差し戻し"
    arrived = "届きました" if reply.arrived else "まだ届いていません"
    return section(f"*{kind}* <@{reply.written_by}>({arrived})\n{_quoted(reply.text)}")


def _correction(replies: Sequence[Reply]) -> Json:
    arrived = sum(reply.arrived for reply in replies)
    first = next((reply for reply in replies if reply.text), replies[0])
    return section(
        f"*訂正* <@{first.written_by}>({len(replies)}件のうち{arrived}件に届きました)\n{_quoted(first.text)}"
    )


def _quoted(text: str) -> str:
    return "\n".join(f">{escape(line)}" for line in text.splitlines())


def _buttons(case: Case) -> list[Json]:
    number = str(case.number)
    if case.corrects:
        write = button("訂正を書く", "case_correct", number) | {"style": "primary"}
        return [write, button("送らない", "case_drop", number)] if case.waits else []
    if case.state is State.OPEN:
        return [
            button("担当する", "case_take", number) | {"style": "primary"},
            button("回答する", "case_answer", number),
            button("差し戻す", "case_return", number),
        ]
    if case.state is State.TAKEN:
        return [
            button("回答する", "case_answer", number) | {"style": "primary"},
            button("担当を代わる", "case_take_over", number),
            button("差し戻す", "case_return", number),
        ]
    return [button("FAQ候補にする", "case_faq", number)] if case.question and case.was_answered else []


def writing_view(
    case: Case,
    kind: Kind,
    shown: str,
    draft: str,
    related: Sequence[tuple[str, str]] | None,
    worded: "Draft | None" = None,
) -> Json:
    """The modal in which an official writes: an answer, or why the question goes back.

    Args:
        case: what is asked.
        kind: what is written.
        shown: the list that it was opened from, where it was.
        draft: what stands in the field at first.
        related: passages that may help, each with its place; None while they are looked for.
        worded: what a chat model would write, where one has.
    """
    label = {"answer": "回答", "return": "差し戻す理由", "correction": "訂正"}[kind]
    text = {
        "type": "plain_text_input",
        "action_id": "text",
        "multiline": True,
        "max_length": LONGEST_REPLY,
    } | ({"initial_value": clip(draft, LONGEST_REPLY)} if draft else {})
    name = {"type": "plain_text_input", "action_id": "text", "max_length": 30}
    blocks = [
        section(f"*質問*\n{_quoted(clip(case.question, 1500))}"),
        {"type": "input", "block_id": WRITTEN, "label": plain(label), "element": text},
        {
            "type": "input",
            "block_id": "name",
            "optional": True,
            "label": plain("お名前(質問者に表示されます。なくてもかまいません)"),
            "element": name,
        },
    ]
    if draft and kind == "answer":
        blocks.append(context([_FROM_SOURCES]))
    if related is None:
        blocks.append(context([_LOOKING]))
    elif kind == "answer" and related and not draft:
        blocks.append(context([_NO_DRAFT]))
    blocks += _worded(worded) if worded else []
    for place, passage in related or ():
        blocks.append(context([f"*{escape(place)}*\n{escape(clip(passage, _PASSAGE))}"]))
        if kind == "answer":
            used = f"{clip(passage.strip(), _PASSAGE)}\n(資料「{place}」より)"
            blocks.append(actions([button("この文を使う", "case_draft", clip(used, LONGEST_REPLY))]))
    return modal(writing_title(case.number, kind), blocks) | {
        "callback_id": "case_write",
        "private_metadata": json.dumps({"case": case.number, "kind": kind, "shown": shown}),
        "submit": plain("内容を確認"),
    }


def _worded(draft: "Draft") -> list[Json]:
    """A chat model's draft, which is for officials alone; what no source states is marked."""
    shown, end = "", 0
    for start, stop in draft.marked:
        shown += f"{draft.text[end:start]}:warning:{draft.text[start:stop]}"
        end = stop
    shown += draft.text[end:]
    notes = ["言語モデルが書いたものです。そのままでは、だれにも届きません。"]
    if draft.marked:
        missing = "、".join(dict.fromkeys(draft.unsupported))
        notes.append(f":warning: 資料や規則に見当たらない数字・日付・判断: {escape(missing)}")
    return [
        section(f"*言語モデルの下書き*\n{_quoted(clip(shown, 2000))}"),
        context(notes),
        actions([button("この下書きを使う", "case_draft", clip(draft.text, LONGEST_REPLY))]),
    ]


def using_draft(view: Json, text: str) -> Json:
    """The modal with a draft in its field, which gets another name each time: Slack keeps what a known one has."""
    blocks = [
        block
        | {
            "block_id": f"{block['block_id']}+",
            "element": block["element"] | {"initial_value": clip(text, LONGEST_REPLY)},
        }
        if block.get("block_id", "").startswith(WRITTEN)
        else block
        for block in view["blocks"]
    ]
    return {name: view[name] for name in _OF_A_VIEW if name in view} | {"blocks": blocks}


def examples(questions: Sequence[str]) -> list[tuple[str, str]]:
    """What is put right, each once, under a heading."""
    asked = list(dict.fromkeys(questions))
    listed = [f"・{clip(' '.join(question.split()), 60)}" for question in asked[:_EXAMPLES]]
    more = [f"ほか{len(asked) - _EXAMPLES}件"] if len(asked) > _EXAMPLES else []
    return [("前の内容に基づいて答えたご質問", "\n".join([*listed, *more]))] if asked else []


def writing_title(number: int, kind: Kind) -> str:
    """The title of the modals in which something is written and sent."""
    return f"受付{number}{ {'answer': 'に回答', 'return': 'を差し戻す', 'correction': 'の訂正'}[kind] }"


def preview_view(title: str, shown: str, to: str, warnings: Iterable[str], metadata: Json) -> Json:
    """What the asker, or those who asked the questions `to` which it goes, will get, before it is sent."""
    blocks = [section(f"*このまま{to}質問者に届きます。*"), plain_section(shown)]
    blocks += [context([f":warning: {escape(warning)}"]) for warning in warnings]
    return modal(title, blocks) | {
        "callback_id": "case_send",
        "private_metadata": json.dumps(metadata, ensure_ascii=False),
        "close": plain("戻る"),
        "submit": plain("質問者に送る"),
    }


def notice_view(title: str, text: str) -> Json:
    """A modal that only says something."""
    return modal(title, [section(text)])


def home_blocks(
    view: View,
    cases: Sequence[Case],
    counts: Mapping[View, int],
    page: int,
    quota: str,
    groups: Sequence[Group],
    programs: Mapping[str, Program],
    now: datetime,
) -> list[Json]:
    """The officials' part of the home tab: the lists with their counts, and one page of the one that is looked at."""
    tabs = [
        button(f"{'● ' if name == view else ''}{label}({counts[name]})", f"home_{name}", f"{name}:0")
        for name, label in VIEWS.items()
    ]
    blocks: list[Json] = [{"type": "header", "text": plain("職員の窓口")}, actions(tabs)]
    for case in cases:
        blocks += listed(case, programs, now)
    if not cases:
        blocks.append(plain_section("ここに入る受付はありません。"))
    last = max(0, (counts[view] - 1) // PAGE)
    turns = []
    if page > 0:
        turns.append(button("前へ", "home_before", f"{view}:{page - 1}"))
    if page < last:
        turns.append(button("次へ", "home_next", f"{view}:{page + 1}"))
    if turns:
        blocks += [actions(turns), context([f"{page + 1} / {last + 1} ページ"])]
    if quota:
        blocks.append(context([quota]))
    blocks += unanswered_blocks(groups, programs)
    return [*blocks, {"type": "divider"}]


def listed(case: Case, programs: Mapping[str, Program], now: datetime, wanted: str = "") -> list[Json]:
    """A case in a list: the question, how it stands, and what can be done; in one that was `wanted` by its name."""
    who = f" ・ <@{case.assignee}>" if case.assignee else ""
    late = " ・ :warning: 期限切れ" if case.overdue else ""
    about = " ・ ".join(
        (
            _STATES[case.state],
            escape(_program(case.program, programs)),
            f"{_CHANNELS.get(case.channel, case.channel)}から",
            _age(now - case.opened_at),
        )
    )
    buttons = [
        button(entry["text"]["text"], entry["action_id"], entry["value"]) | {"action_id": entry["action_id"]}
        for entry in _buttons(case)
    ]
    return [
        section(f"*受付{case.number}* {escape(clip(' '.join(case.question.split()), _LISTED))}"),
        context([f"{about}{who}{late}"]),
        *([actions(buttons) | ({"block_id": f"{_LIST}:{wanted}:{case.number}"} if wanted else {})] if buttons else []),
    ]


_LIST = "list"


def list_of(block_id: str) -> str:
    """The name of the list in which the buttons of a block stand; "" elsewhere."""
    kind, _, place = block_id.partition(":")
    return place.partition(":")[0] if kind == _LIST else ""


def list_message(
    wanted: str, cases: Sequence[Case], count: int, programs: Mapping[str, Program], now: datetime
) -> Json:
    """The cases of a list that was asked for by its name, for one person to see."""
    name = VIEWS[LISTS[wanted]]
    if not cases:
        return {"text": f"{name}の受付はありません。"}
    text = f"{name}の受付は{count}件です。"
    blocks = [section(f"*{text}*"), *(block for case in cases for block in listed(case, programs, now, wanted))]
    if count > len(cases):
        blocks.append(context([f"ほかに{count - len(cases)}件あります。アプリのホームで見られます。"]))
    return {"text": text, "blocks": blocks}


def candidate_message(entry: StaffAnswer, warnings: Iterable[str]) -> Json:
    """A candidate for the FAQ, in the thread of its card: a second official approves it."""
    blocks: list[Json] = [
        section(f"*FAQ候補* ・ {escape(entry.source)} ・ {entry.expires_on:%Y-%m-%d}まで"),
        section(f"*質問*\n{_quoted(entry.question)}"),
        section(f"*回答*\n{_quoted(entry.answer)}"),
    ]
    blocks += [context([f":warning: {escape(warning)}"]) for warning in warnings]
    if entry.state == "proposed":
        who = f"<@{entry.proposed_by}> " if entry.proposed_by else escape(entry.signed)
        blocks.append(context([f"{who}が候補にしました。別の方が承認すると、近い質問に示されます。"]))
        id = str(entry.id)
        approve = button("承認する", "faq_approve", id) | {"style": "primary"}
        blocks.append(actions([approve, button("見送る", "faq_decline", id)]))
    else:
        done = "承認しました。" if entry.state == "approved" else "見送りました。"
        blocks.append(context([f"<@{entry.decided_by}> が{done}"]))
    return {"text": f"FAQ候補({entry.source})", "blocks": blocks}


def digest_message(counts: Mapping[View, int], groups: Sequence[Group], programs: Mapping[str, Program]) -> Json:
    """The morning: what waits, and what was asked and not answered since the office day before."""
    text = f"おはようございます。未対応・対応中は{counts['waiting']}件、うち期限切れは{counts['overdue']}件です。"
    return {"text": text, "blocks": [section(f"*{text}*"), *unanswered_blocks(groups, programs)]}


def changes_message(changes: Sequence[Change]) -> Json:
    """Figures that a watched page changed: before and after, the sentence, the place, and what is to be done."""
    text = f"見守っているページで、数値が{len(changes)}か所変わりました。確かめるまで、回答にはその旨の注意が付きます。"
    lines = []
    for change in changes[:_CHANGES]:
        was = f"{change.before} → " if change.before else ""
        place = f"({change.place})" if change.place else ""
        said = escape(clip(change.new_sentence, _LISTED))
        lines.append(f"• *{escape(was + change.after)}*{escape(place)}\n    「{said}」")
    if len(changes) > _CHANGES:
        lines.append(f"ほか{len(changes) - _CHANGES}か所")
    pages = " ".join(f"<{escape(url)}>" for url in dict.fromkeys(change.url for change in changes))
    todo = "`python -m ingest draft` で年度のファイルの下書きを作り、確かめてから `--accept` で採用してください。"
    blocks = [section(f"*{escape(text)}*"), section(clip("\n".join(lines), 3000)), context([f"{pages}\n{todo}"])]
    return {"text": text, "blocks": blocks}


def unanswered_blocks(groups: Sequence[Group], programs: Mapping[str, Program]) -> list[Json]:
    """What was asked and not answered, the most frequent first."""
    if not groups:
        return [context(["前の営業日の朝からは、答えられなかった質問はありません。"])]
    frequent = sorted(groups, key=lambda group: -group.count)[:_GROUPS]
    lines = []
    for group in frequent:
        name = _program(group.program, programs)
        question = escape(clip(" ".join(group.questions[0].split()), _LISTED))
        unhelpful = f"、役に立たない {group.unhelpful}件" if group.unhelpful else ""
        lines.append(f"• {question}({name}、{group.count}件{unhelpful})")
        lines += [f"    メモ: {escape(clip(note, _LISTED))}" for note in group.notes[-1:]]
    return [section(clip("\n".join(["*前の営業日の朝から、答えられなかった質問*", *lines]), 3000))]


def note(what: str, case: Case) -> str:
    """What is said in the thread of a card; "" for what the card itself shows."""
    who = f"<@{case.assignee}>" if case.assignee else ""
    if case.corrects:
        return f"{who or 'どなたか'}、訂正を送るかどうかを決めてください。" if what in ("reminded", "escalated") else ""
    return {
        "reminded": f"{who or 'どなたか'}、質問者が回答を待っています。",
        "escalated": f"<!channel> {who} 1営業日を過ぎても回答していません。対応をお願いします。",
        "reopened": f"{who} 質問者から「まだ解決していない」と連絡がありました。もう一度ご対応ください。",
        "withdrawn": "質問者が取り下げました。",
        "gone": "質問者が質問を取り消したか、退会しました。回答は届きません。",
        "held": "LINEで今月送れる通数が少ないため、次に質問者が話しかけたときに届けます。",
        "undelivered": f"{who} LINEが受け付けず、届けられませんでした。次に質問者が話しかけたときに届けます。",
    }.get(what, "")


def _age(age: timedelta) -> str:
    minutes = int(age.total_seconds() // 60)
    if minutes < 60:
        return f"{minutes}分前"
    return f"{minutes // 60}時間前" if minutes < 48 * 60 else f"{minutes // (24 * 60)}日前"
