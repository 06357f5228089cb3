"""Drafts of a year's parameters from what documents say otherwise, and what an official accepts of them."""

import shutil
from pathlib import Path

import pytest

from ingest.drafting import DraftedYear, accept, draft_years
from ingest.types import ReadError
from knowledge.catalog import KNOWLEDGE, load_catalog
from knowledge.conflicts import Conflict
from knowledge.types import Subject


@pytest.fixture
def root(catalog_root: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(catalog_root, tmp_path / "catalog"))


def draft(root: Path, *said: tuple[str, str]) -> DraftedYear:
    """The draft of 山の体制支援 for 2026, of which a document says these sentences of these subjects."""
    conflicts = [Conflict("yama", subject, "", "要領.pdf", "事業規模(2ページ)", sentence) for subject, sentence in said]
    (made,) = draft_years(load_catalog(root), conflicts, 2026, root)
    return made


@pytest.mark.parametrize(
    ("sentence", "before", "after", "values"),
    [
        ("上限4億円とします。", "3億円", "4億円", [100_000_000, 400_000_000]),
        ("上限は450百万円です。", "3億円", "450百万円", [100_000_000, 450_000_000]),
        ("前に選ばれた県は上限8,000万円です。", "1億円", "8,000万円", [80_000_000, 300_000_000]),
        ("上限3億円。前に選ばれた県は上限2億円です。", "1億円", "2億円", [200_000_000, 300_000_000]),
    ],
)
def test_the_row_that_a_sentence_is_of_gets_its_figure(
    root: Path, sentence: str, before: str, after: str, values: list[int]
) -> None:
    made = draft(root, ("cap", sentence))
    assert made.changes == ((before, after, sentence),)
    accept(made, root)
    (cap,) = [year for year in load_catalog(root).programs["yama"].years if year.fiscal_year == 2026]
    (rows,) = cap.parameters[Subject.CAP].values.values()
    assert rows is not None
    assert [int(row.value) for row in rows if not isinstance(row.value, tuple | None)] == values
    assert [row.says for row in rows if after in row.says]
    assert not [row.says for row in rows if before in row.says]
    assert sentence.rstrip("。") in {evidence.quote for row in rows for evidence in row.evidence}


def test_a_figure_changes_in_every_language_that_a_row_speaks(tmp_path: Path) -> None:
    root = Path(shutil.copytree(KNOWLEDGE, tmp_path / "knowledge"))
    sentence = "事業規模は、上限120百万円です。"
    conflict = Conflict("suishin", "cap", "", "要領.pdf", "事業規模", sentence)
    (made,) = draft_years(load_catalog(root), [conflict], 2026, root)
    accept(made, root)
    (year,) = [year for year in load_catalog(root).programs["suishin"].years if year.fiscal_year == 2026]
    (rows,) = year.parameters[Subject.CAP].values.values()
    (row,) = [row for row in rows or () if row.value == 120_000_000]
    assert "120百万円" in row.says
    assert "120百万円" in row.says_easy
    assert "120,000,000 yen" in row.says_en
    assert "120,000,000 yen" in row.needs_en
    assert not [text for text in map(str, vars(row).values()) if "1億円" in text or " 100,000,000" in text]


def test_what_is_not_plain_is_left_to_people(root: Path) -> None:
    made = draft(root, ("cap", "上限は4億円または5億円です。"))
    assert (made.changes, made.open) == ((), ("上限は4億円または5億円です。",))
    with pytest.raises(ReadError, match="下書きにできる数値がありません"):
        accept(made, root)


def test_a_file_that_is_there_is_not_replaced(root: Path) -> None:
    made = draft(root, ("duration", "支援の期間は9か月です。"))
    file = accept(made, root)
    with pytest.raises(ReadError, match="すでにあります"):
        accept(made, root)
    assert file.read_text(encoding="utf-8") == made.text


def test_a_draft_that_the_catalog_refuses_leaves_nothing(root: Path) -> None:
    made = draft(root, ("duration", "支援の期間は9か月です。"))
    (root / "programs" / "yama" / "qa.yaml").write_text("- id: [", encoding="utf-8")
    with pytest.raises(ReadError, match="制度のファイルとして使えません"):
        accept(made, root)
    assert not (root / "programs" / "yama" / "fy2026.yaml").exists()
