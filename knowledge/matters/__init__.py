"""Tells which entry of a program's FAQ a question asks for, by what its wordings have taught."""

from knowledge.matters.classifying import encode_meanings, load_matters

__all__ = ["encode_meanings", "load_matters"]
