"""Encrypts where answers go back to, so that whoever reads the database alone learns nobody's id."""

import base64
import hashlib

from cryptography.fernet import Fernet, InvalidToken


class Seal:
    """Encrypts where answers go back to."""

    def __init__(self, key: bytes) -> None:
        """Uses any secret text; its hash is the key."""
        self._fernet = Fernet(base64.urlsafe_b64encode(hashlib.sha256(key).digest()))

    def close(self, text: str) -> str:
        """The text, encrypted."""
        return self._fernet.encrypt(text.encode()).decode()

    def open(self, sealed: str) -> str:
        """The text again; "" where another key has sealed it."""
        try:
            return self._fernet.decrypt(sealed.encode()).decode()
        except InvalidToken:
            return ""
