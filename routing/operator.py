"""Changes of a route: each checked, made by compare-and-swap, and put into the history."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Final

import msgspec

from ..config import Endpoint
from ..model import Data, Route, Side, Stage, Step
from ..store.dual_work import Lag
from ..store.store import Store
from .allowed import MOVED, check_frozen, check_kind, check_latches, refusal, step_name
from .guardrails.evidence import Evidence, Gathering
from .moves import data_after_rollback, why_not
from .safety import Safety, apart, rollback_safety
from .stages import ladder, next_step, position

__all__ = ["Operator"]

_PINS = 1_000
"""Every process carries them with the route."""

_COUNTS: Final = {
    (Data.LEGACY_FIRST, Data.REPLACEMENT_FIRST): Side.REPLACEMENT,
    (Data.REPLACEMENT_FIRST, Data.LEGACY_FIRST): Side.LEGACY,
}
"""Whose store counts after a step on the data axis, where another one's did before."""


class Operator:
    """Changes one endpoint's route, for a person (the CLI) or for a guardrail (the watch).

    ``effect`` is the operation's; ``newest`` gives the newest revision of the replacement;
    ``journey`` is the salt of the endpoint's group, empty where it has none. What is legal is said
    by ``pairs.py`` and ``moves.py``. Every method gives the route as it stands afterwards, and
    raises ``RouteError`` where the change is not allowed, ``RouteConflict`` where somebody else was
    first, ``StoreError`` where the store cannot be written.
    """

    def __init__(
        self,
        store: Store,
        endpoint: Endpoint,
        *,
        effect: str,
        newest: Callable[[], str],
        who: str,
        journey: str = "",
    ) -> None:
        self._store = store
        self._endpoint = endpoint
        self._effect = effect
        self._newest = newest
        self._who = who
        self._gathering = Gathering(store, endpoint)
        self._journey = journey

    def route(self) -> Route:
        """Read the route; one that was never changed stands at legacy."""
        return self._store.routes.get(self._endpoint.name) or Route(endpoint=self._endpoint.name)

    def evidence(self, *, wait: bool = True) -> Evidence:
        """Read the evidence on the route's revision; ``wait`` for metrics never read before."""
        return self._gathering(self.route(), wait=wait)

    def lag(self) -> Lag:
        """Say how far the two sides are apart in what was written."""
        return self._store.dual_work.lag(self._endpoint.name)

    def safety(self) -> Safety:
        """Say whether going back is safe now, and until when."""
        return rollback_safety(self.route(), self.lag())

    def advance(self, to: Step | None = None, *, why: str = "", force: bool = False) -> Route:
        """Go one rung up, or to ``to``. Beyond shadow the guardrail must pass, unless forced.

        Unless forced, legacy is not retired either while it misses something that was written.
        """
        route = self.route()
        rungs = ladder(self._endpoint.ladder)
        step = to or next_step(route, rungs)
        if step is None:
            raise refusal("is retired already: there is no rung above", route)
        if position(step) <= position(route):
            raise refusal(
                f"{step_name(step)} is not further than {step_name(route)}",
                route,
                remedy="'fig route rollback' goes back",
            )
        check_latches(route)
        check_kind(self._endpoint, self._effect, step, route)
        data = self._data_at(step, route)
        self._check_move(route, step.stage, data)
        if step.stage is Stage.RETIRED and not force:
            self._check_together(route, None)
        evidence = self._gathering(route)
        if step.stage in MOVED and evidence.verdict.outcome != "pass" and not force:
            raise refusal(
                f"the guardrail does not pass: {evidence.verdict.reason}",
                route,
                expected=f"verdict pass before {step_name(step)}",
                remedy=evidence.verdict.missing or "roll back, or mend the replacement",
            )
        moved = msgspec.structs.replace(
            route,
            stage=step.stage,
            percent=step.percent,
            data=data,
            salt=route.salt or self._journey or secrets.token_hex(8),
            revision=route.revision or self._newest(),
        )
        return self._put(moved, "advance", why, evidence)

    def rollback(self, to: Stage | None = None, *, why: str = "", behind: bool = False) -> Route:
        """Go back: to ``to``, or to shadow, where legacy answers everybody and evidence goes on.

        From shadow it goes to legacy. Both stores stay written, so that one can go forward again.
        ``behind``: also while legacy does not have yet what was written to the replacement first.
        """
        route = self.route()
        check_frozen(route)
        target = to or (Stage.LEGACY if route.stage is Stage.SHADOW else Stage.SHADOW)
        if position(Step(stage=target)) >= position(route):
            raise refusal(
                f"{target} is not further back than {step_name(route)}",
                route,
                remedy="'fig route advance' goes on; 'fig route kill' stops the replacement",
            )
        data = data_after_rollback(route)
        self._check_move(route, target, data)
        if data is not route.data and not behind:
            self._check_together(route, Side.LEGACY)
        moved = msgspec.structs.replace(
            route,
            stage=target,
            percent=route.percent if target is Stage.CANARY else 0.0,
            data=data,
            good_revision="",
        )
        return self._put(moved, "rollback", why)

    def move_data(self, to: Data, *, why: str = "", behind: bool = False) -> Route:
        """Say who owns what the endpoint writes from now on: one step on the data axis.

        ``behind``: also while the side whose store is to count does not have all of it yet.
        """
        route = self.route()
        check_latches(route)
        if to is not Data.NONE and self._endpoint.data != "moves":
            raise refusal(
                "its data stays where it is",
                route,
                value=f"data {to}",
                remedy=f'say so in endpoint.{self._endpoint.name}: data = "moves"',
            )
        self._check_move(route, route.stage, to)
        counts = _COUNTS.get((route.data, to))
        if counts is not None and not behind:
            self._check_together(route, counts)
        return self._put(msgspec.structs.replace(route, data=to), f"data {to}", why)

    def deploy(self, revision: str = "", *, why: str = "") -> Route:
        """Put another revision in place; its evidence starts at zero.

        Where the one before had passed, a failing guardrail goes back to it.
        """
        route = self.route()
        check_latches(route)
        wanted = revision or self._newest()
        if wanted == route.revision:
            raise refusal("has this revision already", route, value=wanted)
        before = self._gathering(route)
        passed = before.verdict.outcome == "pass"
        moved = msgspec.structs.replace(
            route,
            revision=wanted,
            good_revision=route.revision if passed else "",
            good_stage=route.stage,
            good_percent=route.percent,
        )
        return self._put(moved, "deploy", why, before)

    def take_back(self, evidence: Evidence) -> Route | None:
        """Undo what the guardrail failed; called by the watch of every process.

        A revision that replaced one which had passed gives way to it; else legacy answers again,
        in shadow. None where nothing is to be taken back.
        """
        route = self.route()
        if evidence.revision != route.revision or route.stage not in MOVED or route.frozen:
            return None
        if route.good_revision and route.good_revision != route.revision:
            moved = msgspec.structs.replace(
                route,
                stage=route.good_stage,
                percent=route.good_percent,
                revision=route.good_revision,
                good_revision="",
            )
        else:
            data = data_after_rollback(route)
            if why_not(route, Stage.SHADOW, data, self._effect):
                return self._freeze_for(route, evidence)
            if data is not route.data and apart(self.lag(), Side.LEGACY):
                return self._hold_for(route, evidence)
            moved = msgspec.structs.replace(route, stage=Stage.SHADOW, percent=0.0, data=data)
        return self._put(moved, "take back", evidence.verdict.reason, evidence)

    def _freeze_for(self, route: Route, evidence: Evidence) -> Route:
        """Hold a route that has no way back: what was written cannot be taken back."""
        frozen = msgspec.structs.replace(route, frozen=True)
        return self._put(frozen, "freeze", evidence.verdict.reason, evidence)

    def _hold_for(self, route: Route, evidence: Evidence) -> Route | None:
        """Hold a route that goes back as soon as legacy has what was written; told once."""
        if route.paused:
            return None
        why = f"{evidence.verdict.reason}; it goes back when legacy has it: {apart(self.lag())}"
        return self._put(msgspec.structs.replace(route, paused=True), "pause", why, evidence)

    def pause(self, *, why: str = "") -> Route:
        """Hold the route where it is: nobody advances or deploys until it is resumed."""
        return self._latch("pause", why, paused=True)

    def kill(self, *, why: str = "") -> Route:
        """Send everything to legacy now, whatever the stage, and call no replacement."""
        return self._latch("kill", why, killed=True)

    def freeze(self, *, why: str = "") -> Route:
        """Hold the route where it is against everybody, guardrails included: no step either way.

        For what cannot be taken back. It can still be killed.
        """
        return self._latch("freeze", why, frozen=True)

    def resume(self, *, why: str = "") -> Route:
        """Lift every latch: the route goes on from the stage where it stands."""
        return self._latch("resume", why, paused=False, frozen=False, killed=False)

    def pin(self, key: str, side: Side | None, *, why: str = "") -> Route:
        """Put a key on one side wherever keys differ; None: take its pin away."""
        route = self.route()
        pins = {name: one for name, one in route.pins.items() if name != key}
        if side is not None:
            pins[key] = side
        if len(pins) > _PINS:
            raise refusal(
                "has as many pins as a route can carry",
                route,
                expected=f"at most {_PINS}",
                remedy="put them on a side by a rule, or take some away",
            )
        action = "unpin" if side is None else f"pin to {side}"
        return self._put(msgspec.structs.replace(route, pins=pins), action, why)

    def _latch(self, action: str, why: str, **latches: bool) -> Route:
        route = self.route()
        return self._put(msgspec.structs.replace(route, **latches), action, why)

    def _put(self, route: Route, action: str, why: str, evidence: Evidence | None = None) -> Route:
        before = evidence or self._gathering(self.route())
        return self._store.routes.put(
            route, action=action, who=self._who, why=why, evidence=before.snapshot()
        )

    def _check_together(self, route: Route, side: Side | None) -> None:
        """Refuse a step by which a store would count that misses something."""
        missing = apart(self.lag(), side)
        if missing:
            raise refusal(
                f"its stores are apart: {missing}",
                route,
                value=f"{step_name(route)}, data {route.data}",
                expected="all that was written on both sides, and nothing in doubt",
                remedy=f"wait until it is copied; fig route doubts {route.endpoint} says what"
                " waits for a person",
            )

    def _data_at(self, step: Step, route: Route) -> Data:
        """Give who owns the data on a rung: retiring legacy ends its store with it."""
        ends = step.stage is Stage.RETIRED and route.data is Data.REPLACEMENT_FIRST
        return Data.REPLACEMENT if ends else route.data

    def _check_move(self, route: Route, stage: Stage, data: Data) -> None:
        if stage is route.stage and data is route.data:
            return  # another percent
        wrong = why_not(route, stage, data, self._effect)
        if wrong:
            raise refusal(
                wrong,
                route,
                value=f"{step_name(route)}, data {route.data}",
                expected="one step on one axis; 'fig route show' lists those there are",
            )
