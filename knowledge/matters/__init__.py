"""Tells which entry of a program's FAQ a question asks for, by what its wordings have taught."""

from knowledge.matters.classifying import NONE, encode_meanings, load_matters

__all__ = ["NONE", "encode_meanings", "load_matters"]
