"""Reads the programs' folders into frozen values, and refuses what it does not understand, with the remedy."""

import string
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import yaml
from pydantic import TypeAdapter, ValidationError

from knowledge.rules.tables import limit_of, terms_on
from knowledge.types import (
    Choice,
    Fact,
    FactQuestion,
    FaqEntry,
    Parameter,
    Program,
    ProgramYear,
    Subject,
)

KNOWLEDGE = Path(__file__).parent

T = TypeVar("T")


class CatalogError(Exception):
    """A file of the catalog that cannot be used: which file and key, what is wrong, and what to write instead."""

    def __init__(self, file: Path, key: str, problem: str, remedy: str) -> None:
        """Keep the four parts, so that each caller can show them in its own way."""
        self.file, self.key, self.problem, self.remedy = file, key, problem, remedy
        super().__init__(f"{file}: {key}: {problem}. {remedy}")


@dataclass(frozen=True)
class Catalog:
    """All that is known without an index: programs and their FAQ by program id, guides as files, facts to ask for."""

    programs: Mapping[str, Program]
    faq: Mapping[str, tuple[FaqEntry, ...]]
    guides: Mapping[str, Path]
    facts: Mapping[Fact, FactQuestion]


class _Loader(yaml.CBaseLoader):
    """Every scalar is text (no date or float is guessed), and a key given twice is refused."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        keys = [self.construct_object(key) for key, _ in node.value]
        twice = next((key for index, key in enumerate(keys) if key in keys[:index]), None)
        if twice is not None:
            raise yaml.constructor.ConstructorError(None, None, f"{twice} is given twice", node.start_mark)
        return super().construct_mapping(node, deep)


def read_yaml(file: Path) -> Any:
    """The YAML of a file with every scalar as text; null and the empty text both read as None for a whole value."""
    try:
        return yaml.load(file.read_text(encoding="utf-8"), Loader=_Loader)
    except FileNotFoundError:
        raise CatalogError(file, "-", "the file is missing", "Add it, as docs/developing.md shows") from None
    except UnicodeDecodeError:
        raise CatalogError(file, "-", "the file is not UTF-8 text", "Save it as UTF-8") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f"line {mark.line + 1}" if mark else "-"
        problem = getattr(error, "problem", None) or str(error)
        raise CatalogError(file, line, problem, "Correct the YAML at this line") from None


def read_as(shape: type[T], content: Any, file: Path) -> T:
    """Content checked against a type of knowledge.types; unknown keys and wrong values are refused."""
    try:
        return TypeAdapter(shape).validate_python(content)
    except ValidationError as error:
        errors = error.errors(include_url=False)
        first = next((e for e in errors if e["type"] == "unexpected_keyword_argument"), errors[0])
        key = ".".join(str(part) for part in first["loc"]) or "-"
        if first["type"] == "unexpected_keyword_argument":
            raise CatalogError(file, key, "this key is unknown", "Remove it or correct its spelling") from None
        if first["type"] == "missing":
            raise CatalogError(file, key, "this key is missing", "Add it") from None
        raise CatalogError(file, key, f"{first['input']!r}: {first['msg']}", "Correct the value") from None


def load_program(folder: Path, facts: Mapping[Fact, FactQuestion]) -> Program:
    """One program with its fiscal years, in order."""
    file = folder / "program.yaml"
    program = read_as(Program, read_yaml(file), file)
    if program.id != folder.name:
        raise CatalogError(file, "id", f"{program.id} is not the folder's name", f"Write {folder.name}")
    years = []
    for year_file in sorted(folder.glob("fy*.yaml")):
        year = read_as(ProgramYear, _with_nulls(read_yaml(year_file)), year_file)
        _check_year(year, year_file, facts)
        years.append(year)
    if not years:
        raise CatalogError(folder, "fy*.yaml", "no fiscal year is given", "Add a file such as fy2025.yaml")
    loaded = replace(program, years=tuple(years))
    _check_limits(loaded, folder)
    return loaded


def _with_nulls(year: Any) -> Any:
    """`null` as a dated value ends a parameter; the loader reads it as text."""
    for parameter in (year.get("parameters") or {}).values() if isinstance(year, dict) else ():
        if isinstance(parameter, dict) and isinstance(parameter.get("values"), dict):
            values = parameter["values"]
            values.update({day: None for day, rows in values.items() if rows in ("null", "~", "")})
    return year


def _check_year(year: ProgramYear, file: Path, facts: Mapping[Fact, FactQuestion]) -> None:
    if file.stem != f"fy{year.fiscal_year}":
        raise CatalogError(
            file,
            "fiscal_year",
            f"{year.fiscal_year} does not fit the file's name",
            f"Name it fy{year.fiscal_year}.yaml",
        )
    for subject, parameter in year.parameters.items():
        for day in parameter.values:
            if (day.year if day.month >= 4 else day.year - 1) != year.fiscal_year:
                raise CatalogError(
                    file,
                    f"parameters.{subject}.values.{day}",
                    f"the day is not in fiscal year {year.fiscal_year} (April to March)",
                    "Move it to that year's file",
                )
        _check_rows(subject, parameter, file, facts)


def _check_rows(subject: Subject, parameter: Parameter, file: Path, facts: Mapping[Fact, FactQuestion]) -> None:
    for day, rows in parameter.values.items():
        for number, row in enumerate(rows or (), 1):
            key = f"parameters.{subject}.values.{day}.row {number}"
            if not row.says:
                raise CatalogError(file, key, "the row says nothing", "Add `says`, the sentence a person reads")
            if not row.evidence and not row.not_stated:
                raise CatalogError(
                    file, key, "no evidence is given", "Add the place and a short phrase of the document"
                )
            for fact, condition in row.when.items():
                known = {choice.value for choice in facts[fact].choices}
                unknown = sorted(set(condition) - known) if isinstance(condition, tuple) else []
                if unknown:
                    raise CatalogError(
                        file, f"{key}.when.{fact}", f"{unknown[0]} is not a value of it", f"Use {sorted(known)}"
                    )
            for text in (row.says, row.needs):
                for _, name, _, _ in string.Formatter().parse(text):
                    if name is not None and name.upper() not in Fact.__members__:
                        raise CatalogError(
                            file, key, f"{{{name}}} is not a fact", "Name a fact of facts.yaml, in small letters"
                        )


def _check_limits(program: Program, folder: Path) -> None:
    """Each condition that compares with a parameter must find one figure, on every day on which values change."""
    for year in program.years:
        for subject, parameter in year.parameters.items():
            for day, rows in parameter.values.items():
                terms = terms_on(program, day)
                for row in rows or ():
                    for condition in row.when.values():
                        for limit in condition.values() if isinstance(condition, Mapping) else ():
                            try:
                                limit_of(limit, terms)
                            except (ArithmeticError, KeyError, IndexError, ValueError):
                                _refuse_limit(folder / f"fy{year.fiscal_year}.yaml", subject, limit)


def _refuse_limit(file: Path, subject: Subject, limit: str) -> NoReturn:
    raise CatalogError(
        file,
        f"parameters.{subject}",
        f"{limit!r} is neither a number nor a parameter with one figure on that day",
        'Write a number in quotes, such as "1", or the key of such a parameter',
    ) from None


def load_faq(file: Path, guide: Path) -> tuple[FaqEntry, ...]:
    """The FAQ of a program; each entry names exactly one answer, and sections stand in the guide."""
    entries = read_as(tuple[FaqEntry, ...], read_yaml(file), file)
    headings = {line[3:].strip() for line in guide.read_text(encoding="utf-8").splitlines() if line.startswith("## ")}
    seen: set[str] = set()
    for entry in entries:
        if entry.id in seen:
            raise CatalogError(file, entry.id, "this id is given twice", "Give each entry its own id")
        seen.add(entry.id)
        if [bool(entry.section), entry.rule is not None, bool(entry.not_stated)].count(True) != 1:
            raise CatalogError(file, entry.id, "one answer is needed", "Give one of section, rule and not_stated")
        for heading in (entry.section, entry.nearby):
            if heading and heading not in headings:
                raise CatalogError(
                    file, entry.id, f"「{heading}」 is no heading of {guide.name}", "Use a `## ` heading of it"
                )
    return entries


def load_facts(file: Path, programs: Mapping[str, Program]) -> Mapping[Fact, FactQuestion]:
    """The facts that rules may ask for; the choices of `program` are the programs themselves."""
    questions = {question.fact: question for question in read_as(tuple[FactQuestion, ...], read_yaml(file), file)}
    absent = sorted(set(Fact) - set(questions))
    if absent:
        raise CatalogError(file, absent[0], "this fact has no entry", "Add its label, kind and question")
    choices = tuple(Choice(program.name, program.id) for program in programs.values())
    return {**questions, Fact.PROGRAM: replace(questions[Fact.PROGRAM], choices=choices)}


@cache
def load_catalog(root: Path = KNOWLEDGE) -> Catalog:
    """Everything under `root` (facts.yaml and programs/<id>/), checked. Raises CatalogError at the first fault."""
    facts = load_facts(root / "facts.yaml", {})
    folders = sorted(file.parent for file in (root / "programs").glob("*/program.yaml"))
    if not folders:
        raise CatalogError(root / "programs", "-", "no program is given", "Add a folder with a program.yaml")
    programs = {folder.name: load_program(folder, facts) for folder in folders}
    return Catalog(
        programs=programs,
        faq={folder.name: load_faq(folder / "qa.yaml", folder / "guide.md") for folder in folders},
        guides={folder.name: folder / "guide.md" for folder in folders},
        facts=load_facts(root / "facts.yaml", programs),
    )


def catalog_version(root: Path = KNOWLEDGE) -> tuple[tuple[str, int], ...]:
    """What differs once a file of the catalog has been written, added or removed."""
    files = (root / "facts.yaml", *sorted((root / "programs").glob("*/*")))
    return tuple((str(file), file.stat().st_mtime_ns) for file in files if file.is_file())
