"""Whether a model of one's own can be loaded, found out before seconds are spent on torch."""

import re
from importlib.util import find_spec
from pathlib import Path

_HUB_NAME = re.compile(r"[\w.-]+(/[\w.-]+)?")
_HUB_SECONDS = 5.0


class ModelMissingError(Exception):
    """A model that cannot be loaded; the message names the setting, says why and what to do."""


def check_model(setting: str, model: str) -> None:
    """Makes sure of what this machine can tell: the packages are installed, and a folder is there.

    Args:
        setting: the name of the setting, for the message.
        model: a folder, or a name on the hub; "" for none.

    Raises:
        ModelMissingError: it cannot be loaded.
    """
    if not model:
        return
    if find_spec("sentence_transformers") is None:
        raise ModelMissingError(
            f"{setting} のモデルを動かすパッケージ(sentence-transformers)が入っていません。"
            "コンテナは full のイメージを使い、ほかでは pip install 'madoguchi[models]' で入れるか、"
            f"{setting} を空にしてください。"
        )
    if not Path(model).is_dir() and (model.startswith(("~", ".")) or not _HUB_NAME.fullmatch(model)):
        raise ModelMissingError(
            f"{setting} のフォルダ {model} がありません。場所を確かめるか、{setting} を空にしてください。"
        )


def reach_model(model: str) -> None:
    """Makes sure that a model's files are here or can be had, for the hub's own client tries for half a minute.

    Raises:
        ModelMissingError: the hub cannot be reached, or does not have it.
    """
    from huggingface_hub import HfApi, try_to_load_from_cache

    if Path(model).is_dir() or isinstance(try_to_load_from_cache(model, "config.json"), str):
        return
    try:
        HfApi().model_info(model, timeout=_HUB_SECONDS)
    except Exception as error:  # the client's transport has errors of its own
        raise ModelMissingError(
            f"モデル {model} を取得できません({type(error).__name__})。名前と、ネットワークを確かめるか、"
            "モデルのフォルダを指定してください。"
        ) from error
