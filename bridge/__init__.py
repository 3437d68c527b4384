"""The long-running daemon that takes deliveries from sources through all of this."""

from .bridge import Bridge
from .gate import Gate
from .limits import Limits
from .retry import Backoff, Retries
from .status import SourceStatus, Status
from .taking import Bury, Take

__all__ = [
    "Backoff",
    "Bridge",
    "Bury",
    "Gate",
    "Limits",
    "Retries",
    "SourceStatus",
    "Status",
    "Take",
]
