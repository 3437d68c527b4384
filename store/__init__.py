"""The journal and every other table of ours."""

from .claims import Claimed
from .dead_letters import DeadLetters, Kept
from .evidence import Counts, Evidence
from .inbox import Inbox
from .journal import Journal
from .line import Entry, Line
from .routes import Change, Routes
from .store import Store
from .write import DeadLetter, InboxMark, Write

__all__ = [
    "Change",
    "Claimed",
    "Counts",
    "DeadLetter",
    "DeadLetters",
    "Entry",
    "Evidence",
    "Inbox",
    "InboxMark",
    "Journal",
    "Kept",
    "Line",
    "Routes",
    "Store",
    "Write",
]
