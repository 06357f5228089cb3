"""What hosts do: seen by the right people, undone, and never done over each other's heads."""

import asyncio

import pytest

RATE, RATE_AGAIN = "計画策定支援の採択率は?", "計画策定支援の採択率ってどのぐらい?"
VIDEO = "この説明会の録画は後で見られますか"
SLIDES = "今日の資料はどこからダウンロードできますか"


@pytest.fixture
async def asked(hall):
    """Two people with like questions, and one with another."""
    for name, text in (("甲", RATE), ("乙", RATE_AGAIN), ("丙", VIDEO)):
        await hall.ask(name, text)
    assert [m["count"] for m in (await hall.host())["matters"]] == [2, 1]
    return hall


async def test_nothing_reaches_the_board_before_it_is_released(asked):
    assert (await asked.board())["matters"] == []
    await asked.act("release", 1)
    assert [m["wording"] for m in (await asked.board())["matters"]] == [RATE]
    await asked.act("withdraw", 1)
    assert (await asked.board())["matters"] == []


async def test_what_is_hidden_leaves_the_board(asked):
    await asked.act("release", 1)
    await asked.act("hide", 1)
    assert (await asked.board())["matters"] == []


async def test_the_board_shows_what_a_host_has_reworded(asked):
    await asked.act("reword", 1, text="採択率はどのくらいか")
    await asked.act("release", 1)
    assert [m["wording"] for m in (await asked.board())["matters"]] == ["採択率はどのくらいか"]
    assert [q["text"] for q in (await asked.matter(1))["questions"]] == [RATE, RATE_AGAIN]


async def test_what_is_being_answered_stands_first_then_what_is_pinned_then_the_most_asked(asked):
    await asked.ask("丁", SLIDES)
    await asked.tap("丁", "asked")
    for number in (1, 2, 3):
        await asked.act("release", number)
    assert await _numbers(asked) == [1, 2, 3]
    await asked.act("pin", 3)
    assert await _numbers(asked) == [3, 1, 2]
    await asked.act("take", 2)
    assert await _numbers(asked) == [2, 3, 1]
    await asked.act("aloud", 2)
    assert await _numbers(asked) == [3, 1, 2]


async def _numbers(hall):
    return [matter["number"] for matter in (await hall.board())["matters"]]


async def test_a_written_answer_goes_to_all_who_asked(asked):
    assert (await asked.answer(1, "公表していません。")).status_code == 200
    for name in ("甲", "乙"):
        (mine,) = await asked.mine(name)
        assert (mine["reply"], mine["state"]) == ("公表していません。", "written")
    (other,) = await asked.mine("丙")
    assert other["reply"] == ""


async def test_a_written_answer_goes_only_to_questions_that_the_host_has_seen_listed(asked):
    seen = await asked.host()
    await asked.ask("丁", "計画策定支援の採択率はどれくらいですか")
    assert (await asked.answer(1, "公表していません。", seen)).status_code == 200
    assert (await asked.mine("丁"))[0]["reply"] == ""
    matter = await asked.matter(1)
    assert [q["replied"] for q in matter["questions"]] == [True, True, False]
    await asked.act("answer", 1, text="公表していません。", questions=matter["without_reply"])
    assert (await asked.mine("丁"))[0]["reply"] == "公表していません。"


async def test_ids_of_other_matters_get_no_answer(asked):
    other = (await asked.matter(2))["questions"][0]["id"]
    await asked.act("answer", 1, text="公表していません。", questions=[other])
    assert (await asked.mine("丙"))[0]["reply"] == ""


async def test_what_somebody_else_has_changed_is_not_overwritten(asked):
    seen = await asked.host()
    assert (await asked.act("reword", 1, seen=seen, text="一人目")).status_code == 200
    refused = await asked.act("reword", 1, seen=seen, text="二人目")
    assert refused.status_code == 409
    assert (await asked.matter(1))["wording"] == "一人目"


async def test_of_two_hosts_at_once_one_acts(asked):
    seen = await asked.host()
    acts = [asked.act("reword", 1, seen=seen, text=f"{number}人目") for number in range(8)]
    statuses = [response.status_code for response in await asyncio.gather(*acts)]
    assert sorted(statuses) == [200] + [409] * 7


async def test_a_new_question_does_not_stop_a_host(asked):
    seen = await asked.host()
    await asked.ask("丁", "計画策定支援の採択率はどれくらいですか")
    assert (await asked.act("release", 1, seen=seen)).status_code == 200


async def test_matters_are_merged_split_and_put_back(asked):
    before = await asked.host()
    assert (await asked.act("merge", 1, 2)).status_code == 200
    (merged,) = (await asked.host())["matters"]
    assert (merged["number"], merged["count"]) == (1, 3)
    await asked.undo()
    assert _groups(await asked.host()) == _groups(before)
    first = (await asked.matter(1))["questions"][0]["id"]
    assert (await asked.act("split", 1, questions=[first])).status_code == 200
    assert sorted(_groups(await asked.host())) == sorted([[RATE], [RATE_AGAIN], [VIDEO]])
    await asked.undo()
    assert _groups(await asked.host()) == _groups(before)


def _groups(host):
    return [[q["text"] for q in m["questions"]] for m in host["matters"]]


async def test_each_act_is_undone_in_turn(asked):
    await asked.act("reword", 1, text="採択率")
    await asked.act("release", 1)
    await asked.answer(1, "公表していません。")
    await asked.undo()
    assert (await asked.mine("甲"))[0]["reply"] == ""
    assert (await asked.matter(1))["released"]
    await asked.undo()
    await asked.undo()
    matter = await asked.matter(1)
    assert (matter["wording"], matter["released"], matter["state"]) == (RATE, False, "open")
    assert (await asked.undo()).status_code == 422


async def test_an_act_that_has_been_undone_by_another_host_is_not_undone_twice(asked):
    await asked.act("reword", 1, text="採択率")
    await asked.act("release", 1)
    change = (await asked.host())["undo"]["change"]
    path, headers = f"{asked.api}/host/undo", asked.bearer()
    statuses = [(await asked.client.post(path, json={"change": change}, headers=headers)).status_code for _ in range(2)]
    assert statuses == [200, 409]
    assert (await asked.matter(1))["wording"] == "採択率"


async def test_what_was_told_stays_with_the_question_through_a_merge(asked):
    await asked.answer(1, "公表していません。")
    await asked.act("merge", 2, 1)
    assert (await asked.mine("甲"))[0]["reply"] == "公表していません。"
    assert (await asked.mine("丙"))[0]["reply"] == ""


async def test_answered_aloud_is_said_to_who_asked(asked):
    await asked.act("aloud", 1, text="")
    assert (await asked.mine("甲"))[0]["state"] == "aloud"


@pytest.mark.parametrize(
    ("act", "numbers", "also"),
    [
        ("dance", [1], {}),
        ("release", [], {}),
        ("release", [99], {}),
        ("reword", [1], {"text": " "}),
        ("reword", [1], {"text": "あ" * 301}),
        ("answer", [1], {"text": ""}),
        ("merge", [1], {}),
        ("split", [1], {"questions": []}),
    ],
)
async def test_acts_that_make_no_sense_are_refused_in_words(asked, act, numbers, also):
    body = {"name": act, "seen": [[number, 0] for number in numbers], **also}
    response = await asked.client.post(f"{asked.api}/host/acts", json=body, headers=asked.bearer())
    assert response.status_code == 422
    assert response.json()["text"]


async def test_what_a_host_writes_is_masked_too(asked):
    await asked.answer(1, "担当(03-5253-5111)に聞いてください。")
    assert "5253" not in (await asked.mine("甲"))[0]["reply"]


async def test_all_who_look_see_a_change_at_once(asked):
    screen = asked.states(f"{asked.api}/screen/events", asked.bearer("screen"))
    page = asked.states(f"{asked.api}/events", asked.asker("甲"))
    async with asyncio.timeout(30):
        assert (await anext(screen))["board"]["matters"] == (await anext(page))["board"]["matters"] == []
        await asked.act("release", 1)
        assert len((await anext(screen))["board"]["matters"]) == 1
        assert len((await anext(page))["board"]["matters"]) == 1
    await screen.aclose()
    await page.aclose()
