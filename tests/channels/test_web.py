import json
import logging
import re
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from fastapi.testclient import TestClient
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import create_engine, text

from bot.app import build_app
from bot.settings import Settings
from bot.storage import StorageError
from knowledge.catalog import load_catalog

ELIGIBLE = "財政力指数0.6の町は、計画策定支援の対象ですか"


class Clock:
    def __init__(self):
        self.moment = datetime(2025, 6, 10, 10, 0, 30, tzinfo=ZoneInfo("Asia/Tokyo"))

    def __call__(self):
        return self.moment


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def settings(data_dir, tmp_path):
    return Settings(
        data_dir=data_dir,
        database_url=f"sqlite:///{tmp_path / 'test.sqlite'}",
        id_hash_key="key",
        metrics_token="token",
    )


@pytest.fixture
def client(settings, clock):
    with TestClient(build_app(settings, clock)) as client:
        yield client


def ask(client, text, conversation_id=None):
    return client.post("/api/ask", json={"text": text, "conversation_id": conversation_id})


def test_an_answer_has_the_form_of_the_contract(client):
    response = ask(client, ELIGIBLE)
    assert response.status_code == 200
    answer = response.json()
    assert answer["status"] == "answered"
    assert answer["verdict"] == "eligible"
    assert answer["missing"] == []
    assert answer["text"].startswith("対象です。")
    assert {"program", "source", "place", "quote"} <= answer["citations"][0].keys()
    assert answer["rulings"][0]["subject"] == "eligibility"


def test_a_conversation_continues_under_the_id_that_it_was_given(client):
    first = ask(client, "うちの町は計画策定支援の対象になりますか").json()
    assert first["status"] == "needs_info"
    assert first["missing"] == ["fiscal_index"]
    second = ask(client, "0.6です", first["conversation_id"]).json()
    assert second["verdict"] == "eligible"
    assert second["conversation_id"] == first["conversation_id"]


def test_a_conversation_survives_a_restart(settings, clock):
    with TestClient(build_app(settings, clock)) as client:
        first = ask(client, "うちの町は計画策定支援の対象になりますか").json()
    with TestClient(build_app(settings, clock)) as client:
        assert ask(client, "1.0です", first["conversation_id"]).json()["verdict"] == "ineligible"


def test_ids_of_conversations_cannot_be_guessed(client):
    ids = {ask(client, "こんにちは").json()["conversation_id"] for _ in range(20)}
    assert len(ids) == 20
    assert all(re.fullmatch(r"[\w-]{22}", id) for id in ids)  # 128 random bits


@pytest.mark.parametrize(
    ("body", "status", "says"),
    [
        ('{"text": ""}', 422, "空のようです"),
        ('{"text": "\\u200b\\u0000 　"}', 422, "空のようです"),
        ('{"text": "\\ud800"}', 422, "空のようです"),
        (json.dumps({"text": "あ" * 20_000}), 422, "2,000文字まで"),
        ('{"text": 5}', 422, "text(質問)"),
        ('{"conversation_id": "a"}', 422, "text(質問)"),
        ('{"text": "a", "conversation_id": "日本語"}', 422, "conversation_id"),
        (json.dumps({"text": "a", "conversation_id": "x" * 129}), 422, "conversation_id"),
        ("{", 400, "読み取れません"),
        ("[]", 400, "読み取れません"),
        ("", 400, "読み取れません"),
        (b'{"text": "\xff\xfe"}', 400, "読み取れません"),
        ("[" * 100_000, 400, "読み取れません"),
        (json.dumps({"text": "あ" * 50_000}), 413, "大きすぎます"),
    ],
)
def test_what_cannot_be_read_is_refused_in_japanese(client, body, status, says):
    response = client.post("/api/ask", content=body, headers={"Content-Type": "application/json"})
    assert response.status_code == status
    assert says in response.json()["text"]
    assert response.json()["status"] == "error"


@pytest.mark.parametrize(("method", "path", "status"), [("GET", "/nothing", 404), ("GET", "/api/ask", 405)])
def test_wrong_addresses_are_answered_in_japanese(client, method, path, status):
    response = client.request(method, path)
    assert response.status_code == status
    assert re.search(r"[ぁ-ん]", response.json()["text"])


def test_too_many_questions_of_a_conversation_wait_for_the_next_minute(settings, clock):
    limited = settings.model_copy(update={"rate_per_conversation": 2})
    with TestClient(build_app(limited, clock)) as client:
        assert [ask(client, "こんにちは", "mine").status_code for _ in range(3)] == [200, 200, 429]
        refused = ask(client, "こんにちは", "mine")
        assert refused.headers["Retry-After"] == "30"
        assert "もう一度お試しください" in refused.json()["text"]
        assert ask(client, "こんにちは", "another").status_code == 200
        clock.moment += timedelta(seconds=30)
        assert ask(client, "こんにちは", "mine").status_code == 200


def test_too_many_questions_from_one_address_wait_for_the_next_minute(settings, clock):
    limited = settings.model_copy(update={"rate_per_client": 2})
    with TestClient(build_app(limited, clock)) as client:
        assert [ask(client, "こんにちは").status_code for _ in range(3)] == [200, 200, 429]


def test_an_audience_behind_one_address_is_not_one_client(client, settings):
    assert settings.rate_per_client > 4 * 620  # so many people in a hall, and each asks some times within a minute
    several = 3 * settings.rate_per_conversation
    asked = [client.post("/api/check", json={"program": "keikaku", "conversation_id": f"c{n}"}) for n in range(several)]
    assert {response.status_code for response in asked} == {200}


def test_an_answer_is_shown_though_its_record_fails(client, settings):
    database = create_engine(settings.database_url)
    with database.begin() as connection:
        connection.execute(text("CREATE TRIGGER full BEFORE INSERT ON turns BEGIN SELECT RAISE(ABORT, 'full'); END"))
    assert ask(client, ELIGIBLE).json()["verdict"] == "eligible"
    assert client.post("/api/check", json={"program": "keikaku"}).status_code == 200
    streamed = client.post("/api/ask/stream", json={"text": ELIGIBLE}).text
    assert "event: done" in streamed
    with database.begin() as connection:
        assert connection.execute(text("SELECT count(*) FROM turns")).scalar_one() == 0
    database.dispose()


def test_without_an_index_it_lives_but_is_not_ready(tmp_path, clock):
    with TestClient(build_app(Settings(data_dir=tmp_path / "new", metrics_token="token"), clock)) as client:
        assert client.get("/healthz").status_code == 200
        unready = client.get("/readyz")
        assert unready.status_code == 503
        assert "python -m ingest" in unready.json()["reason"]
        assert not [sample for sample in metrics_of(client) if sample[0] == "madoguchi_index_info"]
        refused = ask(client, ELIGIBLE)
        assert refused.status_code == 503
        assert "準備中" in refused.json()["text"]


def test_with_an_index_it_is_ready(client):
    assert client.get("/readyz").json() == {"status": "ready"}


def test_whoever_asks_all_the_time_whether_it_is_ready_waits(settings, clock):
    limited = settings.model_copy(update={"rate_per_client": 2})
    with TestClient(build_app(limited, clock)) as client:
        assert [client.get("/readyz").status_code for _ in range(3)] == [200, 200, 429]


def metrics_of(client):
    """Each sample by its name and labels."""
    response = client.get("/metrics", headers={"Authorization": "Bearer token"})
    assert response.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    families = text_string_to_metric_families(response.text)
    return {(sample.name, *sample.labels.values()): sample.value for family in families for sample in family.samples}


def test_metrics_count_answers_and_name_the_index(client):
    for question in (ELIGIBLE, ELIGIBLE, "今日の天気は?"):
        ask(client, question)
    ask(client, "")
    samples = metrics_of(client)
    assert samples["madoguchi_answers_total", "web", "answered"] == 2
    assert samples["madoguchi_answers_total", "web", "offtopic"] == 1
    assert samples["madoguchi_answer_seconds_bucket", "+Inf"] == samples["madoguchi_answer_seconds_count",] == 3
    parts = ("understand", "find", "compose")
    assert {samples["madoguchi_answer_part_seconds_count", part] for part in parts} <= {2, 3}
    assert samples["madoguchi_readings_total", "words"] >= 2
    assert samples["madoguchi_index_entries", "passage"] > 50
    assert sum(name == "madoguchi_index_info" for name, *_ in samples) == 1
    assert samples["process_resident_memory_bytes",] > 0


def test_metrics_count_what_was_refused_as_too_many(settings, clock):
    limited = settings.model_copy(update={"rate_per_client": 2})
    with TestClient(build_app(limited, clock)) as client:
        for _ in range(5):
            ask(client, "こんにちは")
        assert metrics_of(client)["madoguchi_rate_limited_total", "web"] == 3


@pytest.mark.parametrize(
    ("set", "given", "status", "reason"),
    [
        ("token", "Bearer token", 200, ""),
        ("token", "Bearer Token", 401, "METRICS_TOKEN"),
        ("token", "Basic token", 401, "METRICS_TOKEN"),
        ("token", "", 401, "METRICS_TOKEN"),
        ("", "", 404, "METRICS_TOKEN"),
        ("", "Bearer ", 404, "METRICS_TOKEN"),
    ],
)
def test_metrics_are_for_those_who_know_the_token(settings, clock, set, given, status, reason):
    with TestClient(build_app(settings.model_copy(update={"metrics_token": set}), clock)) as client:
        response = client.get("/metrics", headers={"Authorization": given} if given else {})
        assert response.status_code == status
        assert reason in response.text
        assert ("madoguchi_answers_total" in response.text) == (status == 200)


@pytest.mark.parametrize("path", ["/", "/page/chat.js", "/api/programs", "/healthz", "/nothing"])
def test_every_response_carries_the_security_headers(client, path):
    headers = client.get(path).headers
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["X-Frame-Options"] == "DENY"


def test_the_page_and_its_files_are_served(client):
    page = client.get("/")
    assert page.headers["Content-Type"].startswith("text/html")
    assert client.head("/").status_code == 200
    files = re.findall(r'(?:src|href)="(/[^"]+)"', page.text)
    assert len(files) >= 4
    assert all(client.get(file).status_code == 200 for file in files)
    assert client.get("/page/../web.py").status_code == 404


def test_the_programs_are_named(client):
    programs = client.get("/api/programs").json()
    assert [program["id"] for program in programs] == list(load_catalog().programs)
    assert all(program["name"] and program["summary"] for program in programs)


def test_no_message_is_in_the_log(client, caplog):
    with caplog.at_level(logging.INFO):
        answer = ask(client, ELIGIBLE).json()
    assert "answered (keikaku/eligibility)" in caplog.text
    assert "財政力" not in caplog.text
    assert answer["conversation_id"] not in caplog.text


def test_old_conversations_are_purged_at_the_start(settings, clock, tmp_path):
    with TestClient(build_app(settings, clock)) as client:
        ask(client, ELIGIBLE)
    clock.moment += timedelta(days=settings.retention_days, seconds=1)
    with TestClient(build_app(settings, clock)) as client:
        ask(client, "こんにちは")
    with create_engine(f"sqlite:///{tmp_path / 'test.sqlite'}").connect() as database:
        assert database.scalars(text("SELECT question FROM turns")).all() == ["こんにちは"]


def test_a_defect_is_answered_kindly(settings, clock, tmp_path):
    with TestClient(build_app(settings, clock), raise_server_exceptions=False) as client:
        ask(client, "こんにちは")
        with create_engine(f"sqlite:///{tmp_path / 'test.sqlite'}").begin() as database:
            database.execute(text("DROP TABLE turns"))
        broken = ask(client, "こんにちは")
        assert broken.status_code == 500
        assert "不具合" in broken.json()["text"]
        assert metrics_of(client)["madoguchi_answers_total", "web", "error"] == 1


def test_a_data_folder_that_cannot_be_used_is_refused(tmp_path, clock):
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match="DATA_DIR"):
        build_app(Settings(data_dir=tmp_path / "file"), clock)


def test_a_step_of_the_eligibility_check_is_an_answer(client):
    body = {"program": "keikaku", "facts": {"applicant_kind": "municipality"}}
    asked = client.post("/api/check", json=body).json()
    assert (asked["status"], asked["missing"]) == ("needs_info", ["fiscal_index"])
    assert [choice["label"] for choice in asked["choices"]] == ["1未満", "1以上"]
    typed = {"text": "0.6です", "conversation_id": asked["conversation_id"]}
    assert client.post("/api/ask", json=typed).json()["verdict"] == "eligible"
    body["facts"]["fiscal_index"] = asked["choices"][0]["value"]
    assert client.post("/api/check", json=body).json()["verdict"] == "eligible"


@pytest.mark.parametrize(
    ("body", "word"),
    [
        ({"program": "x"}, "program"),
        ({"program": "keikaku", "facts": {"x": "y"}}, "facts"),
        ({"program": "keikaku", "facts": {"applicant_kind": "municipality", "fiscal_index": "高い"}}, "facts"),
    ],
)
def test_what_is_no_step_of_the_check_is_named(client, body, word):
    response = client.post("/api/check", json=body)
    assert (response.status_code, response.json()["status"]) == (422, "error")
    assert word in response.json()["text"]
