"""`/madoguchi 説明会 …` in Slack: opens a session, lists those that are open, and ends one."""

import re

from bot.briefing.links import describe
from bot.briefing.sessions import BriefingMissingError, Sessions
from bot.channels.line_account import read_account_id
from bot.channels.slack_blocks import escape
from bot.settings import Settings

COMMAND = "説明会"
_END, _REHEARSE = "終了", "練習"

_ADDRESS = re.compile(r"(https?://[!-~]+)")

_USAGE = (
    f"開く: /madoguchi {COMMAND} 公募説明会 11/28\n"
    f"練習で開く: /madoguchi {COMMAND} {_REHEARSE} 公募説明会\n"
    f"終える: /madoguchi {COMMAND} {_END} 番号"
)


async def run_command(text: str, event: str, sessions: Sessions, settings: Settings) -> str:
    """What the command answers to who gave it, and to nobody else, in Slack's markup.

    Args:
        text: the command's words, from 説明会 on.
        event: names this command: given again, it opens nothing more.
        sessions: of this service.
        settings: where it is reached.
    """
    told = await _run(text, event, sessions, settings)
    return _ADDRESS.sub(r"<\1>", escape(told))


async def _run(text: str, event: str, sessions: Sessions, settings: Settings) -> str:
    base = settings.public_url or f"http://{settings.host}:{settings.port}"
    match text.removeprefix(COMMAND).split():
        case []:
            running = [briefing for briefing in await sessions.all() if briefing.ended_at is None]
            return "\n".join([*(line for b in running for line in describe(b, sessions, base)), _USAGE])
        case [word, code] if word == _END:
            try:
                briefing = await sessions.end(code)
            except BriefingMissingError:
                return f"番号 {code} の説明会はありません。「/madoguchi {COMMAND}」で確かめてください。"
            return f"「{briefing.title}」を{'消しました' if briefing.test else '終えました'}。"
        case [word, *title] if word == _REHEARSE:
            name, test = " ".join(title) or _REHEARSE, True
        case title:
            name, test = " ".join(title), False
    line_id = await read_account_id(settings)
    opened = await sessions.start(name, test=test, line_id=line_id, event=event)
    return "\n".join(["説明会を開きました。", *describe(opened, sessions, base)])
