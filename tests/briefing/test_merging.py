"""Questions that mean the same are put together, and those that only look alike never are (*matters.yaml)."""

import random
from datetime import date
from itertools import combinations
from pathlib import Path

import pytest
import yaml

from bot.answering import answer
from bot.briefing.meaning import read_meaning
from bot.briefing.merging import Meaning, alike, find_groups, meaning_of
from bot.types import Conversation, Inquiry

TODAY = date(2025, 11, 28)
REACHED = {"matters": 0.94, "held_matters": 0.86, "hall_matters": 0.88}
"""The sets, and what part of the pairs that mean the same is put together; see docs/quality.md."""

FORMED = {"matters": 1.2, "held_matters": 1.2, "hall_matters": 1.25}
"""How many groups are formed for each matter at most; 1.3 are wanted."""


@pytest.fixture(scope="module")
def read(knowledge):
    def meaning(text: str, before: str = "") -> Meaning:
        talk = answer(Inquiry(before, TODAY), knowledge)[1] if before else Conversation()
        inquiry = Inquiry(text, TODAY, talk)
        return read_meaning(inquiry, answer(inquiry, knowledge)[0], knowledge)[0]

    return meaning


@pytest.fixture(scope="module", params=REACHED)
def labelled(request, read):
    """A set by its name: what each question means, by its matter and words, and the words that are misread."""
    given = yaml.safe_load((Path(__file__).parent / f"{request.param}.yaml").read_text(encoding="utf-8"))
    matters = {**given["matters"], **given.get("new", {})}
    meanings = {(matter, text): read(text) for matter, texts in matters.items() for text in texts}
    return request.param, meanings, given.get("misread", ())


def grouped(meanings, order):
    """The group of each question, asked in this order."""
    groups: dict[int, list[str]] = {}
    for number, question in enumerate(order):
        found = find_groups(
            meanings[question], {group: [meanings[q] for q in asked] for group, asked in groups.items()}
        )
        groups[number] = [question, *(q for group in found for q in groups.pop(group))]
    return {question: group for group, asked in groups.items() for question in asked}


@pytest.mark.parametrize("seed", range(5))
def test_no_questions_of_different_matters_are_put_together(labelled, seed):
    _, meanings, misread = labelled
    order = [question for question in meanings if question[1] not in misread]
    random.Random(seed).shuffle(order)
    of = grouped(meanings, order)
    mixed = [(one, other) for one, other in combinations(order, 2) if one[0] != other[0] and of[one] == of[other]]
    assert mixed == []


def test_most_questions_of_one_matter_are_together(labelled):
    name, meanings, _ = labelled
    of = grouped(meanings, list(meanings))
    pairs = [(one, other) for one, other in combinations(meanings, 2) if one[0] == other[0]]
    together = sum(of[one] == of[other] for one, other in pairs) / len(pairs)
    assert together >= REACHED[name]
    assert len(set(of.values())) <= FORMED[name] * len({matter for matter, _ in meanings})


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("初めての県です。推進体制構築支援の上限は?", "過去に選定された県です。推進体制構築支援の上限は?"),
        ("アドバイザーの現地派遣は何日まで?", "アドバイザーのオンライン支援は何時間まで?"),
        ("町が出資する会社でもアドバイザーを呼べますか", "町が推薦する会社でもアドバイザーを呼べますか"),
        ("推進体制構築支援の上限はいくら?", "推進体制構築支援の予算はいくら?"),
        ("今年度のアドバイザー派遣はいつ申し込めますか", "来年度のアドバイザー派遣はいつ申し込めますか"),
        ("財政力指数0.5の町は計画策定支援の対象?", "財政力指数0.6の町は計画策定支援の対象?"),
        ("計画策定支援の採択率は?", "推進体制構築支援の採択率は?"),
        ("推進体制構築支援、8000万円でできますか", "推進体制構築支援、9000万円でできますか"),
    ],
)
def test_what_differs_in_one_thing_is_another_question(read, one, other):
    assert not alike(read(one), read(other))


@pytest.mark.parametrize(
    ("before", "text"),
    [
        ("市の出資法人ですが計画策定支援に応募できますか", "計画策定支援の公募は年に何回ですか"),
        ("推進体制構築支援、前に選ばれた県だといくらまでですか", "推進体制構築支援に市町村だけで応募できますか"),
        ("町が出資する会社はアドバイザーを呼べますか", "アドバイザー派遣の会場代は出ますか"),
        ("うちはNPO法人ですが計画策定支援の対象になりますか", "計画策定支援の期間はどのくらいですか"),
        ("アドバイザー派遣は来年度いつ申し込めますか", "推進体制構築支援の伴走支援事業者の選び方を教えてください"),
        ("推進体制構築支援、初回の県だと上限はいくらですか", "今日の説明会はアーカイブ配信されますか"),
        ("今日の説明資料は後でもらえますか", "うちの市だけで推進体制構築支援に応募できますか"),
    ],
)
def test_what_somebody_asked_before_changes_no_question_of_its_own(read, before, text):
    assert alike(read(text, before), read(text))
    assert read(text, before).case == read(text).case


@pytest.mark.parametrize(
    ("before", "text"),
    [
        ("過去に選定された県です。推進体制構築支援の対象ですか", "上限はいくらですか"),
        ("財政力指数1.2の市です。計画策定支援は無料ですか", "対象になりますか"),
    ],
)
def test_what_rests_on_what_was_said_before_is_no_question_of_its_own(read, before, text):
    assert not alike(read(text, before), read(text))


def test_a_program_that_was_spoken_of_stays_with_what_hangs_on_it(read):
    asked = read("会場代は出ますか", before="アドバイザー派遣は無料ですか")
    assert alike(asked, read("アドバイザー派遣の会場代は出ますか"))
    assert not alike(asked, read("計画策定支援の会場代は出ますか"))


def test_words_of_a_question_count_beside_what_was_said_before(read):
    text = "オンライン支援の時間の上限を教えてください。アドバイザーの事業です"
    asked = read(text, before="今年度一度来てもらった同じアドバイザーに、同じ取組でもう一回頼めますか")
    assert not alike(asked, read("アドバイザーは現地に何日来てもらえますか"))


def test_a_meaning_is_stored_whole(read):
    meaning = read("財政力指数0.5の町は計画策定支援の対象ですか")
    again = meaning_of(meaning.as_json())
    assert (again.programs, again.matter, again.ruled, again.case) == (
        meaning.programs,
        meaning.matter,
        meaning.ruled,
        meaning.case,
    )
    assert alike(meaning, again)
