"""Whether the platforms would let us in, for the operator: what works, what is missing, what to paste where."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

import httpx
from aiohttp import ClientError

from bot.answerer import Answerer
from bot.settings import Settings, SettingsError
from bot.types import Inquiry
from knowledge.catalog import Catalog, load_catalog
from knowledge.rules.caps import decide_cap
from knowledge.rules.tables import terms_on
from knowledge.types import IndexMissingError, Outcome, Situation

if TYPE_CHECKING:
    from linebot.v3.messaging import AsyncMessagingApi

WEBHOOK = "/line/webhook"
EVENTS = "/slack/events"

_ANSWER_SECONDS = 30.0

_UNSIGNED = 400
"""The status with which the webhook refuses what LINE_CHANNEL_SECRET has not signed."""

_SCOPES = (
    "app_mentions:read",
    "assistant:write",
    "channels:history",
    "chat:write",
    "commands",
    "groups:history",
    "im:history",
)
"""What the app cannot do without; slack-manifest.yaml asks for them."""


@dataclass(frozen=True)
class Checked:
    """One thing that was checked, in a sentence."""

    works: bool
    text: str


async def check_channels(settings: Settings, address: str) -> AsyncIterator[Checked]:
    """Checks each platform that is configured.

    Args:
        settings: with the credentials.
        address: under which the service is reached from outside, such as https://example.jp.
    """
    if settings.line_channel_secret:
        async for finding in _check_line(settings, address):
            yield finding
    else:
        yield Checked(True, "LINE: 設定されていません(LINE_CHANNEL_SECRET、LINE_CHANNEL_ACCESS_TOKEN)。")
    if settings.slack_bot_token:
        async for finding in _check_slack(settings, address):
            yield finding
    else:
        yield Checked(
            True,
            "Slack: 設定されていません(SLACK_BOT_TOKEN と、SLACK_APP_TOKEN か SLACK_SIGNING_SECRET)。",
        )


async def check_answer(settings: Settings, answerer: Answerer, day: date, address: str) -> AsyncIterator[Checked]:
    """Asks a question that a rule decides, here and of the service that runs, and holds the answer against the rule.

    Args:
        settings: where the index is.
        answerer: answers here.
        day: on which it is asked.
        address: of the service, "" to ask only here.
    """
    canary = _canary(load_catalog(), day)
    if canary is None:
        return
    question, says = canary
    try:
        answered = (await answerer.whole(Inquiry(question, day))).answer
    except (IndexMissingError, SettingsError) as error:
        yield Checked(False, f"回答: 答えられません。{error}")
        return
    yield _as_answered(f"回答: 「{question}」", answered.text, says)
    if not address:
        return
    try:
        async with httpx.AsyncClient(timeout=_ANSWER_SECONDS) as client:
            response = await client.post(f"{address}/api/ask", json={"text": question})
            text = str(response.json()["text"])
    except (httpx.HTTPError, ValueError, KeyError) as error:
        yield Checked(False, f"回答: {address} から答えがありません({type(error).__name__})。")
        return
    yield _as_answered(f"回答: {address} の「{question}」", text, says)


def _canary(catalog: Catalog, day: date) -> tuple[str, str] | None:
    """A question whose answer a rule decides, and what must stand in the answer; None where no program has a cap."""
    for program in catalog.programs.values():
        ruling = decide_cap(terms_on(program, day), Situation(), catalog.facts)
        if ruling.outcome is Outcome.SETTLED and ruling.unit == "yen":
            return f"{program.name}の上限はいくらですか", ruling.says
    return None


def _as_answered(asked: str, text: str, says: str) -> Checked:
    if says in text:
        return Checked(True, f"{asked}に、規則のとおり答えます。")
    return Checked(False, f"{asked}への答えに、規則の文「{says}」がありません。索引と版を確かめてください。")


async def _check_line(settings: Settings, address: str) -> AsyncIterator[Checked]:
    from linebot.v3.messaging import ApiException

    from bot.channels import line

    async with line.connected(settings.line_channel_access_token, settings.line_api_url) as api:
        try:
            bot = await api.get_bot_info(_request_timeout=line.TIMEOUT)
        except ApiException as error:
            yield Checked(
                False,
                f"LINE: LINE_CHANNEL_ACCESS_TOKEN を使えません(応答 {error.status})。"
                "LINE Developers の Messaging API設定 で発行し直してください。",
            )
            return
        except (ClientError, TimeoutError) as error:
            yield Checked(False, f"LINE: 接続できません({type(error).__name__})。")
            return
        yield Checked(True, f"LINE: {bot.display_name}({bot.basic_id})として接続できました。")
        wanted = f"{address}{WEBHOOK}"
        try:
            endpoint = await api.get_webhook_endpoint(_request_timeout=line.TIMEOUT)
        except ApiException:
            yield Checked(False, f"LINE: Webhook URL が設定されていません。{wanted} を設定してください。")
            return
        if not endpoint.endpoint.endswith(WEBHOOK):
            yield Checked(False, f"LINE: Webhook URL が {endpoint.endpoint} です。{wanted} に直してください。")
        elif not endpoint.active:
            yield Checked(False, "LINE: Webhookの利用 がオフです。Messaging API設定 でオンにしてください。")
        else:
            yield await _as_delivered(api, endpoint.endpoint)
        yield Checked(
            True,
            "LINE: LINE Developers の Messaging API設定 で「Webhookの再送」もオンにしてください"
            "(初めはオフで、ここからは確かめられません)。オフだと、再起動の間に届いた質問が失われます。",
        )


async def _as_delivered(api: "AsyncMessagingApi", url: str) -> Checked:
    """Has LINE send a signed webhook without events to the service: only so does a wrong secret come out."""
    from linebot.v3.messaging import ApiException

    from bot.channels import line

    try:
        sent = await api.test_webhook_endpoint(_request_timeout=line.TIMEOUT)
    except (ApiException, ClientError, TimeoutError) as error:
        return Checked(False, f"LINE: Webhook URL {url} に届くかを、LINEで試せません({type(error).__name__})。")
    if sent.success:
        return Checked(True, f"LINE: Webhook URL {url} に届き、署名が合いました。")
    if sent.status_code == _UNSIGNED:
        return Checked(
            False,
            f"LINE: Webhook URL {url} に届きましたが、署名が合いません。LINE Developers の チャネル基本設定 から "
            "LINE_CHANNEL_SECRET を写し直し、サービスを起動し直してください。",
        )
    return Checked(
        False,
        f"LINE: Webhook URL {url} に届きません({sent.reason}、応答 {sent.status_code})。"
        "サービスが動いているか、外からそのURLに届くかを確かめてください。",
    )


async def _check_slack(settings: Settings, address: str) -> AsyncIterator[Checked]:
    from slack_sdk.errors import SlackApiError

    from bot.channels import slack

    client = slack.connect(settings.slack_bot_token, settings.slack_api_url)
    try:
        identity = await client.auth_test()
    except SlackApiError as error:
        yield Checked(False, f"Slack: SLACK_BOT_TOKEN を使えません({slack.reason(error)})。")
        return
    except (ClientError, TimeoutError) as error:
        yield Checked(False, f"Slack: 接続できません({type(error).__name__})。")
        return
    yield Checked(True, f"Slack: {identity['team']} に {identity['user']} として接続できました。")
    granted = {name.lower(): value for name, value in identity.headers.items()}.get("x-oauth-scopes", "").split(",")
    if missing := [scope for scope in _SCOPES if scope not in granted]:
        yield Checked(
            False,
            f"Slack: 権限が足りません({'、'.join(missing)})。slack-manifest.yaml を貼り直して入れ直してください。",
        )
    if not settings.slack_app_token:
        yield Checked(True, f"Slack: Request URL には {address}{EVENTS} を設定してください。")
        return
    try:
        await client.apps_connections_open(app_token=settings.slack_app_token)
    except SlackApiError as error:
        yield Checked(False, f"Slack: SLACK_APP_TOKEN を使えません({slack.reason(error)})。")
    else:
        yield Checked(True, "Slack: ソケットモードで接続できます。")
