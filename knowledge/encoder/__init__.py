"""Sentence encoders: the model that ships with the repository, and any sentence-transformers model by its name."""
