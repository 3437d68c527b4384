"""The ``fig`` command: help, errors by their parts, exit statuses, JSON, colours, completion."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

import stranglerfig
from stranglerfig import __version__
from stranglerfig.cli import fig, main
from stranglerfig.commands.screen import Screen
from stranglerfig.errors import ConfigError, MappingError, RouteError, StoreUnavailable
from stranglerfig.tests.importable import importable
from stranglerfig.tests.stores import store_file

EXAMPLE = Path(stranglerfig.__file__).parent / "examples" / "helpdesk"


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    """The example with a store and nothing running."""
    from stranglerfig.demo.workspace import copy_example

    root = tmp_path_factory.mktemp("cli") / "desk"
    copy_example(root)
    store_file(root / "fig.db")
    return root


@pytest.fixture
def run(monkeypatch, capfd):
    """Run ``fig`` as its entry point does; gives status, output and errors."""

    def call(*arguments):
        monkeypatch.setattr(sys, "argv", ["fig", *map(str, arguments)])
        monkeypatch.delenv("COLUMNS", raising=False)
        with pytest.raises(SystemExit) as ended:
            main()
        return (ended.value.code, *capfd.readouterr())

    return call


def commands(group=fig, path=()):
    """Every command there is, with the way to it."""
    import click

    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        yield (*path, name), command
        if isinstance(command, click.Group):
            yield from commands(command, (*path, name))


def test_the_version():
    assert CliRunner().invoke(fig, ["--version"]).output == f"fig, version {__version__}\n"


@pytest.mark.parametrize("path", [path for path, _ in commands()], ids=" ".join)
def test_every_command_has_help(path):
    done = CliRunner().invoke(fig, [*path, "--help"])
    assert done.exit_code == 0, done.output
    assert "Usage: " in done.output
    assert len(done.output.splitlines()) > 3


def test_every_command_that_prints_data_prints_json():
    """Those that make a folder, let something go, or print a script, bytes or JSON anyhow, have none."""
    import click

    without = {
        " ".join(path)
        for path, command in commands()
        if not isinstance(command, click.Group)
        and not any("--json" in parameter.opts for parameter in command.params)
    }
    assert without == {
        "acl decode",
        "acl encode",
        "acl schema",
        "adapter fetch",
        "adapter release",
        "completion",
        "init",
        "runbook render",
    }


def test_help_imports_no_library_of_an_extra():
    probe = (
        "import sys; from stranglerfig.cli import fig\n"
        "try: fig(['--help'])\n"
        "except SystemExit: pass\n"
        "heavy = {'zeep', 'onnxruntime', 'sklearn', 'numpy', 'plotext', 'sqlalchemy', 'lxml'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)"
    )
    env = {**os.environ, "PYTHONPATH": importable()}
    subprocess.run([sys.executable, "-c", probe], check=True, env=env, capture_output=True)


def test_an_error_is_printed_by_its_parts(run, tmp_path):
    status, out, err = run("-w", tmp_path, "check")
    assert (status, out) == (3, "")
    lines = err.splitlines()
    assert lines[0] == "error: no such file"
    assert lines[1].split(maxsplit=1) == ["place", str(tmp_path / "fig.toml")]
    assert [line.split()[0] for line in lines[1:]] == ["place", "expected", "remedy"]


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (("route", "show", "nothing"), 3),
        (("route", "advance", "triage-ticket"), 5),
        (("route", "nonsense"), 2),
        (("nonsense",), 2),
        (("adapter", "install", "nothing"), 3),
        (("adapter", "install", "helpdesk"), 3),
        (("demo", "--data", "/nowhere.csv"), 4),
        (("init", "."), 3),
    ],
)
def test_the_exit_status_says_whose_fault_it_is(run, workspace, monkeypatch, arguments, status):
    monkeypatch.chdir(workspace)
    found, out, err = run(*arguments)
    assert found == status, err
    assert out == ""
    assert "Traceback" not in err
    assert "rror: " in err


def test_problems_of_a_mapping_are_listed(run, workspace, monkeypatch):
    problems = (ConfigError("first", place="row 1"), ConfigError("second [b]", remedy="mend it"))

    def fail(*_, **__):
        raise MappingError("two problems", place="a.toml", problems=problems)

    monkeypatch.setattr("stranglerfig.commands.screen.config.load", fail)
    status, _, err = run("-w", workspace, "route", "list")
    assert status == 4
    assert "- first" in err
    assert "- second [b]" in err, "what looks like markup is printed as it is"
    assert "mend it" in err


@pytest.mark.parametrize("error", [RouteError("no"), StoreUnavailable("gone"), ConfigError("x")])
def test_whatever_is_raised_of_ours_leaves_with_its_status(run, workspace, monkeypatch, error):
    def fail(*_, **__):
        raise error

    monkeypatch.setattr("stranglerfig.commands.screen.config.load", fail)
    assert run("-w", workspace, "route", "list")[0] == error.exit_status


def test_interrupting_is_130(run, workspace, monkeypatch):
    def interrupt(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("stranglerfig.commands.screen.config.load", interrupt)
    assert run("-w", workspace, "route", "list")[0] == 130


@pytest.mark.parametrize(
    "arguments",
    [
        ("route", "list"),
        ("route", "show", "triage-ticket"),
        ("route", "history", "triage-ticket"),
        ("route", "explain", "triage-ticket", "C-1"),
        ("check",),
        ("route", "pause", "ticket-opened"),
    ],
)
def test_json_is_one_value_a_line_and_nothing_else(run, workspace, arguments):
    _, out, _ = run("-w", workspace, *arguments, "--json")
    values = [json.loads(line) for line in out.splitlines()]
    assert all(isinstance(value, dict) for value in values)
    assert values or "history" in arguments


def test_a_check_that_fails_says_so_in_json_too(run, workspace):
    """The example's legacy database is made by its service, which does not run here."""
    status, out, _ = run("-w", workspace, "check", "--json")
    assert status == 6
    found = {value["part"]: value for value in map(json.loads, out.splitlines())}
    assert found["fig.toml"]["ok"] is True
    wrong = found["legacy.tickets"]
    assert (wrong["ok"], wrong["error"]) == (False, "LegacyUnavailable")
    assert "helpdesk.db" in wrong["place"]
    assert wrong["remedy"]


def test_the_table_of_routes(run, workspace):
    status, out, err = run("-w", workspace, "route", "list")
    assert (status, err) == (0, "")
    assert "triage-ticket" in out
    assert len([line for line in out.splitlines() if " hold " in line]) == 2, "a row a line"


def test_colours_are_for_terminals_and_for_those_who_want_them(workspace):
    """NO_COLOR (no-color.org) and a pipe mean none; FORCE_COLOR means colours."""
    base = {k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "FORCE_COLOR")}
    command = [sys.executable, "-m", "stranglerfig", "-w", str(workspace), "route", "list"]

    def escapes(**extra):
        env = {**base, "PYTHONPATH": importable(), "TERM": "xterm-256color", **extra}
        done = subprocess.run(command, env=env, check=True, capture_output=True, text=True)
        return "\x1b[3" in done.stdout

    assert not escapes()
    assert escapes(FORCE_COLOR="1")
    assert not escapes(FORCE_COLOR="1", NO_COLOR="1")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts(run, shell):
    status, out, _ = run("completion", shell)
    assert status == 0
    assert "_FIG_COMPLETE" in out


def complete(workspace, words, number):
    env = {"_FIG_COMPLETE": "bash_complete", "COMP_WORDS": words, "COMP_CWORD": str(number)}
    env["FIG_WORKSPACE"] = str(workspace)
    done = CliRunner().invoke(fig, [], env=env, prog_name="fig")
    return {line.partition(",")[2] for line in done.output.splitlines()} - {""}


def test_the_shell_completes_commands_and_endpoints(workspace):
    assert complete(workspace, "fig ro", 1) == {"route"}
    assert "advance" in complete(workspace, "fig route ", 2)
    found = complete(workspace, "fig route show t", 3)
    assert found == {"triage-ticket", "ticket-opened"}


def test_completing_outside_a_workspace_says_nothing(tmp_path):
    assert complete(tmp_path, "fig route show t", 3) == set()


def test_init_makes_a_workspace_that_checks(run, tmp_path):
    root = tmp_path / "new" / "desk"
    status, out, _ = run("init", root, "--example")
    assert status == 0
    assert "made" in out
    status, out, _ = run("-w", root, "route", "list", "--json")
    assert status == 0
    assert [json.loads(line)["stage"] for line in out.splitlines()] == ["legacy", "legacy"]
    status, _, err = run("init", root)
    assert status == 3
    assert "there is a workspace already" in err


def test_init_without_the_example_is_empty_and_right(run, tmp_path):
    status, _, _ = run("init", tmp_path / "empty")
    assert status == 0
    status, out, err = run("-w", tmp_path / "empty", "check", "--json")
    assert status == 0, err
    assert all(json.loads(line)["ok"] for line in out.splitlines())


def test_an_error_in_a_text_shows_the_line_and_a_caret(capfd):
    error = ConfigError("no such clause", place="A.cpy: line 3, column 12", value="PICK")
    error.source = "\t05  A PICK 9.\n"
    error.column = 8
    Screen(workspace=Path()).error(error)
    lines = capfd.readouterr().err.splitlines()
    assert lines[1].index("PICK") == lines[2].index("^")
