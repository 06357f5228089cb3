"""The oracle against cases by hand, and what holds of everything that is composed."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.compose.cases import Adviser, Case, Count, Index, Keikaku, Repeat, Suishin, Use
from tests.compose.composing import Conversation, compose, compose_all
from tests.compose.grading import grade
from tests.compose.oracle import outcome, said
from tests.compose.wording import FIRST, LATER, literal_share

TABLE = yaml.safe_load((Path(__file__).parent / "oracle_cases.yaml").read_text(encoding="utf-8"))
PROGRAMS = {"keikaku": Keikaku, "suishin": Suishin, "adviser": Adviser}


def case_of(program: str, row: dict[str, Any]) -> Case:
    told = {name: value for name, value in row.items() if name not in ("right", "asks", "figures", "silent", "why")}
    told.setdefault("kind", None)
    told["asks"] = told.pop("asked", "eligibility")
    if "index" in told:
        values = tuple(Decimal(str(value)) for value in told["index"])
        around = told.pop("prefecture", None)
        prefecture = None if around is None else Decimal(str(around))
        told["index"] = Index(values, told.pop("known", "now"), told.pop("whose", "applicant"), prefecture)
    if told.keys() & {"before", "now", "change"}:
        told["count"] = Count(tuple(told.pop("before", ())), told.pop("now", None), told.pop("change", None))
    if "use" in told:
        mode, days, hours = [*told["use"], None, None][:3]
        told["use"] = Use(mode, days, None if hours is None else Decimal(str(hours)))
    if "repeat" in told:
        told["repeat"] = Repeat(*told["repeat"])
    return PROGRAMS[program](**told)


@pytest.mark.parametrize(
    ("program", "row"),
    [
        pytest.param(program, row, id=f"{program}-{number}-{row['why']}")
        for program, rows in TABLE.items()
        for number, row in enumerate(rows)
    ],
)
def test_what_the_document_allows(program, row):
    allowed = outcome(case_of(program, row))
    assert allowed.verdicts == {None if verdict == "none" else verdict for verdict in row["right"]}
    assert allowed.asks == set(row.get("asks", []))
    assert [group[0] for group in allowed.figures] == row.get("figures", [])
    assert allowed.silent == row.get("silent", False)


def test_a_run_is_the_same_each_time_and_another_seed_is_another():
    assert list(compose_all(40, 7, FIRST)) == list(compose_all(40, 7, FIRST))
    assert [one.turns for one in compose_all(40, 7, FIRST)] != [one.turns for one in compose_all(40, 8, FIRST)]


def test_a_number_tells_the_same_whatever_is_told_beside_it():
    assert compose(31, 7, FIRST) == [one for one in compose_all(40, 7, FIRST) if one.name.startswith("c00031")]


@pytest.mark.parametrize("ways", [FIRST, LATER], ids=["first", "later"])
def test_every_text_is_whole_and_every_kind_of_outcome_occurs(ways):
    made = list(compose_all(400, 11, ways))
    for one in made:
        assert one.turns
        for turn in one.turns:
            assert turn.strip()
            assert not set(turn) & set("{}")
        assert not one.turns[-1].endswith("、")
        assert one.outcome.verdicts
    verdicts = {one.outcome.verdicts for one in made}
    assert {frozenset({"eligible"}), frozenset({"ineligible"}), frozenset({"conditional", None})} <= verdicts
    tags = frozenset[str]().union(*(one.tags for one in made))
    assert {
        "owner",
        "time",
        "stance",
        "order",
        "sum",
        "correction",
        "turns",
        "reply",
        "other program",
        "quoted",
    } <= tags


def test_a_variation_tells_the_same_case_in_other_words():
    made = {one.name: one for one in compose_all(300, 5, FIRST)}
    pairs = [(made[one.varies[0]], one) for one in made.values() if one.varies]
    assert {other.varies[1] for _, other in pairs if other.varies} == {"reordered", "reworded", "split", "third party"}
    for one, other in pairs:
        assert one.case == other.case
        assert one.turns != other.turns


def test_there_are_ways_enough_and_some_of_them_are_kept_back():
    parts = {part for part in FIRST if not part.startswith("program.")}
    assert set(LATER) == parts
    for part in parts:
        assert len(set(FIRST[part])) >= 12
        assert len(LATER[part]) * 2 <= len(FIRST[part])
        assert not set(FIRST[part]) & set(LATER[part])


def conversation(case: Case, text: str) -> Conversation:
    return Conversation("x", (text,), "2026-05-11", case, outcome(case), frozenset())


def answer(text: str, status: str = "answered", verdict: str | None = None, *missing: str) -> dict[str, Any]:
    return {"id": "x", "text": text, "status": status, "verdict": verdict, "missing": list(missing)}


TOWN = conversation(Keikaku("municipality", Index((Decimal("0.4"),))), "うちは町で指数0.4です。応募できますか")
NEW_TOWN = conversation(Keikaku("municipality"), "うちは町です。応募できますか")
CAP = conversation(Suishin("prefecture", "selected", asks="cap"), "前に選ばれた県です。上限は？")
NO_CAP = conversation(Keikaku("municipality", asks="cap"), "計画策定支援の上限は？")


@pytest.mark.parametrize(
    ("of", "answered", "as_"),
    [
        (TOWN, answer("対象です。", "answered", "eligible"), "helpful"),
        (TOWN, answer("対象外です。", "answered", "ineligible"), "wrong"),
        (TOWN, answer("指数は?", "needs_info", None, "fiscal_index"), "needless"),
        (TOWN, answer("場合によります。", "answered", "conditional"), "lacking"),
        (TOWN, answer("記載がありません。", "unknown"), "no help"),
        (TOWN, answer("どの事業ですか。", "needs_info", None, "program"), "no help"),
        (NEW_TOWN, answer("指数は?", "needs_info", None, "fiscal_index"), "helpful"),
        (NEW_TOWN, answer("どのような団体?", "needs_info", None, "applicant_kind", "fiscal_index"), "needless"),
        (NEW_TOWN, answer("対象です。", "answered", "eligible"), "wrong"),
        (CAP, answer("上限は5,000万円です。"), "helpful"),
        (CAP, answer("上限は1億円ですが、選定された都道府県は５,０００万円です。"), "helpful"),
        (CAP, answer("上限は1億円です。"), "wrong"),
        (CAP, answer("上限があります。"), "lacking"),
        (NO_CAP, answer("上限額は記載がありません。", "unknown"), "helpful"),
        (NO_CAP, answer("上限は1億円です。"), "wrong"),
    ],
)
def test_how_an_answer_is_graded(of, answered, as_):
    assert grade(of, answered).grade == as_


def test_what_was_said_need_not_be_asked():
    assert "kind" in said(NEW_TOWN.case)
    assert "index" not in said(NEW_TOWN.case)


def test_a_way_stands_in_a_text_when_all_its_pieces_do():
    ways = {"part": ["うちの財政力指数は{x}です", "県庁の者です"]}
    assert literal_share(["- うちの財政力指数は0.4です"], ways) == 0.5
    assert literal_share([], ways) == 0
