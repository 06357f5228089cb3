"""The reading that a chat model is asked for: the prompt and schema, made from what is known, and its reply.

What it proposes is believed no more than its words stand in the message: see `bot.understanding.admitting`.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bot.llm import Prompt, instructions
from bot.types import Inquiry, Proposals, Reading, Stance, When, Whose
from bot.understanding.admitting import AMOUNT, NUMBER, Proposal, admit_proposal
from bot.understanding.asking import load_subjects
from bot.understanding.message import Message
from bot.understanding.owning import Scene
from knowledge.catalog import Catalog
from knowledge.figures import normalize
from knowledge.naming import shared_words
from knowledge.types import Fact, NamedDocument, Subject

_UNCLEAR = "unclear"
_OTHER = "other"
_LONGEST_SEARCH = 60
_DOCUMENTS = 30


@dataclass(frozen=True)
class ModelReading:
    """What of a model's reply may be used, and what was refused, by reason."""

    proposals: Proposals
    refused: Mapping[str, int]


def prompt_for(inquiry: Inquiry, catalog: Catalog, known: Sequence[NamedDocument] = ()) -> Prompt:
    """What is sent: the instructions with what can be read (added documents too), the schema, and the message."""
    documents = _documents(inquiry, known)
    before = inquiry.conversation
    asked = catalog.facts[before.asked_for].question if before.asked_for else ""
    lines = [
        f"前の質問: {before.question}" if before.question else "",
        f"窓口からの問い: {asked}" if asked else "",
        f"メッセージ: {inquiry.text}",
    ]
    message = "## 利用者のメッセージ(データ)\n" + "\n".join(filter(None, lines))
    return Prompt(f"{instructions('read')}\n\n{_vocabulary(catalog, documents)}", _schema(catalog, documents), message)


def _documents(inquiry: Inquiry, known: Sequence[NamedDocument]) -> dict[str, NamedDocument]:
    """The added documents that a question may be about, by what they are called in the schema."""
    others = [document for document in known if not document.program]
    text = normalize(f"{inquiry.conversation.question} {inquiry.text}")
    nearest = sorted(others, key=lambda document: -max(shared_words(name, text) for name in document.names))
    return {f"document{number}": document for number, document in enumerate(nearest[:_DOCUMENTS], 1)}


def _vocabulary(catalog: Catalog, documents: Mapping[str, NamedDocument]) -> str:
    """The programs, documents, subjects and facts, as an official would name them, with the examples of each."""
    programs = [f"- {p.id}: {p.name}。{p.summary}" for p in catalog.programs.values()]
    subjects = [f"- {s.subject}: {s.label}。例: {'、'.join(s.examples)}" for s in load_subjects()]
    facts = []
    for fact, question in catalog.facts.items():
        if fact is not Fact.PROGRAM:
            values = [f"{fact}={choice.value}({choice.label})" for choice in question.choices] or [f"{fact}={NUMBER}"]
            facts.append(f"- {question.label}: {'、'.join(values)}")
    facts.append(f"- 金額・日数・時間・回数: {AMOUNT}={NUMBER}")
    titles = [f"- {key}: {'、'.join((document.title, *document.names[1:3]))}" for key, document in documents.items()]
    parts = {"支援事業": programs, "ほかの文書": titles, "尋ねること": subjects, "読み取る事柄": facts}
    parts = {name: lines for name, lines in parts.items() if lines}
    return "\n\n".join("\n".join([f"## {name}", *lines]) for name, lines in parts.items())


def _says(catalog: Catalog) -> list[str]:
    """Everything that can be proposed: each fact with each of its values, and figures."""
    said = [f"{AMOUNT}={NUMBER}"]
    for fact, question in catalog.facts.items():
        if fact is not Fact.PROGRAM:
            said += [f"{fact}={choice.value}" for choice in question.choices] or [f"{fact}={NUMBER}"]
    return said


def _schema(catalog: Catalog, documents: Collection[str]) -> dict[str, Any]:
    text = {"type": "string"}
    question = _object(
        {
            "quote": text,
            "about": _enum([*catalog.programs, *documents, _UNCLEAR]),
            "subject": _enum([*Subject, _OTHER]),
            "seeks": text,
        }
    )
    fact = _object(
        {
            "says": _enum(_says(catalog)),
            "quote": text,
            "whose": _enum(Whose),
            "when": _enum(When),
            "stance": _enum([Stance.SAID, Stance.DENIED, Stance.ASKED, Stance.SUPPOSED, Stance.HOPED]),
        }
    )
    schema = _object({"questions": {"type": "array", "items": question}, "facts": {"type": "array", "items": fact}})
    return {"title": "reading", "description": "What the message says and asks.", **schema}


def _object(properties: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": dict(properties),
        "required": list(properties),
        "additionalProperties": False,
    }


def _enum(values: Iterable[str]) -> dict[str, Any]:
    return {"type": "string", "enum": [str(value) for value in values]}


def read_reply(
    reply: Mapping[str, Any],
    scene: Scene,
    inquiry: Inquiry,
    catalog: Catalog,
    known: Sequence[NamedDocument] = (),
) -> ModelReading:
    """What of the reply may be used.

    Args:
        reply: as the model gave it; nothing of it is taken for granted.
        scene: the message with its bodies, as it is read without a model.
        inquiry: the message, with what was asked before it.
        catalog: what there is to be read.
        known: the added documents.
    """
    refused = Counter[str]()
    facts: dict[str, list[Reading]] = {}
    sayable = frozenset(_says(catalog))
    for given in _objects(reply.get("facts")):
        admitted = admit_proposal(_proposal(given), scene, sayable, inquiry.conversation.asked_for)
        if isinstance(admitted, Reading):
            facts.setdefault(admitted.slot if admitted.slot in set(Fact) else AMOUNT, []).append(admitted)
        else:
            refused[admitted] += 1
    agreed = {slot: said[0] for slot, said in facts.items() if len({reading.value for reading in said}) == 1}
    refused["contradicts_itself"] += len(facts) - len(agreed)
    asked = [given for given in _objects(reply.get("questions")) if _is_said(given.get("quote"), scene.message)]
    refused["not_in_message"] += len(list(_objects(reply.get("questions")))) - len(asked)
    programs = dict.fromkeys(str(given.get("about")) for given in asked if given.get("about") in catalog.programs)
    subjects = dict.fromkeys(Subject(str(g.get("subject"))) for g in asked if g.get("subject") in set(Subject))
    seeks = next((seeks for given in asked if isinstance(seeks := given.get("seeks"), str) and seeks.strip()), "")
    documents = _documents(inquiry, known)
    meant = dict.fromkeys(documents[key].id for g in asked if (key := str(g.get("about"))) in documents)
    proposals = Proposals(
        readings=tuple(reading for slot, reading in agreed.items() if slot != AMOUNT),
        amount=agreed.get(AMOUNT),
        programs=tuple(programs),
        subjects=tuple(subjects),
        seeks=" ".join(seeks.split())[:_LONGEST_SEARCH],
        documents=tuple(meant),
    )
    return ModelReading(proposals, {reason: count for reason, count in refused.items() if count})


def _objects(listed: Any) -> Iterable[Mapping[str, Any]]:
    return [item for item in listed if isinstance(item, dict)] if isinstance(listed, list) else []


def _proposal(given: Mapping[str, Any]) -> Proposal:
    said = {name: value if isinstance(value := given.get(name), str) else "" for name in Proposal.__match_args__}
    return Proposal(**said)


def _is_said(quote: Any, message: Message) -> bool:
    return isinstance(quote, str) and message.find(quote) is not None
