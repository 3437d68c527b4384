"""Runbooks' files: what they say, and every mistake with its place."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stranglerfig.errors import ConfigError
from stranglerfig.migrations.loader import file_of, load, parse
from stranglerfig.migrations.span import seconds, span_text

HEAD = '[runbook]\nendpoint = "triage"\nowner = "the desk"\n'
STEP = '[[step]]\nname = "{name}"\ndo = "shadow"\n'


def test_a_whole_file_says_what_it_says(tmp_path):
    file = tmp_path / "move-it.toml"
    file.write_text(
        HEAD + 'why = "time"\nexpires = 2027-03-31\n'
        '[[step]]\nname = "up"\ndo = "canary"\nwith = { percent = 5 }\nwhy = "first"\n'
        'needs = ["verdict", { gate = "file", path = "go" }]\nundo = "freeze"\n'
        'timeout = "36h"\non_timeout = "rollback"\n'
        '[[step]]\nname = "say"\ndo = "observe"\nwith = { time = "1h" }\n'
        'undo = { do = "shadow" }\n'
    )
    runbook = load(file)
    assert (runbook.name, runbook.endpoint, runbook.owner) == ("move-it", "triage", "the desk")
    assert str(runbook.expires) == "2027-03-31"
    assert runbook.text == file.read_text()
    up, say = runbook.steps
    assert (up.name, up.do, up.undo, up.on_timeout) == ("up", "canary", "freeze", "rollback")
    assert (up.timeout, up.act.percent) == (129_600.0, 5)
    assert [need.name for need in up.needs] == ["verdict", "file"]
    assert say.undo_by is not None
    assert say.timeout is None
    assert parse(runbook.text, "move-it.toml") == runbook


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("", "runbook"),
        ("[runbook]\n" + STEP.format(name="a"), "endpoint"),
        (HEAD, "step"),
        (HEAD + "step = []\n", "step"),
        (HEAD + STEP.format(name="a") * 2, "step"),
        (HEAD + STEP.format(name="A b"), "step A b"),
        (HEAD + '[[step]]\ndo = "shadow"\n', "step 1"),
        (HEAD + STEP.format(name="a") + 'wen = "x"\n', "step a.wen"),
        (HEAD + STEP.format(name="a") + "with = { x = 1 }\n", "step a.with.x"),
        (HEAD + STEP.format(name="a") + 'needs = [{ path = "x" }]\n', "step a.needs[0]"),
        (HEAD + STEP.format(name="a") + 'needs = ["py:nowhere:N"]\n', "step a.needs[0]"),
        (HEAD + STEP.format(name="a") + 'needs = ["py:pathlib:Path"]\n', "step a.needs[0]"),
        (HEAD + STEP.format(name="a") + "undo = { with = {} }\n", "step a.undo"),
        (HEAD + STEP.format(name="a") + 'on_timeout = "never"\n', "step a.on_timeout"),
        (HEAD + STEP.format(name="a") + "timeout = -1\n", "step a.timeout"),
        (HEAD + STEP.format(name="a") + 'timeout = "1 week"\n', "step a.timeout"),
    ],
)  # fmt: skip
def test_a_mistake_has_its_place(tmp_path, text, place):
    file = tmp_path / "r.toml"
    file.write_text(text)
    with pytest.raises(ConfigError) as wrong:
        load(file)
    assert place in str(wrong.value)
    assert "r.toml" in wrong.value.place


def test_a_struct_that_is_no_act_is_refused():
    step = '[[step]]\nname = "a"\ndo = "py:stranglerfig.model:Step"\n'
    with pytest.raises(ConfigError, match="lacks what the runner calls"):
        parse(HEAD + step + 'with = { stage = "live" }\n', "r.toml")


def test_a_name_is_found_beside_the_workspace(tmp_path):
    assert file_of(tmp_path, "move") == tmp_path / "runbooks" / "move.toml"
    assert file_of(tmp_path, "there/move.toml") == tmp_path / "there" / "move.toml"


@given(st.text())
def test_no_text_is_more_than_refused(text):
    try:
        parse(text, "r.toml")
    except ConfigError as error:
        assert "r.toml" in str(error)


@pytest.mark.parametrize(
    ("span", "length", "text"),
    [
        ("90s", 90.0, "2 min"),
        ("45 s", 45.0, "45 s"),
        (12, 12.0, "12 s"),
        ("1.5h", 5_400.0, "1 h 30 min"),
        ("24h", 86_400.0, "24 h"),
        ("7d", 604_800.0, "7 d"),
    ],
)
def test_lengths_of_time(span, length, text):
    assert seconds(span, "x") == length
    assert span_text(length) == text


@given(st.floats(0, 1e8))
def test_any_length_can_be_said(length):
    assert span_text(length)


@pytest.mark.parametrize("wrong", ["", "h", "1w", "-1h", -1, float("nan"), "1h 2m", "٣h"])
def test_no_length_of_time(wrong):
    with pytest.raises(ConfigError, match="no length of time"):
        seconds(wrong, "x")
