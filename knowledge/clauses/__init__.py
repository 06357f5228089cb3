"""What a clause says of a case, told from clauses that say the same: `examples/`, and what is learnt of them."""

from knowledge.clauses.classifying import FIGURE, ClauseClassifier, Told, load_classifier

__all__ = ["FIGURE", "ClauseClassifier", "Told", "load_classifier"]
