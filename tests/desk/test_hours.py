"""When officials answer, and the ladder, over Japan's calendar."""

from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from bot.desk.hours import day_text, load_office_hours
from knowledge.catalog import CatalogError

JAPAN = ZoneInfo("Asia/Tokyo")
CASES = yaml.safe_load((Path(__file__).parent / "hours.yaml").read_text(encoding="utf-8"))
HOURS = load_office_hours()


def moment(text):
    return datetime.fromisoformat(text).replace(tzinfo=JAPAN)


@pytest.mark.parametrize("case", CASES["later"], ids=lambda case: case["note"])
def test_office_time_runs_only_while_the_office_is_open(case):
    assert HOURS.later(moment(case["from"]), timedelta(hours=case["hours"])) == moment(case["is"])


@pytest.mark.parametrize("case", CASES["open"], ids=lambda case: case["at"])
def test_whether_somebody_is_there_and_when_next(case):
    assert HOURS.is_open(moment(case["at"])) is case["is"]
    assert day_text(HOURS.next_opening(moment(case["at"]))) == case["next"]


@given(
    st.datetimes(datetime(2026, 1, 1), datetime(2028, 12, 31)),
    st.timedeltas(timedelta(minutes=1), timedelta(hours=20)),
    st.timedeltas(timedelta(minutes=1), timedelta(hours=20)),
)
def test_office_time_adds_up_and_ends_while_the_office_is_open(start, first, second):
    start = start.replace(tzinfo=JAPAN)
    end = HOURS.later(HOURS.later(start, first), second)
    assert end == HOURS.later(start, first + second)
    assert end > start
    assert HOURS.is_open(end - timedelta(microseconds=1))


def test_the_last_step_of_the_ladder_comes_again_each_office_day():
    steps = [HOURS.step(number) for number in range(4)]
    day = timedelta(hours=7, minutes=45)
    assert [step.after for step in steps] == [timedelta(hours=4), day, 2 * day, 3 * day]
    assert [step.does for step in steps] == ["remind", "escalate", "escalate", "escalate"]


@pytest.mark.parametrize(
    ("was", "instead"),
    [
        ("09:30-12:00", "12:00-09:30"),
        ("4h", "4w"),
        ("remind", "shout"),
        ("closes_after", "closed_after"),
        ('["09:30-12:00", "13:00-18:15"]', "[]"),
    ],
)
def test_a_wrong_file_is_refused_by_name(tmp_path, was, instead):
    from bot.desk.hours import FILE

    file = tmp_path / "desk.yaml"
    file.write_text(FILE.read_text(encoding="utf-8").replace(was, instead), encoding="utf-8")
    with pytest.raises(CatalogError, match=r"desk\.yaml"):
        load_office_hours(file)
