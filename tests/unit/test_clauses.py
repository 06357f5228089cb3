from datetime import date
from pathlib import Path

import numpy as np
import pytest
import yaml

from bot.types import CONFIRMED, Conversation, Reading
from bot.understanding.admitting import Admitted
from bot.understanding.clauses import SURE, Likeness, weigh
from bot.understanding.message import read_message
from bot.understanding.offline import OfflineReader
from knowledge.clauses import load_classifier
from knowledge.clauses.classifying import LEARNT
from knowledge.clauses.learning import examples_digest, load_examples
from knowledge.encoder.encoding import load_encoder
from knowledge.types import Fact

AS_OF = date(2026, 5, 20)
ROWS = yaml.safe_load((Path(__file__).parent / "clauses.yaml").read_text(encoding="utf-8"))
CLASSIFIER = load_classifier()
ENCODER = load_encoder()


def test_what_was_learnt_is_of_these_examples_and_this_encoder():
    with np.load(LEARNT) as learnt:
        assert str(learnt["examples"]) == examples_digest(), "the examples have changed: make clauses"
    assert CLASSIFIER.encoder == ENCODER.name, "the encoder has changed: make clauses"


def test_the_rows_stand_in_no_example():
    assert not {row["clause"] for row in ROWS} & {example.text for example in load_examples()}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["clause"])
def test_a_clause_says_what_clauses_like_it_say(row):
    vector = ENCODER.encode_queries([row["clause"]])
    told = CLASSIFIER.classify(vector)[0]
    for fact, value in row.get("says", {}).items():
        assert told[Fact(fact)].value == value
    if "nothing" in row:
        said = told.get(Fact(row["nothing"]))
        assert said is None or said.confidence < SURE
    if "asks" in row:
        assert CLASSIFIER.classify_asked(vector)[0].value == row["asks"]
    for kind in ("index", "program"):
        if kind in row:
            assert CLASSIFIER.classify_role(kind, vector)[0].value == row[kind]


# --- two who have read ------------------------------------------------------------------------------------------

SELECTED, FAILED = "selected", "applied_not_selected"
WEIGHED = [
    # what the words said, what the clause is like and how surely, what is believed (None: it is asked)
    ("", "はい", None, SELECTED, 0.95, SELECTED),
    ("", "はい", SELECTED, SELECTED, 0.95, SELECTED),
    ("", "はい", SELECTED, FAILED, 0.98, FAILED),
    ("", "はい", SELECTED, FAILED, 0.95, None),
    ("", "はい", SELECTED, "unknown", 0.98, None),
    (CONFIRMED, "はい", SELECTED, FAILED, 0.99, SELECTED),
    ("", "うちは県です。隣の県は選ばれました", None, SELECTED, 0.99, None),
]


@pytest.mark.parametrize(("by", "text", "read", "like", "confidence", "believed"), WEIGHED)
def test_where_words_and_likeness_differ(by, text, read, like, confidence, believed):
    fact = Fact.PAST_SELECTION
    message = read_message(text, AS_OF)
    scene = OfflineReader(message, Conversation()).scene
    admitted = Admitted({fact: Reading(fact, read, 0, 2, by=by)} if read else {}, frozenset())
    likeness = Likeness(fact, like, message.clauses[-1].start, len(message.text), confidence)
    weighed = weigh(admitted, {fact: (likeness,)}, scene)
    assert (weighed.facts[fact].value if fact in weighed.facts else None) == believed
