"""Every block of every page: commands and programs are run, TOML is read, links lead somewhere."""

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
BLOCK = re.compile(
    r"^(?:<!-- (?P<mark>[^\n]*?) -->\n)?```(?P<kind>\w+)\n(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)|!\[[^\]]*\]\(([^)\s]+)\)")
MOST_NOT_RUN = 12


def _name(page: Path) -> str:
    return str(page.relative_to(ROOT))


def _blocks(page: Path) -> list[tuple[str, str, str]]:
    found = BLOCK.finditer(page.read_text("utf-8"))
    return [(one["kind"], one["mark"] or "", one["text"]) for one in found]


def _commands(text: str) -> list[tuple[str, str]]:
    """Part a console block into commands and what each of them prints."""
    found: list[tuple[str, str]] = []
    for line in text.splitlines():
        if line.startswith("$ "):
            found.append((line[2:], ""))
        elif found and found[-1][0].endswith("\\"):
            found[-1] = (f"{found[-1][0][:-1]}{line.strip()}", "")
        else:
            command, output = found[-1]
            found[-1] = (command, f"{output}{line}\n")
    return found


@pytest.mark.process
@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_what_a_page_shows_is_so(page, terminal) -> None:
    for kind, mark, text in _blocks(page):
        if mark.startswith("not run: "):
            continue
        if kind == "toml":
            tomllib.loads(text)
        if mark.startswith("file: "):
            terminal.write(mark.removeprefix("file: "), text)
        elif mark.startswith("job "):
            terminal.heard(int(mark.split()[1]), text)
        elif kind == "python":
            terminal.write("block.py", text)
            terminal.run("python block.py", "")
        elif kind == "console":
            for command, output in _commands(text):
                terminal.run(command, output)


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_blocks_are_of_a_kind_that_is_tested(page) -> None:
    fences = len(re.findall(r"^```", page.read_text("utf-8"), re.MULTILINE))
    assert fences == 2 * len(_blocks(page))
    assert {kind for kind, _, _ in _blocks(page)} <= {"console", "python", "toml", "text", "csv"}


def test_few_blocks_are_not_run() -> None:
    marks = [mark for page in PAGES for _, mark, _ in _blocks(page)]
    skipped = [mark for mark in marks if mark.startswith("not run: ")]
    assert all(len(mark) > len("not run: because") for mark in skipped), "each says why"
    assert len(skipped) <= MOST_NOT_RUN


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_links_lead_somewhere(page) -> None:
    for link in (a or b for a, b in LINK.findall(page.read_text("utf-8"))):
        if "://" in link:
            continue
        file, _, anchor = link.partition("#")
        target = (page.parent / file).resolve() if file else page
        assert target.exists(), link
        if anchor:
            titles = re.findall(r"^#+ (.*)$", target.read_text("utf-8"), re.MULTILINE)
            assert anchor in {_anchor(title) for title in titles}, link


def _anchor(title: str) -> str:
    return re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")
