"""What leads to a person is masked on arrival, and what questions are about stays."""

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from bot.masking import MASK, mask

TABLE = yaml.safe_load((Path(__file__).parent / "masking.yaml").read_text(encoding="utf-8"))
PIECES = ["0", "03", "0-", "01 ", "03(", "+81", "1234-", "a", "a@", "@a.", "市", "市川", "県市市町1-", "1丁目1-"]
LETTERS = "0123456789０３〇一二-－ー ()+.,@aZ市区町丁目番地号住所電話の県ビル室円\u200b"

texts = st.text(st.sampled_from(LETTERS)) | st.text()
figures = st.one_of(
    st.dates(date(1990, 1, 1), date(2099, 12, 31)).map(str),
    st.dates(date(2000, 1, 1), date(2099, 12, 31)).map(lambda day: f"令和{day.year - 1999}年{day.month}月{day.day}日"),
    st.integers(1990, 2099).map(lambda year: f"{year}年度"),
    st.integers(0, 10**13).map(lambda yen: f"{yen}円"),
    st.integers(0, 10**13).map(lambda yen: f"¥{yen:,}"),
    st.integers(1, 10**5).map(lambda number: f"{number}万円"),
    st.decimals(Decimal(0), Decimal(3), places=2).map(lambda index: f"財政力指数{index}"),
    st.integers(1, 10**4).map(lambda days: f"{days}日"),
)
joins = st.sampled_from([" ", "、", "と", "から", "の町で、", "\n"])


@pytest.mark.parametrize(("text", "masked"), [pair for table in TABLE.values() for pair in table.items()])
def test_the_table(text, masked):
    assert mask(text) == masked


@given(texts)
def test_what_is_masked_stays_as_it_is(text):
    masked = mask(text)
    assert mask(masked) == masked


@given(st.lists(st.tuples(figures, joins), min_size=1, max_size=6))
def test_figures_of_questions_stay(said):
    text = "".join(figure + join for figure, join in said)
    assert mask(text) == text


@given(st.integers(10**11, 10**12 - 1), st.sampled_from(["", " ", "-", "　", "－"]))
def test_of_twelve_digits_only_those_that_check_are_masked(number, gap):
    digits = str(number)
    written = [f"番号{digits[:4]}{gap}{digits[4:8]}{gap}{digits[8:11]}{last}" for last in range(10)]
    assert len([text for text in written if mask(text) != text]) == 1


@given(texts, st.integers(0, 9999), texts)
def test_a_telephone_number_is_masked_wherever_it_stands(before, last, after):
    number = f"090-1234-{last:04}"
    assert number not in mask(f"{before}。{number}。{after}")


@pytest.mark.parametrize("piece", PIECES)
def test_a_long_text_takes_no_longer_for_being_hostile(piece):
    text = f"{piece * (200_000 // len(piece))} 090-1234-5678"  # minutes, if it were not linear
    assert mask(text).endswith(MASK)
