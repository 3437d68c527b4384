"""The document for the change board: everything that somebody needs to say yes or no."""

from __future__ import annotations

from .blocks import Code, Document, Heading
from .given import Board
from .plan import plan
from .proof import evidence
from .record import approvals, history
from .risks import risks
from .summary import summary
from .words import day

__all__ = ["document"]


def document(board: Board) -> Document:
    """Write a runbook and its run as a document. Called by ``fig runbook render``."""
    runbook = board.state.runbook
    digest = runbook.digest[:12]
    beneath = f"{board.workspace}, {day(board.state.at)}, runbook {runbook.file} ({digest})"
    return Document(
        title=f"Moving {runbook.endpoint}: runbook {runbook.name}",
        beneath=beneath,
        blocks=[
            *summary(board),
            *risks(board),
            *plan(board),
            *evidence(board),
            *approvals(board),
            *history(board),
            Heading("The runbook as it is written"),
            Code(runbook.text),
        ],
    )
