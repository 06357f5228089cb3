"""The examples of subjects.yaml: each is understood to ask the subjects that its marks name, and no other."""

import re
from datetime import date

import pytest

from bot.types import Inquiry
from bot.understanding import understand
from bot.understanding.asking import load_subjects
from knowledge.catalog import load_catalog

_MARK = re.compile(r"\[([^]]+)]\((\w+)\)")
CATALOG = load_catalog()


@pytest.mark.parametrize("example", [example for cues in load_subjects() for example in cues.examples])
def test_an_example_asks_what_it_marks(example: str) -> None:
    read = understand(Inquiry(_MARK.sub(r"\1", example), date(2025, 6, 10)), CATALOG)
    assert {subject.value for subject in read.subjects} == {mark[2] for mark in _MARK.finditer(example)}
