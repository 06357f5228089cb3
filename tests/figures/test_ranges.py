"""What lies in a range, and what does not: ranges.yaml, one test for each figure."""

from pathlib import Path

import pytest

from knowledge.catalog import read_yaml
from knowledge.figures import measure_of, normalize, read_figures, read_ranges

ROWS = read_yaml(Path(__file__).with_name("ranges.yaml"))
EXPECTED = {"holds": [True], "not": [False], "none": []}
CASES = [
    (row["text"], figure, wanted) for row in ROWS for key, wanted in EXPECTED.items() for figure in row.get(key, ())
]


@pytest.mark.parametrize(("text", "written", "wanted"), CASES)
def test_a_range_holds_figures_of_its_own_measure(text: str, written: str, wanted: list[bool]) -> None:
    asked = normalize(written)
    (figure,) = read_figures(asked)
    ranges = [found for found in read_ranges(normalize(text)) if found.measure == measure_of(figure, asked)]
    assert [found.holds(figure.value) for found in ranges] == wanted
