"""The long-running daemon that takes deliveries from sources through all of this."""

from .bridge import Bridge
from .lane import Bury, Limits, Take
from .retry import Backoff, Retries
from .status import SourceStatus, Status

__all__ = ["Backoff", "Bridge", "Bury", "Limits", "Retries", "SourceStatus", "Status", "Take"]
