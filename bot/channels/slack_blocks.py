"""An answer in the form of Slack: Block Kit messages, modals and the home tab, and the limits of each.

https://docs.slack.dev/reference/block-kit/blocks
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from bot.channels.cards import Headline, Look, lay_out_card
from bot.types import Answer, Citation
from knowledge.types import Program

Json = dict[str, Any]

SECTION_LIMIT = 3000
BUTTON_LIMIT = 75
VALUE_LIMIT = 2000
OPTION_LIMIT = 75
OPTION_VALUE_LIMIT = 150
BUTTONS = 25
_CHOICES_AS_BUTTONS = 5
"""More than so many choices are a menu."""
_SOURCES_SHOWN = 3
_HEADLINES_SHOWN = 4

_SIGNS: Mapping[Look, str] = {
    "yes": ":white_check_mark:",
    "no": ":no_entry:",
    "depends": ":warning:",
    "asks": ":grey_question:",
    "silent": ":heavy_minus_sign:",
    "": ":small_blue_diamond:",
}

EXAMPLES = (
    "財政力指数0.6の町は計画策定支援の対象になりますか",
    "推進体制構築支援の上限はいくらですか",
    "アドバイザー派遣は今申し込めますか",
)


def escape(text: str) -> str:
    """Text that must not turn into links, mentions or commands.

    https://docs.slack.dev/messaging/formatting-message-text#escaping
    """
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def read_text(text: str) -> str:
    """What a person wrote, from the form in which Slack hands it on: no mentions, links by their words."""
    text = re.sub(r"<[@!][^>]*>", " ", text)
    text = re.sub(r"<[^>|]*\|([^>]*)>", r"\1", text)
    text = re.sub(r"<([^>]*)>", r"\1", text)
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&").strip()


def clip(text: str, limit: int) -> str:
    """A text cut to a number of characters, marked as cut."""
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


def answer_message(
    answer: Answer, turn: str, programs: Mapping[str, Program], staff_label: str, shareable: str = ""
) -> Json:
    """An answer as the arguments of a message.

    Args:
        answer: what is said.
        turn: the key under which the answer is rated, and its sources are looked up.
        programs: by id.
        staff_label: what leads to people is called.
        shareable: the question, for an answer that only one person sees and may share.
    """
    card = lay_out_card(answer, programs)
    blocks = [headline_section(headline) for headline in card.headlines[:_HEADLINES_SHOWN]]
    blocks.append(plain_section(card.said))
    notes = [source(citation) for citation in dict.fromkeys(card.citations[:_SOURCES_SHOWN])]
    if card.basis:
        notes.append(escape(card.basis))
    if notes:
        blocks.append(context(notes))
    choices, said = [choice.label for choice in answer.choices], list(answer.suggestions)
    if len(choices) > _CHOICES_AS_BUTTONS:
        blocks.append(actions([_menu(choices)]))
    else:
        said = [*choices, *said]
    if said:
        blocks.append(actions([button(text, f"say_{n}", text) for n, text in enumerate(said[:BUTTONS])]))
    tools = [button("出典を表示", "sources", turn)] if card.citations else []
    if answer.rateable:
        tools.append(button("職員メモ", "note", turn))
        if staff_label not in said:
            tools.append(button(staff_label, "say_staff", staff_label))
    if shareable:
        shared = json.dumps([clip(shareable, 500), clip(answer.text, 1400)], ensure_ascii=False)
        tools.append(button("チャンネルに共有", "share", shared))
    blocks += [actions(tools)] if tools else []
    blocks += [_feedback(turn)] if answer.rateable else []
    return {"text": clip(escape(answer.text), SECTION_LIMIT), "blocks": blocks}


def led_by(note: str, message: Json) -> Json:
    """A message with a note before it."""
    text, shown = message["text"], message["blocks"]
    return message | {
        "text": clip(f"{escape(note)}\n{text}", SECTION_LIMIT),
        "blocks": [context([escape(note)]), *shown],
    }


def shared_message(question: str, text: str) -> Json:
    """A question and its answer, shown to a channel by the one who asked."""
    return {
        "text": clip(escape(text), SECTION_LIMIT),
        "blocks": [section(f"*{escape(question)}*"), plain_section(text)],
    }


def sources_view(citations: Sequence[Mapping[str, str]]) -> Json:
    """The modal with every source of an answer: document, place and phrase."""
    blocks = []
    for citation in citations[:40]:
        source = _link(escape(citation["source"]), citation["url"])
        quote = f"\n>{escape(citation['quote'])}" if citation["quote"] else ""
        blocks.append(section(f"*{escape(citation['place'])}*\n{source}{quote}"))
    return modal("出典", blocks or [plain_section("この回答の記録は残っていません。")])


def note_view(turn: str) -> Json:
    """The modal in which staff write a note on an answer."""
    field = {
        "type": "input",
        "block_id": "note",
        "label": plain("この回答についてのメモ"),
        "element": {"type": "plain_text_input", "action_id": "text", "multiline": True, "max_length": 3000},
    }
    return modal("職員メモ", [field]) | {
        "callback_id": "note",
        "private_metadata": turn,
        "submit": plain("保存"),
    }


def program_view(programs: Iterable[Program]) -> Json:
    """The first step of the eligibility check: which program."""
    options = [(program.name, program.id) for program in programs]
    return _step("どの支援事業の対象になるかを確かめますか。", options, {"program": ""})


def question_view(program: Program, facts: Mapping[str, str], asked: Answer) -> Json:
    """A step of the eligibility check: one question with its choices."""
    options = [(choice.label, choice.value) for choice in asked.choices]
    state = {"program": program.id, "facts": facts, "asks": asked.missing[0]}
    return _step(f"【{program.name}】{asked.text}", options, state)


def outcome_view(answer: Answer, programs: Mapping[str, Program]) -> Json:
    """The end of the eligibility check."""
    card = lay_out_card(answer, programs)
    blocks = [headline_section(headline) for headline in card.headlines[:_HEADLINES_SHOWN]]
    blocks.append(plain_section(card.said))
    notes = [*(source(citation) for citation in card.citations[:_SOURCES_SHOWN]), escape(card.basis)]
    return modal("対象チェック", [*blocks, context([note for note in notes if note] or ["-"])])


def home_view(programs: Iterable[Program], calls: Mapping[str, str], status: str) -> Json:
    """The home tab: what the app is for, and where each program's call stands."""
    blocks: list[Json] = [
        {"type": "header", "text": plain("総務省の支援事業の窓口")},
        plain_section(
            "資料に基づいて、対象、上限、募集時期、費用、手続きなどをお答えします。"
            "チャンネルではメンション、または /madoguchi 質問 でお尋ねください。"
        ),
        actions([button("対象チェック", "check", "start"), *_example_buttons()]),
        {"type": "divider"},
    ]
    for program in programs:
        blocks.append(section(f"*{escape(program.name)}*\n{escape(program.summary)}"))
        blocks.append(context([escape(clip(calls[program.id], 1900))]))
    blocks += [{"type": "divider"}, context([escape(status)])]
    return {"type": "home", "blocks": blocks}


def outdated_view() -> Json:
    """What takes the place of a step that an earlier version asked."""
    return modal("対象チェック", [plain_section("この画面は使えなくなりました。もう一度、最初からお試しください。")])


def _example_buttons() -> list[Json]:
    return [button(example, f"say_{n}", example) for n, example in enumerate(EXAMPLES)]


def _menu(labels: Iterable[str]) -> Json:
    """Choices of which one is said."""
    options = [{"text": plain(clip(label, OPTION_LIMIT)), "value": clip(label, OPTION_VALUE_LIMIT)} for label in labels]
    return {
        "type": "static_select",
        "action_id": "say_choice",
        "placeholder": plain("選んでください"),
        "options": options,
    }


def _step(text: str, options: Iterable[tuple[str, str]], state: Json) -> Json:
    select = {
        "type": "static_select",
        "action_id": "choice",
        "placeholder": plain("選んでください"),
        "options": [{"text": plain(clip(label, OPTION_LIMIT)), "value": value} for label, value in options],
    }
    field = {"type": "input", "block_id": "step", "label": plain(clip(text, VALUE_LIMIT)), "element": select}
    return modal("対象チェック", [field]) | {
        "callback_id": "check",
        "private_metadata": json.dumps(state, ensure_ascii=False),
        "submit": plain("次へ"),
    }


def modal(title: str, blocks: list[Json]) -> Json:
    """A modal."""
    return {"type": "modal", "title": plain(title), "close": plain("閉じる"), "blocks": blocks}


def headline_section(headline: Headline) -> Json:
    """A ruling at a glance."""
    result = " ".join(filter(None, (headline.value, headline.verdict)))
    about = f"{escape(headline.about)}\n" if headline.about else ""
    return section(f"{about}{_SIGNS[headline.look]} *{escape(result)}*")


def source(citation: Citation) -> str:
    """A source in one line of Slack's markup."""
    quote = f"「{escape(citation.quote)}」" if citation.quote else ""
    return clip(f"根拠: {_link(escape(citation.place), citation.url)}{quote}", 1900)


def _link(words: str, url: str) -> str:
    return f"<{url}|{words}>" if re.fullmatch(r"https?://[^\s|<>]+", url) else words


def _feedback(turn: str) -> Json:
    element = {
        "type": "feedback_buttons",
        "action_id": "rate",
        "positive_button": {"text": plain("役に立った"), "value": f"{turn}:1"},
        "negative_button": {"text": plain("役に立たない"), "value": f"{turn}:0"},
    }
    return {"type": "context_actions", "elements": [element]}


def button(label: str, action: str, value: str) -> Json:
    """A button; who taps it sends its value."""
    text = plain(clip(label, BUTTON_LIMIT))
    return {"type": "button", "action_id": action, "text": text, "value": clip(value, VALUE_LIMIT)}


def actions(elements: list[Json]) -> Json:
    """A row of what can be tapped."""
    return {"type": "actions", "elements": elements}


def context(notes: list[str]) -> Json:
    """Notes in small grey letters."""
    return {"type": "context", "elements": [{"type": "mrkdwn", "text": note, "verbatim": True} for note in notes[:10]]}


def section(mrkdwn: str) -> Json:
    """Text in Slack's own markup."""
    return {"type": "section", "text": {"type": "mrkdwn", "text": clip(mrkdwn, SECTION_LIMIT), "verbatim": True}}


def plain_section(text: str) -> Json:
    """Text exactly as it is: documents have asterisks and underscores of their own."""
    return {"type": "section", "text": plain(clip(text, SECTION_LIMIT))}


def plain(text: str) -> Json:
    """A text object without markup."""
    return {"type": "plain_text", "text": text, "emoji": False}
