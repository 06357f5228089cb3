"""`python -m knowledge.clauses.learning`: learns what clauses say from examples, into `learnt.npz`.

Each `examples/<fact>.yaml` lists clauses for each value of a fact, `aside` being those that use its words and say
nothing of the asker's case; `nothing.yaml` says nothing of any. `several.jsonl` has longer ones that say several
things; of a fact that it does not name, nothing is learnt from it. `roles/` lists clauses with a figure (◎) for what
it is the figure of, `heard.yaml` rules that somebody heard, and what is told of others. Logistic regression with a
penalty on weights, by L-BFGS; the same examples give the same weights.
"""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path
from random import Random

import numpy as np
import yaml
from scipy.optimize import minimize

from knowledge.clauses.classifying import ASKED, FIGURE, LEARNT, SAYS_NOTHING, SCALE, TOLD_OF, Matrix, role_name
from knowledge.encoder.encoding import load_encoder
from knowledge.types import Fact

EXAMPLES = Path(__file__).parent / "examples"
ROLES = Path(__file__).parent / "roles"
ASKS = Path(__file__).parent / "asked.yaml"
HEARD = Path(__file__).parent / "heard.yaml"

_NOT_THE_APPLICANTS = ("place", "seat", "another", "prefecture", "rule", "other_ratio")

_PENALTY = 3e-5
_ROUNDS = 300
_OTHERS_WEIGHT = 0.5  # of an example that does not speak of the fact, against one that does
_SHARE_OF_OTHERS = 0.25
_OWN_BESIDE_HEARD = 1500
_TIMES = 4  # what is written for this counts as so many examples of facts
OTHERS = (
    *(
        "隣の県",
        "近県",
        "よその市",
        "知り合いの会社",
        "別の団体",
        "友人のいる町",
        "親しい自治体",
        "近くの村",
        "ほかの県",
    ),
    *("ほかの県", "A社", "先輩の会社", "同じ県内の町", "ある市", "近隣の町", "取引先", "向かいの県", "姉妹都市"),
)
_OURS = ("うち", "当", "本", "弊", "私", "わが", "我", "自社")
_JOINTS = ("。", "、", " ", "\n")


@dataclass(frozen=True)
class Example:
    """A text, the values that it says, and whether it says no more than these."""

    text: str
    says: dict[str, str]
    nothing_else: bool = True


def examples_digest() -> str:
    """Tells the examples that something was learnt of from those that they were changed into."""
    digest = hashlib.sha256()
    for file in (*sorted(EXAMPLES.iterdir()), *sorted(ROLES.iterdir()), ASKS, HEARD):
        digest.update(file.read_bytes())
    return digest.hexdigest()


def load_examples() -> list[Example]:
    """Every example, in the order of the files."""
    examples = [
        Example(text, {file.stem: value} if file.stem in set(Fact) else {})
        for file in sorted(EXAMPLES.glob("*.yaml"))
        for value, text in _read(file)
    ]
    examples += [
        Example(text.replace(FIGURE, figure), {})
        for (role, text), figure in zip(_read(ROLES / "index.yaml"), cycle(("0.45", "1.2", "0.8")), strict=False)
        if role in _NOT_THE_APPLICANTS
    ]
    for line in (EXAMPLES / "several.jsonl").read_text(encoding="utf-8").splitlines():
        said = json.loads(line)
        examples.append(Example(said.pop("text"), said, nothing_else=False))
    return examples


def _read(file: Path) -> Iterator[tuple[str, str]]:
    for value, texts in yaml.safe_load(file.read_text(encoding="utf-8")).items():
        yield from ((value, text) for text in texts)


def with_pairs(examples: Sequence[Example], rng: Random) -> list[Example]:
    """The examples, and each put together with another that speaks of something else, as messages do."""
    pairs = []
    for one in examples:
        other = rng.choice(examples)
        if not one.says.keys() & other.says.keys():
            first, second = rng.sample((one, other), 2)
            text = first.text.rstrip("。、") + rng.choice(_JOINTS) + second.text
            pairs.append(Example(text, one.says | other.says, one.nothing_else and other.nothing_else))
    return [*examples, *pairs]


def told_of_others(examples: Sequence[Example], rng: Random) -> list[Example]:
    """Examples said of somebody else, who is no concern of the asker's: they say nothing of the case."""
    return [
        Example(f"{rng.choice(OTHERS)}{rng.choice('はが')}{example.text}", dict.fromkeys(example.says, SAYS_NOTHING))
        for example in examples
        if example.nothing_else
        and not {Fact.APPLICANT_KIND, Fact.JOINT_PROJECT, Fact.SAME_PROJECT} & example.says.keys()
        and SAYS_NOTHING not in example.says.values()
        and not any(word in example.text for word in _OURS)
        and rng.random() < _SHARE_OF_OTHERS
    ]


def told_of(examples: Sequence[Example], rng: Random) -> list[Example]:
    """Of whom clauses tell: of the asker, of others, or of bodies at large, as a rule that was heard."""
    heard = yaml.safe_load(HEARD.read_text(encoding="utf-8"))
    rules = [way.format(rule) for rule in heard["rules"] for way in heard["ways"]]
    others = [*heard["others"] * _TIMES, *(example.text for example in told_of_others(examples, rng))]
    others += [text for file in ROLES.glob("*.yaml") for role, text in _read(file) if role == "another"]
    own = [e.text for e in examples if e.says and SAYS_NOTHING not in e.says.values()]
    asked = [text for _, text in _read(ASKS)]
    own = [*heard["own"] * _TIMES, *rng.sample(own, _OWN_BESIDE_HEARD)]
    told = {"rule": rules, "another": others, "own": own, "asking": asked}
    return [Example(text, {TOLD_OF: whose}) for whose, texts in told.items() for text in texts]


def main() -> None:
    """Learns, and writes `learnt.npz`."""
    told = load_examples()
    examples = with_pairs([*told, *told_of_others(told, Random(3))], Random(1))
    encoder = load_encoder()
    vectors = encoder.encode_queries([example.text for example in examples])
    mean: Matrix = vectors.mean(axis=0)
    learnt = {"encoder": np.array(encoder.name), "mean": mean}
    facts = sorted({fact for example in examples for fact in example.says})
    for fact in facts:
        learnt |= _named(fact, _learn(fact, examples, vectors - mean))
    for file in sorted(ROLES.glob("*.yaml")):
        name = role_name(file.stem)
        roles = [Example(text, {name: role}) for role, text in _read(file)]
        vectors = encoder.encode_queries([example.text for example in roles])
        learnt |= _named(name, _learn(name, roles, vectors - mean))
    asked = [Example(text, {ASKED: subject}) for subject, text in _read(ASKS)]
    vectors = encoder.encode_queries([example.text for example in asked])
    learnt |= _named(ASKED, _learn(ASKED, asked, vectors - mean))
    told_to = told_of(told, Random(7))
    vectors = encoder.encode_queries([example.text for example in told_to])
    learnt |= _named(TOLD_OF, _learn(TOLD_OF, told_to, vectors - mean))
    names = [key.removesuffix(".values") for key in learnt if key.endswith(".values")]
    np.savez_compressed(
        LEARNT, allow_pickle=False, **learnt, names=np.array(names), examples=np.array(examples_digest())
    )


def _named(name: str, head: tuple[list[str], Matrix, Matrix]) -> dict[str, np.ndarray]:
    values, weights, biases = head
    print(f"{name}: {len(values) - (SAYS_NOTHING in values)} values")
    return {f"{name}.values": np.array(values), f"{name}.weights": weights, f"{name}.biases": biases}


def _learn(fact: str, examples: Sequence[Example], vectors: Matrix) -> tuple[list[str], Matrix, Matrix]:
    said = [example.says.get(fact, SAYS_NOTHING) for example in examples]
    counted = [1.0 if fact in e.says else _OTHERS_WEIGHT if e.nothing_else else 0.0 for e in examples]
    return learn_classes(said, vectors, counted)


def learn_classes(
    said: Sequence[str], vectors: Matrix, counted: Sequence[float] | None = None, penalty: float = _PENALTY
) -> tuple[list[str], Matrix, Matrix]:
    """What tells classes apart by vectors: the classes, weights (dimension, classes) and biases (classes,).

    Args:
        said: the class of each example.
        vectors: a row for each example, without the mean of all.
        counted: how much each example counts; None where all count alike.
        penalty: how much the squares of weights cost.
    """
    values = sorted(set(said))
    counts = np.array(counted if counted is not None else [1.0] * len(said))
    shares = counts / counts.sum()
    wanted = np.eye(len(values))[[values.index(value) for value in said]]
    inputs = np.hstack([vectors * SCALE, np.ones((len(vectors), 1), dtype=np.float32)])

    def loss(flat: Matrix) -> tuple[float, Matrix]:
        parameters = flat.reshape(inputs.shape[1], len(values))
        scores = inputs @ parameters
        scores -= scores.max(axis=1, keepdims=True)
        logs = scores - np.log(np.exp(scores).sum(axis=1, keepdims=True))
        weights = parameters.copy()
        weights[-1] = 0  # biases bear no penalty
        gradient = inputs.T @ ((np.exp(logs) - wanted) * shares[:, None]) + penalty * weights
        return float(-(shares * (logs * wanted).sum(axis=1)).sum() + penalty * (weights**2).sum() / 2), gradient.ravel()

    start = np.zeros(inputs.shape[1] * len(values))
    found = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": _ROUNDS})
    parameters = found.x.reshape(inputs.shape[1], len(values)).astype(np.float32)
    return values, parameters[:-1], parameters[-1]


if __name__ == "__main__":
    main()
