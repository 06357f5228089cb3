"""What is understood as being about one's own record, and how it is shown."""

from pathlib import Path

import pytest
import yaml

from bot.privacy import NOTHING, OwnRecord, described, own_request

SAID = yaml.safe_load((Path(__file__).parent / "own_requests.yaml").read_text(encoding="utf-8"))


@pytest.mark.parametrize(("text", "request_"), [(text, kind) for kind, texts in SAID.items() for text in texts])
def test_what_is_asked_of_ones_own_record(text, request_):
    assert (own_request(text) or "none") == request_


def test_a_record_is_shown_newest_first_and_what_does_not_fit_is_counted():
    questions = [{"asked_at": f"2026-04-{day:02}T09:00:00+09:00", "question": "上限は" * 10} for day in range(1, 31)]
    cases = [{"number": 12, "question": "締切は"}]
    assert described(OwnRecord([], [], []), 90, 500) == NOTHING
    whole = described(OwnRecord(questions, cases, []), 90, 5000)
    assert "ご質問31件" in whole
    assert whole.index("2026-04-30 09:00") < whole.index("2026-04-01 09:00") < whole.index("受付番号12")
    cut = described(OwnRecord(questions, cases, []), 90, 500)
    assert len(cut) <= 500
    assert "ほか" in cut
    assert "「私の情報を消して」" in cut
