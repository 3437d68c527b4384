"""Which providers are outside, and what stands before them."""

from __future__ import annotations

import sys
import types

import pytest

from stranglerfig.acl.masking.policy import DEFAULT
from stranglerfig.acl.operations.operation import load_operation
from stranglerfig.config import load
from stranglerfig.demo.workspace import copy_example
from stranglerfig.doors import Masking, is_outside
from stranglerfig.errors import ReplacementUnavailable
from stranglerfig.model import Reply, Request


class Silent:
    pass


class Here:
    outside = False


class Somewhere:
    @staticmethod
    def outside(options):
        return options["address"] != "here"


class Vague:
    outside = 0


@pytest.fixture
def provider(tmp_path, monkeypatch):
    """Give a workspace whose replacement has such a provider."""
    module = types.ModuleType("providers_of_a_test")
    for one in (Silent, Here, Somewhere, Vague):
        setattr(module, one.__name__, one)
    monkeypatch.setitem(sys.modules, module.__name__, module)
    root = tmp_path / "desk"
    copy_example(root)

    def make(name, **options):
        lines = [f'provider = "{name}"', *(f'{key} = "{value}"' for key, value in options.items())]
        text = (root / "fig.toml").read_text("utf-8")
        start, end = text.index("[replacement.triage]"), text.index("# -- what we serve")
        table = "\n".join(("[replacement.triage]", *lines, "", ""))
        (root / "fig.toml").write_text(text[:start] + table + text[end:], "utf-8")
        return load(root)

    return make


OURS = "py:providers_of_a_test:"


@pytest.mark.parametrize(
    ("name", "options", "outside"),
    [
        ("local", {"model": "m"}, False),
        ("rules", {"table": "t"}, False),
        (f"{OURS}Silent", {}, True),
        (f"{OURS}Here", {}, False),
        (f"{OURS}Somewhere", {"address": "here"}, False),
        (f"{OURS}Somewhere", {"address": "there"}, True),
        (f"{OURS}Vague", {}, True),
    ],
)
def test_a_provider_is_outside_unless_it_says_no(provider, name, options, outside):
    assert is_outside(provider(name, **options), "triage") is outside


async def answers(request):
    return Reply(request_id=request.id, status="ok", produced_by="x", payload=request.payload)


REQUEST = Request(
    id="r", operation="o", version=1, source="s", payload={"customer": "K-1"}, key="k"
)


async def test_a_provider_that_is_here_gets_the_request_itself(provider):
    workspace = provider(f"{OURS}Here")
    operation = load_operation(workspace.root, "ticket.triage@1")
    door, digest = Masking(workspace).door("triage", operation)
    assert door(answers) is answers
    assert digest == ""


async def test_one_that_is_outside_gets_a_masked_one(provider):
    workspace = provider(f"{OURS}Silent")
    operation = load_operation(workspace.root, "ticket.triage@1")
    door, digest = Masking(workspace).door("triage", operation)
    seen = []

    async def outside(request):
        seen.append(request)
        return await answers(request)

    reply = await door(outside)(REQUEST)
    assert seen[0].payload["customer"].startswith("⟦id:")
    assert seen[0].key == ""
    assert reply.payload == {"customer": "K-1"}
    assert len(digest) == 64


async def test_before_one_that_cannot_be_imported_the_door_is_closed(provider):
    """It may come later, in a process of its own: nobody knows by then what it says."""
    workspace = provider("py:not_there:Provider")
    operation = load_operation(workspace.root, "ticket.triage@1")
    door, _ = Masking(workspace).door("triage", operation)
    with pytest.raises(ReplacementUnavailable, match="cannot import"):
        await door(answers)(REQUEST)


def test_keys_are_not_asked_for_by_the_defaults(provider, monkeypatch):
    monkeypatch.setenv("FIG_MASKING_KEYS", "no key at all")
    workspace = provider(f"{OURS}Silent")
    masking = Masking(workspace)
    assert masking.policy is DEFAULT
    operation = load_operation(workspace.root, "ticket.triage@1")
    assert masking.mask(operation, "log", "output").rows
    assert masking.door("triage", operation)[1]
