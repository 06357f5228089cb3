"""Names in texts: places.yaml, one test for each row; and that every body is found by its own name."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.catalog import read_yaml
from knowledge.figures import normalize
from knowledge.municipalities.places import find_places
from knowledge.municipalities.records import Municipality, municipalities

TABLE = read_yaml(Path(__file__).with_name("places.yaml"))
NAMES = [body.name for body in municipalities()]
WORDS = ["市町村", "の", "は", "、", "(", ")", " ", "郡", "東京", "広島", "0.6"]


def full_name(body: Municipality) -> str:
    return body.name if body.kind == "prefecture" else f"{body.prefecture}{body.name}"


def found_in(text: str) -> str:
    """What was found, in the table's form."""
    return (
        " / ".join(
            f"[{text[place.start : place.end]}] {'・'.join(map(full_name, place.candidates))}"
            for place in find_places(text)
        )
        or "なし"
    )


@pytest.mark.parametrize(("text", "places"), TABLE.items())
def test_place(text: str, places: str) -> None:
    assert found_in(normalize(text)) == places


@pytest.mark.parametrize("prefecture", [body for body in municipalities() if body.kind == "prefecture"], ids=full_name)
def test_every_body_is_found_by_its_full_name(prefecture: Municipality) -> None:
    for body in municipalities():
        if body.prefecture == prefecture.name:
            name = normalize(full_name(body))
            assert [(place.start, place.end, place.candidates) for place in find_places(f"{name}です")] == [
                (0, len(name), (body,))
            ]


def test_names_alone_are_found_with_all_who_bear_them() -> None:
    in_wards = {ward for body in municipalities() for ward in body.wards}
    for body in municipalities():
        places = find_places(normalize(f"うちは{body.name}です"))
        assert [body in place.candidates for place in places] == ([] if body.name in in_wards else [True]), body.name


@given(st.lists(st.sampled_from(NAMES) | st.sampled_from(WORDS), max_size=8).map("".join))
def test_places_are_in_order_within_the_text_and_do_not_overlap(text: str) -> None:
    places = find_places(text)
    edges = [edge for place in places for edge in (place.start, place.end)]
    assert edges == sorted(edges)
    assert all(place.start < place.end <= len(text) and place.candidates for place in places)
