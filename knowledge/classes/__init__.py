"""Classes of texts, told by the encoder's vectors."""
