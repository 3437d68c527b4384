"""The house rules that a machine can hold us to."""

import ast
import functools
import sys
import tomllib
from pathlib import Path
from statistics import median

import pytest

ROOT = Path(__file__).parents[1]
OUTSIDE = {"tests", "benchmarks", "examples", "docs", "fuzz", "build", "dist"}
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))


@functools.cache
def _sources() -> list[Path]:
    found = [
        file
        for file in ROOT.rglob("*.py")
        if file.relative_to(ROOT).parts[0] not in OUTSIDE
        and not any(part.startswith(".") for part in file.relative_to(ROOT).parts)
    ]
    assert len(found) > 50
    return found


@functools.cache
def _definitions() -> list[tuple[Path, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef]]:
    return [
        (file, node)
        for file in _sources()
        for node in ast.walk(ast.parse(file.read_text("utf-8")))
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef))
    ]


def test_every_package_is_declared_and_every_declared_one_is_there() -> None:
    folders = {file.parent.relative_to(ROOT) for file in _sources()}
    packages = {".".join(("stranglerfig", *folder.parts)) for folder in folders}
    assert packages == set(PYPROJECT["tool"]["setuptools"]["packages"])


def test_no_module_at_the_root_hides_one_of_the_standard_library() -> None:
    names = {file.stem for file in ROOT.glob("*.py")} | {
        folder.name for folder in ROOT.iterdir() if (folder / "__init__.py").exists()
    }
    assert not names & sys.stdlib_module_names


def test_files_stay_small() -> None:
    lengths = {file: len(file.read_text("utf-8").splitlines()) for file in _sources()}
    assert median(lengths.values()) <= 120
    assert not [str(file) for file, length in lengths.items() if length > 300]


def test_functions_stay_short() -> None:
    spans = [
        (node.end_lineno - node.lineno + 1, f"{file.name}:{node.name}")
        for file, node in _definitions()
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.end_lineno
    ]
    assert not [name for length, name in spans if length > 60]
    assert sorted(length for length, _ in spans)[int(len(spans) * 0.9)] <= 30


@pytest.mark.parametrize("word", ["Manager", "Helper", "Utils"])
def test_no_class_is_named_for_nothing(word: str) -> None:
    assert not [
        node.name
        for _, node in _definitions()
        if isinstance(node, ast.ClassDef) and word in node.name
    ]


def test_extras_are_complete() -> None:
    extras = PYPROJECT["project"]["optional-dependencies"]
    entries = PYPROJECT["project"]["entry-points"]
    for group in ("adapters", "providers"):
        for name in entries[f"stranglerfig.{group}"]:
            assert name in extras, f"no extra for {name}"
            assert name in extras["all"][0]
