"""The sheet that is left of a session: right and complete in each form, and readable where it is opened."""

import io

import pytest
from docx import Document
from openpyxl import load_workbook

RATE, VIDEO, KNOWN = (
    "計画策定支援の採択率は?",
    "この説明会の録画は後で見られますか",
    "推進体制構築支援の上限はいくらですか",
)
FORMULA = "=1+1 は会場のWi-Fiの|パスワードですか"


@pytest.fixture
async def held(hall):
    """Answered in writing, aloud, by the bot, and not at all."""
    for name, text in (
        ("甲", RATE),
        ("乙", "計画策定支援の採択率ってどのぐらい?"),
        ("丙", VIDEO),
        ("丁", KNOWN),
        ("戊", FORMULA),
    ):
        await hall.ask(name, text)
    await hall.act("reword", 1, text="採択率はどのくらいか")
    await hall.answer(1, "3割くらいで、上限は2億円です。")
    await hall.act("aloud", 2, text="12月に公開します。")
    return hall


async def sheet(hall, format):
    response = await hall.client.get(f"{hall.api}/host/sheet.{format}", headers=hall.bearer())
    assert response.status_code == 200
    return response


async def test_every_matter_is_on_it_with_its_answer_source_and_count(held):
    lines = {line["question"]: line for line in (await sheet(held, "json")).json()["lines"]}
    assert set(lines) == {"採択率はどのくらいか", VIDEO, KNOWN, FORMULA}
    written, aloud, by_bot, left = (lines[q] for q in ("採択率はどのくらいか", VIDEO, KNOWN, FORMULA))
    assert (written["people"], written["answer"]) == (2, "3割くらいで、上限は2億円です。")
    assert written["source"] == "説明者の回答"  # which does not rest on what the bot had found
    assert (aloud["answer"], aloud["source"]) == ("12月に公開します。", "口頭回答")
    assert "上限1億円" in by_bot["answer"]
    assert "推進体制構築支援 事業規模" in by_bot["source"]
    assert by_bot["source"].endswith("2025年度の資料")
    assert (left["answer"], left["source"]) == ("未回答", "担当: 説明会の事務局")


@pytest.mark.parametrize(
    ("question", "section", "answer"),
    [
        ("計画策定支援はNPOでも対象ですか", "資料から回答した質問", "地方公共団体以外は、"),
        ("本日のスライドは配布されますか", "未回答の質問", "未回答"),
        ("町の推薦がある民間企業はアドバイザー派遣を受けられますか", "未回答の質問", "未回答"),
    ],
)
async def test_what_the_bot_asked_back_is_no_answer(hall, question, section, answer):
    await hall.ask("甲", question)
    (line,) = (await sheet(hall, "json")).json()["lines"]
    assert line["section"] == section
    assert line["answer"].startswith(answer)
    assert "ですか" not in line["answer"]


async def test_of_several_answers_of_the_bot_one_that_asks_nothing_back_is_printed(hall):
    await hall.ask("甲", "推進体制構築支援に応募できますか")
    await hall.ask("乙", KNOWN)
    first, second = (m["number"] for m in (await hall.host())["answered_by_bot"])
    await hall.act("merge", first, second)
    (line,) = (await sheet(hall, "json")).json()["lines"]
    assert "上限1億円" in line["answer"]


async def test_figures_that_the_rules_do_not_have_are_to_be_checked_before_it_is_printed(held):
    lines = (await sheet(held, "json")).json()["lines"]
    checks = {line["question"]: line["checks"] for line in lines if line["checks"]}
    assert checks == {"採択率はどのくらいか": "規則と資料にない数字: 3割、2億円"}


async def test_what_is_hidden_is_not_on_it(held):
    await held.act("hide", 2)
    assert VIDEO not in [line["question"] for line in (await sheet(held, "json")).json()["lines"]]


async def test_the_forms_hold_the_same(held):
    lines = (await sheet(held, "json")).json()["lines"]
    document = Document(io.BytesIO((await sheet(held, "docx")).content))
    in_docx = [[cell.text for cell in row.cells] for table in document.tables for row in table.rows[1:]]
    workbook = load_workbook(io.BytesIO((await sheet(held, "xlsx")).content))
    in_xlsx = [[cell or "" for cell in row[1:]] for row in workbook.active.iter_rows(min_row=2, values_only=True)]
    workbook.close()
    expected = [
        [str(line["number"]), line["question"], f"{line['people']}人", line["answer"], line["source"], line["checks"]]
        for line in lines
    ]
    assert in_docx == expected
    assert in_xlsx == expected
    markdown = (await sheet(held, "md")).text
    assert markdown.count("\n| ") == len(lines) + len({line["section"] for line in lines})


async def test_what_people_wrote_is_text_in_every_form(held):
    workbook = load_workbook(io.BytesIO((await sheet(held, "xlsx")).content))
    (cell,) = [cell for row in workbook.active for cell in row if cell.value == FORMULA]
    assert cell.data_type == "s"
    workbook.close()
    assert r"Wi-Fiの\|パスワード" in (await sheet(held, "md")).text


async def test_another_form_is_refused(held):
    assert (await held.client.get(f"{held.api}/host/sheet.exe", headers=held.bearer())).status_code == 404
