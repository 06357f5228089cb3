"""Which part bodies play, where plain grammar does not tell: learnt of marked messages, asked of others."""

from datetime import date

import numpy as np
import pytest

from bot.types import Conversation
from bot.understanding.message import read_message
from bot.understanding.offline import OfflineReader
from knowledge.bodies import EXAMPLES, LEARNT, examples_digest

ROWS = [
    # a message that stands in no example, and the kinds of the bodies that apply
    ("総合通信局の職員です。大学から推薦を頼まれました。推薦すればアドバイザー派遣の対象ですか。", {"nonprofit"}),
    ("町の福祉課です。社会福祉協議会から、計画策定支援に応募したいと相談がありました。", {"nonprofit"}),
    ("町の福祉課です。社会福祉協議会から、町で計画策定支援に応募してはと言われました。", {"municipality"}),
    ("NPOです。町から計画策定支援を勧められました。応募できますか。", {"nonprofit"}),
]


def test_what_was_learnt_is_of_these_examples() -> None:
    with np.load(LEARNT) as learnt:
        assert str(learnt["examples"]) == examples_digest(), "the examples have changed: make bodies"


@pytest.mark.parametrize(("text", "kinds"), ROWS)
def test_who_applies(text: str, kinds: set[str]) -> None:
    assert text not in EXAMPLES.read_text(encoding="utf-8")
    scene = OfflineReader(read_message(text, date(2026, 5, 20)), Conversation()).scene
    assert {body.kind for body in scene.applicants} == kinds
