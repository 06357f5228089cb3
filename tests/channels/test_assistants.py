"""Another assistant uses the rules as tools: a real MCP client, over standard input and output and over HTTP."""

import json
import os
import re
import subprocess
import sys
from contextlib import asynccontextmanager

from mcp import Client
from mcp.client.stdio import StdioServerParameters

DAY = "2025-06-10"


@asynccontextmanager
async def over_pipes(data_dir):
    environment = {"DATA_DIR": str(data_dir), "PYTHONPATH": os.environ["PYTHONPATH"]}
    server = StdioServerParameters(command=sys.executable, args=["-m", "bot", "mcp"], env=environment, cwd=data_dir)
    async with Client(server) as client:
        yield client


@asynccontextmanager
async def over_http(data_dir):
    environment = {**os.environ, "DATA_DIR": str(data_dir), "PYTHONUNBUFFERED": "1"}
    command = [sys.executable, "-m", "bot", "mcp", "--port", "0"]
    with subprocess.Popen(command, cwd=data_dir, env=environment, stdout=subprocess.PIPE) as process:
        try:
            async with Client(re.match(r"\S+", process.stdout.readline().decode())[0]) as client:
                yield client
        finally:
            process.terminate()


CASES = [
    # program, subject, what is given; the verdict, the first fact that is missing, words of the answer
    ("keikaku", "eligibility", {}, None, "applicant_kind", "どのような団体"),
    ("keikaku", "eligibility", {"facts": {"applicant_kind": "municipality"}}, None, "fiscal_index", "財政力指数"),
    (
        "keikaku",
        "eligibility",
        {"facts": {"applicant_kind": "municipality", "fiscal_index": "0.99"}},
        "eligible",
        None,
        "対象です。",
    ),
    (
        "keikaku",
        "eligibility",
        {"facts": {"applicant_kind": "municipality", "fiscal_index": "1.00"}},
        "ineligible",
        None,
        "対象外です。",
    ),
    ("keikaku", "cap", {}, None, None, "記載がありません"),
    ("suishin", "cap", {}, None, None, "5,000万円"),
    ("suishin", "cap", {"amount": 80000000, "unit": "yen"}, None, "past_selection", "選定されたことはありますか"),
    (
        "suishin",
        "cap",
        {"amount": 80000000, "unit": "yen", "facts": {"past_selection": "never"}},
        "eligible",
        None,
        "上限1億円",
    ),
    (
        "suishin",
        "cap",
        {"amount": 80000000, "unit": "yen", "facts": {"past_selection": "selected"}},
        "ineligible",
        None,
        "上限が5,000万円",
    ),
    ("adviser", "window", {"first_day": "2025-12-31"}, "conditional", None, "12月31日"),
    ("adviser", "window", {"first_day": "2026-01-01"}, "ineligible", None, "4月から12月"),
    ("adviser", "report_due", {"first_day": "2025-06-01"}, None, None, "6月8日"),
    ("keikaku", "calls_per_year", {"as_of": "2025-06-01"}, None, None, "年3回"),
    ("keikaku", "calls_per_year", {"amount": 4, "unit": "count"}, "ineligible", None, "年3回"),
]

REFUSED = [
    ("decide", {"program": "keikaku", "subject": "eligibility", "facts": {"fiscal_index": "0.5として扱う"}}, "facts"),
    ("decide", {"program": "keikaku", "subject": "eligibility", "facts": {"applicant_kind": "town"}}, "needed_facts"),
    ("decide", {"program": "kenshu", "subject": "cap"}, "keikaku: 計画策定支援"),
    ("decide", {"program": "suishin", "subject": "cap", "amount": 80000000}, "unit"),
    ("decide", {"program": "keikaku", "subject": "price"}, "subject"),
    ("decide", {"program": "keikaku", "subject": "cap", "facts": {"price": "1"}}, "facts"),
    ("decide", {"program": "keikaku", "subject": "cap", "as_of": "明日"}, "as_of"),
    ("find", {"question": " "}, "空のようです"),
]


async def called(client, tool, **arguments):
    result = await client.call_tool(tool, {"as_of": DAY, **arguments})
    assert not result.is_error, result.content
    assert json.loads(result.content[0].text) == result.structured_content
    return result.structured_content


async def test_an_assistant_gets_the_rulings_over_pipes(data_dir):
    async with over_pipes(data_dir) as client:
        tools = {tool.name for tool in (await client.list_tools()).tools}
        assert tools == {"needed_facts", "decide", "find"}
        for program, subject, given, verdict, missing, words in CASES:
            case = {"program": program, "subject": subject, **given}
            answer = await called(client, "decide", **case)
            assert (answer["verdict"], next(iter(answer["missing"]), None)) == (verdict, missing), case
            assert words in answer["text"], case
            assert answer["citations"] or answer["status"] in ("needs_info", "unknown"), case

        needed = (await called(client, "needed_facts", program="adviser", subject="eligibility"))["needed"]
        assert needed[0]["fact"] == "applicant_kind"
        assert {"label": "市町村", "value": "municipality"} in needed[0]["choices"]
        of_a_company = {"program": "adviser", "subject": "eligibility", "facts": {"applicant_kind": "company"}}
        needed = (await called(client, "needed_facts", **of_a_company))["needed"]
        assert [fact["fact"] for fact in needed] == ["recommended_by_local_government", "joint_project"]

        assert "5億円程度" in (await called(client, "find", question="推進体制構築支援の全体予算は?"))["text"]
        silent = await called(client, "find", question="計画策定支援の採択率は?")
        assert (silent["status"], silent["verdict"]) == ("unknown", None)

        for tool, arguments, named in REFUSED:
            result = await client.call_tool(tool, arguments)
            assert result.is_error, arguments
            assert named in result.content[0].text, arguments


async def test_an_assistant_gets_the_rulings_over_http(data_dir):
    async with over_http(data_dir) as client:
        facts = {"applicant_kind": "municipality", "fiscal_index": "1.00"}
        answer = await called(client, "decide", program="keikaku", subject="eligibility", facts=facts)
        assert answer["verdict"] == "ineligible"


def test_without_the_package_the_command_says_how_to_get_it(tmp_path):
    without = "import sys; sys.modules['mcp'] = None; from bot.__main__ import app; app(['mcp'])"
    refused = subprocess.run([sys.executable, "-c", without], cwd=tmp_path, capture_output=True, text=True)
    assert refused.returncode == 2
    assert 'pip install "madoguchi[mcp]"' in refused.stderr
    assert "Traceback" not in refused.stderr
