"""What municipalities.csv holds, and that it is made only of datasets that are as they should be."""

import csv
from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import openpyxl
import pytest

from knowledge.municipalities.build import DatasetError, build, is_code
from knowledge.municipalities.records import index_table, municipalities

# Fiscal years 2019, 2020 and 2021: whoever decides by one of them decides otherwise by another.
CROSSED = {
    "茨城県守谷市": "1.00 1.00 0.98",
    "栃木県上三川町": "1.07 1.08 0.95",
    "群馬県太田市": "1.03 0.99 0.97",
    "東京都国立市": "1.01 1.00 0.99",
    "神奈川県中井町": "1.01 1.00 0.97",
    "福井県おおい町": "1.02 1.00 0.99",
    "静岡県御前崎市": "1.00 0.99 0.97",
    "愛知県田原市": "1.06 1.01 0.99",
    "愛知県武豊町": "1.02 1.01 0.99",
    "大阪府摂津市": "1.00 0.99 0.97",
}


def test_all_bodies_of_today_are_there_once() -> None:
    bodies = municipalities()
    # 1,718 cities, towns and villages; the six villages of the northern islands are not among them
    assert Counter(body.kind for body in bodies) == {
        "prefecture": 47,
        "city": 792,
        "town": 743,
        "village": 183,
        "special_ward": 23,
    }
    assert len({body.code for body in bodies}) == len({(body.prefecture, body.name) for body in bodies}) == len(bodies)
    assert all(is_code(body.code) for body in bodies)


def test_kinds_and_prefectures_agree_with_names_and_codes() -> None:
    suffixes = {"prefecture": "都道府県", "city": "市", "town": "町", "village": "村", "special_ward": "区"}
    prefectures = {body.code[:2]: body.name for body in municipalities() if body.kind == "prefecture"}
    for body in municipalities():
        assert body.name[-1] in suffixes[body.kind]
        assert body.prefecture == prefectures[body.code[:2]]
        assert body.kana
        assert not body.wards or body.kind == "city"
    assert {body.prefecture for body in municipalities() if body.kind == "special_ward"} == {"東京都"}
    assert sum(bool(body.wards) for body in municipalities()) == 20


def test_every_body_has_an_index_for_three_years_between_0_and_3() -> None:
    for body in municipalities():
        assert [year for year, _ in body.index_history] == [2021, 2020, 2019]
        assert all(0 < index < 3 for _, index in body.index_history)
        assert (body.index_year, body.index) == body.index_history[0]


def test_an_index_is_published_with_its_year_and_table_and_none_of_a_ward() -> None:
    published = {body.full_name: body.published for body in municipalities()}
    assert [name for name, index in published.items() if index is None] == [
        body.full_name for body in municipalities() if body.kind == "special_ward"
    ]
    index = published["島根県飯南町"]
    assert index
    assert (index.value, index.year) == (Decimal("0.13"), 2021)
    assert index_table(index) == "「地方公共団体の主要財政指標一覧」2021年度(令和3年度) 島根県飯南町"


def test_indices_are_those_of_the_tables() -> None:
    indices = {f"{body.prefecture}{body.name}": body.index for body in municipalities()}
    assert indices["島根県飯南町"] == Decimal("0.13")
    assert indices["愛知県飛島村"] == max(index for index in indices.values() if index) == Decimal("2.10")
    assert indices["東京都東京都"] == Decimal("1.07301")


def test_those_who_crossed_1_between_2019_and_2021() -> None:
    crossed = {}
    for body in municipalities():
        values = [index for _, index in reversed(body.index_history)]
        if (values[0] < 1) != (values[-1] < 1):
            crossed[f"{body.prefecture}{body.name}"] = " ".join(map(str, values))
    assert crossed == CROSSED


# --- made from the datasets -------------------------------------------------------------------------------------------

NAMES = [["131016", "東京都", "千代田区", "ちよだく"], ["271004", "大阪府", "大阪市", "おおさかし"]]
WARDS = [["271276", "大阪府", "大阪市 北区", "おおさかし きたく"]]
CITY = [
    ["全市町村の主要財政指標"],
    ["団体コード", "都道府県名", "団体名", "財政力指数"],
    ["131016", "東京都", "千代田区", 0.8],
    ["271004", "大阪府", "大阪市", 1],
    ["全国市町村平均", None, None, 0.5],
]


@pytest.fixture
def datasets(tmp_path: Path) -> Callable[..., tuple[Path, Path]]:
    """Small datasets in the form of the real ones, with the parts that a test replaces."""
    prefectures = [[body.code, body.name, body.kana] for body in municipalities() if body.kind == "prefecture"]

    def made(
        names: list[list[str]] | None = None,
        prefectures: list[list[str]] = prefectures,
        city: list[list[object]] | None = None,
        years: tuple[str, ...] = ("R3.xlsx",),
    ) -> tuple[Path, Path]:
        table(tmp_path / "prefjp-utf8.csv", ["lgcode", "pref", "prefkana"], prefectures)
        table(tmp_path / "localgovjp-utf8.csv", ["lgcode", "pref", "city", "citykana"], names or NAMES + WARDS)
        for year in years:
            workbook(tmp_path / "indices/city" / year, city or CITY)
            rows = [[name, 0.44595] for _, name, _ in prefectures]
            workbook(
                tmp_path / "indices/prefecture" / year, [["都道府県名", "財政力指数"], *rows, ["都道府県平均", 0.5]]
            )
        return tmp_path, tmp_path

    return made


def table(path: Path, header: list[str], rows: list[list[str]]) -> None:
    with path.open("w", encoding="utf-8-sig", newline="") as lines:
        csv.writer(lines).writerows([header, *rows])


def workbook(path: Path, rows: list[list[object]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".xls":
        path.write_bytes(b"\xd0\xcf\x11\xe0")
        return
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    book.save(path)


def test_build_joins_names_and_indices_of_the_newest_three_years(datasets) -> None:
    content, remarks = build(*datasets(years=("H28.xls", "H30.xlsx", "R1.xlsx", "R2.xlsx", "R3.xlsx")))
    lines = content.splitlines()
    assert lines[0] == "code,kind,prefecture,name,kana,wards,2021,2020,2019"
    assert lines[1] == "010006,prefecture,北海道,北海道,ほっかいどう,,0.44595,0.44595,0.44595"
    assert "131016,special_ward,東京都,千代田区,ちよだく,,0.80,0.80,0.80" in lines
    assert "271004,city,大阪府,大阪市,おおさかし,北区,1.00,1.00,1.00" in lines
    assert len(lines) == 1 + 47 + 2
    assert remarks == []


def test_what_the_datasets_do_not_have_in_common_is_said(datasets) -> None:
    city = [*CITY[:2], ["131016", "東京都", "千代区", 0.8], ["011002", "北海道", "札幌市", 0.7]]
    content, remarks = build(*datasets(city=city))
    assert "271004,city,大阪府,大阪市,おおさかし,北区," in content.splitlines()
    assert remarks == [
        "2021年度: 131016 東京都千代田区は、表では「千代区」",
        "2021年度: 271004 大阪府大阪市は、表では「なし」",
        "2021年度: 011002 札幌市は、今の団体にありません",
    ]


@pytest.mark.parametrize(
    ("parts", "says"),
    [
        ({"years": ()}, "R3.xlsx のような年度のファイルがありません"),
        ({"years": ("R3.xlsx", "R4.xls")}, "R4.xls: xls形式は読めません。xlsx形式で保存し直してください"),
        ({"city": [["団体コード", "団体名"]]}, "見出し 団体コード、団体名、財政力指数 の行がありません"),
        ({"city": [*CITY[:3], ["271004", "大阪府", "大阪市", "-"]]}, "271004 の財政力指数「-」が0から3の数では"),
        ({"city": [*CITY[:3], ["271004", "大阪府", "大阪市", 99.6]]}, "財政力指数「99.6」が0から3の数ではありません"),
        ({"city": [*CITY[:3], ["271004", "大阪府", "大阪市", None]]}, "財政力指数「None」が0から3の数ではありません"),
        ({"city": [*CITY[:4], CITY[3]]}, "271004 が2行にあります"),
        ({"names": [["131011", "東京都", "千代田区", ""]]}, "千代田区の団体コード「131011」が正しくありません"),
        ({"names": [NAMES[0], NAMES[0]]}, "団体コード 131016 が2行にあります"),
        ({"names": [["131016", "東京", "千代田区", ""]]}, "「東京」という都道府県はありません"),
        ({"names": [["131016", "東京都", "千代田", ""]]}, "「千代田」が市・町・村・区のどれでもありません"),
        ({"names": WARDS}, "「大阪市 北区」の市がありません"),
        ({"prefectures": [["010006", "北海道", "ほっかいどう"]]}, "都道府県が1行です"),
    ],
    ids=lambda part: part if isinstance(part, str) else "",
)
def test_a_dataset_that_is_not_as_it_should_be_is_named(datasets, parts, says) -> None:
    with pytest.raises(DatasetError) as refused:
        build(*datasets(**parts))
    assert says in str(refused.value)


def test_a_folder_without_the_names_is_named(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"prefjp-utf8\.csv: ファイルがありません。--names に localgovjp を指定"):
        build(tmp_path, tmp_path)
