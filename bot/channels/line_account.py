"""Who the account is in LINE, asked for when a briefing session is opened."""

import httpx

from bot.settings import Settings

_API = "https://api.line.me"
_TIMEOUT_SECONDS = 10


async def read_account_id(settings: Settings) -> str:
    """The account's id (@...), by which a link opens its chat; "" without LINE, or where LINE does not say.

    https://developers.line.biz/en/reference/messaging-api/#get-bot-info
    """
    if not settings.line_channel_access_token:
        return ""
    headers = {"Authorization": f"Bearer {settings.line_channel_access_token}"}
    try:
        async with httpx.AsyncClient(base_url=settings.line_api_url or _API, timeout=_TIMEOUT_SECONDS) as client:
            response = await client.get("/v2/bot/info", headers=headers)
            return str(response.raise_for_status().json()["basicId"])
    except (httpx.HTTPError, ValueError, KeyError):
        return ""
