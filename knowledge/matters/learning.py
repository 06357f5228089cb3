"""`python -m knowledge.matters.learning`: learns what questions ask for, into `learnt.npz`.

Which entry of the FAQ is learnt from the questions of each program's qa.yaml and the wordings of
`wordings/<program>.yaml`, without the names of programs, which say nothing of the matter. The same texts give the
same weights.
"""

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from knowledge.catalog import load_catalog, read_yaml
from knowledge.classes.learning import learn_classes
from knowledge.encoder.encoding import load_encoder
from knowledge.figures import normalize
from knowledge.matters.classifying import LEARNT, NONE, PROGRAMS

WORDINGS = Path(__file__).parent / "wordings"


def load_wordings(program: str) -> Iterator[tuple[str, str]]:
    """Every wording of a program with the entry that it asks for, as it is learnt from."""
    yield from _without_names(load_written(program))


def load_written(program: str) -> Iterator[tuple[str, str]]:
    """Every wording of a program with the entry that it asks for, as it was written."""
    yield from ((entry.id, wording) for entry in load_catalog().faq[program] for wording in entry.questions)
    yield from _written(WORDINGS / f"{program}.yaml")


def _written(file: Path) -> Iterator[tuple[str, str]]:
    yield from ((name, text) for name, texts in read_yaml(file).items() for text in texts)


def _without_names(texts: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    programs = load_catalog().programs.values()
    names = [normalize(name) for one in programs for name in (one.name, one.short_name, *one.aliases)]
    for told, written in texts:
        text = normalize(written)
        for name in sorted(names, key=len, reverse=True):
            text = text.replace(name, "")
        if text.strip("、。?のはって "):
            yield told, text


def wordings_digest() -> str:
    """Tells the wordings that something was learnt of from those that they were changed into."""
    digest = hashlib.sha256()
    for file in sorted(WORDINGS.glob("*.yaml")):
        for told, text in load_wordings(file.stem):
            digest.update(f"{told}\t{text}\n".encode())
    return digest.hexdigest()


def main() -> None:
    """Learns, and writes `learnt.npz`."""
    encoder = load_encoder()
    wordings = {file.stem: list(load_wordings(file.stem)) for file in sorted(WORDINGS.glob("*.yaml"))}
    vectors = {program: encoder.encode_queries([text for _, text in asked]) for program, asked in wordings.items()}
    mean = np.vstack(list(vectors.values())).mean(axis=0)
    plain = [question for faq in load_catalog().faq.values() for entry in faq for question in entry.questions]
    common = encoder.encode_queries([text for _, text in _without_names(("", question) for question in plain)]).mean(
        axis=0
    )
    learnt = {"encoder": np.array(encoder.name), "mean": mean, "common": common}
    told = {program: [entry for entry, _ in asked] for program, asked in wordings.items()}
    of = [program for program, entries in told.items() for entry in entries if entry != NONE]
    asking = np.vstack([vectors[program][np.array(entries) != NONE] for program, entries in told.items()])
    heads = {program: learn_classes(told[program], vectors[program] - mean) for program in told}
    heads[PROGRAMS] = learn_classes(of, asking - mean)
    for name, (values, weights, biases) in heads.items():
        print(f"{name}: {len(values)} values")
        learnt |= {
            f"{name}.values": np.array(values),
            f"{name}.weights": weights.astype(np.float16),
            f"{name}.biases": biases.astype(np.float16),
        }
    learnt["names"] = np.array(list(heads))
    np.savez_compressed(LEARNT, allow_pickle=False, **learnt, wordings=np.array(wordings_digest()))


if __name__ == "__main__":
    main()
