"""``fig route freeze``, ``pin``, ``unpin``, ``data``, ``sign``: held, shown, refused with a remedy."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from stranglerfig.cli import fig
from stranglerfig.errors import FigError
from stranglerfig.model import Record, Side
from stranglerfig.routing.override import HEADER, Override


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    made = CliRunner().invoke(fig, ["init", str(tmp_path / "desk"), "--example"])
    assert made.exit_code == 0, made.output
    return tmp_path / "desk"


@pytest.fixture
def run(workspace: Path):
    def invoke(*arguments: str, status: int = 0, **environment: str) -> str:
        result = CliRunner().invoke(
            fig, ["-w", str(workspace), "route", *arguments], env=environment
        )
        error = result.exception
        if status:
            assert isinstance(error, FigError), result.output
            assert error.exit_status == status
            return f"{error} {error.remedy}"
        assert error is None, result.output
        return result.output

    return invoke


def test_pins_are_shown_and_explained(run) -> None:
    run("pin", "triage-ticket", "C-1", "--side", "replacement", "--why", "a test customer")
    assert "C-1 → replacement" in run("show", "triage-ticket")
    found = json.loads(run("unpin", "triage-ticket", "C-1", "--json"))
    assert found["pins"] == {}
    assert found["adopted"]["members"] == []


def test_a_frozen_route_says_how_it_is_thawed(run) -> None:
    assert "frozen" in run("freeze", "triage-ticket")
    refused = run("advance", "triage-ticket", status=5)
    assert "is frozen" in refused
    assert "fig route resume triage-ticket" in refused
    assert "frozen" not in run("resume", "triage-ticket")


def test_data_that_stays_is_refused_with_the_key_to_change(run, workspace: Path) -> None:
    refused = run("data", "triage-ticket", "legacy", status=5)
    assert 'data = "moves"' in refused
    file = workspace / "fig.toml"
    text = file.read_text("utf-8")
    at = "[endpoint.triage-ticket]\n"
    assert at in text
    file.write_text(text.replace(at, at + 'data = "moves"\n'), "utf-8")
    assert "none → legacy" in run("data", "triage-ticket", "legacy")
    assert "no legal pair" not in run("data", "triage-ticket", "legacy-first")
    assert "legacy-first" in run("show", "triage-ticket")


def test_a_header_is_signed_with_the_workspaces_key(run, workspace: Path) -> None:
    assert "override_key" in run("sign", "triage-ticket", status=3)
    file = workspace / "fig.toml"
    file.write_text(
        file.read_text("utf-8") + '\n[routing]\noverride_key = "env:OUR_KEY"\n', "utf-8"
    )
    assert "OUR_KEY" in run("sign", "triage-ticket", status=3)
    said = json.loads(run("sign", "triage-ticket", "--json", OUR_KEY="s3cret"))
    assert "s3cret" not in json.dumps(said)
    record = Record(
        source="s", position="1", kind="soap", body=b"", headers=((said["header"], said["value"]),)
    )
    assert said["header"] == HEADER
    assert Override(b"s3cret").side(record, "triage-ticket") is Side.REPLACEMENT
    assert Override(b"s3cret").side(record, "another") is None
    assert run("sign", "nobody", status=3, OUR_KEY="s3cret")
