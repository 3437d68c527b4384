"""Tables of rules: what they answer, and what is wrong with them."""

from __future__ import annotations

import os
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pytest

from stranglerfig.ai.rules import RulesProvider
from stranglerfig.errors import ConfigError, ReplacementUnavailable
from stranglerfig.model import Request

CSV = "pattern,confidence,category,note.kind\nrefund,0.9,refund,a\nlogin|sign in,,login,b\n"
EQUAL = CSV + "again,0.9,billing,a\nmoney refund,0.9,refund,a\n"


def provider(root, table, name="rules.csv", **options):
    (root / name).write_text(table, "utf-8")
    return RulesProvider(name="r", options={"table": name, **options}, place="p", root=root)


async def answer(root, table, text, **options):
    part = provider(root, table, **options)
    await part.open()
    return await part.answer(
        Request(id="r", operation="o", version=1, source="s", payload={"text": text})
    )


async def test_a_csv_answers(tmp_path):
    reply = await answer(tmp_path, CSV, "I cannot SIGN IN", confidence="score")
    expected = {"category": "login", "note": {"kind": "b"}, "score": Decimal("1.00")}
    assert (reply.status, reply.payload, reply.confidence) == ("ok", expected, 1.0)


async def test_the_surest_wins(tmp_path):
    reply = await answer(tmp_path, CSV, "a refund after I login")
    assert reply.payload["category"] == "login"


async def test_equal_ones_that_agree_answer(tmp_path):
    reply = await answer(tmp_path, EQUAL, "money refund")
    assert reply.payload["category"] == "refund"


async def test_equal_ones_that_contradict_abstain(tmp_path):
    reply = await answer(tmp_path, EQUAL, "a refund again")
    assert reply.status == "abstained"
    assert "line 2" in reply.reason
    assert "line 4" in reply.reason


async def test_nothing_fits(tmp_path):
    reply = await answer(tmp_path, CSV, "hello")
    assert (reply.status, reply.reason) == ("abstained", "no rule fits")


@pytest.mark.parametrize(
    ("name", "text", "place"),
    [
        ("a.csv", "pattern,category\nok,x\n(,y\n", "a.csv: line 3"),
        ("a.csv", "pattern,confidence,category\nok,2,x\n", "a.csv: line 2"),
        ("a.csv", "pattern,confidence,category\nok,often,x\n", "a.csv: line 2"),
        ("a.csv", "pattern,category\nok\n", "a.csv: line 2"),
        ("a.csv", "pattern,category\n,x\n", "a.csv: line 2"),
        ("a.csv", "patern,category\nok,x\n", "a.csv: line 1"),
        ("a.csv", "pattern,category\n", "a.csv"),
        ("a.csv", "", "a.csv: line 1"),
        ("a.toml", "[[rule]]\npattern='['\ngives={a=1}\n", "a.toml: rule 1"),
        ("a.toml", "[[rule]]\npatern='a'\ngives={a=1}\n", "a.toml: rule 1.patern"),
        ("a.toml", "[[rule]]\npattern='a'\n", "a.toml: rule 1"),
        ("a.toml", "[[rules]]\npattern='a'\n", "a.toml"),
        ("a.toml", "rule = [1]\n", "a.toml: rule 1"),
        ("a.toml", "[[rule]\n", "a.toml"),
    ],
)
async def test_a_mistake_is_named_by_file_and_row(tmp_path, name, text, place):
    part = provider(tmp_path, text, name)
    with pytest.raises(ConfigError) as caught:
        await part.open()
    assert caught.value.place.endswith(place) or f"{place}." in caught.value.place


async def test_a_table_that_changed_is_not_the_revision_asked_for(tmp_path):
    before = provider(tmp_path, CSV).revision
    (tmp_path / "rules.csv").write_text(EQUAL)
    part = RulesProvider(name="r", options={"table": "rules.csv"}, root=tmp_path, revision=before)
    with pytest.raises(ReplacementUnavailable, match=before):
        await part.open()


def test_options_are_part_of_the_revision(tmp_path):
    revisions = {
        provider(tmp_path, CSV, **options).revision
        for options in ({}, {"margin": 0.5}, {"text": "body"}, {"constant": {"a": 1}})
    }
    assert len(revisions) == 4


def test_unknown_options_are_refused(tmp_path):
    with pytest.raises(ConfigError, match="margin"):
        provider(tmp_path, CSV, margn=0.5)
    with pytest.raises(ConfigError, match="margin"):
        provider(tmp_path, CSV, margin=1.5)


def test_the_providers_are_imported_without_what_the_model_needs():
    heavy = "{'numpy', 'onnxruntime', 'sklearn', 'tokenizers'} & set(sys.modules)"
    code = (
        "import sys, stranglerfig.ai.rules, stranglerfig.ai.local, stranglerfig.ai.process; "
        f"sys.exit(str({heavy}) if {heavy} else 0)"
    )
    path = os.pathsep.join(str(Path(one).absolute()) for one in sys.path)
    subprocess.run([sys.executable, "-c", code], check=True, env={**os.environ, "PYTHONPATH": path})
