"""Rules and guides held against documents: what is confirmed, what is missing, and what another figure contradicts."""

from collections import deque
from pathlib import Path

import pytest
import yaml

from ingest.auditing import Audit, Auditor, save_audit
from ingest.outlining import ProgramNames, outline
from ingest.types import Block, Document
from knowledge.catalog import Catalog, load_catalog
from knowledge.conflicts import load_conflicts

HERE = Path(__file__).parent
CASES = yaml.safe_load((HERE / "audit_cases.yaml").read_text(encoding="utf-8"))
CONFLICTS = [(c["program"], sentence, about) for c in CASES for sentence, about in c.get("conflicts", {}).items()]
CONSISTENT = [(c["program"], sentence, None) for c in CASES for sentence in c.get("consistent", [])]
PAGE = {
    "山の体制支援": [
        "6か月の支援をします。", "上限3億円", "※前に選ばれた県は上限1億円。", "予算は10億円程度", "公募は年2回です。",
        "財政力指数1以上は対象外です。",
    ],
    "海の「先生」派遣": [
        "最大2日まで、または計8時間までです。", "4月から10月まで募集します。", "1週間以内に実施報告書を出します。",
        "先生は150人を超えました。",
    ],
}  # fmt: skip


@pytest.fixture(scope="module")
def catalog(catalog_root: Path) -> Catalog:
    """The programs of audit_catalog.yaml."""
    return load_catalog(catalog_root)


def audit(catalog: Catalog, page: dict[str, list[str]], title: str = "山と海の支援") -> Audit:
    """The audit of a document with these paragraphs under these headings."""
    blocks = []
    for heading, paragraphs in page.items():
        blocks.append(Block("heading", heading, level=1))
        blocks += [Block("paragraph", text, f"{number}行目") for number, text in enumerate(paragraphs, 1)]
    document = Document("page.txt", title, blocks)
    auditor = Auditor(catalog)
    deque(auditor.hear(document, outline(document, ProgramNames(catalog.programs))), maxlen=0)
    return auditor.finish()


@pytest.mark.parametrize(("program", "sentence", "about"), CONFLICTS + CONSISTENT)
def test_another_figure_for_the_same_thing_is_a_conflict(
    catalog: Catalog, program: str, sentence: str, about: str | None
) -> None:
    found = audit(catalog, {catalog.programs[program].name: [sentence]})
    assert [(c.program, c.subject) for c in found.conflicts] == ([(program, about)] if about else [])


def test_a_page_that_bears_everything_out_is_confirmed_with_places(catalog: Catalog) -> None:
    found = audit(catalog, PAGE)
    assert {finding.status for finding in found.findings} == {"confirmed"}
    assert found.is_sound
    cap = next(finding for finding in found.findings if finding.phrase == "上限3億円")
    assert (cap.document, cap.found) == ("page.txt", "山の体制支援(2行目)")


def test_a_phrase_is_found_across_blanks_and_a_break_between_blocks(catalog: Catalog) -> None:
    page = {**PAGE, "海の「先生」派遣": ["最大 2日まで、または計", "8時間 までです。", *PAGE["海の「先生」派遣"][1:]]}
    assert audit(catalog, page).is_sound


def test_a_phrase_counts_only_under_its_own_program(catalog: Catalog) -> None:
    swapped = {"山の体制支援": PAGE["海の「先生」派遣"], "海の「先生」派遣": PAGE["山の体制支援"]}
    assert {finding.status for finding in audit(catalog, swapped).findings} == {"unchecked"}


@pytest.mark.parametrize("line", [(heading, text) for heading, texts in PAGE.items() for text in texts])
def test_each_phrase_that_is_gone_is_missing(catalog: Catalog, line: tuple[str, str]) -> None:
    heading, text = line
    found = audit(catalog, {**PAGE, heading: [other for other in PAGE[heading] if other != text]})
    missing = [finding.phrase for finding in found.findings if finding.status == "missing"]
    assert missing
    assert all(phrase in text for phrase in missing)
    assert not found.is_sound


def test_another_document_of_the_program_is_no_edition_of_its_page(catalog: Catalog) -> None:
    found = audit(catalog, {"山の体制支援": ["公募要領です。上限3億円です。", "様式は事務局に請求してください。"]})
    assert found.is_sound
    assert {finding.phrase for finding in found.findings if finding.status == "confirmed"} == {"上限3億円"}


def test_what_the_newest_edition_no_longer_has_is_told_to_the_asker(catalog: Catalog, tmp_path: Path) -> None:
    page = {**PAGE, "山の体制支援": [text for text in PAGE["山の体制支援"] if not text.startswith("公募")]}
    found = audit(catalog, page)
    save_audit(tmp_path, found)
    gone = [conflict for conflict in load_conflicts(tmp_path) if conflict.program == "yama"]
    assert [(conflict.rule_says, conflict.document_says) for conflict in gone] == [("公募は年2回", "")]


@pytest.mark.parametrize(
    ("title", "conflicts"), [("令和5年度 公募要領", 0), ("公募要領", 1), ("令和8年度 公募要領", 1)]
)
def test_a_newer_document_is_held_against_the_rules_and_an_older_one_is_not(
    catalog: Catalog, title: str, conflicts: int
) -> None:
    found = audit(catalog, {"山の体制支援": ["事業規模の上限は120百万円とします。"]}, title)
    assert len(found.conflicts) == conflicts


def test_programs_without_a_document_are_unchecked_and_no_fault(catalog: Catalog) -> None:
    found = audit(catalog, {"山の体制支援": PAGE["山の体制支援"]})
    assert {finding.status for finding in found.findings if finding.program == "umi"} == {"unchecked"}
    assert found.is_sound


def test_an_old_figure_exchanged_for_another_known_one_is_a_conflict(catalog: Catalog) -> None:
    page = {**PAGE, "山の体制支援": ["※前に選ばれた県は上限3億円。", *PAGE["山の体制支援"]]}
    assert [(c.subject, c.document_says) for c in audit(catalog, page).conflicts] == [
        ("cap", "※前に選ばれた県は上限3億円。")
    ]


def test_conflicts_are_handed_to_the_bot(catalog: Catalog, tmp_path: Path) -> None:
    assert load_conflicts(tmp_path) == ()
    found = audit(catalog, {"山の体制支援": ["事業規模の上限は5億円です。"]})
    save_audit(tmp_path, found)
    (conflict,) = load_conflicts(tmp_path)
    assert conflict == found.conflicts[0]
    assert conflict.program == "yama"
    assert conflict.rule_says == "前に選ばれた県は上限1億円です。上限は3億円です。"
    assert (conflict.document, conflict.place) == ("page.txt", "山の体制支援(1行目)")
    assert conflict.document_says == "事業規模の上限は5億円です。"
