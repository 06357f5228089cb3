"""What a talk comes to: which program it is of, what its last message wants decided, and what is said of the case."""

from knowledge.talks.reading import TalkRead, TalkReader, load_talk_reader

__all__ = ["TalkRead", "TalkReader", "load_talk_reader"]
