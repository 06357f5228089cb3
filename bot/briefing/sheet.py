"""What is left of a session: a sheet of its questions and answers, as docx, xlsx and md, and for the page to print."""

import io
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from bot.briefing.hosting import program_of
from bot.briefing.sessions import NAME
from bot.briefing.views import Json, Seen, best_answer, said, sources
from bot.desk.faq import Candidate
from bot.types import AnswerStatus
from knowledge.types import Program

FORMATS = {
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "md": "text/markdown; charset=utf-8",
    "json": "application/json",
}

_BY_HOST, _BY_BOT, _OPEN = "説明者が回答した質問", "資料から回答した質問", "未回答の質問"
_SECTIONS = (_BY_HOST, _BY_BOT, _OPEN)
_COLUMNS = ("番号", "質問", "人数", "回答", "根拠・担当", "確認")
_WIDTHS = (6, 40, 6, 60, 34, 24)
"""Of the columns, in characters."""

Unheld = Callable[[str, str, str], Awaitable[Sequence[str]]]
"""Of an answer, its question and their program: the figures that no rule and no document states."""

_ALOUD = "口頭回答"
_IN_WRITING = "説明者の回答"
_BY_DESK = "職員の回答"
_GIVEN_BY = {"written": _IN_WRITING, "aloud": _ALOUD, "desk": _BY_DESK}
_BY_HOSTS = ("written", "aloud")
_LATER = "後日回答します。"
_NO_ANSWER_YET = "未回答"


@dataclass(frozen=True)
class SheetLine:
    """A matter on the sheet. `checks` names what a person must look at before it is printed; "" where nothing."""

    section: str
    number: int
    question: str
    people: int
    answer: str
    source: str
    checks: str


async def lines_of(seen: Seen, unheld: Unheld, programs: Mapping[str, Program]) -> list[SheetLine]:
    """The lines of a session's sheet: by section, most asked first. What a host has hidden is left out.

    Args:
        seen: the session.
        unheld: holds the figures of hosts' answers against rules and documents.
        programs: by id; whose contact takes what is open.
    """
    lines = [await _line(matter, seen, unheld, programs) for matter in seen.matters if not matter.hidden]
    return sorted(lines, key=lambda line: (_SECTIONS.index(line.section), -line.people, line.number))


async def _line(matter: Any, seen: Seen, unheld: Unheld, programs: Mapping[str, Program]) -> SheetLine:
    about = (matter.number, matter.wording, seen.asked_by(matter))
    own = [question for question in seen.questions[matter.id] if not question.wanted]
    if by := _GIVEN_BY.get(matter.state):
        unsupported = await unheld(matter.answer, matter.wording, program_of(own)) if matter.answer else ()
        checks = f"規則と資料にない数字: {'、'.join(unsupported)}" if unsupported else ""
        return SheetLine(_BY_HOST, *about, matter.answer or f"({_ALOUD})", by, checks)
    answer = best_answer(own)
    if matter.state != "later" and answer and not seen.waiting(matter) and (stated := _stated(answer)):
        return SheetLine(_BY_BOT, *about, stated, "\n".join([*sources(answer), *_years(answer)]), "")
    told = _LATER if matter.state == "later" else _NO_ANSWER_YET
    return SheetLine(_OPEN, *about, told, f"担当: {_who_takes(own, programs)}", "")


def _stated(answer: Json) -> str:
    """What an answer states: where it asks something back, no more than what rules say before it; "" for nothing."""
    if answer["status"] == AnswerStatus.ANSWERED:
        return said(answer)
    return "\n".join(dict.fromkeys(ruling["says"] for ruling in answer["rulings"] if ruling["says"]))


def _years(answer: Json) -> list[str]:
    """The years whose documents an answer rests on."""
    years = {ruling["fiscal_year"] for ruling in answer["rulings"]} - {None}
    return [f"{'・'.join(map(str, sorted(years)))}年度の資料"] if years else []


def _who_takes(own: Sequence[Any], programs: Mapping[str, Program]) -> str:
    ids = {id for question in own if question.meaning for id in question.meaning["programs"]}
    contacts = dict.fromkeys(programs[id].contact for id in sorted(ids) if id in programs)
    return "、".join(contacts) or "説明会の事務局"


def candidates_of(seen: Seen) -> list[Candidate]:
    """The answers of hosts, which officials may take into their FAQ; not those of the desk, who have them already."""
    answered = [matter for matter in seen.matters if matter.state in _BY_HOSTS and matter.answer and not matter.hidden]
    return [
        Candidate(
            key=f"{NAME}-{matter.id}",
            program=program_of(seen.questions[matter.id]),
            question=matter.wording,
            answer=matter.answer,
            signed=f"{seen.briefing.title}の説明者",
            answered_on=seen.briefing.started_at.date(),
        )
        for matter in answered
    ]


async def write_sheet(seen: Seen, format: str, unheld: Unheld, programs: Mapping[str, Program]) -> bytes:
    """The sheet in one of FORMATS."""
    writers: Mapping[str, Callable[[str, str, list[SheetLine]], bytes]] = {
        "docx": _docx,
        "xlsx": _xlsx,
        "md": _markdown,
        "json": _as_json,
    }
    started = seen.briefing.started_at
    held = f"{started.year}年{started.month}月{started.day}日、質問した人{len(seen.by_asker)}人"
    return writers[format](seen.briefing.title, held, await lines_of(seen, unheld, programs))


def _cells(line: SheetLine) -> tuple[str, ...]:
    return (str(line.number), line.question, f"{line.people}人", line.answer, line.source, line.checks)


def _in_sections(lines: list[SheetLine]) -> list[tuple[str, list[SheetLine]]]:
    return [(name, kept) for name in _SECTIONS if (kept := [line for line in lines if line.section == name])]


def _as_json(title: str, held: str, lines: list[SheetLine]) -> bytes:
    content = {"title": title, "held": held, "columns": _COLUMNS, "lines": [asdict(line) for line in lines]}
    return json.dumps(content, ensure_ascii=False).encode()


def _markdown(title: str, held: str, lines: list[SheetLine]) -> bytes:
    written = [f"# {_in_cell(title)} 質問と回答", "", held, ""]
    for section, kept in _in_sections(lines):
        written += [f"## {section}", "", f"| {' | '.join(_COLUMNS)} |", f"|{'---|' * len(_COLUMNS)}"]
        written += [f"| {' | '.join(map(_in_cell, _cells(line)))} |" for line in kept] + [""]
    return "\n".join(written).encode()


def _in_cell(text: str) -> str:
    """A text that cannot leave its cell, nor be taken for markup."""
    for sign in "\\`*_{}[]<>#|":
        text = text.replace(sign, f"\\{sign}")
    return text.replace("\n", "<br>")


def _docx(title: str, held: str, lines: list[SheetLine]) -> bytes:
    from docx import Document
    from docx.enum.section import WD_ORIENT
    from docx.oxml import OxmlElement
    from docx.oxml.ns import qn
    from docx.shared import Mm, Pt

    document = Document()
    page = document.sections[0]
    page.orientation, page.page_width, page.page_height = WD_ORIENT.LANDSCAPE, Mm(297), Mm(210)
    page.left_margin = page.right_margin = page.top_margin = page.bottom_margin = Mm(15)
    font = document.styles["Normal"].font
    font.name, font.size = "Yu Gothic", Pt(9)
    font.element.rPr.rFonts.set(qn("w:eastAsia"), "Yu Gothic")
    document.add_heading(f"{title} 質問と回答", 1)
    document.add_paragraph(held)
    for section, kept in _in_sections(lines):
        document.add_heading(section, 2)
        table = document.add_table(rows=1, cols=len(_COLUMNS), style="Table Grid")
        table.autofit = False
        for cell, heading in zip(table.rows[0].cells, _COLUMNS, strict=True):
            cell.paragraphs[0].add_run(heading).bold = True
        repeated = OxmlElement("w:tblHeader")  # the headings stand on each page
        table.rows[0]._tr.get_or_add_trPr().append(repeated)
        for line in kept:
            for cell, text in zip(table.add_row().cells, _cells(line), strict=True):
                cell.text = text
        for column, width in zip(table.columns, _WIDTHS, strict=True):
            for cell in column.cells:
                cell.width = Mm(267 * width / sum(_WIDTHS))
    written = io.BytesIO()
    document.save(written)
    return written.getvalue()


def _xlsx(title: str, held: str, lines: list[SheetLine]) -> bytes:
    from openpyxl import Workbook
    from openpyxl.styles import Alignment, Font, PatternFill
    from openpyxl.utils import get_column_letter
    from openpyxl.worksheet.properties import PageSetupProperties

    workbook = Workbook()
    sheet = workbook.active
    assert sheet is not None
    sheet.title = "質問と回答"
    rows = [("区分", *_COLUMNS), *((line.section, *_cells(line)) for line in lines)]
    for number, cells in enumerate(rows, 1):
        for column, text in enumerate(cells, 1):
            cell = sheet.cell(number, column, text)
            cell.data_type = "s"  # a question that begins with = is no formula
            cell.alignment = Alignment(wrap_text=True, vertical="top")
            if number == 1:
                cell.font, cell.fill = Font(bold=True), PatternFill("solid", fgColor="E9F0F9")
    for column, width in enumerate((18, *_WIDTHS), 1):
        sheet.column_dimensions[get_column_letter(column)].width = width
    sheet.freeze_panes = "A2"
    sheet.auto_filter.ref = sheet.dimensions
    sheet.print_title_rows = "1:1"
    sheet.page_setup.orientation, sheet.page_setup.fitToHeight = "landscape", 0
    sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
    sheet.HeaderFooter.oddHeader.center.text = f"{title} 質問と回答({held})".replace("&", "&&")
    written = io.BytesIO()
    workbook.save(written)
    workbook.close()
    return written.getvalue()
