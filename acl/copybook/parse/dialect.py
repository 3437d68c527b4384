"""What the program around a copybook decides about it."""

from __future__ import annotations

from ..item import Picture
from .limits import MAX_RECORD
from .picture import parse_picture

__all__ = ["Dialect"]


class Dialect:
    """What a program says in its ENVIRONMENT DIVISION, as the copybook itself cannot.

    ``decimal_comma``: DECIMAL-POINT IS COMMA. ``currency``: CURRENCY SIGN, beside the usual ones.
    It holds the pictures of the one copybook that is read, each once.
    """

    def __init__(self, *, decimal_comma: bool = False, currency: str = "") -> None:
        self.decimal_comma = decimal_comma
        self._currency = currency
        self._pictures: dict[str, Picture] = {}
        self._characters = 0

    def picture(self, text: str) -> Picture:
        """Read a picture. Raises ``ValueError`` that says what is wrong with it."""
        known = self._pictures.get(text)
        if known is None:
            known = parse_picture(text, comma=self.decimal_comma, currency=self._currency)
            self._characters += len(known.symbols)
            if self._characters > MAX_RECORD:
                raise ValueError(f"all pictures together have more than {MAX_RECORD} characters")
            self._pictures[text] = known
        return known
