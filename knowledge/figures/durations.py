"""Days, hours, months, times and other counts: 3日間, 2泊3日, 90分, 一時間半, 2週間, 年三度, 5市2町, 12団体, 3割."""

from decimal import Decimal

from knowledge.figures.numbers import Number
from knowledge.figures.rules import rule
from knowledge.figures.types import Dimension

_HALF = Decimal("0.5")
_MONTH = r"\s?[かヶカケヵ箇個ケ]月"
_MINUTE = r"\s?(?<!半)分(?!の[0-9一二三四五六七八九]|野|科|類|割|冊|岐|散|析|権|担)"
_BODIES = r"特別区|市区?町村|市町|町村|自治体|団体|市|町(?!目|長|内)|村"
_COUNTERS = (
    r"年[間度]?|か年|[かヶケカヵ箇個]所|地域|地区|拠点|事業(?!者|費)|施設|学?校|社|者|(?<!\.[0-9])(?<!\.[0-9]{2})台|個|つ|倍|点|(?<=[0-9])[歳戸条字行頁級階室本]|時(?!間|的)|期|次(?!市)|番|位|冊|部(?!署|長|門)|枚"
    r"|票|世帯|km|キロ|平米|文字|ページ|項目|種類|類型|[かヶケカ]国|都道府県|道府県|都府県|府県|県(?!庁|知事)|ポイント|泊|段階|パターン|通り|コマ|単位|組"
    r"|号|章|節|丁目|番地|課|区(?!分)|人月|人日"
)
_ORDINAL = r"回|度|年|日|週|週間|[かヶカケヵ箇個]月|期|次|号|章|条|版|部|弾|人|番|件|種|位|段階|四半期|項"


def _is_whole(_text: str, number: Number) -> bool:
    return number.value == number.value.to_integral_value()


def _is_whole_and_several(text: str, number: Number) -> bool:
    return _is_whole(text, number) and number.value > 1  # 指数1の市 is an index


RULES = (
    rule(Dimension.DAY, r"<>\s?日(?:間|分)?"),
    rule(Dimension.DAY, r"<>\s?日(?:間)?(?:と半日|半)", lambda days: days + _HALF),
    rule(Dimension.DAY, r"<>\s?泊\s?<>\s?日(?:間)?", lambda _nights, days: days),
    rule(Dimension.DAY, r"<>\s?週(?:間)?(?!休|末)", lambda weeks: weeks * 7),
    rule(Dimension.HOUR, r"<>\s?(?:時間|h(?![a-z]))"),
    rule(Dimension.HOUR, r"<>\s?時間半", lambda hours: hours + _HALF),
    rule(Dimension.HOUR, rf"<>\s?時間\s?<>{_MINUTE}間?", lambda hours, minutes: hours + minutes / 60),
    rule(Dimension.HOUR, rf"<>{_MINUTE}間?", lambda minutes: minutes / 60),
    rule(Dimension.MONTH, rf"<>{_MONTH}間?"),
    rule(Dimension.MONTH, rf"<>{_MONTH}半", lambda months: months + _HALF),
    rule(
        Dimension.MONTH,
        r"<>\s?年(?:間|(?=かけて|続|ほど|くらい|ぐらい|以上|以内|未満|まで))(?!\s?[0-9]+回)",
        lambda years: years * 12,
    ),
    rule(Dimension.MONTH, r"<>\s?年半", lambda years: years * 12 + 6),
    rule(Dimension.MONTH, r"<>(?<=半)年", lambda half: half * 12),
    rule(Dimension.TIME, r"<>\s?(?:回|度)(?!目|線|合|手|数|答|収|復)"),
    rule(Dimension.MUNICIPALITY, rf"<>(?:つの?)?(?:{_BODIES})", admits=_is_whole),
    rule(Dimension.MUNICIPALITY, rf"<>の(?:{_BODIES})", admits=_is_whole_and_several),
    rule(Dimension.MUNICIPALITY, r"<>市<>[町村]", lambda *counts: Decimal(sum(counts))),
    rule(Dimension.MUNICIPALITY, r"<>町<>村", lambda *counts: Decimal(sum(counts))),
    rule(Dimension.MUNICIPALITY, r"<>市<>町<>村", lambda *counts: Decimal(sum(counts))),
    rule(Dimension.MUNICIPALITY, r"(?<=[市町村区体])(?:数)?(?:の数)?(?:は|が|も|を)?<>つ"),
    rule(Dimension.PERCENT, r"<>\s?(?:%|パーセント|パー(?!ト))"),
    rule(Dimension.PERCENT, r"<>(?<=半)[分数]", lambda half: half * 100),
    rule(Dimension.PERCENT, r"<>\s?割(?!れ|り|合|引|当)", lambda tenths: tenths * 10),
    rule(Dimension.PEOPLE, r"<>\s?(?:人|名)(?!目|月|日|件|材|工|称|前)(?:分)?"),
    rule(Dimension.CASE, r"<>\s?案?件(?!目|名|費)"),
    rule(Dimension.OTHER, rf"<>(?:{_COUNTERS})"),
    rule(Dimension.OTHER, rf"<>\s?(?:{_ORDINAL})目"),
    rule(Dimension.OTHER, r"第\s?<>(?:四半期|[^\s0-9、。第]目?)?"),
    rule(Dimension.OTHER, r"<>\s?分の\s?<>", lambda whole, part: part / whole if whole else Decimal(0)),
    rule(Dimension.OTHER, r"<>/<>(?![/0-9])", lambda part, whole: part / whole if whole else Decimal(0)),
)
