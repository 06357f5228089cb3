"""LINE's rich menu: its areas, its picture, and how it is put in place."""

import io
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from linebot.v3.messaging import AsyncMessagingApi, AsyncMessagingApiBlob, RichMenuRequest
from PIL import Image, ImageDraw, ImageFont

from bot.channels.line_messages import CHECK, Json, postback_action
from bot.desk.sentences import ASK_STAFF, FETCH
from knowledge.types import Program

NAME = "madoguchi"
CALLS = "募集状況"

_WIDTH, _HEIGHT = 2500, 1686
"""Of the large picture, in pixels; 1 MB is allowed. https://developers.line.biz/en/reference/messaging-api/#rich-menu"""

_GAP = 12
_LETTERS = 130
_PROGRAM, _TOOL, _PAPER, _INK = "#1D4F91", "#FFFFFF", "#DCE3EC", "#1D3557"

_FONTS = (
    "/usr/share/fonts/opentype/noto/NotoSansCJK-Bold.ttc",
    "/usr/share/fonts/opentype/ipaexfont-gothic/ipaexg.ttf",
    "/usr/share/fonts/truetype/vlgothic/VL-Gothic-Regular.ttf",
    "/System/Library/Fonts/ヒラギノ角ゴシック W6.ttc",
    "C:/Windows/Fonts/YuGothB.ttc",
    "C:/Windows/Fonts/meiryo.ttc",
)


class FontMissingError(Exception):
    """No font with Japanese letters; the message says what to do."""


async def put_in_place(
    api: AsyncMessagingApi, blobs: AsyncMessagingApiBlob, programs: Iterable[Program], staff_label: str
) -> str:
    """Makes the menu everyone's, and removes those that an earlier setup left behind; returns its id.

    Args:
        api: the account.
        blobs: the same, for pictures.
        programs: each has a button.
        staff_label: what leads to people is called.

    Raises:
        FontMissingError: the picture cannot be drawn here.
        ApiException: LINE refuses it.
    """
    buttons = _buttons(tuple(programs), staff_label)
    picture = draw(buttons)
    earlier = [menu.rich_menu_id for menu in (await api.get_rich_menu_list()).richmenus if menu.name == NAME]
    made = await api.create_rich_menu(RichMenuRequest.from_dict(_menu(buttons)))
    id = str(made.rich_menu_id)
    await blobs.set_rich_menu_image(id, body=picture, _headers={"Content-Type": "image/png"})
    await api.set_default_rich_menu(id)
    for old in earlier:
        await api.delete_rich_menu(old)
    return id


def _buttons(programs: tuple[Program, ...], staff_label: str) -> list[list[tuple[str, Json]]]:
    """Label and data of each button, row by row: the programs, what one does most, officials where they are there."""
    first = [(program.short_name, {"say": f"{program.name}はどんな支援ですか"}) for program in programs]
    second: list[tuple[str, Json]] = [
        (CHECK, {"check": ""}),
        (CALLS, {"say": "各事業の今の募集状況"}),
    ]
    staff: tuple[str, Json] = (staff_label, {"say": staff_label})
    if staff_label != ASK_STAFF:
        return [first, [*second, staff]]
    return [first, second, [staff, (FETCH, {"say": FETCH})]]


def _menu(buttons: list[list[tuple[str, Json]]]) -> Json:
    areas = [
        {
            "bounds": {"x": x, "y": y, "width": width, "height": height},
            "action": postback_action(label, data),
        }
        for (label, data), (x, y, width, height) in _places(buttons)
    ]
    return {
        "size": {"width": _WIDTH, "height": _HEIGHT},
        "selected": True,
        "name": NAME,
        "chatBarText": "メニュー",
        "areas": areas,
    }


def _places(buttons: list[list[tuple[str, Json]]]) -> list[tuple[tuple[str, Json], tuple[int, int, int, int]]]:
    """Each button with its left, top, width and height."""
    height = _HEIGHT // len(buttons)
    return [
        (button, (column * (_WIDTH // len(row)), line * height, _WIDTH // len(row), height))
        for line, row in enumerate(buttons)
        for column, button in enumerate(row)
    ]


def draw(buttons: list[list[tuple[str, Json]]]) -> bytes:
    """The picture, as PNG: one panel for each button.

    Raises:
        FontMissingError: there is no font to draw it with.
    """
    image = Image.new("RGB", (_WIDTH, _HEIGHT), _PAPER)
    pen = ImageDraw.Draw(image)
    places = _places(buttons)
    font = min((_fitting(label, place[2] - 8 * _GAP) for (label, _), place in places), key=lambda font: font.size)
    for (label, data), (x, y, width, height) in places:
        of_program = data.get("say", label) != label and label != CALLS
        panel = (x + _GAP, y + _GAP, x + width - _GAP, y + height - _GAP)
        pen.rounded_rectangle(panel, radius=48, fill=_PROGRAM if of_program else _TOOL)
        middle = (x + width // 2, y + height // 2)
        pen.text(middle, label, font=font, fill=_TOOL if of_program else _INK, anchor="mm")
    png = io.BytesIO()
    image.quantize(64).save(png, "PNG", optimize=True)
    return png.getvalue()


def _fitting(label: str, width: int) -> Any:
    """The font, as large as the label can be within a width."""
    file = next((file for file in _FONTS if Path(file).exists()), None)
    if file is None:
        raise FontMissingError(
            "メニューの絵を描くための日本語のフォントがありません。"
            "fonts-noto-cjk(Debianの場合)などを入れてから、もう一度実行してください。"
        )
    size = _LETTERS
    while ImageFont.truetype(file, size).getlength(label) > width:
        size -= 10
    return ImageFont.truetype(file, size)
