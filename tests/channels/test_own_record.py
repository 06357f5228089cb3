"""Whoever asks for it sees and deletes their own record, in every channel, and nobody else's."""

from bot.simulator import line as line_platform
from bot.simulator import slack as slack_platform
from tests.channels.conftest import running

FORGET, SHOW = "私の情報を消して", "私の情報を見せて"
CAP = "推進体制構築支援の上限は?"
CALLS = "アドバイザー派遣は今申し込めますか"


async def tell(platform, service, *events):
    for event in events:
        await platform.deliver(service.client, event)
        await service.idle()


async def questions(service):
    return [turn.question for turn in await service.turns()]


async def test_in_line_alone_and_in_every_group(line, line_service):
    mentioned = f"@窓口 {CAP}"
    in_group = line.text(mentioned, room="C1", mention=(0, 3))
    of_another = line.text(mentioned, user="U2", room="C1", mention=(0, 3))
    await tell(line, line_service, line.text(CALLS), in_group, of_another, line.text(SHOW))
    shown = line.texts()[-1]
    assert CALLS in shown
    assert CAP in shown
    assert "ご質問2件" in shown
    await tell(line, line_service, line.text(f"@窓口 {SHOW}", room="C1", mention=(0, 3)))
    assert CALLS not in line.texts("C1")[-1]  # others read along
    await tell(line, line_service, line.text(FORGET))
    assert "消しました" in line.texts()[-1]
    assert await questions(line_service) == [CAP]
    (left,) = await line_service.turns()
    assert left.person == (await line_service.turns())[0].person
    await tell(line, line_service, line.text(SHOW))
    assert "記録はありません" in line.texts()[-1]


async def test_in_slack_in_every_thread_and_a_question_to_officials_with_it(line, slack, data_dir, tmp_path):
    settings = {
        "slack_bot_token": slack_platform.TOKEN,
        "slack_api_url": f"{slack.url}/api/",
        "slack_signing_secret": slack_platform.SECRET,
        "slack_desk_channel": slack_platform.DESK,
        "line_channel_secret": line_platform.SECRET,
        "line_channel_access_token": line_platform.TOKEN,
        "line_api_url": line.url,
    }
    unsaid = "計画策定支援の採択率は?"
    async with running(data_dir, tmp_path, **settings) as service:
        await tell(slack, service, slack.mention(unsaid), slack.direct(CAP), slack.mention(CALLS, user="U2"))
        for said in (unsaid, "職員に聞く", "職員に送る"):
            await tell(line, service, line.text(said))
        assert "受付番号1" in line.texts()[-1]
        await tell(line, service, line.text(FORGET))
        await tell(slack, service, slack.command(FORGET))
        assert await questions(service) == [CALLS]
        stored = b"".join(file.read_bytes() for file in tmp_path.glob("test.sqlite*"))
        assert unsaid.encode() not in stored  # what is deleted is overwritten, and the case is emptied


async def test_on_the_page_by_words_and_by_its_buttons(data_dir, tmp_path):
    async with running(data_dir, tmp_path) as service:

        async def post(path, id, **body):
            return (await service.client.post(path, json={**body, "conversation_id": id})).json()

        for id in ("a", "b"):
            assert (await post("/api/ask", id, text=CAP))["forgotten"] is False
        (kept,) = (await post("/api/record", "a"))["questions"]
        assert (kept["question"], kept["channel"]) == (CAP, "web")
        assert "1億円" in kept["answer"]
        assert (await post("/api/ask", "a", text=FORGET))["forgotten"] is True
        assert (await post("/api/record", "a"))["questions"] == []
        assert await post("/api/forget", "b") == {"forgotten": True}
        assert await service.turns() == []
