"""Files that are either the old one or the new one, whatever happens in between."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

TEMPORARY = ".new-"
"""How the names of files that are still being written begin."""


@contextmanager
def replacing(file: Path) -> Iterator[IO[bytes]]:
    """Opens a file beside `file` that takes its place at the end, once it is on disk; on an error it is removed."""
    beside = file.with_name(f"{TEMPORARY}{os.getpid()}-{file.name}")
    try:
        with beside.open("wb") as output:
            yield output
            output.flush()
            os.fsync(output.fileno())
        os.replace(beside, file)
    finally:
        beside.unlink(missing_ok=True)
