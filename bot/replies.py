"""Every fixed sentence that a person reads, in one place."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from knowledge.figures import format_fiscal_year
from knowledge.municipalities.records import PublishedIndex
from knowledge.types import Language, Program, Subject, Verdict

SOURCES = "\n\n出典: "
"""Between what an answer says and its sources."""

EMPTY = "ご質問を入力してください。例:「財政力指数0.6の町は計画策定支援の対象になりますか」"
FAILED = "申し訳ありません。こちらの不具合で答えられませんでした。少し待ってから、もう一度お試しください。"
STARTED_OVER = "最初から始めます。総務省の支援事業について、ご質問をどうぞ。"
ACKNOWLEDGED = "ご確認ありがとうございます。ほかにも分からないことがあれば、お送りください。"
WHO_ANSWERS = (
    "自動応答です。資料と規則にもとづいて答えており、職員が書いているのではありません。"
    "職員への確認が必要なときは「職員に聞く」と送ってください。"
)
ASK_CONTACT = "問い合わせ先"
HOW_TO_ASK = f"「{ASK_CONTACT}」と送ると、問い合わせ先をご案内します。"
CONFIRM_LATEST = "最新の公募要領もご確認ください。"
NOTHING_FOUND = "お尋ねの内容は、資料に記載が見当たりません。"
NO_INDEX_CONDITION = "この事業には、財政力指数の条件の記載はありません。"


IF_IT_HOLDS = "今もこの値であれば、"
NEWER_INDEX = "より新しい値があれば、その値で決まります。どの年度の値で判定するかは、資料に記載がありません。"
NEWER_MAY_BE = "より新しい値が公表されている場合があります。"
INDEX_NOT_IN_DOCUMENTS = "支援事業の資料には、団体ごとの値の記載はありません。"
NEAR_ONE = "1に近い値ですので、年度によって1未満にも1以上にもなり得ます。"


def published_index(index: PublishedIndex) -> str:
    """The index that is published of a body for a fiscal year, and on which side of 1 it is."""
    side = "1以上" if index.value >= 1 else "1未満"
    return f"{index.name}の財政力指数は、{format_fiscal_year(index.year)}の公表値で{index.value}({side})です。"


def is_published(index: PublishedIndex) -> str:
    """That an index is the one that is published of a body for a fiscal year."""
    return f"{index.value}は、{index.name}の{format_fiscal_year(index.year)}の公表値です。"


def nothing_on(question: str) -> str:
    """That nothing was found on one of several questions, in the asker's words."""
    return f"「{question.rstrip('。?、')}」は、資料に記載が見当たりません。"


def outside(question: str) -> str:
    """That one of several questions is none for us, in the asker's words."""
    return f"「{question.rstrip('。?、')}」は、お答えできる範囲の外です。"


def supposed(words: str) -> str:
    """That an answer holds where it comes about as the asker supposes, in the asker's words."""
    return f"「{words}」という場合のお答えです。"


DISPATCH_DAY = "派遣を受けられる時期は、資料に記載がありません。"
HOURS_BESIDE_DAYS = "オンラインの時間を日数にどう数えるかは、資料に記載がありません。事務局にご確認ください。"
ASSUMED_MUNICIPALITY = "市町村からのご質問としてお答えしています。"
YES, NO = "はい", "いいえ"
ASKED = "お尋ね"
AMOUNT = "金額・日数など"
RELATED = "お尋ねにそのまま答える記載ではありませんが、資料には次の記載があります。"
HEADINGS = ("概要", "手順", "比べると", "注意")
"""Under which sentences of the sources are shown beside an answer."""
FOLLOW_UPS = {
    Subject.ELIGIBILITY: "うちは対象になりますか",
    Subject.CAP: "上限はいくらですか",
    Subject.WINDOW: "いつ申し込めますか",
    Subject.COST: "費用はかかりますか",
    Subject.DURATION: "支援の期間は?",
    Subject.REPORT_DUE: "報告書はいつまでですか",
}
"""What is offered to ask next, in order of how often it is asked."""


@dataclass(frozen=True)
class OtherWords:
    """The fixed sentences of answers in another language.

    `verdicts` are said of an amount or a day that was put forward, `dated` of the last day for something, `opens` of
    the first. `sentences` stand for Japanese ones that are put behind a ruling's own, `supposed` for the one that holds
    only where something comes about, `index` names the financial strength index, `between` stands between any two,
    and `listed` between the facts of a case.
    `unread` answers what could not be read at all. `published` gives the published index of a body with its year and
    one of `sides` (below 1, and not below), `is_published` says that an index is that.
    """

    verdicts: Mapping[Verdict, str]
    dated: str
    opens: str
    year: str
    sentences: Mapping[str, str]
    supposed: str
    read_as: str
    taken: str
    index: str
    only_japanese: str
    basis: str
    ask: str
    unread: str
    between: str
    listed: str
    published: str
    is_published: str
    sides: tuple[str, str]

    def of_published(self, index: PublishedIndex) -> Mapping[str, str]:
        """What is said of a published index, by the Japanese that it stands for."""
        words = {"name": index.name, "index": index.value, "year": index.year, "side": self.sides[index.value >= 1]}
        return {
            published_index(index): self.published.format_map(words),
            is_published(index): self.is_published.format_map(words),
        }


IN_OTHER_WORDS: Mapping[Language, OtherWords] = {
    "en": OtherWords(
        verdicts={
            Verdict.ELIGIBLE: "Yes.",
            Verdict.INELIGIBLE: "No.",
            Verdict.CONDITIONAL: "Yes, as a rule.",
        },
        dated="The last day is {day}.",
        opens="Applications open again on {day}.",
        year="This time it is FY{year}.",
        sentences={
            NO_INDEX_CONDITION: "No condition on the financial strength index is stated for this program.",
            DISPATCH_DAY: "When the visit may take place is not stated in the documents.",
            HOURS_BESIDE_DAYS: "How hours online count as days is not stated in the documents. Please ask.",
            ASSUMED_MUNICIPALITY: "(Answered for a municipality.)",
            IF_IT_HOLDS: "If this still holds: ",
            NEWER_INDEX: "If there is a newer one, that one decides. Which year counts is not stated in the documents.",
            NEWER_MAY_BE: "A newer one may have been published.",
            INDEX_NOT_IN_DOCUMENTS: "The documents of the programs do not give the index of each body.",
            NEAR_ONE: "It is near 1 and may be below 1 in one year and not in another.",
        },
        supposed='(This is the answer if it comes about as you wrote: "{words}".)',
        read_as="(Your question was read as: {question})",
        taken="(Taken as: {facts})",
        index="financial strength index {value}",
        only_japanese="This can be answered in Japanese only:",
        basis="Based on the documents of FY{years}, which are in Japanese and hold in case of doubt.",
        ask="Please ask: {contact}",
        unread="Sorry, this question could not be read. Please ask in short words about eligibility, the cap, costs, "
        "the application period or the report of a program, or ask in Japanese.",
        between=" ",
        listed=", ",
        published="The published financial strength index of {name} for FY{year} is {index} ({side}).",
        is_published="The index {index} is the one that is published of {name} for FY{year}.",
        sides=("below 1", "1 or more"),
    ),
    "easy": OtherWords(
        verdicts={
            Verdict.ELIGIBLE: "はい、だいじょうぶです。",
            Verdict.INELIGIBLE: "いいえ、できません。",
            Verdict.CONDITIONAL: "はい、ふつうはできます。",
        },
        dated="{day.year}年{day.month}月{day.day}日までです。",
        opens="次は{day.year}年{day.month}月{day.day}日から申しこめます。",
        year="今回は{year}年度です。",
        sentences={
            NO_INDEX_CONDITION: "財政力指数(ざいせいりょくしすう)の条件は、書いてありません。",
            DISPATCH_DAY: "いつ来てもらえるかは、資料に書いてありません。",
            HOURS_BESIDE_DAYS: "オンラインの時間を何日と数えるかは、資料に書いてありません。事務局に聞いてください。",
            ASSUMED_MUNICIPALITY: "(市・町・村の質問として答えました。)",
            IF_IT_HOLDS: "今もこの数なら、",
            NEWER_INDEX: "新しい数があれば、その数で決まります。どの年度の数で決めるかは、資料に書いてありません。",
            NEWER_MAY_BE: "もっと新しい数があるかもしれません。",
            INDEX_NOT_IN_DOCUMENTS: "支援の資料には、県・市・町・村などの指数は書いてありません。",
            NEAR_ONE: "1に近い数です。年度によって、1より小さいことも、1以上のこともあります。",
        },
        supposed="これは「{words}」のときの答えです。",
        read_as="",
        taken="({facts}として)",
        index="財政力指数{value}",
        only_japanese="この答えは、ふつうの日本語だけです。",
        basis="{years}年度の資料で答えています。",
        ask="{contact}に聞いてください。",
        unread="わかりました。やさしい日本語で答えます。知りたいことを書いてください。",
        between="",
        listed="、",
        published="{name}の財政力指数(ざいせいりょくしすう)は、公表(こうひょう)された{year}年度の数で{index}({side})です。",
        is_published="{index}は、{name}の公表(こうひょう)された{year}年度の数です。",
        sides=("1より小さい", "1以上"),
    ),
}


def scope(programs: Iterable[Program]) -> str:
    """What is answered for: said to greetings and to what lies outside."""
    names = "、".join(program.name for program in programs)
    ours = f"こちらは、総務省の支援事業({names})についてお答えする窓口です。"
    return ours + "対象、上限、募集時期、費用、手続きなどをお尋ねください。"


def greeting(programs: Iterable[Program]) -> str:
    """The answer to a greeting or to thanks."""
    return f"ご利用ありがとうございます。{scope(programs)}"


def nothing_in(titles: Iterable[str]) -> str:
    """That the documents that were asked do not say, and how to ask of something else."""
    named = "」「".join(list(titles)[:2])
    return (
        f"お尋ねの内容は、「{named}」の資料に記載が見当たりません。担当の窓口にご確認ください。"
        "別の制度については、制度名を添えてお尋ねください。"
    )


def known_of_another(name: str) -> str:
    """That only the document of another body has a program of this name."""
    return (
        f"「{name}」の資料はありません。同じ名前の制度でも団体ごとに内容が異なりますので、担当の窓口にご確認ください。"
    )


def offtopic(programs: Iterable[Program], foreign: str) -> str:
    """The answer to what none of the programs and documents is about."""
    if foreign:
        return f"「{foreign}」については、お答えできる資料がありません。{scope(programs)}"
    return f"申し訳ありませんが、お答えできる範囲の外のご質問です。{scope(programs)}"


def hand_over(contacts: Iterable[str]) -> str:
    """Whom somebody asks who would rather ask a person."""
    lines = "\n".join(f"・{contact}" for contact in contacts)
    return f"担当の職員にお問い合わせください。\n{lines}"


def no_promise(contact: str) -> str:
    """The answer to who asks for a promise."""
    return f"採択されるかどうかは、お約束できません。選定の結果は、資料に記載がありません。{whom_to_ask(contact)}"


def which_program(programs: Iterable[Program]) -> str:
    """Asks for the program."""
    lines = "\n".join(f"・{program.name}: {program.summary}" for program in programs)
    return f"支援事業によって答えが変わります。どの支援事業についてのご質問ですか。\n{lines}"


def not_stated(what: str, contact: str, nearby: str) -> str:
    """The documents are silent: says so, what they do give nearby, and whom to ask."""
    return f"{what}は、資料に記載がありません。{nearby}{whom_to_ask(contact)}"


def vanished(place: str, phrase: str) -> str:
    """That the page's newest edition no longer has what an answer rests on."""
    return (
        f"ご注意: この回答の根拠「{phrase}」({place})は、新しい版の資料では確認できません。"
        "確定するまで、担当の職員にご確認ください。"
    )


def conflict(place: str, document_says: str, rule_says: str) -> str:
    """A document that differs from what the answer rests on."""
    return (
        f"ご注意: 資料({place})には「{document_says}」とあり、この回答の根拠「{rule_says}」と異なります。"
        "確定するまで、担当の職員にご確認ください。"
    )


def whom_to_ask(contact: str) -> str:
    """Where a question goes that the documents leave open."""
    return f"{contact}にお問い合わせください。" if contact else f"担当の職員にご確認ください。{HOW_TO_ASK}"


def amount_verdict(amount: str, verdict: Verdict | None) -> str:
    """Whether an amount keeps to the limit."""
    if verdict is Verdict.ELIGIBLE:
        return f"{amount}は上限の範囲内です。"
    if verdict is Verdict.INELIGIBLE:
        return f"{amount}は上限を超えるため、認められません。"
    return ""


def of_program(name: str, sentences: Iterable[str]) -> str:
    """One program's line in a comparison."""
    return f"・{name}: {''.join(sentences)}"


NOT_IN_DOCUMENTS = "資料に記載なし"
"""What stands for a program in a comparison where nothing is stated."""


def which_one(is_those: str, names: Collection[str], depends: Collection[str] = ()) -> str:
    """Which of several programs it is, and with which it depends."""
    if not names and depends:
        return f"{'と'.join(depends)}は、条件しだいです。"
    fits = f"{is_those}、{'と'.join(names)}です。" if names else f"{is_those}、この中にはありません。"
    return fits + (f"{'と'.join(depends)}は、条件しだいです。" if depends else "")


def fits_elsewhere(names: Collection[str], depends: Mapping[str, str]) -> str:
    """Which other programs a body may use that one leaves out; `depends` tells on what."""
    fits = f"ほかに使えるのは、{'と'.join(names)}です。" if names else ""
    on_conditions = "。".join(f"{name}は条件しだいです({on.rstrip('。')})" for name, on in depends.items())
    also = f"{'' if names else 'ほかの事業では、'}{on_conditions}。" if depends else ""
    return fits + also


def of_one(name: str, labels: Iterable[str], said: str) -> str:
    """The line of one body or claim of several, with the case that it was taken for."""
    case = "、".join(labels)
    return f"・{name}{f'({case})' if case else ''}: {said}"


def heading(name: str) -> str:
    """A heading over sentences of the sources."""
    return f"【{name}】"


def read_as(what: str, value: str, words: str = "") -> str:
    """One line of a reading that is put to the asker, with their words that say it."""
    return f"・{what}: {value}" + (f"(「{words.strip(' 。、')}」)" if words else "")


def read_so(lines: Iterable[str]) -> str:
    """Asks whether a message was read rightly."""
    return "\n".join(("次のように読みました。よろしいですか。", *lines))


def read_otherwise(lines: Iterable[str]) -> str:
    """Asks under an answer whether the message means something else."""
    return "\n".join(("念のため確かめさせてください。次のようにも読めます。こちらが正しいですか。", *lines))


def taken_for(names: Iterable[str]) -> str:
    """That a program or subject was understood which the message does not name plainly."""
    return f"({'・'.join(names)}についてのお尋ねとして)"


def understood(labels: Iterable[str]) -> str:
    """The case as it was understood, for the person to see at a glance."""
    return f"({'、'.join(labels)}として)"


def correction_of(label: str) -> str:
    """What is tapped to put a fact right."""
    return f"{label}を直す"


def recommended(name: str, summary: str) -> str:
    """The program that comes nearest to what somebody wishes for."""
    return f"ご希望に近いのは、{name}です。{summary}"


def times_verdict(times: str, verdict: Verdict | None) -> str:
    """Whether so many applications fit into a fiscal year."""
    return "" if verdict is Verdict.ELIGIBLE else f"1年度に{times}の応募はできません。"


def claim_verdict(amount: str, right: bool) -> str:
    """Whether a figure that was put forward is the one that holds."""
    return f"はい、{amount}で合っています。" if right else f"いいえ、{amount}ではありません。"


def window_open(days: str) -> str:
    """A day within the period in which applications are taken."""
    return f"{days}は、原則として募集期間内です。"


def window_closed(days: str, opens_on: date) -> str:
    """A day outside the period, with the next opening."""
    return f"{days}は募集期間外のため、申請できません。次の募集は{opens_on.year}年{opens_on.month}月からです。"


def report_handed_in(day: str, verdict: Verdict) -> str:
    """Whether a report that is handed in on a day is in time."""
    if verdict is Verdict.CONDITIONAL:
        return f"提出期限が休日のときの扱いは、資料に記載がありません。{day}でよいかは、事務局に確認してください。"
    return f"{day}の提出は期限内です。" if verdict is Verdict.ELIGIBLE else f"{day}の提出は期限を過ぎています。"


def report_due(day: str, over: bool) -> str:
    """The last day for a report, and what to do when it is over."""
    due = f"提出期限は{day}です(終了日の翌日から7日目)。"
    return due + "期限を過ぎていますので、速やかに提出し、事務局に連絡してください。" if over else due


def basis(fiscal_years: Iterable[int], asked_year: int) -> str:
    """Which year's document an answer rests on."""
    years = sorted(set(fiscal_years))
    if not years:
        return ""
    sentence = f"{'・'.join(map(str, years))}年度の資料に基づきます。"
    return sentence + CONFIRM_LATEST if asked_year > years[-1] else sentence


def questionnaire_year(fiscal_year: str) -> str:
    """The fiscal year in which a questionnaire is due."""
    return f"今回は{fiscal_year}に回答します。"
