"""A session joined from LINE: by the words of the code's link, and with free replies alone."""

from dataclasses import dataclass

import pytest

from bot.settings import Settings
from bot.simulator import line as line_platform
from bot.simulator.app import served
from bot.simulator.line import LinePlatform
from tests.briefing.conftest import Hall, opened

KNOWN = "推進体制構築支援の上限はいくらですか"
UNSTATED = "計画策定支援の採択率は?"


@dataclass
class Phones:
    """People with LINE, and the hosts of a session."""

    platform: LinePlatform
    hall: Hall

    async def says(self, text, user="U1"):
        """Sends a text; returns what came back."""
        return await self._deliver(self.platform.text(text, user), user)

    async def taps(self, label, user="U1"):
        """Taps a button below the last message; returns what came back."""
        last = [message for to, message in self.platform.received if to == user][-1]
        (data,) = [i["action"]["data"] for i in last["quickReply"]["items"] if i["action"]["label"] == label]
        return await self._deliver(self.platform.tap(data, user), user)

    async def _deliver(self, event, user):
        before = len(self.platform.texts(user))
        (await self.platform.deliver(self.hall.client, event)).raise_for_status()
        await self.hall.idle()
        return self.platform.texts(user)[before:]

    async def join(self, user="U1"):
        return await self.says(f"参加 {self.hall.briefing.code}", user)


@pytest.fixture
async def phones(data_dir, tmp_path, answerer):
    platform = LinePlatform()
    with served(platform.app) as platform.url:
        settings = Settings(
            data_dir=data_dir,
            database_url=f"sqlite:///{tmp_path / 'test.sqlite'}",
            id_hash_key="key",
            line_channel_secret=line_platform.SECRET,
            line_channel_access_token=line_platform.TOKEN,
            line_api_url=platform.url,
        )
        async with opened(settings, answerer) as hall:
            yield Phones(platform, hall)
        assert platform.refusals == []
        assert platform.calls["/v2/bot/message/push"] == 0


async def test_who_has_joined_asks_in_the_session(phones):
    (welcome,) = await phones.join()
    assert "「説明会」に参加しました" in welcome
    (answer,) = await phones.says(KNOWN)
    assert "上限1億円" in answer
    host = await phones.hall.host()
    assert [(m["wording"], m["questions"][0]["channel"]) for m in host["answered_by_bot"]] == [(KNOWN, "line")]


async def test_who_has_not_joined_asks_the_office_as_ever(phones):
    await phones.says(KNOWN)
    host = await phones.hall.host()
    assert host["matters"] == host["answered_by_bot"] == []


@pytest.mark.parametrize("text", ["参加 {}", "参加{}", " 参加\u3000{} "])
async def test_the_code_is_taken_however_it_is_typed(phones, text):
    (welcome,) = await phones.says(text.format(phones.hall.briefing.code.lower()))
    assert "参加しました" in welcome


async def test_an_unknown_or_ended_session_is_named(phones):
    assert "番号の説明会はありません" in (await phones.says("参加 XXXX"))[0]
    await phones.hall.sessions.end(phones.hall.briefing.code)
    assert "受付は終わりました" in (await phones.join())[0]


async def test_what_is_not_stated_is_said_to_have_reached_the_host(phones):
    await phones.join()
    *_, told = await phones.says(UNSTATED)
    assert "説明者に届けました" in told
    assert len((await phones.hall.host())["matters"]) == 1


@pytest.mark.parametrize("words", ["説明者に聞く", "職員に聞く"])
async def test_the_wish_for_a_person_hands_over_the_last_question(phones, words):
    await phones.join()
    await phones.says(KNOWN)
    assert "説明者に届けました" in (await phones.says(words))[0]
    assert len((await phones.hall.host())["matters"]) == 1


@pytest.mark.parametrize(("label", "reaches"), [("これで分かった", 0), ("説明者に聞く", 1), ("役に立たない", 1)])
async def test_taps_say_what_the_answer_was_worth(phones, label, reaches):
    await phones.join()
    await phones.says(KNOWN)
    await phones.taps(label)
    assert len((await phones.hall.host())["matters"]) == reaches


async def test_a_written_answer_comes_once_with_the_next_reply(phones):
    await phones.join()
    await phones.says(UNSTATED)
    await phones.hall.answer(1, "公表していません。")
    answers = await phones.says(KNOWN)
    assert "公表していません。" in answers[0]
    assert "上限1億円" in answers[1]
    assert len(await phones.says(KNOWN)) == 1


async def test_the_number_on_the_board_brings_its_answer(phones):
    await phones.join("U2")
    await phones.hall.ask("甲", UNSTATED)
    assert "見つかりません" in (await phones.says("Q1", "U2"))[0]
    await phones.hall.act("release", 1)
    assert "まだ回答がありません" in (await phones.says("Q1", "U2"))[0]
    await phones.hall.answer(1, "公表していません。")
    assert "公表していません。" in (await phones.says("Q1", "U2"))[0]


async def test_who_leaves_asks_the_office_again(phones):
    await phones.join()
    assert "退出しました" in (await phones.says("退出"))[0]
    await phones.says(KNOWN)
    assert (await phones.hall.host())["answered_by_bot"] == []


async def test_what_is_unsent_is_asked_no_more(phones):
    await phones.join()
    event = phones.platform.text(UNSTATED)
    await phones._deliver(event, "U1")
    unsent = phones.platform.event("unsend", unsend={"messageId": event["message"]["id"]})
    await phones._deliver(unsent, "U1")
    assert (await phones.hall.host())["matters"] == []
