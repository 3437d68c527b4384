"""The unit and the container file fit the command, the package and each other."""

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner

from stranglerfig.cli import fig
from stranglerfig.settings import BridgeSettings

ROOT = Path(__file__).parents[2]
UNIT = ROOT / "docs/deploy/fig-bridge.service"
CONTAINER = ROOT / "docs/deploy/Containerfile"


def directives():
    lines = [line for line in UNIT.read_text("utf-8").splitlines() if re.match(r"\w+=", line)]
    return [tuple(line.split("=", 1)) for line in lines]


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not here")
def test_systemd_takes_the_unit(tmp_path):
    """All of it; with a program that is there in the place of ours."""
    unit = tmp_path / UNIT.name
    text = UNIT.read_text("utf-8").replace("/opt/stranglerfig/bin/fig", sys.executable)
    unit.write_text(text, "utf-8")
    found = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(unit)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (found.returncode, found.stderr) == (0, "")


def test_the_unit_runs_what_there_is():
    unit = dict(directives())
    assert unit["Type"] == "notify"
    assert unit["ExecReload"] == "/bin/kill -HUP $MAINPID"
    _, *arguments = unit["ExecStart"].split()
    shown = CliRunner().invoke(fig, [*arguments, "--help"])
    assert shown.exit_code == 0
    assert "Run the bridge" in shown.output
    assert int(unit["TimeoutStopSec"]) > BridgeSettings().drain + 10


def test_the_container_is_built_of_what_there_is_and_asks_itself():
    text = CONTAINER.read_text("utf-8")
    extras = re.search(r"/src\[([\w,]+)\]", text)[1].split(",")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert set(extras) <= project["optional-dependencies"].keys()
    entries = project["entry-points"]
    parts = {*entries["stranglerfig.adapters"], *entries["stranglerfig.providers"]}
    missing = [part for part in parts - {*extras} if project["optional-dependencies"][part]]
    assert missing == [], "what fig.toml may name cannot be imported"
    command = re.search(r"^CMD (\[.*\])$", text, re.MULTILINE)[1]
    arguments = re.findall(r'"([^"]*)"', command)
    assert CliRunner().invoke(fig, [*arguments, "--help"]).exit_code == 0
    assert f"http://{arguments[-1]}/live" in text
    assert re.search(r"^USER \d+:\d+$", text, re.MULTILINE), "not root, and by number"


def test_everything_that_the_container_copies_is_there():
    """From the folder that it is built of, or from the stage before, which made it."""
    stages: dict[str, str] = {}
    name = ""
    for line in CONTAINER.read_text("utf-8").replace("\\\n", " ").splitlines():
        word, _, rest = line.partition(" ")
        if word == "FROM":
            name = rest.partition(" AS ")[2] or "last"
            stages[name] = ""
        elif word == "COPY":
            *flags, source, _ = rest.split()
            if flags:
                assert source in stages[flags[0].removeprefix("--from=")]
            else:
                assert (ROOT / source).exists()
        elif name:
            stages[name] += rest
    assert list(stages) == ["build", "last"]


def test_nothing_that_pip_needs_is_left_out_of_the_container():
    ignored = (ROOT / ".containerignore").read_text("utf-8").split("\n")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    needed = {"pyproject.toml", project["project"]["readme"], *project["project"]["license-files"]}
    packages = project["tool"]["setuptools"]["packages"]
    needed |= {name.split(".")[1] for name in packages if "." in name}
    assert not needed & {*ignored}
