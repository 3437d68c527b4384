"""COPY: other copybooks that one takes in, and the folders that they are found in."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from .cursor import Cursor
from .form import Form
from .limits import MAX_COPY_DEPTH, MAX_SOURCE, MAX_TOKENS
from .names import near
from .replacing import read_pairs, replace
from .source import Source
from .tokens import Token, tokens

__all__ = ["Library", "read_text"]

_ENDINGS = ("", ".cpy", ".cob", ".cbl", ".copy", ".txt")


def read_text(path: Path, encoding: str) -> str:
    """Read a source file.

    Raises ``CopybookError`` where there is none, or its bytes are not in that encoding: nothing is
    guessed, as a wrong guess goes unnoticed until a literal or a name differs.
    """
    place = Source(str(path), (), _NOWHERE)
    try:
        if path.exists() and not path.is_file():
            raise place.error(0, 0, "the copybook cannot be read: it is no file", expected="a file")
        if path.stat().st_size > MAX_SOURCE:
            raise place.error(
                0, 0, f"the file has {path.stat().st_size} bytes", expected=f"at most {MAX_SOURCE}"
            )
        data = path.read_bytes()
    except (OSError, ValueError) as error:  # ValueError: no file can have that name
        raise place.error(
            0,
            0,
            f"the copybook cannot be read: {getattr(error, 'strerror', '') or error}",
            expected="a readable file",
            remedy="correct the path, or the file's permissions",
        ) from error
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        column = error.start - (data.rfind(b"\n", 0, error.start) + 1) + 1
        raise place.error(
            line,
            column,
            f"byte {data[error.start]:02X} at offset {error.start} is not {encoding}",
            expected=f"text in {encoding}",
            remedy=_other_encoding(data),
        ) from None
    except LookupError:
        raise place.error(
            0,
            0,
            f"there is no encoding {encoding!r}",
            expected="a name that Python knows, such as utf-8, latin-1 or cp037",
        ) from None


def _other_encoding(data: bytes) -> str:
    """Say which encoding may be meant."""
    if data.count(b"\x40") > len(data) // 8 and data.count(b" ") <= len(data) // 50:
        return "it looks like EBCDIC: say encoding = 'cp037' or its own code page"
    return "say which encoding it has, for example encoding = 'latin-1' or 'cp1252'"


class Library:
    """Finds copybooks by name: beside the file that copies, then in the given folders."""

    def __init__(self, folders: Sequence[Path], encoding: str, form: Form) -> None:
        self._folders = tuple(folders)
        self._encoding = encoding
        self._form: Form = form
        self._known: dict[Path, list[Token]] = {}
        self._listed: dict[Path, dict[str, Path]] = {}
        self._words = 0

    def expand(
        self, found: list[Token], beside: Path | None, inside: tuple[Path, ...] = ()
    ) -> list[Token]:
        """Put the text of each copied book where its COPY stands.

        Raises ``CopybookError`` where one is not found, copies itself, or all become too much.
        """
        if not any(token.key in {"COPY", "INCLUDE", "++INCLUDE"} for token in found):
            return found
        done: list[Token] = []
        cursor = Cursor(found, found[0].source)
        while not cursor.done:
            token = cursor.take()
            if not _begins_copy(token, cursor):
                done.append(token)
                continue
            copied = self._copy(token.key, cursor, beside, inside)
            self._words += len(copied)
            if self._words > MAX_TOKENS:
                raise token.error(
                    f"the copied text has more than {MAX_TOKENS} words",
                    expected="less text",
                    remedy="do copybooks copy others many times over?",
                )
            done.extend(copied)
        return done

    def _copy(
        self, statement: str, cursor: Cursor, beside: Path | None, inside: tuple[Path, ...]
    ) -> list[Token]:
        """Read the rest of one statement, COPY or the like, and what it takes in."""
        place = cursor.peek()
        name = _file_name(cursor)
        library = _file_name(cursor) if cursor.accept("OF", "IN") else ""
        cursor.accept("SUPPRESS")
        pairs = read_pairs(cursor) if cursor.accept("REPLACING") else []
        if statement == "EXEC":
            cursor.expect({"END-EXEC"}, "END-EXEC")
        if not cursor.accept(".") and statement == "COPY" and not cursor.done:
            cursor.expect({"."}, "a period at the end of COPY")
        assert place is not None  # noqa: S101  # _file_name has taken it
        path = self._find(name, library, beside, place)
        if path in inside or len(inside) >= MAX_COPY_DEPTH:
            chain = " copies ".join(found.name for found in (*inside[-5:], path))
            raise place.error(
                f"copybooks copy one another: {chain}",
                expected=f"at most {MAX_COPY_DEPTH} inside one another, none twice",
                remedy="take one COPY away",
            )
        if path not in self._known:
            text = read_text(path, self._encoding)
            self._known[path] = tokens(Source.of(text, str(path), self._form))
        copied = self.expand(self._known[path], path.parent, (*inside, path))
        return replace(copied, pairs) if pairs else copied

    def _find(self, name: str, library: str, beside: Path | None, place: Token) -> Path:
        """Find a copybook, whatever the case of its name and the ending of its file."""
        folders = [folder for folder in (beside, *self._folders) if folder is not None]
        if library:
            folders = [*(self._below(folder, library) for folder in folders), *folders]
        for folder in folders:
            files = self._list(folder)
            for ending in _ENDINGS:
                found = files.get((name + ending).lower())
                if found is not None and found.is_file():
                    return found
        known = sorted(
            {Path(file).stem.upper() for folder in folders for file in self._list(folder)}
        )
        raise place.error(
            f"the copybook {name} is not found",
            expected="a file of that name, also with .cpy, .cob or .cbl, in "
            + (", ".join(str(folder) for folder in folders) or "a folder: none is given"),
            remedy=near(name, known) or "name its folder in copies",
        )

    def _below(self, folder: Path, library: str) -> Path:
        files = self._list(folder)
        return files.get(library.lower(), folder / library)

    def _list(self, folder: Path) -> dict[str, Path]:
        """Give what is in a folder by lower-case name; nothing where it is none."""
        if folder not in self._listed:
            try:
                entries = sorted(folder.iterdir())
            except (OSError, ValueError):
                entries = []
            self._listed[folder] = {entry.name.lower(): entry for entry in entries}
        return self._listed[folder]


def _begins_copy(token: Token, cursor: Cursor) -> bool:
    """Say whether a statement begins that takes in a copybook, and pass over its other words.

    Beside COPY there are ``EXEC SQL INCLUDE name END-EXEC`` and Panvalet's ``++INCLUDE name``.
    """
    if token.key == "EXEC" and cursor.key() == "SQL" and cursor.key(1) == "INCLUDE":
        cursor.take()
        cursor.take()
        return True
    return token.key in {"COPY", "++INCLUDE"} and not token.glued


def _file_name(cursor: Cursor) -> str:
    """Take the name of a copybook: a word or a literal. It is a name, never a path."""
    token = cursor.peek()
    if token is not None and token.kind == "literal":
        name = cursor.take().value
    else:
        name = cursor.word("the name of a copybook").text
        while (part := cursor.peek()) is not None and part.glued:
            after = cursor.peek(1)
            if part.text != "." or after is None or not after.glued:
                break
            cursor.take()
            name += "." + cursor.take().text
    if not name or "/" in name or "\\" in name or "\x00" in name or name in {".", ".."}:
        assert token is not None  # noqa: S101  # there was a name
        raise token.error(
            f"{name[:40]!r} is not the name of a copybook",
            expected="a name; folders are given beside it",
            remedy="name its folder in copies",
        )
    return name


_NOWHERE = Source.of("", "").margins
