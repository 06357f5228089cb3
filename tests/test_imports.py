"""Who may import whom: ingest -> knowledge <- bot, and rules know nothing but the types."""

import ast
from collections import defaultdict
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
OURS = {"bot", "knowledge", "ingest", "tests"}
ALLOWED = {
    "knowledge/rules": {"knowledge.types", "knowledge.rules"},
    "knowledge": {"knowledge"},
    "ingest": {"knowledge", "ingest"},
    "bot": {"knowledge", "bot"},
}
RULES_MAY_USE = {"collections", "dataclasses", "datetime", "decimal"}
FILES = [file for folder in ("bot", "knowledge", "ingest") for file in sorted((ROOT / folder).rglob("*.py"))]


def imported(file: Path) -> set[str]:
    modules = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            modules |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            modules |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names if node.module in OURS}
    return modules


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_imports_run_inwards(file):
    place = str(file.relative_to(ROOT))
    allowed = next(modules for folder, modules in ALLOWED.items() if place.startswith(f"{folder}/"))
    for module in imported(file):
        top = module.split(".")[0]
        if top in OURS:
            assert any(module == inner or module.startswith(f"{inner}.") for inner in allowed), module
        elif place.startswith("knowledge/rules/"):
            assert top in RULES_MAY_USE, module


def test_nobody_imports_the_application():
    assert not [file for file in FILES if "bot.app" in imported(file) and file.name != "__main__.py"]


def test_a_name_of_a_class_means_one_thing():
    places = defaultdict(list)
    for file in FILES:
        for node in ast.parse(file.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                places[node.name].append(str(file.relative_to(ROOT)))
    assert {name: files for name, files in places.items() if len(files) > 1} == {}
