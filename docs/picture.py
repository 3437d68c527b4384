"""Draws ``docs/demo.svg`` from a real run: ``python docs/picture.py`` runs the demo and records it.

``python docs/picture.py FILE`` takes the recorded output of a run (with colours) instead.
"""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.text import Text

WIDTH: Final = 100
PICTURE: Final = Path(__file__).with_name("demo.svg")


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


def main() -> None:
    """Write the picture."""
    output = Path(sys.argv[1]).read_text("utf-8") if len(sys.argv) > 1 else recorded()
    console = Console(record=True, width=WIDTH, file=io.StringIO(), color_system="truecolor")
    console.print(Text.from_ansi(f"$ make demo\n{output.rstrip()}"), soft_wrap=True)
    PICTURE.write_text(console.export_svg(title="stranglerfig"), "utf-8")


if __name__ == "__main__":
    main()
