"""What ``fig runbook render`` gathers for the document of a runbook."""

from __future__ import annotations

from collections.abc import Iterator

from .. import app, config
from ..errors import RouteError
from ..migrations.render.given import Board, Proof, Told
from ..migrations.state import RunState
from ..routing.guardrails.evidence import Gathering
from ..store.store import Store
from .evidence_report import make
from .new_runbook import subject_of

__all__ = ["board_of"]


def board_of(
    workspace: config.Workspace, store: Store, state: RunState, *, stale: bool = False
) -> Board:
    """Gather it all, and change nothing. Raises ``ConfigError``, ``StoreError``."""
    name = state.runbook.endpoint
    endpoint = app.endpoint_of(workspace, name)
    subject = subject_of(workspace, name)
    return Board(
        workspace=workspace.name,
        state=state,
        kind=subject.kind,
        operation=endpoint.operation,
        effect=subject.effect,
        legacy=endpoint.legacy or endpoint.listen.source,
        replacement=endpoint.replacement,
        proof=_proof(store, endpoint),
        changes=store.routes.history(name),
        told=list(_told(store, state)),
        stale=stale,
        safety=app.operator(workspace, store, name, who="").safety(),
    )


def _proof(store: Store, endpoint: config.Endpoint) -> Proof | None:
    try:
        report = make(store, endpoint, Gathering(store, endpoint), "")
    except RouteError:  # there is no revision yet
        return None
    return Proof(
        evidence=report.evidence,
        course=report.course,
        alpha=endpoint.guardrail.alpha,
        differences=report.differences,
        looked_at=report.looked_at,
        forecast=report.forecast,
        next=report.next,
        times=report.times,
    )


def _told(store: Store, state: RunState) -> Iterator[Told]:
    if state.run is None:
        return
    for entry in store.journal.read(endpoint=state.runbook.endpoint, kinds=("run",)):
        data = entry.line.data
        if data.get("run") != state.run.id:
            continue
        yield Told(
            at=entry.line.at,
            action=str(data.get("action", "")),
            who=str(data.get("who", "")),
            why=str(data.get("why", "")),
            step=str(data.get("step", "")),
            state=str(data.get("step_state", data.get("state", ""))),
        )
