"""Drafts of a year's parameters where documents give other figures than the rules; an official accepts them."""

import copy
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from difflib import SequenceMatcher
from pathlib import Path
from typing import Any

import yaml

from ingest.auditing import slotted, stated_figures
from ingest.files import replacing
from ingest.types import ReadError
from knowledge.catalog import KNOWLEDGE, Catalog, CatalogError, load_catalog, read_yaml
from knowledge.conflicts import Conflict
from knowledge.figures import normalize
from knowledge.types import Subject

Raw = dict[str, Any]
"""What a file of the catalog holds, every scalar as text."""

_NUMBER = re.compile(r"[0-9]+(?:\.[0-9]+)?")


@dataclass(frozen=True)
class DraftedYear:
    """The parameters of a program for a fiscal year as documents have them, beside those that stay.

    `changes` are the figures before and after, each with the sentence of the document; `open` are sentences that differ
    from a rule and change no single figure of it.
    """

    program: str
    fiscal_year: int
    content: Raw
    changes: tuple[tuple[str, str, str], ...]
    open: tuple[str, ...]

    @property
    def text(self) -> str:
        """As the file would have it."""
        return yaml.safe_dump(_with_numbers(self.content), allow_unicode=True, sort_keys=False, width=110)


def _with_numbers(content: Any) -> Any:
    """The content with numerals as numbers, so that they are written as people do."""
    if isinstance(content, dict):
        return {name: _with_numbers(value) for name, value in content.items()}
    if isinstance(content, list):
        return [_with_numbers(value) for value in content]
    return int(content) if isinstance(content, str) and content.isascii() and content.isdigit() else content


def draft_years(
    catalog: Catalog, conflicts: Iterable[Conflict], fiscal_year: int, root: Path = KNOWLEDGE
) -> Iterator[DraftedYear]:
    """A draft for each program that documents give other figures for.

    Args:
        catalog: the rules as they stand.
        conflicts: what the last audit found.
        fiscal_year: the year from whose 1 April on the figures hold.
        root: where the catalog lies.
    """
    told = [conflict for conflict in conflicts if conflict.document_says and conflict.subject in set(Subject)]
    for program in catalog.programs:
        own = [conflict for conflict in told if conflict.program == program]
        parameters: dict[str, Raw] = {}
        changes: list[tuple[str, str, str]] = []
        undecided: list[str] = []
        for conflict in own:
            known = parameters.get(conflict.subject) or _newest(root / "programs" / program, conflict.subject)
            changed = _changed(known, conflict.document_says) if known else None
            if known is None or changed is None:
                undecided.append(conflict.document_says)
                continue
            row, before, after = changed
            _rewrite(known["rows"], row, before, after, conflict)
            parameters[conflict.subject] = known
            changes.append((before[0], after[0], conflict.document_says))
        if own:
            content = {
                "fiscal_year": fiscal_year,
                "parameters": {
                    subject: {**known["rest"], "values": {f"{fiscal_year}-04-01": known["rows"]}}
                    for subject, known in parameters.items()
                },
            }
            yield DraftedYear(program, fiscal_year, content, tuple(changes), tuple(undecided))


def accept(draft: DraftedYear, root: Path = KNOWLEDGE) -> Path:
    """Makes a draft the file of its year; the running servers take it up.

    Raises:
        ReadError: there is such a file, nothing would change, or the catalog would be refused with it.
    """
    file = root / "programs" / draft.program / f"fy{draft.fiscal_year}.yaml"
    if file.exists():
        raise ReadError(f"{file.name} はすでにあります", "下書きを見て、このファイルを手で直してください")
    if not draft.changes:
        raise ReadError("下書きにできる数値がありません", "文書の文を確かめ、年度のファイルを手で書いてください")
    with replacing(file) as output:
        output.write(draft.text.encode())
    try:
        load_catalog.cache_clear()
        load_catalog(root)
    except CatalogError as error:
        file.unlink()
        raise ReadError(f"制度のファイルとして使えません({error.key}: {error.problem})", error.remedy) from error
    return file


def _newest(folder: Path, subject: str) -> Raw | None:
    """A parameter as its newest file has it: its rows in force last, and the rest; None where no row has a figure."""
    for file in sorted(folder.glob("fy*.yaml"), reverse=True):
        parameter = read_yaml(file)["parameters"].get(subject)
        if parameter and (dated := {day: rows for day, rows in (parameter["values"] or {}).items() if rows}):
            rows = copy.deepcopy(dated[max(dated, key=str)])
            return {"rows": rows, "rest": {name: value for name, value in parameter.items() if name != "values"}}
    return None


Written = tuple[str, Decimal]
"""A figure as it is written, and what it is worth."""


def _changed(known: Raw, sentence: str) -> tuple[Raw, Written, Written] | None:
    """The row whose figure a sentence has otherwise, with the figure before and after; None where that is not plain."""
    rows = [row for row in known["rows"] if _NUMBER.fullmatch(str(row.get("value", "")))]
    values = {(row["unit"], Decimal(row["value"])) for row in rows}
    text = normalize(sentence)
    found = [figure for figure in stated_figures(text) if figure.unit in {row["unit"] for row in rows}]
    fresh = [figure for figure in found if (figure.unit, figure.value) not in values]
    if len(fresh) != 1 or not isinstance(fresh[0].value, Decimal):
        return None
    figure, value = fresh[0], fresh[0].value
    kept = {other.value for other in found}
    candidates = [row for row in rows if row["unit"] == figure.unit and Decimal(row["value"]) not in kept]
    if not candidates:
        return None
    row = max(candidates, key=lambda row: _likeness(row, sentence))
    before = Decimal(row["value"])
    written = next((w for w, value in _written(row["says"], figure.unit) if value == before), str(before))
    return row, (written, before), (text[figure.start : figure.end], value)


def _likeness(row: Mapping[str, Any], sentence: str) -> float:
    """How much a sentence is like what a row rests on, their figures left out."""
    wanted = slotted(sentence)[0]
    quotes = [slotted(evidence["quote"])[0] for evidence in row.get("evidence", ())]
    return max((SequenceMatcher(None, quote, wanted, autojunk=False).ratio() for quote in quotes), default=0.0)


def _written(text: str, unit: str) -> list[Written]:
    normal = normalize(text)
    figures = [figure for figure in stated_figures(normal) if figure.unit == unit]
    return [(normal[f.start : f.end], f.value) for f in figures if isinstance(f.value, Decimal)]


def _rewrite(rows: list[Raw], changed: Raw, before: Written, after: Written, conflict: Conflict) -> None:
    """Puts a figure in place of another one: in its row, and in the sentences that state it.

    An English sentence where it is not plain which number that is goes, and the Japanese one is said instead.
    """
    changed["value"] = format(after[1].normalize(), "f")
    changed["evidence"] = [{"place": conflict.place, "quote": conflict.document_says.rstrip("。")}]
    for row in rows:
        for name in [name for name in row if name.split("_")[0] in ("says", "needs", "brief")]:
            if not name.endswith("_en"):
                row[name] = _exchanged(row[name], changed["unit"], before[1], after[0])
                continue
            number = rf"(?<![\d,.]){re.escape(f'{before[1]:,f}')}(?![,.]?\d)"
            english, times = re.subn(number, f"{after[1]:,f}", row[name])
            if times > 1:
                del row[name]
            else:
                row[name] = english


def _exchanged(text: str, unit: str, before: Decimal, after: str) -> str:
    """A sentence with a figure in place of another one."""
    normal = normalize(text)
    for figure in reversed([f for f in stated_figures(normal) if f.unit == unit and f.value == before]):
        normal = normal[: figure.start] + after + normal[figure.end :]
        text = normal
    return text
