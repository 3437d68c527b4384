"""From the text of a copybook to its layout: the door of this room."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ..copybook import Copybook, Notice
from .dialect import Dialect
from .entries import read_entries
from .form import Form
from .items import build_items, build_renames, digest
from .library import Library, read_text
from .names import Names
from .placing import place
from .replacing import replace_stated
from .source import Source
from .tokens import Token, tokens
from .tree import grow

__all__ = ["parse_copybook", "read_copybook"]


def read_copybook(
    file: Path,
    *,
    copies: Sequence[Path] = (),
    encoding: str = "utf-8",
    form: Form = "auto",
    decimal_comma: bool = False,
    currency: str = "",
) -> Copybook:
    """Read a copybook from a file; ``encoding`` is that of the source, not of the data.

    Books that it copies are looked for beside it, then in ``copies``. For the rest see
    ``parse_copybook``. Raises ``CopybookError``.
    """
    file = Path(file)
    return parse_copybook(
        read_text(file, encoding),
        str(file),
        copies=(file.parent, *copies),
        encoding=encoding,
        form=form,
        decimal_comma=decimal_comma,
        currency=currency,
    )


def parse_copybook(
    text: str,
    file: str = "copybook",
    *,
    copies: Sequence[Path] = (),
    encoding: str = "utf-8",
    form: Form = "auto",
    decimal_comma: bool = False,
    currency: str = "",
) -> Copybook:
    """Read a copybook from its text; ``file`` names it in errors.

    ``copies``: folders with the books that it copies, and ``encoding`` theirs. ``form``: how it
    stands on the page. ``decimal_comma`` and ``currency`` are DECIMAL-POINT IS COMMA and CURRENCY
    SIGN of the program around it. Raises ``CopybookError`` with line and column at the first
    thing that is wrong; what is doubtful is in the copybook's ``notices``.
    """
    source = Source.of(text, file, form)
    library = Library([Path(folder) for folder in copies], encoding, form)
    found = replace_stated(library.expand(tokens(source), None))
    notices: list[Notice] = []

    def warn(token: Token, message: str) -> None:
        notices.append(
            Notice(file=token.source.file, line=token.line, column=token.column, message=message)
        )

    dialect = Dialect(decimal_comma=decimal_comma, currency=currency)
    tree = grow(read_entries(found, source, dialect, warn))
    if not tree.roots:
        raise source.error(1, 1, "there is no entry in it", expected="entries such as 01 RECORD.")
    names = Names(tree)
    place(tree, names, warn)
    records = build_items(tree, names)
    renames = build_renames(tree, names)
    return Copybook(
        file=file,
        records=records,
        renames=renames,
        digest=digest(records, renames),
        notices=tuple(notices),
    )
