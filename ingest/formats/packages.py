"""Office files as packages: whether one is sound, and small enough to be read."""

import zipfile
from pathlib import Path

from ingest.types import ReadError

_OLD_OFFICE = b"\xd0\xcf\x11\xe0"


def check_package(path: Path, part: str, most: int) -> None:
    """Refuses what is not a sound Office file.

    Args:
        path: the file.
        part: how the names of its parts begin (word/, xl/).
        most: bytes that its texts may unpack to; pictures are not unpacked.

    Raises:
        ReadError: it is protected, of the old format, of another kind, or unpacks to more than can be read.
        zipfile.BadZipFile: it is damaged.
    """
    with path.open("rb") as file:
        if file.read(4) == _OLD_OFFICE:
            raise ReadError(
                "パスワードで保護されているか、古い形式(doc・xls)のファイルです",
                "保護を外し、docx か xlsx で保存し直してください",
            )
    with zipfile.ZipFile(path) as package:
        entries = package.infolist()
        if not any(entry.filename.startswith(part) for entry in entries):
            raise ReadError("中身が拡張子と合いません", "元のアプリケーションで保存し直してください")
        if sum(entry.file_size for entry in entries if entry.filename.endswith((".xml", ".rels"))) > most:
            raise ReadError("展開すると大きすぎるファイルです", "分割してから追加してください")
