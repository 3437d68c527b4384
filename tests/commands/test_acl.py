"""``fig acl``: mappings and operations, checked and explained on the example's recordings."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

import stranglerfig
from stranglerfig.cli import fig
from stranglerfig.errors import FigError

EXAMPLE = Path(stranglerfig.__file__).parent / "examples" / "helpdesk"
FIXTURE = "triage_ticket/0005-ampersand-and-umlaut"
MAPPING = "acl/triage_ticket.toml"


@pytest.fixture
def desk(tmp_path):
    shutil.copytree(EXAMPLE, tmp_path / "desk")
    return tmp_path / "desk"


@pytest.fixture
def acl(desk):
    """Run ``fig acl``; gives status and output, or raises the error of ours."""

    def run(*arguments, given=None):
        command = ["-w", str(desk), "acl", *map(str, arguments)]
        done = CliRunner().invoke(fig, command, input=given, standalone_mode=False)
        if done.exception and not isinstance(done.exception, SystemExit):
            raise done.exception
        return done.exit_code, done.stdout

    return run


def edit(desk, old, new, file=MAPPING):
    path = desk / file
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new), "utf-8")


def lines(text):
    return [json.loads(line) for line in text.splitlines()]


def test_the_example_is_right(acl):
    status, out = acl("check", "--json")
    assert status == 0
    assert [(one["mapping"], one["ok"]) for one in lines(out)] == [
        ("acl/ticket_row.toml", True),
        (MAPPING, True),
    ]


def test_check_names_every_problem_of_a_file(acl, desk):
    edit(desk, 'src = "channel"', 'src = "chanel"')
    edit(desk, "decimal(2)", "decimel(2)")
    status, out = acl("check", MAPPING, "--json")
    assert status == 3
    (one,) = lines(out)
    (error,) = one["errors"]
    assert {problem["remedy"] for problem in error["problems"]} >= {
        "did you mean 'channel'?",
        "did you mean 'decimal'?",
    }


def test_check_refuses_an_operation_that_its_fixtures_do_not_fit(acl, desk):
    edit(desk, "max_length  = 20000", "max_length = 50", "operations/ticket.triage@1.toml")
    status, out = acl("check", MAPPING, "--json")
    assert status == 4
    (one,) = lines(out)
    assert len(one["errors"]) == 5
    assert one["errors"][0]["place"].startswith("triage_ticket/0001-stolen-car: ")
    assert "stolen" not in out.replace("0001-stolen-car", "")


def test_decode_and_encode_are_each_others_inverse(acl, desk, tmp_path):
    status, out = acl("decode", FIXTURE)
    assert status == 0
    assert json.loads(out)["channel"] == "mail"
    payload = tmp_path / "payload.json"
    payload.write_text(out, "utf-8")
    _, same = acl("encode", FIXTURE, payload)
    assert same in (desk / "fixtures" / f"{FIXTURE}.toml").read_text("utf-8")
    _, changed = acl("encode", FIXTURE, "-", given=out.replace("mail", "phone"))
    assert changed == same.replace(">M<", ">P<")
    status, reply = acl("decode", FIXTURE, "--reply")
    assert json.loads(reply)["category"] == "quote"
    _, body = acl("encode", FIXTURE, "-", "--reply", given=reply)
    assert "<category>C10</category>" in body


def test_a_file_of_one_message_needs_its_mapping(acl, desk, tmp_path):
    _, out = acl("decode", FIXTURE)
    file = tmp_path / "message.xml"
    _, body = acl("encode", FIXTURE, "-", given=out)
    file.write_text(body, "utf-8")
    assert acl("decode", file, "--mapping", MAPPING) == (0, out)


def test_explain_says_where_each_field_came_from(acl):
    status, out = acl("explain", FIXTURE, "--json")
    assert status == 0
    fields = json.loads(out)["fields"]
    assert [(one["dst"], one["value"], one["row"]) for one in fields] == [
        ("customer", "<masked>", 1),
        ("channel", "'mail'", 2),
        ("text", "<masked>", 3),
    ]
    assert "Söhne" not in out


def test_cover_names_what_no_fixture_exercises(acl):
    _, out = acl("cover", MAPPING, "--json")
    asked, answered = lines(out)
    assert asked["idle_rows"] == answered["idle_rows"] == []
    assert asked["idle_codes"] == {}
    assert answered["idle_codes"] == {
        "category": ["C04", "C05", "C06", "C08", "C09", "C11", "C12", "C99"]
    }


def test_roundtrip_proves_each_fixture(acl):
    status, out = acl("roundtrip", "--json")
    assert status == 0
    assert [one["ok"] for one in lines(out)] == [True] * 5


def test_roundtrip_names_the_row_that_loses_something(acl, desk):
    edit(desk, 'dst = "text",     as = "text"', 'dst = "text", as = "text(trim)"')
    edit(desk, "<h:text>", "<h:text>  ", f"fixtures/{FIXTURE}.toml")
    status, out = acl("roundtrip", MAPPING, "--json")
    assert status == 4
    found = {one["fixture"]: one for one in lines(out)}
    (problem,) = found.pop(FIXTURE)["problems"]
    assert all(one["ok"] for one in found.values())
    assert problem["message"] == "comes back otherwise"
    assert "row 3 text → text (line 7)" in problem["place"]
    assert problem["value"] == "<masked>"


def test_diff_names_what_breaks_and_whose_fixture(acl, desk):
    second = desk / "operations/ticket.triage@2.toml"
    text = (desk / "operations/ticket.triage@1.toml").read_text("utf-8")
    text = text.replace("version     = 1", "version = 2").replace("[output.score]", "[output.sure]")
    second.write_text(text, "utf-8")
    status, out = acl("diff", "ticket.triage@1", "ticket.triage@2", "--json")
    assert status == 1
    found = json.loads(out)
    assert found["changes"][0]["level"] == "breaking"
    assert found["changes"][0]["path"] == "score"
    assert {one["fixture"] for one in found["refused"]} >= {FIXTURE}
    assert acl("diff", "ticket.triage@1", "ticket.triage@1") == (0, "nothing changed\n")


@pytest.mark.parametrize("form", ["json-schema", "structured", "openapi", "mcp"])
def test_schemas_are_made_from_the_operation(acl, form):
    status, out = acl("schema", "ticket.triage@1", "--as", form)
    assert status == 0
    found = json.loads(out)
    kinds = {
        "json-schema": lambda: found["input"]["properties"]["channel"],
        "structured": lambda: found["properties"]["priority"],
        "openapi": lambda: {"enum": [*found["paths"], found["openapi"]]},
        "mcp": lambda: found["inputSchema"]["properties"]["channel"],
    }
    assert len(kinds[form]()["enum"]) >= 2
    if form == "mcp":
        assert found["annotations"]["readOnlyHint"] is True
    if form == "openapi":
        assert found["openapi"].startswith("3.1")
        assert found["paths"]


def test_a_fixture_that_is_not_there(acl):
    with pytest.raises(FigError, match="no such fixture") as caught:
        acl("explain", "triage_ticket/0005-ampersand")
    assert "0005" in caught.value.remedy
