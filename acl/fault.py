"""SOAP faults that we answer with."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final, Literal

from ..errors import FigError, InputError
from .envelope import SOAP11
from .xml.text import content

__all__ = ["NAMESPACE", "for_error", "render"]

NAMESPACE: Final = "urn:stranglerfig:error"

_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")
_UNFIT: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def render(code: Literal["Client", "Server"], string: str, detail: Mapping[str, str]) -> bytes:
    """Write a SOAP 1.1 fault envelope. Called by facades.

    Each entry of ``detail`` becomes an element of ``urn:stranglerfig:error`` with that name; empty
    ones are left out. Characters that XML cannot carry become U+FFFD: a fault must always go out.
    """
    entries = "".join(
        f"<{name}>{_text(value)}</{name}>"
        for name, value in detail.items()
        if value and _NAME.fullmatch(name)
    )
    held = (
        f'<detail><e:error xmlns:e="{NAMESPACE}" xmlns="{NAMESPACE}">{entries}</e:error></detail>'
    )
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n'
        f'<soap:Envelope xmlns:soap="{SOAP11}"><soap:Body><soap:Fault>'
        f"<faultcode>soap:{code}</faultcode><faultstring>{_text(string)}</faultstring>"
        f"{held if entries else ''}</soap:Fault></soap:Body></soap:Envelope>\n"
    ).encode()


def for_error(error: FigError) -> bytes:
    """Write the fault for one of our errors: Client where what came in was refused, else Server."""
    code: Literal["Client", "Server"] = "Client" if isinstance(error, InputError) else "Server"
    parts = error.as_dict()
    parts["class"] = parts.pop("error")
    return render(code, error.message or type(error).__name__, parts)


def _text(text: str) -> str:
    return content(_UNFIT.sub("\ufffd", text))
