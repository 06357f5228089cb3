"""Whether what is set and lies outside can be used: a model of one's own, a Chroma server. Found out at once."""

import errno
import re
import socket
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit

_HUB_NAME = re.compile(r"[\w.-]+(/[\w.-]+)?")
_HUB_SECONDS = 5.0

_CONNECT_SECONDS = 3.0

_REASONS: dict[type[Exception], str] = {
    ConnectionRefusedError: "そこで待ち受けていません",
    TimeoutError: "返事がありません",
    socket.gaierror: "ホストの名前が分かりません",
}

_SYSTEM_REASONS = {
    errno.ENOENT: "ありません",
    errno.EACCES: "権限がありません",
    errno.EPERM: "許可されていません",
    errno.EROFS: "読み取り専用です",
    errno.ENOSPC: "空き容量がありません",
    errno.EEXIST: "フォルダーではなくファイルです",
    errno.ENOTDIR: "フォルダーではありません",
    errno.EISDIR: "ファイルではなくフォルダーです",
    errno.EADDRINUSE: "別のプログラムが使っています",
    errno.EADDRNOTAVAIL: "このコンピューターのアドレスではありません",
}


def why(error: BaseException) -> str:
    """Why something outside was refused, in Japanese where it is one of the usual reasons."""
    if words := next((words for kind, words in _REASONS.items() if isinstance(error, kind)), ""):
        return words
    if isinstance(error, OSError):
        return _SYSTEM_REASONS.get(error.errno or 0, error.strerror or str(error))
    return str(error)


class OutsideError(Exception):
    """A model or a server that cannot be used; the message names the setting, says why and what to do."""


def check_model(setting: str, model: str) -> None:
    """Makes sure of what this machine can tell: the packages are installed, and a folder is there.

    Args:
        setting: the name of the setting, for the message.
        model: a folder, or a name on the hub; "" for none.

    Raises:
        OutsideError: it cannot be loaded.
    """
    if not model:
        return
    if find_spec("sentence_transformers") is None:
        raise OutsideError(
            f"{setting} のモデルを動かすパッケージ(sentence-transformers)が入っていません。"
            "コンテナは full のイメージを使い、ほかでは pip install 'madoguchi[models]' で入れるか、"
            f"{setting} を空にしてください。"
        )
    if not Path(model).is_dir() and (model.startswith(("~", ".")) or not _HUB_NAME.fullmatch(model)):
        raise OutsideError(
            f"{setting} のフォルダ {model} がありません。場所を確かめるか、{setting} を空にしてください。"
        )


def reach_model(setting: str, model: str) -> None:
    """Makes sure that a model's files are here or can be had, for the hub's own client tries for half a minute.

    Args:
        setting: the name of the setting, for the message.
        model: a folder, or a name on the hub; "" for none.

    Raises:
        OutsideError: the hub cannot be reached, or does not have it.
    """
    if not model or Path(model).is_dir():
        return
    from huggingface_hub import HfApi, try_to_load_from_cache
    from huggingface_hub.errors import RepositoryNotFoundError

    if isinstance(try_to_load_from_cache(model, "config.json"), str):
        return
    try:
        HfApi().model_info(model, timeout=_HUB_SECONDS)
    except RepositoryNotFoundError:
        reason = "Hugging Face にその名前のモデルがありません"
    except Exception as error:  # the client's transport has errors of its own
        reason = f"Hugging Face につながりません({type(error).__name__})"
    else:
        return
    raise OutsideError(
        f"{setting} のモデル {model} を取得できません。{reason}。"
        f"名前とネットワークを確かめるか、モデルのフォルダを指定するか、{setting} を空にしてください。"
    )


def chroma_address(url: str) -> tuple[str, int, bool]:
    """Host and port of a Chroma server, and whether it wants TLS."""
    address = urlsplit(url)
    secure = address.scheme == "https"
    return address.hostname or "", address.port or (443 if secure else 8000), secure


def reach_chroma(url: str) -> None:
    """Makes sure that something listens where the Chroma server should be.

    Args:
        url: its address; "" for none.

    Raises:
        OutsideError: nothing does.
    """
    if not url:
        return
    try:
        host, port, _ = chroma_address(url)
        socket.create_connection((host, port), _CONNECT_SECONDS).close()
    except (OSError, ValueError) as error:
        reason = why(error) if isinstance(error, OSError) else "ポートが数ではありません"
        raise OutsideError(
            f"CHROMA_URL の Chroma のサーバー {url} につながりません({reason})。"
            "サーバーが動いているか、http://ホスト:ポート の形かを確かめるか、CHROMA_URL を空にしてください。"
        ) from error
