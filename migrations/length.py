"""A length of time among the options of an act or a gate."""

from __future__ import annotations

from ..errors import ConfigError
from .span import Span, seconds

__all__ = ["length"]


def length(span: Span, key: str) -> float:
    """Give it in seconds. Called while options are read, which say where they stand.

    Raises ``ValueError`` where it is none.
    """
    try:
        return seconds(span, key)
    except ConfigError as error:
        raise ValueError(f"{key} is no length of time: {error.expected}") from None
