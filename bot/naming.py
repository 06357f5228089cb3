"""Which added documents a message is about: those that it names, or those that the conversation is on."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bot.types import Conversation, Understanding
from bot.understanding.programs import name_spans
from knowledge.catalog import Catalog
from knowledge.figures import normalize, read_fiscal_years
from knowledge.naming import (
    TRAILING_YEAR,
    bare_name,
    is_short_for,
    names_a_program,
    shared_words,
    split_issuer,
    squeezed,
    variants,
)
from knowledge.types import NamedDocument

_SHORTEST = 3
"""Characters that a name needs to be known without who issued the document."""

_BODY_BEFORE = re.compile(
    r"(?P<body>[一-龠々ァ-ヶー]{1,6}?[都道府県市区町村]|[ぁ-んァ-ヶー]{2,6}[市町村区])(?:の|が|で|における)?$"
)
_BODY_FIRST = re.compile(
    r"(?:^|[ 、。])(?!うち|この|その|どの|あの|よそ|ほか|となり|[当本各他同全隣両]|政令|中核|指定|市町|都道|区市)"
    r"(?P<body>(?:[一-龠々]{2,4}|[ぁ-ん]{2,6}|[ァ-ヶー]{2,6})[市区町村県])(?=[のではがに、 ])"
)
_CANDIDATE = re.compile(
    r"[^\s、。,!?「」()]{1,24}?(?:補助金|交付金|助成金|支援金|給付金|奨励金|祝金|協力金|手当|補助事業|支援事業|実証事業|推進事業|助成事業|事業|制度|要綱|規程|条例"
    r"|(?:補助|助成)(?=[はがのをに、?で]|$)|基金|融資|クーポン)"
)
_PARTICLE = re.compile(r"[はがをにでとへやの](?=[一-龠ァ-ヶa-z])")


@dataclass(frozen=True)
class Naming:
    """The documents that a message is about (none: it names none), and what it says beside their names.

    `of_another` is a name that documents know only of another body (もみじ市の…), `named` whether the message itself
    names them. `told` are words of their names that `matter` still has, and `by_body` whether only the body is named
    that issued them, so that something else may be meant.
    """

    documents: tuple[str, ...] = ()
    matter: str = ""
    named: bool = False
    of_another: str = ""
    told: str = ""
    by_body: bool = False


@dataclass(frozen=True)
class _Match:
    document: NamedDocument
    name: str
    start: int
    end: int


def name_documents(
    understanding: Understanding, before: Conversation, known: Sequence[NamedDocument], catalog: Catalog
) -> Naming:
    """The documents that a message names, else those of the conversation where it names nothing else."""
    text = normalize(understanding.text)
    flat = _Flat(text)
    others = [document for document in known if not document.program]
    matches = [match for document in others if (match := _find(document, flat))]
    if matches:
        widest = max(match.end - match.start for match in matches)
        matches = [match for match in matches if match.end - match.start == widest]
        start, end = flat.span(matches[0].start, matches[0].end)
        if not _is_ours(understanding, start, end, catalog):
            body = _BODY_BEFORE.search(text[:start])
            if body and (own := [m for m in matches if not _differs(m.document.issuer, body["body"])]) != matches:
                if not own:
                    issued = _by_issuer(text, others, catalog)
                    return issued or Naming(of_another=f"{body['body']}の{text[start:end]}")
                matches = own
            named = [match.document for match in matches]
            chosen = named + [document for document in others if _is_meant_too(document, text[start:end], named)]
            documents = _of_year(_of_variant(chosen, flat.text, text[start:end]), text)
            issuers = [match.document.issuer for match in matches if match.document.issuer]
            return Naming(tuple(d.id for d in documents), _beside(text, start, end, issuers), named=True)
    if short := _shortened(text, others, catalog) or _by_issuer(text, others, catalog):
        return short
    if understanding.documents and not understanding.named:
        return Naming(understanding.documents, text, named=True, by_body=True)
    if before.documents and not understanding.named and not understanding.foreign_program:
        return Naming(before.documents, text)
    return Naming()


def body_asked_of(text: str) -> str:
    """The body whose matter a sentence begins with (ひまわり市の粗大ごみ); "" for none."""
    found = _BODY_FIRST.search(normalize(text))
    return found["body"] if found else ""


class _Flat:
    """A text without marks and spaces, and where each of its characters stands in the text."""

    def __init__(self, text: str) -> None:
        kept = [(character, place) for place, character in enumerate(text) if squeezed(character)]
        self.text = "".join(character for character, _ in kept)
        self._places = [place for _, place in kept]

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Where a part of the flat text stands in the text."""
        return self._places[start], self._places[end - 1] + 1


def _find(document: NamedDocument, flat: _Flat) -> _Match | None:
    """Where a document's longest name stands in a message; a short or plain one counts only after its issuer."""
    best: _Match | None = None
    for name in document.names:
        bare = bare_name(name)
        whole = squeezed(name)
        for written in dict.fromkeys((whole, bare)):
            place = flat.text.find(written) if written else -1
            if place < 0 or (best and len(written) <= best.end - best.start):
                continue
            issuer = squeezed(document.issuer)
            after_issuer = bool(issuer) and flat.text[:place].rstrip("の").endswith(issuer)
            is_given = name != document.title and len(written) >= _SHORTEST  # a nickname that it gives itself
            distinct = names_a_program(written) or is_given or len(written) >= 2 * _SHORTEST
            if distinct or after_issuer or (issuer and written.startswith(issuer)):
                best = _Match(document, written, place, place + len(written))
    return best


def _is_meant_too(document: NamedDocument, name: str, named: Sequence[NamedDocument]) -> bool:
    """Whether a document of the same body has in full a name that those named have in short."""
    of_another = document.issuer and all(other.issuer and other.issuer != document.issuer for other in named)
    if document in named or of_another:
        return False
    return any(is_short_for(bare_name(name), bare_name(full)) for full in document.names)


def _is_ours(understanding: Understanding, start: int, end: int, catalog: Catalog) -> bool:
    """Whether the words that name a document lie within a name of one of our programs, or one stands beside them."""
    if not understanding.named:
        return False
    text = understanding.text
    for program in catalog.programs.values():
        for first, last in name_spans(text, program):
            inside = start <= first and last <= end
            if not inside and text[first:last] not in program.nicknames:
                return True
    return False


def _names_ours(text: str, catalog: Catalog) -> bool:
    """Whether a message has a name of one of our programs, beside its nicknames: 派遣 may be said of anything."""
    return any(
        text[first:last] not in program.nicknames
        for program in catalog.programs.values()
        for first, last in name_spans(text, program)
    )


def _differs(issuer: str, body: str) -> bool:
    """Whether a document is issued by another town than the one that is named."""
    return bool(issuer) and issuer[-1] in "都道府県市区町村" and not (issuer.endswith(body) or body.endswith(issuer))


def _of_variant(documents: list[NamedDocument], flat: str, name: str) -> list[NamedDocument]:
    """Of documents of one name, those whose type in the title is named too, else those with a part that is named."""
    beside = flat.replace(squeezed(name), " ", 1)
    if len(documents) == 1:
        return documents
    of_type = [document for document in documents if any(variant in flat for variant in variants(document.title))]
    with_part = [
        document
        for document in documents
        if any(len(part) > _SHORTEST and part in beside for part in map(squeezed, document.parts))
    ]
    return of_type or with_part or documents


def _of_year(documents: list[NamedDocument], text: str) -> list[NamedDocument]:
    """Those of the year that is named; else the newest, beside those that tell no year."""
    years = read_fiscal_years(text)
    dated = [document for document in documents if document.years]
    if years and (chosen := [document for document in dated if years & set(document.years)]):
        return chosen
    newest = max((max(document.years) for document in dated), default=0)
    return [document for document in documents if not document.years or max(document.years) == newest]


def _beside(text: str, start: int, end: int, issuers: Iterable[str]) -> str:
    """What a message says beside a name, and the body and the year before it."""
    before = TRAILING_YEAR.sub("", text[:start])
    for issuer in sorted(set(issuers), key=len, reverse=True):
        before = before.rstrip("の ").removesuffix(issuer)
    return _JOINS.sub("", f"{before}{_JOINS_AFTER.sub('', text[end:])}").strip()


_JOINS = re.compile(r"^[ 、。]+")
_JOINS_AFTER = re.compile(r"^[ 、。]*(?:について|に関して|における|では|って|とは|の|は|で|を|が|も|、)?[ 、]*")


def _shortened(text: str, known: Sequence[NamedDocument], catalog: Catalog) -> Naming | None:
    """The documents whose name a message shortens (ものづくり補助金)."""
    if _names_ours(text, catalog):
        return None
    for candidate in _CANDIDATE.finditer(text):
        name = _PARTICLE.split(candidate[0])[-1]
        issuer, bare = split_issuer(name)
        before = _BODY_BEFORE.search(text[: candidate.end() - len(name)])
        body = issuer or (before["body"] if before else "")
        alike = [
            document
            for document in known
            if any(is_short_for(bare_name(bare), bare_name(full)) for full in document.names)
        ]
        found = [document for document in alike if not (body and _differs(document.issuer, body))]
        if alike and not found and not any(body in document.issuer for document in known):
            return Naming(of_another=f"{body}の{bare}")
        if found:
            start = candidate.end() - len(name)
            documents = _of_year(_of_variant(found, squeezed(text), name), text)
            return Naming(tuple(d.id for d in documents), _beside(text, start, candidate.end(), ()), named=True)
    return None


def _by_issuer(text: str, known: Sequence[NamedDocument], catalog: Catalog) -> Naming | None:
    """The documents of a body that is named: those whose name has most words of the message, else all."""
    if _names_ours(text, catalog):
        return None
    names = {
        document: max(document.names, key=lambda name: shared_words(name, text))
        for document in known
        if len(document.issuer) >= _SHORTEST and document.issuer in text
    }
    if not names:
        return None
    shared = {document: shared_words(name, text) for document, name in names.items()}
    most = max(shared.values())
    chosen = _of_year([document for document in names if shared[document] == most], text)
    place = text.index(chosen[0].issuer)
    matter = _beside(text, place, place + len(chosen[0].issuer), ())
    told = names[chosen[0]] if most else ""
    return Naming(tuple(document.id for document in chosen), matter, named=True, told=told, by_body=not most)
