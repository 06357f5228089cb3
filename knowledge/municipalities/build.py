"""Writes municipalities.csv anew: `python -m knowledge.municipalities.build --indices DIR --names DIR`.

Names come from localgovjp (`--names`), the 財政力指数 of the newest three years from japandata-indices (`--indices`).
"""

import csv
import io
import os
import re
import sys
from collections.abc import Iterator
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Annotated

import openpyxl
import typer

from knowledge.municipalities.places import folded
from knowledge.municipalities.records import FIELDS, FILE, Kind

YEARS = 3
HIGHEST = 3  # no published index is above; a percentage or a shifted column would be
PREFECTURES = 47
_KINDS: dict[str, Kind] = {"市": "city", "町": "town", "村": "village", "区": "special_ward"}
_ERAS = {"H": 1988, "R": 2018}
_WEIGHTS = (6, 5, 4, 3, 2)  # of the first five digits of a 団体コード

Bodies = dict[str, dict[str, str]]


class DatasetError(Exception):
    """A dataset that cannot be used: the file, the reason and the remedy, in Japanese."""

    def __init__(self, where: Path | str, reason: str, remedy: str) -> None:
        super().__init__(f"{where}: {reason}。{remedy}。")


def main(
    indices: Annotated[Path, typer.Option(help="japandata-indices のフォルダー")],
    names: Annotated[Path, typer.Option(help="localgovjp のフォルダー")],
) -> None:
    """財政力指数と団体名のデータから municipalities.csv を作り直します。"""
    try:
        content, remarks = build(indices, names)
    except DatasetError as error:
        sys.exit(str(error))
    partial = FILE.with_suffix(".partial")
    partial.write_text(content, encoding="utf-8", newline="")
    os.replace(partial, FILE)
    for remark in remarks:
        typer.echo(remark)
    typer.echo(f"{FILE.name}: {len(content.splitlines()) - 1}団体")


def build(indices: Path, names: Path) -> tuple[str, list[str]]:
    """The file's content, and remarks: bodies without an index or of another name, and indices of no body.

    Raises:
        DatasetError: something is missing, or not what the datasets have been so far.
    """
    bodies = read_bodies(names)
    codes = {body["name"]: code for code, body in bodies.items() if body["kind"] == "prefecture"}
    remarks = []
    years = list(newest_years(indices / "indices" / "city"))
    for year, file in years:
        published = read_indices(file, "団体コード", "団体名")
        of_prefectures = read_indices(indices / "indices" / "prefecture" / file.name, "都道府県名", "都道府県名")
        published |= {codes.get(name, name): row for name, row in of_prefectures.items()}
        for code, body in bodies.items():
            name, index = published.pop(code, ("", ""))
            body[str(year)] = str(index)
            if folded(name) != folded(body["name"]):
                remarks.append(f"{year}年度: {code} {body['prefecture']}{body['name']}は、表では「{name or 'なし'}」")
        remarks += [f"{year}年度: {code} {name}は、今の団体にありません" for code, (name, _) in published.items()]
    lines = io.StringIO(newline="")
    writer = csv.DictWriter(lines, [*FIELDS, *(str(year) for year, _ in years)], lineterminator="\n")
    writer.writeheader()
    writer.writerows(body for _, body in sorted(bodies.items()))
    return lines.getvalue(), remarks


def read_bodies(folder: Path) -> Bodies:
    """The rows of today's bodies by code, without indices; the wards of designated cities in the rows of the cities."""
    bodies: Bodies = {}
    file = folder / "prefjp-utf8.csv"
    for row in _rows(file, "lgcode", "pref", "prefkana"):
        _add(bodies, file, row["lgcode"].zfill(6), "prefecture", row["pref"], row["pref"], row["prefkana"])
    if len(bodies) != PREFECTURES:
        raise DatasetError(file, f"都道府県が{len(bodies)}行です", f"{PREFECTURES}行あるか確かめてください")
    prefectures = {body["name"] for body in bodies.values()}
    file = folder / "localgovjp-utf8.csv"
    wards = []
    for row in _rows(file, "lgcode", "pref", "city", "citykana"):
        if row["pref"] not in prefectures:
            raise DatasetError(file, f"「{row['pref']}」という都道府県はありません", "pref の列を直してください")
        if " " in row["city"]:
            wards.append((row["pref"], *row["city"].split(" ", 1)))
            continue
        kind = _KINDS.get(row["city"][-1:])
        if kind is None:
            raise DatasetError(
                file, f"「{row['city']}」が市・町・村・区のどれでもありません", "city の列を直してください"
            )
        _add(bodies, file, row["lgcode"], kind, row["pref"], row["city"], row["citykana"])
    by_name = {(body["prefecture"], body["name"]): body for body in bodies.values()}
    for prefecture, city, ward in wards:
        body = by_name.get((prefecture, city))
        if body is None:
            raise DatasetError(file, f"「{city} {ward}」の市がありません", f"{city}の行を足してください")
        body["wards"] = f"{body['wards']} {ward}".strip()
    return bodies


def _add(bodies: Bodies, file: Path, code: str, kind: Kind, prefecture: str, name: str, kana: str) -> None:
    if not is_code(code):
        raise DatasetError(file, f"{name}の団体コード「{code}」が正しくありません", "検査数字まで6桁で書いてください")
    if code in bodies:
        raise DatasetError(file, f"団体コード {code} が2行にあります({name})", "1行にしてください")
    bodies[code] = {
        "code": code,
        "kind": kind,
        "prefecture": prefecture,
        "name": name,
        "kana": kana,
        "wards": "",
    }


def is_code(code: str) -> bool:
    """Whether these are six digits of which the last is the check digit of a 団体コード."""
    if not re.fullmatch(r"[0-9]{6}", code):
        return False
    total = sum(weight * int(digit) for weight, digit in zip(_WEIGHTS, code, strict=False))
    return (11 - total % 11) % 10 == int(code[-1])


def _rows(file: Path, *fields: str) -> Iterator[dict[str, str]]:
    try:
        with file.open(encoding="utf-8-sig", newline="") as lines:
            rows = list(csv.DictReader(lines))
    except FileNotFoundError:
        raise DatasetError(file, "ファイルがありません", "--names に localgovjp を指定してください") from None
    missing = [field for field in fields if not rows or field not in rows[0]]
    if missing:
        raise DatasetError(file, f"列 {'、'.join(missing)} がありません", "localgovjp のファイルか確かめてください")
    yield from rows


def newest_years(folder: Path) -> Iterator[tuple[int, Path]]:
    """The newest fiscal years with their workbooks, newest first."""
    files = {
        _ERAS[name[1]] + int(name[2]): file
        for file in sorted(folder.glob("*.xls*"))  # .xlsx last, where a year has both
        if (name := re.fullmatch(r"([HR])(\d+)", file.stem))
    }
    if not files:
        raise DatasetError(
            folder, "R3.xlsx のような年度のファイルがありません", "--indices に japandata-indices を指定してください"
        )
    for year in sorted(files, reverse=True)[:YEARS]:
        if files[year].suffix != ".xlsx":
            raise DatasetError(files[year], "xls形式は読めません", "xlsx形式で保存し直してください")
        yield year, files[year]


def read_indices(file: Path, key: str, name: str) -> dict[str, tuple[str, Decimal]]:
    """Name and 財政力指数 of each body of a workbook, by its column `key`; the averages at its end are left out."""
    try:
        book = openpyxl.load_workbook(file, read_only=True, data_only=True)
    except FileNotFoundError:
        raise DatasetError(file, "ファイルがありません", "japandata-indices から置いてください") from None
    with closing(book):
        rows = iter([*book.worksheets[0].iter_rows(values_only=True)])
    columns = (key, name, "財政力指数")
    header = next((row for row in rows if set(columns) <= set(row)), None)
    if header is None:
        raise DatasetError(file, f"見出し {'、'.join(columns)} の行がありません", "総務省の様式か確かめてください")
    found: dict[str, tuple[str, Decimal]] = {}
    for row in rows:
        body, its_name, index = (row[header.index(column)] for column in columns)
        if not body or "平均" in str(body):
            continue
        if str(body) in found:
            raise DatasetError(file, f"{body} が2行にあります", "1行にしてください")
        found[str(body)] = (str(its_name), _index(index, file, str(body)))
    return found


def _index(value: object, file: Path, body: str) -> Decimal:
    if not isinstance(value, int | float) or not 0 <= value <= HIGHEST:
        reason = f"{body} の財政力指数「{value}」が0から{HIGHEST}の数ではありません"
        raise DatasetError(file, reason, "元の表と見比べてください")
    return Decimal(str(value)) + Decimal("0.00")  # 1 as 1.00, as it is published


if __name__ == "__main__":
    typer.run(main)
