"""The API as other programs call it: a server of its own, over loopback."""

import json
import os
import re
import subprocess
import sys

import httpx
import pytest
from sqlalchemy import create_engine, text

ELIGIBLE = "財政力指数0.6の町は、計画策定支援の対象ですか"
OPEN = "計画策定支援の対象になりますか"


@pytest.fixture(scope="module")
def database_url(tmp_path_factory):
    return f"sqlite:///{tmp_path_factory.mktemp('api') / 'api.sqlite'}"


@pytest.fixture(scope="module")
def server(data_dir, database_url):
    environment = {**os.environ, "DATA_DIR": str(data_dir), "DATABASE_URL": database_url, "PYTHONUNBUFFERED": "1"}
    command = [sys.executable, "-m", "bot", "serve", "--port", "0"]
    with (
        subprocess.Popen(command, cwd=data_dir, env=environment, stdout=subprocess.PIPE) as process,
        httpx.Client(base_url=re.match(r"\S+", process.stdout.readline().decode())[0], timeout=30) as client,
    ):
        yield client
        process.terminate()


class Genai:
    """An application of 源内: a form, of which each value that looks like a number is one, and what was said so far.

    As its web client does it: what an earlier turn was asked with is JSON in a string, its own history included.
    """

    def __init__(self, client, histories="conversation_histories", packed=False):
        self.client, self.histories, self.packed = client, histories, packed
        self.turns = []

    def ask(self, question):
        looks_like_a_number = re.fullmatch(r"\d+(\.\d+)?", question)
        asked = json.loads(f"{float(question):g}") if looks_like_a_number else question  # 1.0 becomes 1
        inputs = {"question": asked, "conversation_history": ""}
        if self.turns:
            inputs[self.histories] = json.dumps(self.turns) if self.packed else [*self.turns]
        body = {"inputs": inputs, "sessionId": "0e3c5a52-6f8e-4f0e-9a39-6a5f7d1f6c11"}
        response = self.client.post("/api/v1/genai", json=body, headers={"x-api-key": "any"})
        assert response.status_code == 200
        assert response.json().keys() == {"outputs"}
        outputs = response.json()["outputs"]
        self.turns.append({"input": json.dumps(inputs), "output": outputs, "createdDate": "1764374400000"})
        return outputs


def test_the_api_describes_itself_and_an_answer_has_just_what_it_says(server):
    described = server.get("/openapi.json").json()
    paths = described["paths"]
    assert {"/api/v1/ask", "/api/v1/check", "/api/v1/programs", "/api/v1/genai", "/readyz"} <= paths.keys()
    assert not [path for path in paths if path.startswith(("/line", "/slack", "/b/")) or path in ("/", "/api/ask")]
    reference = paths["/api/v1/ask"]["post"]["responses"]["200"]["content"]["application/json"]["schema"]["$ref"]
    schema = described["components"]["schemas"][reference.rsplit("/", 1)[-1]]
    assert schema["properties"].keys() == server.post("/api/v1/ask", json={"text": ELIGIBLE}).json().keys()
    assert set(schema["required"]) <= server.post("/api/v1/ask", json={"text": ""}).json().keys()


def test_each_thing_that_is_asked_is_a_part_of_the_answer(server):
    asked = {"text": "計画策定は無料ですか?締切はいつですか?うちは町です。対象ですか?"}
    answered = server.post("/api/v1/ask", json=asked).json()
    assert [(part["program"], part["subject"], part["status"]) for part in answered["parts"]] == [
        ("keikaku", "cost", "answered"),
        ("keikaku", "deadline", "unknown"),
        ("keikaku", "eligibility", "needs_info"),
    ]
    assert answered["status"] == "needs_info"
    assert server.post("/api/v1/ask", json={"text": ELIGIBLE}).json()["parts"] == []


def test_the_versioned_paths_are_the_same_conversation(server):
    first = server.post("/api/v1/ask", json={"text": OPEN}).json()
    follow_up = {"text": "町です。財政力指数は0.6です", "conversation_id": first["conversation_id"]}
    assert server.post("/api/ask", json=follow_up).json()["verdict"] == "eligible"


@pytest.mark.parametrize("histories", ["conversation_histories", "conversation_history"])
@pytest.mark.parametrize("packed", [False, True])
def test_an_application_of_genai_goes_on_from_its_own_history(server, histories, packed):
    application = Genai(server, histories, packed)
    assert "\n- 市町村" in application.ask(OPEN)
    assert "財政力指数" in application.ask("町です")
    assert application.ask("1.0").startswith("対象外です。")
    assert application.ask("0.6でした").startswith("対象です。")


@pytest.mark.parametrize(
    ("inputs", "named"),
    [
        ({}, "question"),
        ({"question": None}, "question"),
        ({"question": "上限は?", "conversation_histories": [{"input": "{}"}]}, "conversation_histories"),
        ({"question": "上限は?", "conversation_histories": [{"input": "["}]}, "conversation_histories"),
        ({"question": "上限は?", "conversation_history": "前の話"}, "conversation_histories"),
        ({"question": "上限は?", "conversation_history": "[" * 50_000}, "conversation_histories"),
        ({"question": "上限は?", "conversation_histories": [{"input": '{"question": "a"}'}] * 51}, "50件"),
        (None, "inputs"),
    ],
)
def test_what_is_no_request_of_genai_is_refused_with_its_reason(server, inputs, named):
    response = server.post("/api/v1/genai", json={"inputs": inputs})
    assert response.status_code == 422
    assert named in response.json()["text"]


def test_an_empty_question_is_answered_with_what_is_wrong(server):
    assert "空のようです" in Genai(server).ask(" ")


def test_what_is_asked_through_genai_is_not_recorded(server, database_url):
    def recorded():
        with create_engine(database_url).connect() as connection:
            return connection.execute(text("SELECT count(*) FROM turns")).scalar_one()

    server.post("/api/v1/ask", json={"text": ELIGIBLE})
    before = recorded()
    assert before
    Genai(server).ask(ELIGIBLE)
    assert recorded() == before
