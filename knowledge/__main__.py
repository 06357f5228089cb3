"""`python -m knowledge`: the rules as Markdown tables that an official can check line by line."""

import sys
from collections.abc import Iterator, Mapping

from knowledge.catalog import Catalog, CatalogError, load_catalog
from knowledge.figures import format_number, format_yen
from knowledge.types import Fact, FactQuestion, Parameter, Program, Row, Verdict

_VERDICTS = {Verdict.ELIGIBLE: "対象・可", Verdict.INELIGIBLE: "対象外・不可", Verdict.CONDITIONAL: "条件付き"}
_BOUNDS = {"below": "未満", "at_most": "以下", "at_least": "以上", "above": "超"}
_UNITS = {"yen": "", "day": "日", "hour": "時間", "month": "か月", "count": "回", "fiscal_year": "年度後", "ratio": ""}


def decision_tables(catalog: Catalog) -> Iterator[str]:
    """The lines of a Markdown document: for each program and parameter, its rows in the order in which they are read.

    The first row whose conditions all hold decides; an empty condition holds for all.
    """
    yield "# 判定表\n"
    yield "上の行から順に見て、条件をすべて満たす最初の行が答えになります。空欄は「問わない」です。\n"
    for program in catalog.programs.values():
        yield f"## {program.name}\n"
        years = "・".join(map(str, program.verified_years))
        yield f"資料: [{program.document.title}]({program.document.url})(確認した年度: {years})\n"
        for year in program.years:
            for parameter in year.parameters.values():
                yield from _parameter(parameter, program, catalog.facts)


def _parameter(parameter: Parameter, program: Program, questions: Mapping[Fact, FactQuestion]) -> Iterator[str]:
    yield f"### {parameter.description}\n"
    if not any(parameter.values.values()):
        yield f"資料に記載なし。{parameter.not_stated_says}\n"
    for day, rows in parameter.values.items():
        yield f"{day.year}年{day.month}月{day.day}日から\n"
        if rows is None:
            yield "廃止\n"
            continue
        facts = list(dict.fromkeys(fact for row in rows for fact in row.when))
        header = [*(questions[fact].label for fact in facts), "結果", "説明", "根拠"]
        yield f"| {' | '.join(header)} |\n|{' --- |' * len(header)}"
        for row in rows:
            cells = [_condition(row, fact, program, questions) for fact in facts]
            evidence = "、".join(f"「{e.quote}」({e.place})" for e in row.evidence)
            yield f"| {' | '.join([*cells, _result(row), row.says, evidence])} |"
        yield ""


def _condition(row: Row, fact: Fact, program: Program, questions: Mapping[Fact, FactQuestion]) -> str:
    condition = row.when.get(fact, ())
    if isinstance(condition, Mapping):
        return "、".join(f"{_limit(limit, program)}{_BOUNDS[bound]}" for bound, limit in condition.items())
    labels = {choice.value: choice.label for choice in questions[fact].choices}
    return "、".join(labels[value] for value in condition)


def _limit(reference: str, program: Program) -> str:
    """A limit written out: the number, or the newest value of the parameter that it names."""
    for year in reversed(program.years):
        for subject, parameter in year.parameters.items():
            if subject == reference:
                rows = parameter.values[max(parameter.values)]
                return str(rows[0].value) if rows else reference
    return reference


def _result(row: Row) -> str:
    if row.not_stated:
        return "記載なし"
    if row.verdict:
        return _VERDICTS[row.verdict]
    if isinstance(row.value, tuple):
        return "・".join(f"{month}月" for month in row.value)
    if row.value is None:
        return "—"
    return format_yen(row.value) if row.unit == "yen" else f"{format_number(row.value)}{_UNITS.get(row.unit or '', '')}"


if __name__ == "__main__":
    try:
        print("\n".join(decision_tables(load_catalog())))
    except CatalogError as error:
        sys.exit(str(error))
