"""A catalog that cannot be used is refused, naming the file, the key, what is wrong and what to write instead."""

import shutil
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from bot.answering import answer
from bot.types import Inquiry
from knowledge.catalog import KNOWLEDGE, CatalogError, catalog_version, load_catalog, read_yaml

MISTAKES = read_yaml(Path(__file__).with_name("bad_catalogs.yaml"))


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    shutil.copy(KNOWLEDGE / "facts.yaml", tmp_path)
    shutil.copytree(KNOWLEDGE / "programs", tmp_path / "programs")
    return tmp_path


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake["name"])
def test_each_mistake_is_named(copied, mistake):
    file = copied / mistake["file"]
    text = file.read_text(encoding="utf-8")
    assert mistake["replace"] in text, "the mistake no longer fits the file"
    file.write_text(text.replace(mistake["replace"], mistake["by"]), encoding="utf-8")
    with pytest.raises(CatalogError) as refused:
        load_catalog(copied)
    for words in mistake["error"]:
        assert words in str(refused.value)
    assert refused.value.remedy


def test_a_missing_file_and_a_folder_without_programs_are_named(copied):
    (copied / "programs" / "adviser" / "qa.yaml").unlink()
    with pytest.raises(CatalogError, match=r"qa\.yaml.*missing"):
        load_catalog(copied)
    shutil.rmtree(copied / "programs")
    with pytest.raises(CatalogError, match=r"no program is given"):
        load_catalog(copied)


def test_text_that_is_not_utf8_is_named(copied):
    file = copied / "programs" / "adviser" / "program.yaml"
    file.write_bytes(file.read_text(encoding="utf-8").encode("cp932"))
    with pytest.raises(CatalogError, match="UTF-8"):
        load_catalog(copied)


def test_a_new_program_is_one_folder(copied):
    """No Python changes: a copied folder with another id is a program of its own."""
    new = copied / "programs" / "chousa"
    shutil.copytree(copied / "programs" / "suishin", new)
    program = new / "program.yaml"
    program.write_text(program.read_text(encoding="utf-8").replace("id: suishin", "id: chousa"), encoding="utf-8")
    catalog = load_catalog(copied)
    assert set(catalog.programs) == {*load_catalog().programs, "chousa"}
    assert "chousa" in {choice.value for choice in catalog.facts["program"].choices}


NEXT_YEAR = """
fiscal_year: 2026
parameters:
  cap:
    description: 事業規模の上限
    bound: at_most
    values:
      2026-04-01:
        - {value: 200000000, unit: yen, says: 上限は2億円です。, evidence: [{place: 事業規模, quote: 上限2億円}]}
"""


def test_a_server_takes_up_a_changed_catalog_or_refuses_it_whole(copied, knowledge, caplog):
    serving = replace(knowledge, catalog=load_catalog(copied), root=copied, version=catalog_version(copied))
    asked = Inquiry("推進体制構築支援の上限はいくらですか", date(2026, 5, 10))
    assert "1億円" in answer(asked, serving)[0].text
    (copied / "programs" / "suishin" / "fy2026.yaml").write_text(NEXT_YEAR, encoding="utf-8")
    serving.refresh()
    assert "上限は2億円です。" in answer(asked, serving)[0].text

    (copied / "programs" / "suishin" / "fy2026.yaml").write_text(NEXT_YEAR.replace("yen", "coins"), encoding="utf-8")
    (copied / "programs" / "keikaku" / "fy2026.yaml").write_text(
        "fiscal_year: 2026\nparameters: {}\n", encoding="utf-8"
    )
    serving.refresh()
    assert "上限は2億円です。" in answer(asked, serving)[0].text
    assert [year.fiscal_year for year in serving.catalog.programs["keikaku"].years][-1] == 2025
    assert "fy2026.yaml" in caplog.text
    assert "unit" in caplog.text
