"""Functions that stand for those of a workspace."""

from __future__ import annotations

import threading


def same_first_letter(one, other):
    return str(one)[:1] == str(other)[:1]


def raises(one, other):
    raise RuntimeError("Anna Meier")


def gives_text(one, other):
    return "yes"


def vip_is_right(request, legacy, replacement):
    if request is not None and request["channel"] == "vip":
        return "replacement"
    return None


def rule_raises(request, legacy, replacement):
    raise RuntimeError("Anna Meier")


ENTERED, GATE = threading.Event(), threading.Event()


def waits(one, other):
    """Wait until the event loop has let it go on: so it is not the loop that waits."""
    ENTERED.set()
    return GATE.wait(10)
