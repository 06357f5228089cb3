import os
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.settings import MessageRefusedError, Settings, SettingsError, load_settings, read_clock


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(Settings.model_config, "env_file", ".env")


def test_nothing_needs_to_be_set():
    settings = load_settings()
    assert settings.data_dir == Path("data")
    assert (settings.host, settings.port) == ("127.0.0.1", 8000)
    assert settings.database_url == settings.embedding_model == ""


def test_the_environment_goes_before_the_file(monkeypatch):
    Path(".env").write_text("PORT=9000\nRETENTION_DAYS=30\nDATA_DIR=\n", encoding="utf-8")
    monkeypatch.setenv("PORT", "9001")
    settings = load_settings()
    assert (settings.port, settings.retention_days, settings.data_dir) == (9001, 30, Path("data"))


HEX, LONG = "0123456789abcdef" * 2, "aB3/+" * 34 + "w="
"""In the form of a secret, and of LINE's long-lived token."""

WRONG = [
    # what is set, the name that the message must have, its reason, its remedy
    ({"PORT": "八千"}, "PORT", "「八千」は整数ではありません", "既定値: 8000"),
    ({"PORT": "70000"}, "PORT", "大きすぎます(65535以下)", "既定値: 8000"),
    ({"RETENTION_DAYS": "0"}, "RETENTION_DAYS", "「0」は小さすぎます(1以上)", "既定値: 90"),
    ({"LLM_SECONDS": "abc"}, "LLM_SECONDS", "「abc」は数ではありません", "既定値: 12.0"),
    ({"LLM_SECONDS": "0"}, "LLM_SECONDS", "小さすぎます(0.0より大きく)", "既定値: 12.0"),
    ({"LOG_LEVEL": "debug"}, "LOG_LEVEL", "('DEBUG', 'INFO', 'WARNING', 'ERROR')ではありません", "大文字と小文字"),
    ({"DOCUMENTS_ONLY": "perhaps"}, "DOCUMENTS_ONLY", "true か false ではありません", "既定値: false"),
    ({"DATABASE_URI": "postgresql://a"}, "DATABASE_URI", "知らない設定です", "DATABASE_URL の書き間違い"),
    ({"EMBEDING_MODEL": "x"}, "EMBEDING_MODEL", "知らない設定です", "EMBEDDING_MODEL の書き間違い"),
    ({"RETENTION_DAY": "3"}, "RETENTION_DAY", "知らない設定です", "RETENTION_DAYS の書き間違い"),
    ({"EMBEDDING_MODEL": "/none"}, "EMBEDDING_MODEL", "フォルダ /none がありません", "EMBEDDING_MODEL を空に"),
    ({"RERANKER_MODEL": "./none"}, "RERANKER_MODEL", "フォルダ ./none がありません", "RERANKER_MODEL を空に"),
    ({"CHROMA_URL": "localhost:8000"}, "CHROMA_URL", "URLではありません", "http:// か https:// から"),
    ({"PUBLIC_URL": "madoguchi.example.jp"}, "PUBLIC_URL", "URLではありません", "http:// か https:// から"),
    ({"DATABASE_URL": "mysql://u:secret@h/d"}, "DATABASE_URL", "使えません", "postgresql://利用者"),
    ({"WATCH_HOURS": "-1"}, "WATCH_HOURS", "小さすぎます(0.0以上)", "既定値: 0.0"),
    ({"OTEL_EXPORTER_OTLP_ENDPOINT": "collector"}, "OTEL_EXPORTER_OTLP_ENDPOINT", "URLではありません", "http:// か"),
    ({"LLM": "gpt"}, "LLM", "提供元かモデル名がありません", "openai:モデル名"),
    ({"LLM": "openai:"}, "LLM", "提供元かモデル名がありません", "openai:モデル名"),
    ({"LLM": "gpt-4.1:mini"}, "LLM", "提供元「gpt-4.1」は使えません", "openai、azure、"),
    ({"LLM": "openal:gpt"}, "LLM", "提供元「openal」は使えません", "langchain-openal"),
    ({"LLM": "openai:gpt"}, "LLM", "openai の鍵がありません", "LLM_API_KEY か環境変数 OPENAI_API_KEY"),
    ({"LLM": "anthropic:c"}, "LLM", "anthropic の鍵がありません", "LLM_API_KEY か環境変数 ANTHROPIC_API_KEY"),
    ({"LLM": "google_genai:g"}, "LLM", "google_genai の鍵がありません", "LLM_API_KEY か環境変数 GOOGLE_API_KEY"),
    ({"LLM_API_KEY": "secret"}, "LLM_API_KEY", "だけではチャットモデルを使えません", "LLM に「openai:モデル名」"),
    ({"LLM_BASE_URL": "http://localhost/v1"}, "LLM_BASE_URL", "だけではチャットモデル", "LLM_BASE_URL を消して"),
    ({"LLM_READ_ALWAYS": "true"}, "LLM_READ_ALWAYS", "だけではチャットモデル", "LLM_READ_ALWAYS を消して"),
    ({"LINE_CHANNEL_SECRET": HEX}, "LINE_CHANNEL_ACCESS_TOKEN", "設定されていません", "両方そろえる"),
    (
        {"LINE_CHANNEL_SECRET": LONG, "LINE_CHANNEL_ACCESS_TOKEN": HEX},
        "LINE_CHANNEL_SECRET",
        "形が違います(正しい形: 0〜9とa〜fの32文字)。LINE_CHANNEL_ACCESS_TOKEN の値のようです",
        "チャネル基本設定から写し直して",
    ),
    (
        {"LINE_CHANNEL_SECRET": HEX[1:], "LINE_CHANNEL_ACCESS_TOKEN": LONG},
        "LINE_CHANNEL_SECRET",
        "形が違います(正しい形: 0〜9とa〜fの32文字)。LINE D",
        "チャネル基本設定から写し直して",
    ),
    (
        {"LINE_CHANNEL_SECRET": "O" + HEX[1:], "LINE_CHANNEL_ACCESS_TOKEN": LONG},
        "LINE_CHANNEL_SECRET",
        "形が違います",
        "チャネル基本設定から写し直して",
    ),
    (
        {"LINE_CHANNEL_SECRET": HEX, "LINE_CHANNEL_ACCESS_TOKEN": HEX},
        "LINE_CHANNEL_ACCESS_TOKEN",
        "LINE_CHANNEL_SECRET の値のようです",
        "Messaging API設定から写し直して",
    ),
    (
        {"LINE_CHANNEL_SECRET": HEX, "LINE_CHANNEL_ACCESS_TOKEN": "Bearer " + LONG},
        "LINE_CHANNEL_ACCESS_TOKEN",
        "空白のない100文字以上",
        "Messaging API設定から写し直して",
    ),
    (
        {"SLACK_BOT_TOKEN": "xapp-secret", "SLACK_APP_TOKEN": "xoxb-secret"},
        "SLACK_BOT_TOKEN",
        "形が違います(正しい形: xoxb- で始まる英数字)。SLACK_APP_TOKEN の値のようです",
        "写し直して",
    ),
    (
        {"SLACK_BOT_TOKEN": "xoxb-secret", "SLACK_APP_TOKEN": "0123secret"},
        "SLACK_APP_TOKEN",
        "形が違います(正しい形: xapp- で始まる英数字)。Slack",
        "写し直して",
    ),
    (
        {"SLACK_BOT_TOKEN": "xoxb-secret", "SLACK_SIGNING_SECRET": "xapp-secret"},
        "SLACK_SIGNING_SECRET",
        "SLACK_APP_TOKEN の値のようです",
        "Basic Informationから写し直して",
    ),
    ({"SLACK_BOT_TOKEN": "xoxb-secret"}, "SLACK_BOT_TOKEN", "だけでは Slack につながりません", "SLACK_SIGNING_SECRET"),
    (
        {"SLACK_BOT_TOKEN": "xoxb-secret", "SLACK_SIGNING_SECRET": HEX, "SLACK_DESK_CHANNEL": "#窓口"},
        "SLACK_DESK_CHANNEL",
        "C か G で始まるID。名前ではない",
        "チャンネルの詳細",
    ),
]


@pytest.mark.parametrize(("given", "name", "reason", "remedy"), WRONG)
def test_a_wrong_setting_is_refused_with_its_name_the_reason_and_the_remedy(monkeypatch, given, name, reason, remedy):
    for variable in [v for v in os.environ if v.endswith(("_API_KEY", "_ADMIN_KEY", "_TOKEN"))]:
        monkeypatch.delenv(variable)
    for setting, value in given.items():
        monkeypatch.setenv(setting, value)
    with pytest.raises(SettingsError) as refused:
        load_settings()
    message = str(refused.value)
    assert name in message
    assert reason in message
    assert remedy in message
    assert "secret" not in message


@pytest.mark.parametrize(
    "given",
    [
        {"LINE_CHANNEL_SECRET": HEX, "LINE_CHANNEL_ACCESS_TOKEN": LONG},
        {"LINE_CHANNEL_SECRET": "s", "LINE_CHANNEL_ACCESS_TOKEN": "t", "LINE_API_URL": "http://localhost"},
        {"SLACK_BOT_TOKEN": "xoxe.xoxb-1-A", "SLACK_APP_TOKEN": "xapp-1-A", "SLACK_DESK_CHANNEL": "C0123ABCD"},
        {"LLM": "openai:gpt", "LLM_API_KEY": "k"},
        {"LLM": "openai:gpt", "OPENAI_API_KEY": "k"},
        {"LLM": "qwen", "LLM_BASE_URL": "http://localhost/v1"},
        {"LLM": "ollama:qwen:8b"},
    ],
)
def test_what_has_the_form_of_what_it_should_be_is_taken(monkeypatch, given):
    for setting, value in given.items():
        monkeypatch.setenv(setting, value)
    load_settings()


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("PROT=8000", "PROT は知らない設定です。PORT の書き間違い"),
        ("COLOUR=red", "COLOUR は知らない設定です。使える設定: DATA_DIR, "),
        ("data_dirr=x", "DATA_DIRR は知らない設定です。DATA_DIR の書き間違い"),
    ],
)
def test_an_unknown_line_of_the_file_is_named(content, says):
    Path(".env").write_text(content, encoding="utf-8")
    with pytest.raises(SettingsError, match=says):
        load_settings()


def test_a_file_that_is_not_text_is_named():
    Path(".env").write_bytes(b"PORT=\xff\xfe\x00")
    with pytest.raises(SettingsError, match=r"\.env を読めません"):
        load_settings()


@pytest.mark.parametrize("name", ["PATH", "HOSTNAME", "XDG_DATA_DIRS", "TEST_DATABASE_URL", "SUPPORT"])
def test_other_programs_variables_are_left_alone(monkeypatch, name):
    monkeypatch.setenv(name, "something")
    load_settings()


def test_secrets_are_not_printed():
    settings = Settings(database_url="postgresql://a:secret@b/c", id_hash_key="secret")
    assert "secret" not in repr(settings)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("  上限は?\n", "上限は?"),
        ("上限\u200bは\u202e?", "上限は?"),
        ("上限\x00は\x1b?", "上限 は ?"),
        ("\udcff\udcfe対象?", "対象?"),
        ("1行目\n2行目", "1行目\n2行目"),
    ],
)
def test_a_message_is_freed_of_what_cannot_be_stored(text, message):
    assert Settings().read_message(text) == message


@pytest.mark.parametrize("text", ["", " \n\t　", "\x00\x01", "\u200b", "\udcff"])
def test_an_empty_message_is_refused(text):
    with pytest.raises(MessageRefusedError, match="空のようです"):
        Settings().read_message(text)


def test_a_long_message_is_refused_with_the_limit():
    settings = Settings()
    assert settings.read_message("あ" * 2000)
    with pytest.raises(MessageRefusedError, match=r"20,000文字.*2,000文字まで"):
        settings.read_message("あ" * 20_000)


@given(st.text(st.characters(exclude_categories=()), max_size=300))
def test_any_text_is_refused_or_can_be_stored(text):
    try:
        message = Settings().read_message(text)
    except MessageRefusedError:
        return
    assert message == message.strip()
    assert "\x00" not in message.encode("utf-8").decode()
    assert Settings().read_message(message) == message


def test_the_clock_is_japan_s():
    assert read_clock().utcoffset() == timedelta(hours=9)
