"""The rules as tools for other assistants (Model Context Protocol).

An assistant gives values and gets the ruling with its evidence: nothing that it was told in words reaches a rule.
"""

from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from importlib.metadata import version
from typing import Annotated, Any, Literal

from mcp.server import MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from pydantic import Field

from bot.answerer import Answerer
from bot.checking import StatedCase
from bot.settings import MessageRefusedError, Settings
from bot.types import Answer, Inquiry, UnknownFactsError
from knowledge.catalog import load_catalog
from knowledge.types import Fact, Subject

_INSTRUCTIONS = """総務省の支援事業({programs})について、日付のある規則で判定します。
対象か、いくらまで、いつまでは、推測せずに decide に聞いてください。足りない事柄は needed_facts で分かります。
それ以外のことは find が、資料の記載とその場所を返します。status が unknown なら、資料に記載がありません。
text の数字、日付、可否は変えずに、出典(citations)とともに伝えてください。"""

_UNKNOWN = (
    "program、facts のどちらかに、知らない値があります。program は {programs}、"
    "facts は needed_facts が返す fact と、choices の value か数(小数を文字で)にしてください。"
)
_NO_UNIT = "amount には unit(yen、day、hour、count)を、unit には amount を付けてください。"

_ProgramId = Annotated[str, Field(description="支援事業の id。一覧はこのサーバーの説明にあります。")]
_Subject = Annotated[Subject, Field(description="何の判定か(eligibility は対象か、cap は上限)。")]
_Facts = Annotated[
    dict[Fact, str],
    Field(description='分かっている事柄。例: {"applicant_kind": "prefecture"}'),
]
_Amount = Annotated[Decimal | None, Field(description="上限や回数に照らす量。例: 80000000")]
_Unit = Annotated[Literal["yen", "day", "hour", "count"] | None, Field(description="amount の単位。")]
_First = Annotated[
    date | None, Field(description="尋ねる期間の初日。report_due と questionnaire では支援が終わった日。")
]
_Last = Annotated[date | None, Field(description="尋ねる期間の末日。なければ初日だけ。")]
_AsOf = Annotated[date | None, Field(description="この日に聞かれたものとして答えます。なければ今日。")]


def build_server(answerer: Answerer, settings: Settings, now: Callable[[], datetime]) -> MCPServer[Any]:
    """The server, ready for any transport.

    Args:
        answerer: what every channel is answered by.
        settings: the limits of a message.
        now: the clock, in Japan's time.
    """
    catalog = load_catalog()
    programs = "、".join(f"{program.id}: {program.name}" for program in catalog.programs.values())
    server: MCPServer[Any] = MCPServer(
        "madoguchi",
        title="総務省の支援事業の窓口",
        instructions=_INSTRUCTIONS.format(programs=programs),
        version=version("madoguchi"),
    )

    async def decided(
        program: str,
        subject: Subject,
        facts: dict[Fact, str],
        amount: Decimal | None,
        unit: Literal["yen", "day", "hour", "count"] | None,
        days: tuple[date, date] | None,
        as_of: date | None,
    ) -> Answer:
        if (amount is None) != (unit is None):
            raise ToolError(_NO_UNIT)
        try:
            return await answerer.decide(StatedCase(program, subject, facts, amount, unit, days), as_of or now().date())
        except UnknownFactsError:
            raise ToolError(_UNKNOWN.format(programs=programs)) from None

    @server.tool()
    async def needed_facts(
        program: _ProgramId,
        subject: _Subject,
        facts: _Facts | None = None,
        amount: _Amount = None,
        unit: _Unit = None,
        as_of: _AsOf = None,
    ) -> dict[str, Any]:
        """判定にまだ足りない事柄を、聞く順に返します。空なら decide で決まります。"""
        answer = await decided(program, subject, facts or {}, amount, unit, None, as_of)
        asked = [catalog.facts[fact] for fact in answer.missing]
        return {
            "needed": [
                {
                    "fact": fact.fact,
                    "label": fact.label,
                    "question": fact.question,
                    "kind": fact.kind,
                    "choices": [{"label": choice.label, "value": choice.value} for choice in fact.choices],
                }
                for fact in asked
            ]
        }

    @server.tool()
    async def decide(
        program: _ProgramId,
        subject: _Subject,
        facts: _Facts | None = None,
        amount: _Amount = None,
        unit: _Unit = None,
        first_day: _First = None,
        last_day: _Last = None,
        as_of: _AsOf = None,
    ) -> dict[str, Any]:
        """規則による判定を、根拠と年度とともに返します。足りない事柄があれば missing に挙げ、判定しません。"""
        days = (first_day, last_day or first_day) if first_day else None
        return _told(await decided(program, subject, facts or {}, amount, unit, days, as_of))

    @server.tool()
    async def find(
        question: Annotated[str, Field(description="日本語の質問。")], as_of: _AsOf = None
    ) -> dict[str, Any]:
        """質問に、規則と資料の記載から答え、出典を返します。記載がなければ、そう答えます。"""
        try:
            message = settings.read_message(question)
        except MessageRefusedError as error:
            raise ToolError(str(error)) from None
        return _told((await answerer.whole(Inquiry(message, as_of or now().date()))).answer)

    return server


def _told(answer: Answer) -> dict[str, Any]:
    """An answer as the API gives it, without the id that only a batch has."""
    return {name: value for name, value in answer.as_json().items() if name != "id"}
