"""The one error tree.

::

    FigError
    ├── ConfigError          the workspace is written wrongly: mend the file
    ├── InputError           what came in cannot be taken: refuse it, keep it
    │   ├── MappingError     a record does not fit its mapping
    │   ├── ContractError    a payload does not fit its operation
    │   ├── EnvelopeError    a message is not well formed or not allowed
    │   └── Conflict         an id came again with another body
    ├── LegacyError          the legacy side failed
    │   ├── LegacyUnavailable  nothing was sent: safe to try again
    │   ├── SchemaDrift        its columns are not those that were agreed on: the source pauses
    │   └── InDoubt            it was sent and no answer came: reconcile, never resend blindly
    ├── ReplacementError     the replacement failed: answer from legacy
    │   ├── Declined           it says that it did nothing: a write may go elsewhere
    │   ├── ReplacementUnavailable
    │   │   └── NotAsked       nothing of the request reached it: a write may go elsewhere
    │   │       └── CircuitOpen  it failed too often just now: nobody asks it for a while
    │   └── DeadlineExceeded
    ├── StoreError           our own store failed
    │   ├── StoreUnavailable   try again later; nothing was written
    │   └── Overtaken          somebody else was first: look again, and decide anew
    ├── RouteError           a change of a route is not allowed
    │   └── RouteConflict      somebody else changed it first: read it again
    ├── RunbookError         a runbook cannot be begun, gone on with or undone as it stands
    │   └── RunConflict        somebody else changed the run first: read it again
    └── MissingExtra         an optional dependency is not installed

Classes follow what the reader does next. Every error names the place, the value found, what was
expected and the remedy; the ``fig`` command prints them in that shape and leaves with
``exit_status``.
"""

from __future__ import annotations

from typing import ClassVar

__all__ = [
    "CircuitOpen",
    "ConfigError",
    "Conflict",
    "ContractError",
    "DeadlineExceeded",
    "Declined",
    "EnvelopeError",
    "FigError",
    "InDoubt",
    "InputError",
    "LegacyError",
    "LegacyUnavailable",
    "MappingError",
    "MissingExtra",
    "NotAsked",
    "Overtaken",
    "ReplacementError",
    "ReplacementUnavailable",
    "RouteConflict",
    "RouteError",
    "RunConflict",
    "RunbookError",
    "SchemaDrift",
    "StoreError",
    "StoreUnavailable",
]


class FigError(Exception):
    """Something that stranglerfig refuses or could not do.

    ``place``: file and key, path, offset or address. ``value``: what was found there (masked by the
    caller where it is tagged). ``expected``: what would have been right. ``remedy``: what to do.

    Where the place is in a text that people wrote, ``source`` is its line as it stands there and
    ``column`` where in it, from 1 (0: nobody knows); the ``fig`` command draws a caret under it.
    """

    exit_status: ClassVar[int] = 1
    source: str = ""
    column: int = 0
    problems: tuple[FigError, ...] = ()
    """All that is wrong, each apart, where one error stands for several."""

    def __init__(
        self,
        message: str,
        *,
        place: str = "",
        value: str = "",
        expected: str = "",
        remedy: str = "",
    ) -> None:
        super().__init__(message)
        self.message = message
        self.place = place
        self.value = value
        self.expected = expected
        self.remedy = remedy

    def __str__(self) -> str:
        """Say all of it on one line, for logs and journal lines."""
        parts = [f"{self.place}: {self.message}" if self.place else self.message]
        for name in ("value", "expected", "remedy"):
            text = getattr(self, name)
            if text:
                parts.append(f"{name}: {text}")
        return "; ".join(parts)

    def as_dict(self) -> dict[str, str]:
        """Give the parts by name, for ``--json`` and for journal lines."""
        return {
            "error": type(self).__name__,
            "message": self.message,
            "place": self.place,
            "value": self.value,
            "expected": self.expected,
            "remedy": self.remedy,
        }


class ConfigError(FigError):
    """A file of the workspace is written wrongly."""

    exit_status = 3


class InputError(FigError):
    """What came in cannot be taken; it is refused and kept."""

    exit_status = 4


class MappingError(InputError):
    """A record does not fit its mapping. ``problems`` holds all of the record's errors."""

    def __init__(
        self,
        message: str,
        *,
        place: str = "",
        value: str = "",
        expected: str = "",
        remedy: str = "",
        problems: tuple[FigError, ...] = (),
    ) -> None:
        super().__init__(message, place=place, value=value, expected=expected, remedy=remedy)
        self.problems = problems


class ContractError(InputError):
    """A payload does not fit the contract of its operation."""


class EnvelopeError(InputError):
    """A message is not well formed, too large, or holds what is not allowed."""


class Conflict(InputError):
    """An id came again with another body: one of the two is wrong, and a person must say which."""


class LegacyError(FigError):
    """The legacy side failed."""

    exit_status = 6


class LegacyUnavailable(LegacyError):
    """The legacy system was not reached: nothing was sent, so trying again is safe."""


class SchemaDrift(LegacyError):
    """What legacy sends has changed its shape: nothing is taken until somebody has looked."""


class InDoubt(LegacyError):
    """A call was sent and no answer came: it may have had its effect."""


class ReplacementError(FigError):
    """The replacement failed."""

    exit_status = 7


class Declined(ReplacementError):
    """The replacement refuses the request, and has done nothing of it."""


class ReplacementUnavailable(ReplacementError):
    """The replacement cannot be asked: its process, model or provider is gone."""


class NotAsked(ReplacementUnavailable):
    """The replacement was not asked: nothing of the request has reached it, so nothing happened."""


class CircuitOpen(NotAsked):
    """The replacement failed so often that nobody asks it for a while."""


class DeadlineExceeded(ReplacementError):
    """The replacement gave no answer in its time."""


class StoreError(FigError):
    """Our own store failed."""

    exit_status = 8


class StoreUnavailable(StoreError):
    """The store cannot be written now; nothing was written."""


class Overtaken(StoreError):
    """What a write was decided on had changed before it was written; nothing was written."""


class RouteError(FigError):
    """A change of a route is not allowed as things stand."""

    exit_status = 5


class RunbookError(FigError):
    """A runbook cannot be begun, gone on with or undone as it stands."""

    exit_status = 10


class RunConflict(RunbookError):
    """Somebody else changed the run first."""


class RouteConflict(RouteError):
    """Somebody else changed the route first."""


class MissingExtra(FigError):
    """An optional dependency is not installed."""

    exit_status = 9
