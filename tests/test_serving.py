"""What of an endpoint is made of who its replacement is, and of its kinds of effects."""

from __future__ import annotations

import re

import pytest

from stranglerfig import app
from stranglerfig.config import load
from stranglerfig.demo.workspace import copy_example
from stranglerfig.errors import ConfigError

OPERATION = "operations/ticket.triage@1.toml"
NAME = "triage-ticket"
REFUND = """
name = "refund.post"
version = 1
effect = "irreversible"
[input.customer]
type = "text"
tag = "none"
"""


class Acting:
    """A provider that promises nothing."""


class Telling:
    """One that does nothing where a request says shadow."""

    acts = False


@pytest.fixture
def workspace(tmp_path):
    root = tmp_path / "desk"
    copy_example(root)

    def make(effect, provider="", tables=""):
        operation = root / OPERATION
        text = operation.read_text("utf-8")
        operation.write_text(re.sub(r'effect *= "read"', f'effect = "{effect}"', text))
        file = root / "fig.toml"
        text = file.read_text("utf-8")
        if provider:
            text = re.sub(r'provider *= "local"', f'provider = "{provider}"', text)
        file.write_text(text + tables)
        (root / "operations" / "refund.post@1.toml").write_text(REFUND)
        return load(root)

    return make


def served(workspace):
    return app.endpoints(workspace, {}, {}, {})[NAME]


@pytest.mark.parametrize(
    ("effect", "provider", "told", "acts"),
    [
        ("read", f"py:{__name__}:Acting", "", False),
        ("idempotent", "", "", False),
        ("idempotent", f"py:{__name__}:Acting", "", True),
        ("irreversible", f"py:{__name__}:Telling", "", False),
        ("irreversible", f"py:{__name__}:Acting", "told", False),
        ("irreversible", "py:nowhere.at:All", "", True),
    ],
)
def test_who_may_be_asked_in_shadow(workspace, effect, provider, told, acts):
    promise = f'\n[endpoint.{NAME}.shadow]\neffects = "{told}"\n' if told else ""
    given = workspace(effect, provider, promise)
    endpoint = served(given)
    assert endpoint.operation.effect == effect
    assert endpoint.acts is acts


def test_kinds_of_effects_are_part_of_an_endpoint(workspace):
    table = f'\n[endpoint.{NAME}.effects.refund]\noperation = "refund.post@1"\n'
    (kind,) = served(workspace("read", "", table)).kinds.values()
    assert (kind.name, kind.account, kind.seen) == ("refund", f"{NAME}/refund", False)


def test_a_source_of_effects_must_be_there(workspace):
    table = f"""
[endpoint.{NAME}.effects.refund]
operation = "refund.post@1"
source = "ledger"
mapping = "effects/refund.toml"
key = "customer"
"""
    with pytest.raises(ConfigError, match=r"no \[legacy.ledger\]"):
        workspace("read", "", table)
