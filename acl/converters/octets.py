"""Bytes, as legacy writes them in text."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from ...ports import Converter
from .arguments import Arguments
from .traits import Codes, Traits

__all__ = ["octets"]


class _Form(NamedTuple):
    read: Callable[[str], bytes]
    write: Callable[[bytes], str]


def _base64(text: str) -> bytes:
    return base64.b64decode(text.encode("ascii"), validate=True)


def _urlsafe(text: str) -> bytes:
    filled = text + "=" * (-len(text) % 4)
    return base64.b64decode(filled.encode("ascii"), altchars=b"-_", validate=True)


_FORMS: Final = {
    "base64": _Form(_base64, lambda data: base64.b64encode(data).decode()),
    "base64url": _Form(_urlsafe, lambda data: base64.urlsafe_b64encode(data).decode().rstrip("=")),
    "hex": _Form(bytes.fromhex, bytes.hex),
    "HEX": _Form(bytes.fromhex, lambda data: data.hex().upper()),
}


class _Octets:
    def __init__(self, name: str, form: _Form, lax: bool) -> None:
        self._name = name
        self._form = form
        self._lax = lax
        self.traits = Traits(type="bytes")

    def decode(self, text: str) -> bytes:
        try:
            data = self._form.read("".join(text.split()) if self._lax else text)
        except (binascii.Error, ValueError):
            raise ValueError(f"bytes in {self._name}") from None
        if not self._lax and self._form.write(data) != text:
            raise ValueError(f"bytes in {self._name}, as {self._name} itself would be written")
        return data

    def encode(self, value: object) -> str:
        if not isinstance(value, bytes):
            raise ValueError("bytes")  # noqa: TRY004 - the port says ValueError
        return self._form.write(value)


def octets(arguments: Sequence[str], codes: Codes) -> Converter:
    """``bytes(base64)``, ``bytes(base64url)`` (unfilled), ``bytes(hex)``, ``bytes(HEX)``.

    ``bytes(base64, lax)`` decodes lines and blanks as well, hex digits of either case.
    """
    del codes
    left = Arguments(arguments, "one form, and lax")
    name = left.first()
    form = _FORMS.get(name)
    if form is None:
        raise ValueError("one of " + ", ".join(_FORMS))
    lax = left.flag("lax")
    left.done()
    return _Octets(name, form, lax)
