"""What is shipped: the wheel holds all that the package needs, and nothing else."""

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import venv
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
BESIDE = ("tests", "benchmarks", "docs", "fuzz", "build", "dist", ".*", "*.egg-info", "__pycache__")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    shutil.copytree(ROOT, folder / "source", ignore=shutil.ignore_patterns(*BESIDE))
    command = ["-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    where = ["--wheel-dir", str(folder), str(folder / "source")]
    made = subprocess.run(
        [sys.executable, *command, *where], check=False, capture_output=True, text=True
    )
    assert made.returncode == 0, made.stderr
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def names(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as opened:
        return set(opened.namelist())


@pytest.fixture(scope="module")
def fig(wheel: Path) -> Iterator[Callable[..., subprocess.CompletedProcess[str]]]:
    """Run the wheel's own ``fig`` in an empty folder, far from the checkout.

    As the container does it: in an environment of its own, as a user who is not root (where that
    one may run this Python).
    """
    # Not below pytest's folders: those are for one user only.
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        folder.chmod(0o755)
        environment, empty = folder / "environment", folder / "empty"
        venv.create(environment, symlinks=True)
        python = environment / "bin" / "python"
        # What it depends on is taken from where these tests run; nothing is fetched.
        (site,) = environment.glob("lib/python*/site-packages")
        (site / "dependencies.pth").write_text(f"{sysconfig.get_path('purelib')}\n")
        options = ["--quiet", "--no-deps", "--no-index", "--no-compile"]
        install = [sys.executable, "-m", "pip", "--python", str(python), "install", *options]
        subprocess.run([*install, str(wheel)], check=True)
        empty.mkdir()
        used = (python.resolve(), Path(sysconfig.get_path("purelib")))
        reached = all(above.stat().st_mode & 0o001 for one in used for above in one.parents)
        other = {"user": 65534, "group": 65534} if os.geteuid() == 0 and reached else {}
        if other:
            os.chown(empty, 65534, 65534)
        path = f"{environment / 'bin'}{os.pathsep}{os.defpath}"

        def run(*arguments: str) -> subprocess.CompletedProcess[str]:
            return subprocess.run(
                ["fig", *arguments],
                cwd=empty,
                env={"PATH": path, "HOME": str(empty), "FIG_WHO": "ada"},
                check=False,
                capture_output=True,
                text=True,
                **other,
            )

        yield run


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


def test_what_is_installed_runs_without_the_checkout(fig) -> None:
    said = fig("--version")
    assert (said.returncode, said.stderr) == (0, "")
    assert fig("bridge", "run", "--help").returncode == 0
    assert fig("demo", "--help").returncode == 0


def test_a_workspace_is_made_and_checked_with_what_is_installed(fig) -> None:
    """As the tutorial begins: templates, migrations, adapters and converters are all there."""
    made = fig("init", "desk", "--example")
    assert made.returncode == 0, made.stderr
    checked = fig("-w", "desk", "check", "--json")
    parts = [json.loads(line) for line in checked.stdout.splitlines()]
    wrong = {part["part"]: part["says"] for part in parts if not part["ok"]}
    # Its legacy database is made when the service is started first.
    assert wrong.keys() <= {"legacy.tickets"}, wrong
    assert {"store", "endpoint.triage-ticket", "replacement.triage"} <= {p["part"] for p in parts}
    plain = fig("init", "plain")
    assert plain.returncode == 0, plain.stderr
    assert fig("-w", "plain", "check").returncode == 0


def test_a_bridge_begins_and_ends_with_what_is_installed(fig) -> None:
    fig("init", "bridged")
    started = fig("-w", "bridged", "bridge", "run", "--json", "--health", "nowhere")
    assert started.returncode == 3, "it read all it needs, and found an address that is none"
    assert "not an address" in started.stderr
