"""A runbook as it stands, for programs."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from ..migrations.ports import Met
from ..migrations.state import GateState, RunState, StepState
from ..store.run import Run

__all__ = ["run_as_json", "state_as_json"]


def state_as_json(state: RunState) -> Mapping[str, object]:
    """Give a state by names; times are in seconds since the epoch."""
    runbook = state.runbook
    return {
        "runbook": runbook.name,
        "endpoint": runbook.endpoint,
        "owner": runbook.owner,
        "why": runbook.why,
        "expires": runbook.expires,
        "digest": runbook.digest,
        "run": None if state.run is None else run_as_json(state.run),
        "route": state.route,
        "at": state.at,
        "steps": [_step(one) for one in state.steps],
        "waits": state.waits,
        "next": state.command,
        "applied_by": state.holder,
    }


def run_as_json(run: Run) -> Mapping[str, object]:
    """Give a run by names, without the text of its runbook."""
    kept = msgspec.structs.asdict(run)
    del kept["text"]
    return kept


def _step(one: StepState) -> Mapping[str, object]:
    step = one.step
    return {
        "name": step.name,
        "do": step.do,
        "with": step.act,
        "why": step.why,
        "state": one.state,
        "gates": [_gate(gate) for gate in one.gates],
        "would_change": one.changes,
        "blocked": one.blocked,
        "undo": step.undo if step.undo_by is None else "instead",
        "final": one.final,
        "timeout": step.timeout,
        "on_timeout": step.on_timeout,
        "deadline": one.deadline,
        "approvals": one.approvals,
        "record": one.record,
    }


def _gate(gate: GateState) -> Mapping[str, object]:
    return {
        "gate": gate.name,
        "asks": gate.asks,
        "open": None if gate.seen is None else isinstance(gate.seen, Met),
        "seen": gate.seen,
    }
