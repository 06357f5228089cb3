"""`python -m knowledge.matters.learning`: learns which entry of the FAQ a wording asks for, into `learnt.npz`.

What is learnt from are the questions of each program's qa.yaml and the wordings of `wordings/<program>.yaml`, without
the names of programs, which say nothing of the matter. The same wordings give the same weights.
"""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from knowledge.catalog import load_catalog, read_yaml
from knowledge.clauses.learning import learn_classes
from knowledge.encoder.encoding import load_encoder
from knowledge.figures import normalize
from knowledge.matters.classifying import LEARNT, NONE, PROGRAMS

WORDINGS = Path(__file__).parent / "wordings"


def load_wordings(program: str) -> Iterator[tuple[str, str]]:
    """Every wording of a program with the entry that it asks for, as it is learnt from."""
    catalog = load_catalog()
    names = [normalize(name) for one in catalog.programs.values() for name in (one.name, one.short_name, *one.aliases)]
    asked = [(entry.id, wording) for entry in catalog.faq[program] for wording in entry.questions]
    written = read_yaml(WORDINGS / f"{program}.yaml")
    for entry, wording in (*asked, *((entry, wording) for entry, texts in written.items() for wording in texts)):
        text = normalize(wording)
        for name in sorted(names, key=len, reverse=True):
            text = text.replace(name, "")
        if text.strip("、。?のはって "):
            yield entry, text


def wordings_digest() -> str:
    """Tells the wordings that something was learnt of from those that they were changed into."""
    digest = hashlib.sha256()
    for file in sorted(WORDINGS.glob("*.yaml")):
        for entry, text in load_wordings(file.stem):
            digest.update(f"{entry}\t{text}\n".encode())
    return digest.hexdigest()


def main() -> None:
    """Learns, and writes `learnt.npz`."""
    encoder = load_encoder()
    wordings = {file.stem: list(load_wordings(file.stem)) for file in sorted(WORDINGS.glob("*.yaml"))}
    vectors = {program: encoder.encode_queries([text for _, text in asked]) for program, asked in wordings.items()}
    mean = np.vstack(list(vectors.values())).mean(axis=0)
    learnt = {"encoder": np.array(encoder.name), "mean": mean, "names": np.array([*wordings, PROGRAMS])}
    told = {program: [entry for entry, _ in asked] for program, asked in wordings.items()}
    of = [program for program, entries in told.items() for entry in entries if entry != NONE]
    asking = np.vstack([vectors[program][np.array(entries) != NONE] for program, entries in told.items()])
    for program, classes, of_them in [*((id, told[id], vectors[id]) for id in told), (PROGRAMS, of, asking)]:
        values, weights, biases = learn_classes(classes, of_them - mean)
        print(f"{program}: {len(classes)} wordings of {len(values)}")
        learnt |= {
            f"{program}.values": np.array(values),
            f"{program}.weights": weights.astype(np.float16),
            f"{program}.biases": biases.astype(np.float16),
        }
    np.savez_compressed(LEARNT, allow_pickle=False, **learnt, wordings=np.array(wordings_digest()))


if __name__ == "__main__":
    main()
