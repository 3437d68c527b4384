"""Draws ``docs/demo.svg`` from a real run: ``python docs/picture.py`` runs the demo and records it.

``python docs/picture.py FILE`` takes the recorded output of a run (with colours) instead.
"""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.text import Text

WIDTH: Final = 100
PICTURE: Final = Path(__file__).with_name("demo.svg")

_RUN: Final = re.compile(
    r'(<text [^>]*x=")([\d.]+)(" y="[^"]*" textLength=")([\d.]+)("[^>]*>)([^<]*)</text>'
)
_CELL: Final = re.compile(r"&[^;]+;|.")
_SPACE: Final = "&#160;"


def recorded() -> str:
    """Run the demo; give what it printed, colours and all, without the moving progress bar."""
    colours = {"TTY_COMPATIBLE": "1", "TTY_INTERACTIVE": "0", "COLUMNS": str(WIDTH)}
    done = subprocess.run(
        [sys.executable, "-m", "stranglerfig", "demo"],
        env={**os.environ, **colours},
        stdout=subprocess.PIPE,
        check=True,
    )
    return done.stdout.decode()


def drawn(output: str) -> str:
    """Draw a terminal's output. Nothing is fetched from elsewhere to show it."""
    console = Console(record=True, width=WIDTH, file=io.StringIO(), color_system="truecolor")
    console.print(Text.from_ansi(f"$ make demo\n{output.rstrip()}"))
    picture = console.export_svg(title="stranglerfig")
    picture = re.sub(r"@font-face \{.*?\}", "", picture, flags=re.DOTALL)
    picture = picture.replace("Fira Code", "DejaVu Sans Mono")
    return _RUN.sub(_words, picture)


def _words(run: re.Match[str]) -> str:
    """Give each word its own place: not every viewer keeps spaces, or has every character."""
    head, x, middle, length, tail, text = run.groups()
    cells = _CELL.findall(text)
    words: dict[int, list[str]] = {}
    begun = 0
    for place, cell in enumerate(cells):
        if cell == _SPACE:
            begun = place + 1
        else:
            words.setdefault(begun, []).append(cell)
    wide = float(length) / max(1, len(cells))
    return "".join(
        f"{head}{float(x) + place * wide:.1f}{middle}{len(word) * wide:.1f}{tail}"
        f"{''.join(word)}</text>"
        for place, word in words.items()
    )


def main() -> None:
    """Write the picture."""
    output = Path(sys.argv[1]).read_text("utf-8") if len(sys.argv) > 1 else recorded()
    PICTURE.write_text(drawn(output), "utf-8")


if __name__ == "__main__":
    main()
