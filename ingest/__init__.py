"""From documents to the index."""
