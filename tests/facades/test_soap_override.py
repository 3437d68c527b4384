"""Testers' headers at the facade: genuine ones pass, all others are taken out for whoever follows."""

import time

from stranglerfig.facades.http import HttpRequest
from stranglerfig.facades.soap import _without_false
from stranglerfig.model import Side
from stranglerfig.routing.override import HEADER, Override, sign

KEY = b"k"


def request(*values):
    headers = [(b"host", b"legacy"), *((HEADER.encode(), value.encode()) for value in values)]
    return HttpRequest("POST", "/", b"/", headers)


def kept(found):
    return [value.decode() for name, value in found.headers if name == HEADER.encode()]


def test_only_what_was_signed_with_our_key_passes():
    genuine = sign(KEY, Side.REPLACEMENT, "*", time.time() + 60)
    false = [
        "replacement",
        sign(b"other", Side.REPLACEMENT, "*", time.time() + 60),
        sign(KEY, Side.REPLACEMENT, "*", time.time() - 1),
    ]
    found = _without_false(request(genuine, *false), Override(KEY))
    assert kept(found) == [genuine]
    assert (b"host", b"legacy") in found.headers
    assert kept(_without_false(request(genuine), Override())) == []
