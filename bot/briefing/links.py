"""Where a session is reached: the page, LINE, the hosts' view and the projector's."""

import io
from urllib.parse import quote

from bot.briefing.sessions import Briefing, Sessions

JOIN = "参加"
"""With a session's code behind it: what joins it in LINE."""


def page_url(base: str, briefing: Briefing) -> str:
    """The page where anybody asks."""
    return f"{base.rstrip('/')}/b/{briefing.code}"


def host_url(base: str, briefing: Briefing, sessions: Sessions) -> str:
    """The hosts' view; who has this link is a host."""
    return f"{page_url(base, briefing)}/host#{sessions.secret(briefing, 'host')}"


def screen_url(base: str, briefing: Briefing, sessions: Sessions) -> str:
    """The projector's view."""
    return f"{page_url(base, briefing)}/screen#{sessions.secret(briefing, 'screen')}"


def join_url(briefing: Briefing) -> str:
    """Opens LINE's chat with the words that join; "" without LINE.

    https://developers.line.biz/en/docs/messaging-api/using-line-url-scheme/#sending-text-messages
    """
    if not briefing.line_id:
        return ""
    return f"https://line.me/R/oaMessage/{quote(briefing.line_id)}/?{quote(f'{JOIN} {briefing.code}')}"


def describe(briefing: Briefing, sessions: Sessions, base: str, qr: bool = False) -> list[str]:
    """A session and its links, line by line; with `qr` the code of its page, drawn in characters."""
    state = "終了" if briefing.ended_at else "練習" if briefing.test else "受付中"
    links = {
        "質問するページ": page_url(base, briefing),
        "LINEで参加": join_url(briefing),
        "説明者の画面(関係者だけに)": host_url(base, briefing, sessions),
        "スクリーン": screen_url(base, briefing, sessions),
    }
    lines = [f"{briefing.code}  {briefing.title}  {briefing.started_at:%Y-%m-%d}  {state}"]
    lines += [f"  {what}: {address}" for what, address in links.items() if address]
    if qr:
        import segno

        drawn = io.StringIO()
        segno.make(page_url(base, briefing), micro=False).terminal(drawn, border=2, compact=True)
        lines.append(drawn.getvalue())
    return lines
