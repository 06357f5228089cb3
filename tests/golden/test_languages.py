"""English and やさしい日本語: questions that want them, and every sentence with the figures of the Japanese one."""

import re
from calendar import month_name
from collections import Counter
from dataclasses import fields, is_dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
import yaml

from bot.answering import answer
from bot.types import Conversation, Inquiry
from knowledge.catalog import load_catalog
from knowledge.languages import in_language
from knowledge.types import FactQuestion, Parameter, Row

CATALOG = load_catalog()
CASES = yaml.safe_load((Path(__file__).parent / "languages.yaml").read_text(encoding="utf-8"))
MONTHS = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
]
TIMES = {"": 1, "万": 10**4, "億": 10**8}


def worded(value):
    """Every value of the catalog that has words in other languages."""
    if isinstance(value, dict):
        for inner in value.values():
            yield from worded(inner)
    elif isinstance(value, tuple):
        for inner in value:
            yield from worded(inner)
    elif is_dataclass(value):
        if isinstance(value, Row | Parameter | FactQuestion):
            yield value
        for field in fields(value):
            yield from worded(getattr(value, field.name))


SENTENCES = [
    (getattr(value, field.name), getattr(value, f"{field.name}_{language}"), language)
    for value in worded((CATALOG.programs, CATALOG.facts))
    for field in fields(value)
    for language in ("en", "easy")
    if hasattr(value, f"{field.name}_{language}") and getattr(value, field.name)
]


def figures(text):
    """The numbers of a text by value, months by their number, and the names that are put in."""
    text = re.sub("|".join(month_name[1:]), lambda name: str(list(month_name).index(name[0])), text)
    numbers = re.findall(r"(\d[\d,]*(?:\.\d+)?)([万億]?)", text)
    return Counter([*(Decimal(n.replace(",", "")) * TIMES[unit] for n, unit in numbers), *re.findall(r"{\w+}", text)])


def test_there_are_sentences_to_compare():
    assert len(SENTENCES) > 150


@pytest.mark.parametrize(("japanese", "other", "language"), SENTENCES)
def test_a_sentence_has_the_figures_of_the_japanese_one(japanese, other, language):
    assert other
    assert figures(other) == figures(japanese)
    assert bool(re.search("[ぁ-ん]", other)) == (language == "easy")


@pytest.mark.parametrize(
    ("japanese", "other", "same"),
    [
        ("上限1億円", "100,000,000 yen", True),
        ("上限1億円", "10,000,000 yen", False),
        ("5,000万円まで", "50,000,000 yen", True),
        ("4月から12月", "from April to December", True),
        ("4月から12月", "from April to November", False),
        ("ちょうど1.00", "exactly 1", True),
        ("{fiscal_index}", "", False),
    ],
)
def test_figures_are_compared_by_their_value(japanese, other, same):
    assert (figures(japanese) == figures(other)) is same


def test_what_nobody_wrote_in_a_language_stays_japanese():
    assert in_language(Row(says="対象です。", says_en="Eligible."), "en").says == "Eligible."
    assert in_language(Row(says="対象です。"), "en").says == "対象です。"


@pytest.mark.parametrize("case", CASES, ids=lambda case: " / ".join(case["turns"]))
def test_the_answer_is_in_the_language_that_is_wanted(case, knowledge):
    conversation = Conversation()
    for turn in case["turns"]:
        answered, conversation = answer(Inquiry(turn, date(2025, 10, 1), conversation), knowledge)
    for words in case.get("has", ()):
        assert words in answered.text
    for words in case.get("never", ()):
        assert words not in answered.text
    assert answered.verdict == case.get("verdict", answered.verdict)
    assert next(iter(answered.missing), None) == case.get("missing")
