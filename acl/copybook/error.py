"""The error of a copybook: it names the file, the line and the column, and shows the line."""

from __future__ import annotations

from ...errors import ConfigError

__all__ = ["CopybookError"]

_SHOWN = 200
"""Characters of a source line that an error repeats."""


class CopybookError(ConfigError):
    """A copybook is written wrongly, or asks for what is refused.

    ``file``, ``line`` and ``column`` (both from 1, 0 where the whole file is meant) say where;
    ``source`` is that line as it stands, so that a caret can be put under ``column``.
    """

    def __init__(
        self,
        message: str,
        *,
        file: str,
        line: int = 0,
        column: int = 0,
        source: str = "",
        expected: str = "",
        remedy: str = "",
    ) -> None:
        place = f"{file}: line {line}, column {column}" if line else file
        value = source.strip()
        if len(value) > _SHOWN:
            value = value[:_SHOWN] + "…"
        super().__init__(message, place=place, value=value, expected=expected, remedy=remedy)
        self.file = file
        self.line = line
        self.column = column
        self.source = source
