"""The reference says what the code says."""

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest
from click.testing import CliRunner

from stranglerfig.cli import _COMMANDS, fig

DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture(scope="module")
def generate() -> ModuleType:
    spec = importlib.util.spec_from_file_location("docs_generate", DOCS / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_generated_parts_are_up_to_date(generate) -> None:
    assert [str(page) for page in generate.stale()] == [], "run: python docs/generate.py"


def test_every_part_stands_on_a_page(generate) -> None:
    found = {
        name
        for page in DOCS.rglob("*.md")
        for name in re.findall(r"<!-- generated: ([\w-]+) -->", page.read_text("utf-8"))
    }
    assert found == set(generate._PARTS)


def test_help_says_what_each_command_says_of_itself() -> None:
    with fig.make_context("fig", [], resilient_parsing=True) as context:
        for name, (_, text) in _COMMANDS.items():
            command = fig.get_command(context, name)
            assert command is not None
            own = " ".join((command.help or "").split())
            assert text.rstrip(".") in own, f"{name}: {text!r} is not in {own!r}"


def test_help_imports_no_command() -> None:
    result = CliRunner().invoke(fig, ["--help"])
    assert result.exit_code == 0
    assert all(f"  {name}" in result.output for name in _COMMANDS)
