import http.client
import json
import os
import re
import resource
import shutil
import signal
import socket
import subprocess
import sys
import time
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bot.__main__ import app
from bot.settings import Settings
from ingest.__main__ import app as ingest
from tests.adversarial.models import serving as serving_a_model
from tests.unit.test_encoder import tiny_model

ELIGIBLE = "財政力指数0.6の町は、計画策定支援の対象ですか"


@pytest.fixture
def bot(data_dir, monkeypatch):
    """Runs the command line in this process."""
    monkeypatch.setenv("DATA_DIR", str(data_dir))
    return lambda *words, stdin=None: CliRunner().invoke(app, words, input=stdin)


def start(*words, log=subprocess.PIPE, **environment):
    """Starts the command line as a process of its own, in the data folder."""
    return subprocess.Popen(
        [sys.executable, "-m", "bot", *words],
        cwd=environment["DATA_DIR"],
        env={**os.environ, "PYTHONUNBUFFERED": "1", **environment},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=log,
    )


def run(*words, stdin=b"", **environment):
    process = start(*words, **environment)
    out, err = process.communicate(stdin, timeout=300)
    return process.returncode, out.decode(), err.decode()


# --- help -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", [[], ["serve"], ["ask"], ["chat"], ["purge"]])
def test_help_is_in_japanese(bot, command):
    shown = bot(*command, "--help")
    assert shown.exit_code == 0
    assert "オプション" in shown.output
    assert "この説明を表示します。" in shown.output


@pytest.mark.parametrize("words", [["asks"], ["ask", "--nothing"], ["serve", "--port", "99999"], ["ask"]])
def test_wrong_use_ends_with_2(bot, words):
    assert bot(*words).exit_code == 2


# --- ask ------------------------------------------------------------------------------------------------------


def test_ask_says_the_answer_its_source_and_its_evidence(bot):
    shown = bot("ask", ELIGIBLE)
    assert shown.exit_code == 0
    assert shown.stdout.startswith("対象です。")
    assert "出典: " in shown.stdout
    assert "根拠: 計画策定支援 対象「財政力指数1以上の地方公共団体」" in shown.stdout


def test_ask_numbers_the_choices(bot):
    assert re.search(r"^ +1 .*\n +2 .*\n +3 ", bot("ask", "うちは対象になる?").stdout, re.MULTILINE)


def test_ask_answers_for_the_day_given(bot):
    question = "アドバイザー派遣は、今日申し込めますか"
    assert json.loads(bot("ask", question, "--as-of", "2025-06-10", "--json").stdout)["verdict"] == "conditional"
    assert json.loads(bot("ask", question, "--as-of", "2026-02-10", "--json").stdout)["verdict"] == "ineligible"


def test_not_in_the_documents_is_no_error(bot):
    shown = bot("ask", "計画策定支援の採択率は?", "--json")
    assert (shown.exit_code, json.loads(shown.stdout)["status"]) == (0, "unknown")


def test_documents_only_answers_from_documents(bot):
    shown = bot("ask", "計画策定支援のコースには何がありますか", "--documents-only", "--json")
    assert json.loads(shown.stdout)["citations"]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["ask", ""], "質問が空のようです"),
        (["ask", "あ" * 20_000], "2,000文字までに短くしてください"),
        (["ask", "\udcff\udcfe"], "質問が空のようです"),
        (["ask"], "どちらかを指定してください"),
        (["ask", "上限は?", "--batch", "x.jsonl"], "どちらかを指定してください"),
        (["ask", "上限は?", "--as-of", "明日"], "--as-of は 2026-04-01 の形"),
        (["ask", "--batch", "nothing.jsonl"], "nothing.jsonl を読めません"),
        (["ask", "--batch", "."], ". を読めません"),
    ],
)
def test_what_cannot_be_asked_is_refused_in_japanese(bot, words, says):
    refused = bot(*words)
    assert refused.exit_code == 2
    assert says in refused.stderr
    assert refused.stdout == ""


def test_the_first_question_makes_the_index(tmp_path, monkeypatch):
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "new"))
    first = CliRunner().invoke(app, ["ask", "アドバイザー派遣の費用は?"])
    assert first.exit_code == 0
    assert "無料" in first.stdout
    assert "索引を作っています" in first.stderr
    assert "索引" not in first.stdout
    second = CliRunner().invoke(app, ["ask", "アドバイザー派遣の費用は?"])
    assert (second.exit_code, second.stderr) == (0, "")


def test_where_no_index_can_be_made_it_says_so(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("no folder", encoding="utf-8")
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "file"))
    for command in (["ask", "上限は?"], ["chat"], ["serve", "--port", "0"]):
        refused = CliRunner().invoke(app, command)
        assert (refused.exit_code, refused.stdout) == (2, "")
        assert refused.stderr.strip()


def test_a_broken_index_is_named(data_dir, tmp_path, monkeypatch):
    shutil.copytree(data_dir / "index", tmp_path / "index")
    for database in (tmp_path / "index").rglob("index.sqlite"):
        database.write_bytes(b"broken" * 1000)
    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    refused = CliRunner().invoke(app, ["ask", "上限は?"])
    assert refused.exit_code == 2
    assert f"索引 {tmp_path / 'index'} を開けません" in refused.stderr


def test_a_misspelt_setting_is_refused(bot, monkeypatch):
    monkeypatch.setenv("RETENTION_DAY", "30")
    refused = bot("ask", "上限は?")
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert "RETENTION_DAYS の書き間違い" in refused.stderr


def test_a_cold_ask_imports_neither_torch_nor_the_server(data_dir):
    heavy = "torch", "sentence_transformers", "transformers", "fastapi", "uvicorn", "sqlalchemy", "langchain"
    code = f"""
import sys
from bot.__main__ import app
try:
    app(["ask", "{ELIGIBLE}"])
except SystemExit as end:
    assert end.code == 0
print([name for name in {heavy} if name in sys.modules])
"""
    environment = {**os.environ, "DATA_DIR": str(data_dir)}
    done = subprocess.run([sys.executable, "-c", code], cwd=data_dir, env=environment, capture_output=True, text=True)
    assert done.stdout.startswith("対象です。"), done.stderr
    assert done.stdout.splitlines()[-1] == "[]"
    assert done.stderr == ""


def test_another_embedding_model_is_one_setting_away(tmp_path, monkeypatch):
    settings = {"DATA_DIR": str(tmp_path), "EMBEDDING_MODEL": tiny_model(tmp_path / "model", {})}
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    made = CliRunner().invoke(ingest, [])  # in this process, which has imported torch for the model already
    assert made.exit_code == 0, made.stderr
    status, out, errors = run("ask", ELIGIBLE, **settings)
    assert (status, errors) == (0, "")
    assert out.startswith("対象です。")


# --- ask --batch ----------------------------------------------------------------------------------------------


def test_batch_gives_one_line_for_each_in_order(bot):
    lines = [
        json.dumps({"id": "a", "turns": [ELIGIBLE], "today": "2025-06-10"}),
        json.dumps({"id": "b", "turns": ["うちの町は計画策定支援の対象?", "1.0です"], "today": None}),
        "",
        "{",
        '{"id": "c", "turns": []}',
        '{"id": "d", "turns": ["上限は?"], "today": "明日"}',
        '{"id": "e", "turns": [""]}',
        '["f"]',
        '{"id": NaN, "turns": [5]}',
        "[" * 100_000,
        '{"id": "\\ud800", "turns": ["今日の天気は?"]}',
        json.dumps({"turns": ["あ" * 20_000]}),
        json.dumps({"id": 13, "turns": ["計画策定支援の採択率は?"]}),
    ]
    done = bot("ask", "--batch", "-", stdin="\n".join(lines).encode() + b"\n\xff\xfe\x00")
    assert done.exit_code == 0
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert [(answer["id"], answer["status"], answer["verdict"]) for answer in answers] == [
        ("a", "answered", "eligible"),
        ("b", "answered", "ineligible"),
        (3, "error", None),
        (4, "error", None),
        ("c", "error", None),
        ("d", "error", None),
        ("e", "error", None),
        (8, "error", None),
        (9, "error", None),
        (10, "error", None),
        ("\ud800", "offtopic", None),
        (12, "error", None),
        (13, "unknown", None),
        (14, "error", None),
    ]
    assert all(re.search(r"[ぁ-ん]", answer["text"]) for answer in answers)


def test_batch_tells_the_parts_of_an_answer(bot):
    line = json.dumps({"turns": ["財政力指数1.2の市です。計画策定は対象ですか?費用は?"]})
    answered = json.loads(bot("ask", "--batch", "-", stdin=line.encode()).stdout)
    assert [(part["subject"], part["status"], part["verdict"]) for part in answered["parts"]] == [
        ("eligibility", "answered", "ineligible"),
        ("cost", "answered", None),
    ]
    assert (answered["status"], answered["verdict"]) == ("answered", "ineligible")


def test_batch_reads_a_file(bot, tmp_path):
    file = tmp_path / "質問.jsonl"
    file.write_text(json.dumps({"id": "a", "turns": [ELIGIBLE]}) + "\n", encoding="utf-8-sig")
    assert json.loads(bot("ask", "--batch", str(file)).stdout)["verdict"] == "eligible"


def test_batch_answers_each_line_before_the_next_is_written(data_dir):
    process = start("ask", "--batch", "-", DATA_DIR=str(data_dir), LC_ALL="C")
    for id in ("first", "second"):
        process.stdin.write(json.dumps({"id": id, "turns": [ELIGIBLE]}).encode() + b"\n")
        process.stdin.flush()
        assert json.loads(process.stdout.readline())["id"] == id
    process.communicate(timeout=60)
    assert process.returncode == 0


# --- chat -----------------------------------------------------------------------------------------------------


def test_chat_goes_on_from_choices_and_starts_over(bot):
    talk = bot("chat", stdin="うちの町は対象になる?\n2\n0.6です\n最初から\n\nあ\x00\n終了\nもう読まれません\n")
    assert talk.exit_code == 0
    assert "対象です。財政力指数が1未満(0.6)のため" in talk.stdout
    assert "最初から始めます" in talk.stdout
    assert "質問が空のようです" in talk.stdout
    assert talk.stdout.endswith("ご利用ありがとうございました。\n")


def test_chat_ends_politely_with_the_input(bot):
    assert bot("chat", stdin="").stdout.endswith("ご利用ありがとうございました。\n")


# --- serve and purge ------------------------------------------------------------------------------------------


@contextmanager
def serving(*words, log=subprocess.PIPE, **environment):
    process = start("serve", "--port", "0", *words, log=log, **environment)
    try:
        address = re.match(r"http://([\d.]+):(\d+)/ で受け付けています", process.stdout.readline().decode())
        assert address, process.stderr and process.stderr.read().decode()
        with closing(http.client.HTTPConnection(address[1], int(address[2]), timeout=60)) as connection:
            yield process, connection
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("signal_number", [signal.SIGTERM, signal.SIGINT])
def test_serve_prints_its_address_answers_and_ends_when_told(data_dir, tmp_path, signal_number):
    database = f"sqlite:///{tmp_path / 'served.sqlite'}"
    with serving(DATA_DIR=str(data_dir), DATABASE_URL=database) as (process, connection):
        connection.request("GET", "/readyz")
        assert connection.getresponse().read() == b'{"status":"ready"}'
        body = json.dumps({"text": ELIGIBLE})
        connection.request("POST", "/api/ask", body, {"Content-Type": "application/json"})
        assert json.loads(connection.getresponse().read())["verdict"] == "eligible"
        process.send_signal(signal_number)
        _, errors = process.communicate(timeout=60)
        assert b"answered (keikaku/eligibility)" in errors
        assert "財政力".encode() not in errors
        assert b"Traceback" not in errors
        assert process.returncode in (0, -signal_number)


def modules_in(log: Path) -> set[str]:
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    return {line.rpartition("|")[2].strip() for line in lines if line.startswith("import time:")}


def test_a_service_with_all_platforms_and_a_chat_model_imports_no_torch(data_dir, tmp_path):
    imported = tmp_path / "imported"
    with serving_a_model() as model_url, imported.open("wb") as log:
        environment = {
            "DATA_DIR": str(data_dir),
            "DATABASE_URL": f"sqlite:///{tmp_path / 'served.sqlite'}",
            "LINE_CHANNEL_SECRET": "0" * 32,
            "LINE_CHANNEL_ACCESS_TOKEN": "x" * 172,
            "SLACK_BOT_TOKEN": "xoxb-x",
            "SLACK_SIGNING_SECRET": "0" * 32,
            "LLM": "openai:silent",
            "LLM_BASE_URL": model_url,
            "PYTHONPROFILEIMPORTTIME": "1",  # names every module as it is imported, in the process that answers too
        }
        with serving(log=log, **environment) as (_, connection):
            for question in (ELIGIBLE, "推進体制の会議は誰が開くの", "3つの事業の違いは?"):
                body = json.dumps({"text": question})
                connection.request("POST", "/api/ask", body, {"Content-Type": "application/json"})
                assert json.loads(connection.getresponse().read())["status"] != "error"
            for _ in range(600):
                if "chromadb" in (modules := modules_in(imported)):
                    break
                time.sleep(0.1)  # it is opened behind the first answers
    assert {"linebot.v3.messaging", "slack_bolt.async_app"} <= modules
    assert {"chromadb", "langchain_openai.chat_models.base"} <= modules  # of the process that answers
    heavy = ("torch", "transformers", "sentence_transformers")
    assert [module for module in modules if module.split(".")[0] in heavy] == []


def test_a_port_in_use_is_named(data_dir):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        status, out, errors = run("serve", "--port", port, DATA_DIR=str(data_dir))
    assert (status, out) == (2, "")
    assert f"ポート {port} では受け付けられません(別のプログラムが使っています)" in errors


def test_a_server_that_cannot_store_anything_is_not_ready_until_it_can(data_dir, tmp_path):
    def readiness(connection):
        connection.request("GET", "/readyz")
        response = connection.getresponse()
        return response.status, json.loads(response.read())

    database = f"sqlite:///{tmp_path / 'served.sqlite'}"
    with serving(DATA_DIR=str(data_dir), DATABASE_URL=database) as (process, connection):
        assert readiness(connection) == (200, {"status": "ready"})
        _, most = resource.prlimit(process.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (0, most))  # as on a disk that is full
        status, body = readiness(connection)
        assert (status, body["status"]) == (503, "unavailable")
        assert "書き込めません" in body["reason"]
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (most, most))
        assert readiness(connection) == (200, {"status": "ready"})


def test_an_unknown_host_is_named(bot):
    refused = bot("serve", "--host", "not a host")
    assert refused.exit_code == 2
    assert "not a host のポート 8000 では受け付けられません(ホストの名前が分かりません)" in refused.stderr


def test_purge_says_how_many(bot, tmp_path, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path / 'purged.sqlite'}")
    assert bot("purge").stdout == f"{Settings().retention_days}日を過ぎた記録を0件消しました。\n"


@pytest.mark.parametrize("command", [["purge"], ["serve", "--port", "0"]])
def test_a_data_folder_that_cannot_be_written_is_named(command, tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "file"))
    refused = CliRunner().invoke(app, command)
    assert refused.exit_code == 2
    assert "DATA_DIR" in refused.stderr


@pytest.mark.parametrize(
    ("setting", "value", "reason"),
    [
        ("CHROMA_URL", "http://127.0.0.1:1", "そこで待ち受けていません"),
        ("CHROMA_URL", "http://nowhere.invalid", "ホストの名前が分かりません"),
        ("CHROMA_URL", "http://127.0.0.1:none", "ポートが数ではありません"),
        ("EMBEDDING_MODEL", "nobody/nothing", "Hugging Face につながりません"),
        ("RERANKER_MODEL", "nobody/nothing", "Hugging Face につながりません"),
    ],
)
@pytest.mark.parametrize("command", [["serve", "--port", "0"], ["ask", "上限は?"]])
def test_what_lies_outside_and_cannot_be_reached_is_named(monkeypatch, tmp_path, command, setting, value, reason):
    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    monkeypatch.setenv(setting, value)
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", "http://127.0.0.1:1")
    refused = CliRunner().invoke(app, command)
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert setting in refused.stderr
    assert reason in refused.stderr
    assert f"{setting} を空に" in refused.stderr
    assert not list(tmp_path.iterdir())


def test_a_database_that_does_not_answer_is_named(bot, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", "postgresql://someone:secret@127.0.0.1:1/nothing")
    refused = bot("purge")
    assert refused.exit_code == 2
    assert "会話の記録先" in refused.stderr
    assert "secret" not in refused.stderr
