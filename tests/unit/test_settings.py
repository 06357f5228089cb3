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


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("PORT", "八千", "PORT の値「八千」は整数ではありません"),
        ("PORT", "70000", r"大きすぎます\(65535以下\)"),
        ("RETENTION_DAYS", "0", r"RETENTION_DAYS の値「0」は小さすぎます\(1以上\)"),
        ("LOG_LEVEL", "LOUD", "LOG_LEVEL の値「LOUD」は使える値.*DEBUG.*ではありません"),
        ("DOCUMENTS_ONLY", "perhaps", "DOCUMENTS_ONLY の値「perhaps」はtrue か false.*既定値: false"),
        ("DATABASE_URI", "postgresql://a", "DATABASE_URI は知らない設定です。DATABASE_URL の書き間違い"),
        ("EMBEDING_MODEL", "x", "EMBEDING_MODEL は知らない設定です。EMBEDDING_MODEL の書き間違い"),
        ("RETENTION_DAY", "3", "RETENTION_DAYS の書き間違い"),
    ],
)
def test_what_cannot_be_used_is_named(monkeypatch, name, value, says):
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError, match=says):
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
