"""What the tests of single modules share."""

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest


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
