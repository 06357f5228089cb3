"""What the tests of single modules share."""

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from knowledge.catalog import KNOWLEDGE


@pytest.fixture(scope="session")
def catalog_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A catalog of the programs of audit_catalog.yaml."""
    root = tmp_path_factory.mktemp("catalog")
    shutil.copy(KNOWLEDGE / "facts.yaml", root)
    programs = yaml.safe_load((Path(__file__).parent / "audit_catalog.yaml").read_text(encoding="utf-8"))
    for program, files in programs.items():
        folder = root / "programs" / program
        folder.mkdir(parents=True)
        for name, content in files.items():
            text = content if name == "guide.md" else yaml.safe_dump(content, allow_unicode=True)
            (folder / name).write_text(text, encoding="utf-8")
    return root


@pytest.fixture
def print_pdf(tmp_path: Path) -> Callable[[str], Path]:
    """Prints a page with Debian's chromium, as people make PDFs of pages."""
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("chromium is not installed: no PDF can be printed, THE PDF READER IS NOT TESTED")

    def printed(html: str) -> Path:
        page, pdf = tmp_path / "printed.html", tmp_path / "printed.pdf"
        page.write_text(f'<html lang="ja"><meta charset="utf-8">{html}', encoding="utf-8")
        options = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        options += ["--no-pdf-header-footer", f"--user-data-dir={tmp_path / 'profile'}", f"--print-to-pdf={pdf}"]
        subprocess.run([chromium, *options, page.as_uri()], check=True, capture_output=True, timeout=120)
        return pdf

    return printed
