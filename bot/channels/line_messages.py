"""An answer in the form of LINE: Flex messages, quick replies, and the limits of both.

Messages are built in the shape of the Messaging API's JSON, because that is how they lie in the inbox.
https://developers.line.biz/en/reference/messaging-api/#message-objects
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from bot.channels.cards import Card, Headline, Look, lay_out_card
from bot.desk.sentences import SOLVED, reply_text, title
from bot.desk.types import Reply
from bot.replies import SOURCES
from bot.types import Answer, Citation
from knowledge.types import Program

Json = dict[str, Any]

TEXT_LIMIT = 5000
"""Of a text message, in UTF-16 code units, as all lengths of message texts are counted."""

ALT_TEXT_LIMIT = 400
"""Of a Flex message. The reference has allowed more at times; this was never refused."""

LABEL_LIMIT = 20
"""Of a quick reply."""

POSTBACK_LIMIT = 300
"""Of a postback's data, and of the text that is shown for a tap."""

QUICK_REPLIES = 13
BUBBLE_LIMIT = 30_000
"""Bytes of one bubble."""

_SOURCES_SHOWN = 3
_HEADLINES_SHOWN = 4

_COLORS: Mapping[Look, str] = {
    "yes": "#0F6B3A",
    "no": "#A3261B",
    "depends": "#7A4D00",
    "asks": "#1D4F91",
    "silent": "#555555",
    "": "#333333",
}
_INK, _FAINT = "#222222", "#5F6368"

CHECK = "対象チェック"
HELPED, DID_NOT_HELP = "役に立った", "役に立たない"


def length(text: str) -> int:
    """The length as LINE counts it: in UTF-16 code units."""
    return len(text.encode("utf-16-le")) // 2


def clip(text: str, limit: int) -> str:
    """A text cut to a limit of UTF-16 units, at a whole character and marked as cut."""
    if length(text) <= limit:
        return text
    kept = text.encode("utf-16-le")[: 2 * (limit - 1)].decode("utf-16-le", errors="ignore")
    return f"{kept}…"


def answer_messages(
    answer: Answer, turn: str, programs: Mapping[str, Program], staff_label: str, rateable: bool
) -> list[Json]:
    """An answer as messages, with what can be tapped next.

    Args:
        answer: what is said.
        turn: the key under which the answer can be rated.
        programs: by id.
        staff_label: what leads to people is called.
        rateable: whether to ask if it helped: in a group, quick replies belong to nobody.
    """
    message = _answer_message(_with_choices_listed(answer), programs, staff_label)
    items = [say_item(text) for text in (*(choice.label for choice in answer.choices), *answer.suggestions)]
    if rateable and answer.rateable:
        items += [
            postback_item(HELPED, {"rate": turn, "helpful": True}),
            postback_item(DID_NOT_HELP, {"rate": turn, "helpful": False}),
        ]
    return [with_quick_replies(message, items)]


def _with_choices_listed(answer: Answer) -> Answer:
    """LINE on a PC shows no quick replies, so what may be chosen stands in the text too."""
    if not answer.choices:
        return answer
    said, marker, sources = answer.text.partition(SOURCES)
    listed = "、".join(choice.label for choice in answer.choices)
    return replace(answer, text=f"{said}\n文字でも答えられます: {listed}{marker}{sources}")


def text_message(text: str) -> Json:
    """A plain text message."""
    return {"type": "text", "text": clip(text, TEXT_LIMIT)}


def as_plain_text(message: Json) -> Json:
    """A message for where Flex is not taken: the whole text, with the same taps."""
    if message["type"] != "flex":
        return message
    plain = text_message(message.get("text") or message["altText"])
    return plain | {"quickReply": message["quickReply"]} if "quickReply" in message else plain


def with_quick_replies(message: Json, items: Iterable[Json]) -> Json:
    """The message with buttons below it, as many as are allowed."""
    shown = list(items)[:QUICK_REPLIES]
    return message | {"quickReply": {"items": shown}} if shown else message


def say_item(text: str, label: str = "") -> Json:
    """A button that says something for the person. As a postback it reaches us in groups too, without a mention."""
    return postback_item(label or text, {"say": text})


def postback_item(label: str, data: Json) -> Json:
    """A button whose tap comes back as data, and is shown in the conversation by its label."""
    return {"type": "action", "action": postback_action(label, data)}


def postback_action(label: str, data: Json) -> Json:
    """What a tap does: its data is JSON without blanks, to stay within the limit."""
    compact = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    shown = clip(label, POSTBACK_LIMIT)
    return {"type": "postback", "label": clip(label, LABEL_LIMIT), "data": compact, "displayText": shown}


def _answer_message(answer: Answer, programs: Mapping[str, Program], staff_label: str) -> Json:
    """A Flex card where there is a ruling or a source to show; else, and where that gets too large, text."""
    card = lay_out_card(answer, programs)
    if not card.headlines and not card.citations:
        return text_message(answer.text)
    bubble = _bubble(card, staff_label)
    if len(json.dumps(bubble, ensure_ascii=False).encode()) > BUBBLE_LIMIT:
        return text_message(answer.text)
    text = clip(answer.text, TEXT_LIMIT)  # goes along for `as_plain_text`; it is not of a Flex message
    return {"type": "flex", "altText": clip(answer.text, ALT_TEXT_LIMIT), "contents": bubble, "text": text}


def reply_message(reply: Reply) -> Json:
    """What an official wrote, as a card; `reply` goes along to say which one it is, and is not of the message."""
    text = reply_text(reply)
    number = [] if reply.kind == "correction" else [_text(f"受付番号{reply.number}", size="xs", color=_FAINT)]
    body: list[Json] = [
        *number,
        _text(title(reply), size="lg", weight="bold", color=_COLORS["asks"]),
        {"type": "separator", "margin": "md"},
        _text(f"ご質問: {clip(reply.question, 300)}", size="sm", color=_FAINT, margin="md"),
        _text(reply.text, size="md", color=_INK, margin="lg"),
        _text(reply.signed, size="xs", color=_FAINT, margin="lg", align="end"),
        *([_text(SOLVED, size="sm", color=_INK, margin="lg")] if reply.kind == "answer" else ()),
    ]
    box = {"type": "box", "layout": "vertical", "contents": body, "paddingAll": "lg"}
    bubble = {"type": "bubble", "size": "mega", "body": box}
    return {
        "type": "flex",
        "altText": clip(text, ALT_TEXT_LIMIT),
        "contents": bubble,
        "text": clip(text, TEXT_LIMIT),
        "reply": reply.id,
    }


def also_offering(messages: list[Json], items: Iterable[Json]) -> list[Json]:
    """Messages with more buttons below the last one, whose own come first."""
    *others, last = messages
    own = last.get("quickReply", {"items": []})["items"]
    return [*others, with_quick_replies(last, [*own, *items])]


def _bubble(card: Card, staff_label: str) -> Json:
    body: list[Json] = []
    for headline in card.headlines[:_HEADLINES_SHOWN]:
        body.append(_headline(headline))
    body.append(_text(card.said, size="md", color=_INK, margin="lg" if body else "none"))
    if card.citations:
        body.append({"type": "separator", "margin": "lg"})
        body += [_source(citation) for citation in dict.fromkeys(card.citations[:_SOURCES_SHOWN])]
    if card.basis:
        body.append(_text(card.basis, size="xs", color=_FAINT, margin="md"))
    bubble: Json = {
        "type": "bubble",
        "size": "mega",
        "body": {"type": "box", "layout": "vertical", "contents": body, "paddingAll": "lg"},
    }
    return bubble | {
        "footer": {
            "type": "box",
            "layout": "horizontal",
            "spacing": "sm",
            "contents": _buttons(card.citations, staff_label),
        }
    }


def _headline(headline: Headline) -> Json:
    """What it is about in small letters, and below it the figure and the verdict."""
    contents: list[Json] = []
    if headline.about:
        contents.append(_text(headline.about, size="xs", color=_FAINT))
    result: list[Json] = []
    if headline.value:
        result.append(_text(headline.value, size="xl", weight="bold", color=_INK, flex=0))
    if headline.verdict:
        badge = _text(headline.verdict, size="sm", weight="bold", color="#FFFFFF", align="center")
        result.append(
            {
                "type": "box",
                "layout": "vertical",
                "contents": [badge],
                "backgroundColor": _COLORS[headline.look],
                "cornerRadius": "sm",
                "paddingStart": "md",
                "paddingEnd": "md",
                "paddingTop": "xs",
                "paddingBottom": "xs",
                "flex": 0,
            }
        )
    row: Json = {"type": "box", "layout": "horizontal", "spacing": "md", "alignItems": "center", "contents": result}
    return {"type": "box", "layout": "vertical", "spacing": "xs", "margin": "md", "contents": [*contents, row]}


def _source(citation: Citation) -> Json:
    quote = f"「{citation.quote}」" if citation.quote else ""
    return _text(f"根拠: {citation.place}{quote}", size="xs", color=_FAINT, margin="md")


def _buttons(citations: tuple[Citation, ...], staff_label: str) -> list[Json]:
    url = next((citation.url for citation in citations if citation.url.startswith("https://")), "")
    staff = postback_action(staff_label, {"say": staff_label})
    actions = [{"type": "uri", "label": "出典を開く", "uri": url}, staff] if url else [staff]
    return [{"type": "button", "style": "secondary", "height": "sm", "action": action} for action in actions]


def _text(text: str, **look: Any) -> Json:
    return {"type": "text", "text": text, "wrap": True, **look}
