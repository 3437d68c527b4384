"""What is shipped: the wheel holds all that the package needs, and nothing else."""

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
BESIDE = ("tests", "benchmarks", "docs", "fuzz", "build", "dist", ".*", "*.egg-info", "__pycache__")


@pytest.fixture(scope="module")
def names(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    folder = tmp_path_factory.mktemp("wheel")
    shutil.copytree(ROOT, folder / "source", ignore=shutil.ignore_patterns(*BESIDE))
    command = ["-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    where = ["--wheel-dir", str(folder), str(folder / "source")]
    made = subprocess.run(
        [sys.executable, *command, *where], check=False, capture_output=True, text=True
    )
    assert made.returncode == 0, made.stderr
    with zipfile.ZipFile(next(folder.glob("*.whl"))) as wheel:
        return set(wheel.namelist())


@pytest.mark.parametrize(
    "name",
    [
        "py.typed",
        "ai/vocabulary.txt",
        "examples/helpdesk/fig.toml",
        "examples/helpdesk/acl/triage_ticket.toml",
        "examples/helpdesk/operations/ticket.triage@1.toml",
        "examples/helpdesk/legacy/server.py",
        "examples/helpdesk/legacy/helpdesk.wsdl",
        "examples/helpdesk/legacy/keywords.csv",
        "fixtures/messages.csv",
        "migrations/schema/versions/v0001_first.py",
        "migrations/schema/versions/v0002_vault.py",
    ],
)
def test_what_is_needed_is_there(names: set[str], name: str) -> None:
    assert f"stranglerfig/{name}" in names


def test_every_module_of_the_package_is_there(names: set[str]) -> None:
    skipped = {"tests", "benchmarks", "docs", "fuzz", "build", "dist"}
    for file in ROOT.rglob("*.py"):
        parts = file.relative_to(ROOT).parts
        if parts[0] not in skipped and not any(part.startswith(".") for part in parts):
            assert "/".join(("stranglerfig", *parts)) in names


def test_nothing_else_is_there(names: set[str]) -> None:
    tops = {name.split("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"stranglerfig"}
    assert not [name for name in names if "/tests/" in name or name.endswith((".db", ".log"))]
