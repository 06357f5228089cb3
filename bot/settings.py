"""The edge to the machine: the environment and `.env`, read once and refused where wrong, and the clock."""

import os
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches
from importlib.util import find_spec
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from bot.masking import mask
from knowledge.outside import OutsideError, check_model

_SIMILAR = 0.89
"""How much alike (0..1) a name of the environment must be to one of ours to be taken for a slip of the pen."""

_SHORTEST_CHECKED = 8
"""Shorter names (HOST, PORT) are like too many that other programs use."""

_SLACK_API = "https://slack.com/api/"

_PROBLEMS = {  # by pydantic's type of error
    "int_parsing": "整数ではありません",
    "float_parsing": "数ではありません",
    "bool_parsing": "true か false ではありません",
    "greater_than": "小さすぎます({gt}より大きく)",
    "greater_than_equal": "小さすぎます({ge}以上)",
    "less_than_equal": "大きすぎます({le}以下)",
    "literal_error": "使える値({expected})ではありません。大文字と小文字も区別します",
}


class SettingsError(Exception):
    """A setting that cannot be used; the message names it, says what is wrong and what to write instead."""


class MessageRefusedError(Exception):
    """A message that cannot be taken as a question; the text is for the person who wrote it."""


class Settings(BaseSettings):
    """Everything that can be set. A field's name in capitals is the setting's; its description is its documentation."""

    model_config = SettingsConfigDict(
        env_file=".env", env_file_encoding="utf-8", env_ignore_empty=True, extra="forbid", frozen=True
    )

    data_dir: Path = Field(Path("data"), description="索引・追加した文書・会話の記録を置くフォルダ")
    embedding_model: str = Field("", description="sentence-transformers のモデル名かフォルダ。空なら同梱のモデル")
    reranker_model: str = Field("", description="並べ替えに使う cross-encoder のモデル名かフォルダ。空なら使わない")
    chroma_url: str = Field("", description="ChromaサーバーのURL。空ならDATA_DIRの中のChroma")
    documents_only: bool = Field(False, description="true なら、用意した質問集を使わず、取り込んだ文書だけから答える")
    host: str = Field("127.0.0.1", description="待ち受けるアドレス")
    port: int = Field(8000, ge=0, le=65535, description="待ち受けるポート番号。0 なら空いている番号")
    public_url: str = Field(
        "", description="外から見たこのサービスのURL。説明会のリンクとQRコードに使う。空なら開かれたアドレス"
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field("INFO", description="記録の細かさ")
    log_format: Literal["text", "json"] = Field("text", description="記録の形。json なら1行に1つのJSON")
    otel_exporter_otlp_endpoint: str = Field(
        "", description="OpenTelemetryの収集先のURL(OTLP/gRPC)。空なら、処理の時間を送らない"
    )
    database_url: str = Field(
        "",
        repr=False,
        description="会話の記録先。空なら DATA_DIR の SQLite。例: postgresql://user:password@host/name",
    )
    id_hash_key: str = Field(
        "", repr=False, description="記録する利用者IDを伏せるための鍵。空なら DATA_DIR に作る。複数台では同じ値にする"
    )
    reply_key: str = Field(
        "", repr=False, description="職員の回答を返す先を暗号化する鍵。空なら DATA_DIR に作る。複数台では同じ値にする"
    )
    retention_days: int = Field(
        90, ge=1, le=36500, description="会話の記録を残す日数。過ぎた記録は起動時と purge で消す"
    )
    retention_days_line: int = Field(
        0, ge=0, le=36500, description="LINEで聞かれたことの記録を残す日数。0 なら RETENTION_DAYS と同じ"
    )
    retention_days_slack: int = Field(
        0, ge=0, le=36500, description="Slackで聞かれたことの記録を残す日数。0 なら RETENTION_DAYS と同じ"
    )
    retention_days_web: int = Field(
        0, ge=0, le=36500, description="チャットの画面とAPIで聞かれたことの記録を残す日数。0 なら RETENTION_DAYS と同じ"
    )
    line_channel_secret: str = Field("", repr=False, description="LINEのチャネルシークレット")
    line_channel_access_token: str = Field("", repr=False, description="LINEのチャネルアクセストークン(長期)")
    line_api_url: str = Field("", description="LINEの代わりに使うサーバーのURL(試験用)。空なら本物")
    line_push_reserve: int = Field(
        50, ge=0, description="LINEの1か月の通数のうち、職員の回答の送信(プッシュ)に使わずに残す数"
    )
    slack_bot_token: str = Field("", repr=False, description="SlackのBotトークン(xoxb-)")
    slack_app_token: str = Field(
        "", repr=False, description="Slackのアプリトークン(xapp-)。あればソケットモードで受ける"
    )
    slack_signing_secret: str = Field(
        "", repr=False, description="Slackの署名シークレット。ソケットモードを使わないときに要る"
    )
    slack_desk_channel: str = Field(
        "", description="職員が質問に答えるSlackのチャンネルのID(C0123…)。空なら、職員には取り次がない"
    )
    slack_api_url: str = Field(_SLACK_API, description="Slack Web APIのURL(試験用に変えられる)")
    llm: str = Field(
        "",
        description="質問を読み、資料の文を選ぶチャットモデル。例: openai:モデル名、anthropic:モデル名。空なら使わない",
    )
    llm_base_url: str = Field("", description="OpenAI互換のサーバーのURL(vLLM、llama.cpp、LiteLLMなど)")
    llm_api_key: str = Field("", repr=False, description="チャットモデルの鍵。空なら提供元の環境変数を使う")
    llm_read_always: bool = Field(
        False, description="true なら、チャットモデルがすべての質問を読む。読み方が違えば、答えの下で確かめる"
    )
    llm_temperature: float = Field(0.0, ge=0, le=2, description="チャットモデルの温度")
    llm_read_seconds: float = Field(
        4.0, gt=0, le=60, description="答えを出す前にチャットモデルを待つ時間の上限(秒)。過ぎれば、モデルなしで答える"
    )
    llm_seconds: float = Field(
        12.0, gt=0, le=120, description="答えを出した後に、添える文をチャットモデルが選ぶのを待つ時間の上限(秒)"
    )
    llm_retries: int = Field(1, ge=0, le=5, description="チャットモデルが失敗したときに試し直す回数")
    llm_max_tokens: int = Field(600, ge=50, description="チャットモデルの返事の長さの上限(トークン)")
    llm_daily_tokens: int = Field(0, ge=0, description="1日に使うトークンの上限。0なら制限しない")
    llm_tracing: bool = Field(False, description="true なら LangChain の記録(LangSmith)を許す")
    metrics_token: str = Field("", repr=False, description="GET /metrics を読むためのトークン。空なら計測値を出さない")
    watch_hours: float = Field(
        0.0, ge=0, le=8760, description="制度のページとURLで追加した文書を見に行く間隔(時間)。0なら見に行かない"
    )
    watch_local: bool = Field(False, description="true なら、この機械のページも見に行く(試験用)")
    max_message_chars: int = Field(2000, ge=1, le=20000, description="1回の質問の長さの上限(文字)")
    rate_per_conversation: int = Field(
        20, ge=1, description="1人(チャットの画面では1つの会話)から1分間に受ける質問の数"
    )
    rate_per_client: int = Field(
        3000, ge=1, description="1つのIPアドレスから1分間に受ける質問の数。庁舎や説明会では多くの人が同じアドレスになる"
    )

    def retention(self, channel: str) -> int:
        """Days that what came by a channel is kept."""
        own: int = getattr(self, f"retention_days_{channel}", 0)
        return own or self.retention_days

    def read_message(self, text: str) -> str:
        """A message as the answering core takes it: masked, without blanks around it or what a database would refuse.

        Raises:
            MessageRefusedError: it is empty or too long.
        """
        message = mask(storable(text).strip())
        if not message:
            raise MessageRefusedError("質問が空のようです。知りたいことを入力してください。")
        if len(message) > self.max_message_chars:
            raise MessageRefusedError(
                f"質問が長すぎます({len(message):,}文字)。{self.max_message_chars:,}文字までに短くしてください。"
            )
        return message


def storable(text: str) -> str:
    """A text as a database takes it and a person reads it."""
    return "".join(map(_storable, text))


def _storable(character: str) -> str:
    """Invisible marks are dropped; control characters and halves of surrogate pairs become blanks."""
    category = unicodedata.category(character)
    if category == "Cf":
        return ""
    return " " if category in ("Cc", "Cs") and character not in "\n\t" else character


def read_clock() -> datetime:
    """This moment in Japan. Only the command line and the application call it; all else is given a day."""
    return datetime.now(ZoneInfo("Asia/Tokyo"))


def load_settings() -> Settings:
    """Reads the settings.

    Raises:
        SettingsError: a value cannot be used, a name is one of ours misspelt, or `.env` cannot be read.
    """
    _refuse_misspelt(os.environ)
    try:
        settings = Settings()
        _refuse_half_configured(settings)
        _refuse_mistaken(settings)
        for name in ("embedding_model", "reranker_model"):
            check_model(name.upper(), getattr(settings, name))
        return settings
    except OutsideError as error:
        raise SettingsError(str(error)) from None
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f".env を読めません: {error}。UTF-8のテキストで保存してください。") from None
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        name = str(first["loc"][0]) if first["loc"] else ""
        if first["type"] == "extra_forbidden":
            raise SettingsError(_unknown(name)) from None
        field = Settings.model_fields[name]
        problem = _PROBLEMS.get(first["type"], first["msg"]).format_map(first.get("ctx", {})).replace(" or ", ", ")
        default = _as_written(field.default) or "空"
        raise SettingsError(
            f"設定 {name.upper()} の値「{first['input']}」は{problem}。"
            f"{name.upper()} は「{field.description}」です(既定値: {default})。"
        ) from None


def _as_written(default: object) -> str:
    return str(default).lower() if isinstance(default, bool) else str(default)


def example() -> str:
    """Every setting with its meaning and its default, as a `.env` to be filled in."""
    lines = ["# python -m bot settings が書き出したものです。使う行の # を外し、値を書いて .env に置きます。"]
    for name, field in Settings.model_fields.items():
        lines += ["", f"# {field.description}", f"#{name.upper()}={_as_written(field.default)}"]
    return "\n".join(lines)


def _refuse_half_configured(settings: Settings) -> None:
    """A platform is set up whole or not at all.

    Raises:
        SettingsError: something is missing; the text names it.
    """
    missing = []
    if settings.line_channel_secret or settings.line_channel_access_token:
        missing += [
            name for name in ("line_channel_secret", "line_channel_access_token") if not getattr(settings, name)
        ]
    if settings.slack_bot_token or settings.slack_app_token or settings.slack_signing_secret:
        if not settings.slack_bot_token:
            missing.append("slack_bot_token")
        if not (settings.slack_app_token or settings.slack_signing_secret):
            raise SettingsError(
                "SLACK_BOT_TOKEN だけでは Slack につながりません。SLACK_APP_TOKEN(ソケットモード)か "
                "SLACK_SIGNING_SECRET(HTTP)も設定してください。"
            )
    if settings.slack_desk_channel and not settings.slack_bot_token:
        raise SettingsError(
            "SLACK_DESK_CHANNEL だけでは職員に取り次げません。SLACK_BOT_TOKEN なども設定するか、"
            "SLACK_DESK_CHANNEL を消してください。"
        )
    if missing:
        names = "、".join(name.upper() for name in missing)
        raise SettingsError(f"{names} が設定されていません。両方そろえるか、そのサービスの設定をすべて消してください。")


_HEX = "[0-9a-f]{32}"


@dataclass(frozen=True)
class _Form:
    """What a credential looks like, as a pattern and in words, and where a person copies it from."""

    pattern: str
    words: str
    place: str


_FORMS = {
    "line_channel_secret": _Form(_HEX, "0〜9とa〜fの32文字", "LINE Developers の チャネル基本設定"),
    "line_channel_access_token": _Form(
        r"[\w.~+/=-]{100,}", "空白のない100文字以上の英数字と記号", "LINE Developers の Messaging API設定"
    ),
    "slack_bot_token": _Form(r"(xoxe\.)?xoxb-[\w.-]+", "xoxb- で始まる英数字", "Slackのアプリの OAuth & Permissions"),
    "slack_app_token": _Form(r"xapp-[\w.-]+", "xapp- で始まる英数字", "Slackのアプリの Basic Information"),
    "slack_signing_secret": _Form(_HEX, "0〜9とa〜fの32文字", "Slackのアプリの Basic Information"),
    "slack_desk_channel": _Form("[CG][0-9A-Z]{8,}", "C か G で始まるID。名前ではない", "チャンネルの詳細のいちばん下"),
}

_URLS = (
    "chroma_url",
    "public_url",
    "line_api_url",
    "slack_api_url",
    "llm_base_url",
    "otel_exporter_otlp_endpoint",
)

_PROVIDERS = ("openai", "azure", "anthropic", "google", "bedrock", "ollama")
"""What the names of the providers begin with whose packages come along."""

_MODEL_KEYS = {
    "openai": ("OPENAI_API_KEY", "OPENAI_ADMIN_KEY"),
    "azure": ("AZURE_OPENAI_API_KEY", "AZURE_OPENAI_AD_TOKEN", "OPENAI_API_KEY"),
    "anthropic": ("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN", "ANTHROPIC_PROFILE", "ANTHROPIC_IDENTITY_TOKEN_FILE"),
    "google": ("GOOGLE_API_KEY", "GEMINI_API_KEY", "GOOGLE_GENAI_USE_VERTEXAI"),
}
_MODEL_KEYS |= {"azure_openai": _MODEL_KEYS["azure"], "google_genai": _MODEL_KEYS["google"]}
"""By provider, the variables of the environment of which one will do for LLM_API_KEY; others have no such key."""


def _refuse_mistaken(settings: Settings) -> None:
    """What is cut off, or pasted into the wrong place, is told from its form. No secret is named: messages are logged.

    Raises:
        SettingsError: a value has not the form of what it should be; the text names the setting.
    """
    _refuse_misshapen(settings)
    _refuse_model(settings)
    if settings.database_url and not re.match(r"(?:sqlite|postgres(?:ql)?)(?:\+\w+)?://", settings.database_url):
        raise SettingsError(
            "DATABASE_URL を使えません。"
            "sqlite:///ファイル か postgresql://利用者:パスワード@ホスト/名前 と書いてください。"
        )
    for name in _URLS:
        address = getattr(settings, name)
        if address and not re.match(r"https?://[^/\s]", address):
            raise SettingsError(
                f"{name.upper()} の値「{address}」はURLではありません。http:// か https:// から書いてください。"
            )


def _refuse_misshapen(settings: Settings) -> None:
    """Holds the credentials of the real platforms against their forms; a stand-in has what it likes."""
    stand_ins = {"line": settings.line_api_url, "slack": settings.slack_api_url != _SLACK_API}
    for name, form in _FORMS.items():
        value, platform = getattr(settings, name), name.partition("_")[0]
        if not value or stand_ins[platform] or re.fullmatch(form.pattern, value, re.ASCII):
            continue
        others = (other for other in _FORMS if other.startswith(platform) and other != name)
        other = next((o for o in others if re.fullmatch(_FORMS[o].pattern, value, re.ASCII)), "")
        swapped = f"{other.upper()} の値のようです。" if other else ""
        raise SettingsError(
            f"{name.upper()} の値の形が違います(正しい形: {form.words})。{swapped}{form.place}から写し直してください。"
        )


def _refuse_model(settings: Settings) -> None:
    """A chat model is named with its provider, and has a key where its provider wants one."""
    if not settings.llm:
        if given := next((n for n in ("llm_api_key", "llm_base_url", "llm_read_always") if getattr(settings, n)), ""):
            raise SettingsError(
                f"{given.upper()} だけではチャットモデルを使えません。"
                f"LLM に「openai:モデル名」のように書くか、{given.upper()} を消してください。"
            )
        return
    provider, colon, model = settings.llm.partition(":")
    if not (provider and model) and (colon or not settings.llm_base_url):
        raise SettingsError(
            f"LLM の値「{settings.llm}」に提供元かモデル名がありません。「openai:モデル名」のように書いてください。"
        )
    comes_along = provider.startswith(_PROVIDERS)
    if colon and not (comes_along or (provider.isidentifier() and find_spec(f"langchain_{provider}"))):
        raise SettingsError(
            f"LLM の提供元「{provider}」は使えません。{'、'.join(_PROVIDERS)} のどれかにするか、"
            f"そのパッケージ(langchain-{provider})を入れてください。"
        )
    keys = _MODEL_KEYS.get(provider, ())
    if keys and not (settings.llm_api_key or settings.llm_base_url or any(map(os.environ.get, keys))):
        raise SettingsError(
            f"LLM の {provider} の鍵がありません。"
            f"LLM_API_KEY か環境変数 {keys[0]} に鍵を書くか、LLM を空にしてください。"
        )


def _refuse_misspelt(names: Iterable[str]) -> None:
    known = [name.upper() for name in Settings.model_fields]
    checked = [name for name in known if len(name) >= _SHORTEST_CHECKED]
    for name in names:
        if name.upper() not in known and (close := get_close_matches(name.upper(), checked, n=1, cutoff=_SIMILAR)):
            raise SettingsError(
                f"環境変数 {name} は知らない設定です。{close[0]} の書き間違いではありませんか。"
                f"名前を直すか、{name} を消してください。"
            )


def _unknown(name: str) -> str:
    known = [known.upper() for known in Settings.model_fields]
    close = get_close_matches(name.upper(), known, n=1)
    hint = f"{close[0]} の書き間違いではありませんか。" if close else f"使える設定: {', '.join(known)}。"
    return f".env の {name.upper()} は知らない設定です。{hint}名前を直すか、その行を消してください。"
