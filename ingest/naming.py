"""How a document is called: its title without what every title has, the names that it gives itself, who issued it."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from ingest.outlining import ProgramNames
from ingest.types import Document, Placed
from knowledge.figures import normalize, read_fiscal_years
from knowledge.naming import bare_name, is_short_for, issuer_of, names_a_program, split_issuer
from knowledge.types import NamedDocument

_TOP = 3  # blocks at the top, where a document without a title has it
_LINE = 60  # characters of a line that may be a title
_HEAD = 60  # blocks at the head of a document in which it says how it is called
_MOST_PARTS = 40
_PART = range(3, 31)  # characters of a part's name
_DEFINED = re.compile(
    r"(?P<formal>[^「」。、()]{0,40}?)[」』]?\(以下[、, ]?(?:単に)?[「『](?P<short>[^「」『』]{2,24})[」』]"
    r"と(?:いう|いいます|する)"
)
_CALLED = re.compile(
    r"(?:(?P<formal>[^「」。、()\s]{4,40})[」』]?[(、])?(?:"
    r"(?:愛称|通称|略称|呼称|正式名称|正式名|制度名|事業名)(?:は|が|を|:| )*[「『](?P<quoted>[^「」『』]{2,30})[」』]"
    r"|(?:愛称|通称|略称|呼称) ?: ?(?P<plain>[^「」『』。、()\s]{2,30}))"
)
_GOES_BY = re.compile(
    r"[「『](?P<name>[^「」『』]{2,30})[」』](?:(?:の(?:名称|愛称|通称|名前|名)|という(?:名称|愛称|通称|名前|名))で|と(?:称|呼)[しばびぶ])"
)
_NICKNAMED = re.compile(
    r"(?P<formal>[^「」。、()\s]{4,50}?)[(「『<〈《](?![^()]*(?:[0-9:]|枠|型|編|版|用|分|案|コース|タイプ|向け|仮称)[)」』>〉》])"
    r"(?P<name>[^「」『』()<>〈〉《》]*[ぁ-んァ-ヶ][^「」『』()<>〈〉《》]*)[)」』>〉》]"
)
_KANA = re.compile("[ぁ-んァ-ヶ]")  # what a nickname has and a word for anything (規則) has not
_COINED = re.compile("[ぁ-ん][ァ-ヶ]|[ァ-ヶー][ぁ-ん]")
_KIND_AT_END = re.compile(r"(?:(?:補助|助成|支援|応援|給付|奨励|交付)(?:金|事業)?|事業|制度)$")
_PROGRAMS = re.compile(
    r"(?:(?<=[ぁ-ん])(?<![のはがをにで])[市町村区県])?"  # the end of a body's name (さくら市)
    r"((?:[ぁ-ん]{2}づくり)?[一-龠ァ-ヶーa-zA-Z0-9・]{3,40}(?:補助金|交付金|助成金|支援金|給付金|奨励金|支援事業|補助事業|推進事業))"
)
_LABELLED = re.compile(r"^(?:正式名称|名称|愛称|通称|略称|制度名|事業名|補助金名)$")
_BRACKETED = re.compile(r"[「『(<〈《【]([^「」『』()<>〈〉《》【】:]{3,30})[」』)>〉》】]")


@dataclass
class Names:
    """Hears a document block by block for what it calls itself."""

    document: Document
    names: dict[str, None] = field(default_factory=dict)
    parts: dict[str, None] = field(default_factory=dict)
    issuer: str = ""
    years: frozenset[int] = frozenset()
    programs: set[str] = field(default_factory=set)
    spoken_of: Counter[str] = field(default_factory=Counter)

    def hear(self, outline: Iterable[Placed]) -> Iterator[Placed]:
        """Passes the blocks on."""
        title = self.document.title
        self.issuer = issuer_of(title)
        self.years = read_fiscal_years(normalize(title))
        self._add(title)
        self._hear_called(title)
        self._hear_nicknamed(title, tops=True)
        for name in (*_BRACKETED.findall(title), *_PROGRAMS.findall(title)):
            if names_a_program(name):
                self._add(name)
        for number, placed in enumerate(outline):
            if number < _HEAD:
                self._look(placed, tops=number < _TOP)
            self.spoken_of.update(found for found in _PROGRAMS.findall(placed.block.text) if names_a_program(found))
            for part in placed.headings[1:3]:
                if len(part) in _PART and len(self.parts) < _MOST_PARTS:
                    self.parts.setdefault(part)
            if placed.program:
                self.programs.add(placed.program)
            yield placed

    def _look(self, placed: Placed, *, tops: bool) -> None:
        text = placed.block.text
        for line in (*placed.headings, text):
            self._hear_called(line)
            self._hear_nicknamed(line, tops=tops and not names_a_program(self.document.title))
        for found in _DEFINED.finditer(text):
            formal, short = found["formal"].strip(), found["short"]
            is_name = names_a_program(short) or (_KANA.search(short) and names_a_program(formal))
            if is_name and (self._is_own(formal) or self._is_own(short)):
                self._add(short)
                self._add(formal if names_a_program(formal) else "")
        for name, value in placed.block.cells:
            if _LABELLED.match(name) and len(placed.block.cells) == 1:
                self._add(value)
        if not self.years:
            self.years = read_fiscal_years(normalize(text)) if len(text) <= 40 else frozenset()
        if not self.issuer and len(text) <= 40:
            self.issuer = split_issuer(text)[0]

    def _hear_called(self, text: str) -> None:
        for found in _CALLED.finditer(text):
            self._add_nickname(found["quoted"] or found["plain"])
            if found["formal"] and names_a_program(found["formal"]):
                self._add(found["formal"])
                self.issuer = self.issuer or split_issuer(found["formal"])[0]
        for found in _GOES_BY.finditer(text):
            self._add_nickname(found["name"])

    def _hear_nicknamed(self, text: str, *, tops: bool) -> None:
        """Hears the nickname in brackets after the name; where the title is only a file's, in the lines at the top."""
        for found in _NICKNAMED.finditer(text) if len(text) <= _LINE else ():
            if names_a_program(found["formal"]) and (tops or self._is_own(found["formal"])):
                self._add_nickname(found["name"])

    def _is_own(self, name: str) -> bool:
        """Whether a name is about what the title is about."""
        title = bare_name(self.document.title)
        bare = bare_name(name)
        return bool(bare) and (bare in title or title in bare or is_short_for(bare, title))

    def _add_nickname(self, name: str) -> None:
        """Adds a nickname, and what is left of it without its kind where that can be no other word (ゆめチャレ)."""
        self._add(name)
        if _COINED.search(stem := _KIND_AT_END.sub("", name)):
            self._add(stem)

    def _add(self, name: str) -> None:
        if name:
            self.names.setdefault(name)

    def named(self, own: ProgramNames) -> NamedDocument:
        """The document with its names, once it has been heard."""
        if not names_a_program(self.document.title) and self.spoken_of:
            self._add(self.spoken_of.most_common(1)[0][0])
        program = own.within(self.document.title) or own.equal(self.document.title)
        if not program and len(self.programs) == 1:
            program = next(iter(self.programs))
        return NamedDocument(
            self.document.id,
            self.document.title,
            tuple(self.names),
            self.issuer,
            tuple(sorted(self.years)),
            tuple(self.parts),
            program,
        )
