"""README and the pages beside it name only what exists: commands, options, settings, fields, files and links.

And the example program works.
"""

import importlib.util
import re
import shlex
from datetime import date
from pathlib import Path

import pytest
import typer

from bot.__main__ import app as bot_app
from bot.settings import Settings
from bot.types import Answer, AnswerStatus
from ingest.__main__ import app as ingest_app
from ingest.guides import read_guide
from knowledge.catalog import load_catalog, load_faq, load_program, read_yaml
from knowledge.rules.tables import decide, terms_on
from knowledge.types import Fact, Situation, Subject

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *(ROOT / "docs" / f"{page}.md" for page in ("asking", "staff", "operating", "developing"))]
TEXT = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)
LINKING = [*PAGES, *(ROOT / "docs").glob("*.md"), *ROOT.glob("*.md")]
FENCED = re.compile(r"^ *```\w*\n(.*?)^ *```$", re.M | re.S)
CODE = [*re.findall(r"`([^`\n]+)`", FENCED.sub("", TEXT)), *"".join(FENCED.findall(TEXT)).splitlines()]
APPS = {"bot": bot_app, "ingest": ingest_app}
TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.M))

NOT_OURS = {"FORWARDED_ALLOW_IPS"}  # uvicorn's
OF_TESTS = {"TEST_DATABASE_URL"}

COMMAND = re.compile(r"python -m (\S.*?)(?: [|>].*)?$")
COMMANDS = sorted({found[1] for code in CODE if (found := COMMAND.search(code))})


def table(header: str) -> list[list[str]]:
    """The rows of the table whose first column is so headed, their cells without the marks of code."""
    rows = re.search(rf"^\| {header} \|.*\n\|[-|]+\|\n((?:\|.*\n)+)", TEXT, re.M)
    assert rows
    return [[cell.strip(" `") for cell in line.strip("|").split(" | ")] for line in rows[1].splitlines()]


def options(command) -> set[str]:
    return {option for parameter in command.params for option in parameter.opts}


@pytest.mark.parametrize("target", sorted({found for code in CODE for found in re.findall(r"^make ([a-z-]+)", code)}))
def test_make_has_the_target(target: str) -> None:
    assert target in TARGETS


def test_every_target_is_named() -> None:
    assert {found for code in CODE for found in re.findall(r"^make ([a-z-]+)", code)} == TARGETS - {"help"}


@pytest.mark.parametrize("line", COMMANDS)
def test_the_command_exists_with_its_options(line: str) -> None:
    module, *words = shlex.split(line)
    if module not in APPS:
        package = ROOT / module.replace(".", "/")
        assert (package / "__main__.py").exists() or importlib.util.find_spec(module)
        return
    command = typer.main.get_command(APPS[module])
    while words and (below := getattr(command, "commands", {})):
        assert words[0] in below
        command = below[words.pop(0)]
    assert {word for word in words if word.startswith("--")} <= options(command)


@pytest.mark.parametrize("option", sorted({code for code in CODE if re.fullmatch(r"--[a-z-]+", code)}))
def test_some_command_has_the_option(option: str) -> None:
    verbs = [verb for app in APPS.values() for verb in typer.main.get_command(app).commands.values()]
    assert option in set().union(*map(options, verbs))


def test_every_verb_is_in_the_table() -> None:
    named = {command.removeprefix("python -m ") for command, *_ in table("command")}
    for module, app in APPS.items():
        for name, verb in typer.main.get_command(app).commands.items():
            below = getattr(verb, "commands", {"": None})
            assert {f"{module} {name} {word}".strip() for word in below} <= named


def test_every_setting_is_in_the_table_with_its_default() -> None:
    defaults = {name.upper(): field.default for name, field in Settings.model_fields.items()}
    assert {name: default for name, default, _ in table("setting")} == {
        name: str(default).lower() if isinstance(default, bool) else str(default) for name, default in defaults.items()
    }


def test_no_other_setting_is_named() -> None:
    named = set(re.findall(r"\b[A-Z]+(?:_[A-Z]+)+\b", TEXT))
    assert named <= {name.upper() for name in Settings.model_fields} | NOT_OURS | OF_TESTS
    tests = [file.read_text(encoding="utf-8") for file in (ROOT / "tests").rglob("*.py") if file != Path(__file__)]
    assert all(any(name in test for test in tests) for name in OF_TESTS)


def test_the_fields_of_an_answer_are_in_the_table() -> None:
    fields = [field for field, _ in table("field")]
    assert fields == [
        *Answer("", AnswerStatus.ANSWERED).as_json(),
        "conversation_id",
        "turn",
        "case",
        "forgotten",
        "headlines",
        "staff",
    ]


def test_every_decision_is_linked_by_its_title() -> None:
    files = sorted((ROOT / "docs" / "decisions").glob("*.md"))
    titles = [file.read_text(encoding="utf-8").splitlines()[0].removeprefix("# ") for file in files]
    linked = re.findall(r"^- \[(.+)\]\((decisions/.+)\)$", TEXT, re.M)
    assert linked == [(title, f"decisions/{file.name}") for title, file in zip(titles, files, strict=True)]
    assert len({title.split()[0] for title in titles}) == len(titles)  # each has a number of its own


def headings(page: Path) -> set[str]:
    """The anchors of a page's headings, as the forges make them."""
    found = re.findall(r"^#+ (.+)$", FENCED.sub("", page.read_text(encoding="utf-8")), re.M)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in found}


LINKS = [
    (page, link)
    for page in dict.fromkeys(LINKING)
    for link in re.findall(r"\]\(([^)\s]+)\)", FENCED.sub("", page.read_text(encoding="utf-8")))
    if not link.startswith(("http:", "https:"))
]


@pytest.mark.parametrize(("page", "link"), LINKS, ids=lambda value: str(value).removeprefix(f"{ROOT}/"))
def test_a_link_leads_somewhere(page: Path, link: str) -> None:
    file, _, anchor = link.partition("#")
    target = page.parent / file if file else page
    assert target.exists()
    assert not anchor or anchor in headings(target)


@pytest.mark.parametrize(
    "path", sorted({*re.findall(r"\b(?:bot|ingest|knowledge|tests)/[\w./-]*\w", TEXT), "slack-manifest.yaml"})
)
def test_the_file_or_folder_exists(path: str) -> None:
    assert (ROOT / path).exists() or "/kenshu/" in path


def test_the_example_program_is_complete_and_right(tmp_path) -> None:
    blocks = re.findall(r"^`(kenshu/[\w.]+)`:.*?\n\n```\w+\n(.*?)^```", TEXT, re.M | re.S)
    folder = tmp_path / "kenshu"
    folder.mkdir()
    for name, content in blocks:
        (tmp_path / name).write_text(content, encoding="utf-8")
    facts = load_catalog().facts
    program = load_program(folder, facts)
    entries = load_faq(folder / "qa.yaml", folder / "guide.md")
    assert all(section.text and section.evidence for section in read_guide(folder / "guide.md"))
    assert {entry.rule for entry in entries if entry.rule} <= set(program.years[0].parameters)
    for case in read_yaml(folder / "cases.yaml"):
        known = Situation({Fact(fact): value for fact, value in case["facts"].items()})
        terms = terms_on(program, date.fromisoformat(case["as_of"]))
        ruling = decide(terms, Subject(case["rule"]), known, facts)
        assert {"outcome": ruling.outcome, "verdict": ruling.verdict} == case["expect"]
