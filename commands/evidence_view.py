"""How ``fig evidence`` looks: tables of at most 80 columns, and colours that mean something."""

from __future__ import annotations

from datetime import UTC, datetime

from rich.markup import escape
from rich.text import Text

from ..config import Endpoint
from ..model import Stage, Step
from ..routing.expiry import LATE
from ..routing.guardrails.differences import Difference
from .evidence_plot import plot
from .evidence_report import Report
from .screen import Screen, coloured, stage_text

__all__ = ["show", "when"]

_CUT = 22
_WINNERS = ("legacy", "replacement", "both", "neither", "open")


def show(screen: Screen, report: Report, endpoint: Endpoint) -> None:
    """Print a report for people."""
    route = report.route
    place = stage_text(route.stage, route.percent)
    screen.say(f"[bold]{escape(report.endpoint)}[/]  {place}, revision {_name(route.revision)}")
    if report.expiry.startswith(LATE):
        screen.say(f"[yellow]{escape(report.expiry)}[/]")
    _compared(screen, report)
    if report.shadow.text():
        screen.say(f"the shadow today: {escape(report.shadow.text())}")
    _fields(screen, report)
    if len(report.course) > 1:
        _draw(screen, report, endpoint.guardrail.alpha)
    _verdicts(screen, report)
    _next(screen, report)


def _compared(screen: Screen, report: Report) -> None:
    counts = report.evidence.counts
    if not counts.total:
        screen.say("nothing has been compared yet")
        return
    rows = [
        [title, str(number), f"{number / counts.total:.1%}"]
        for title, number in (
            ("both sides right, or agreed", counts.both),
            ("only legacy right", counts.legacy),
            ("only the replacement right", counts.replacement),
            ("neither right", counts.neither),
            ("they differ, not adjudicated", counts.open),
        )
    ]
    rows.append(["[bold]distinct requests[/]", f"[bold]{counts.total}[/]", ""])
    screen.table(["what was compared", ">requests", ">share"], rows)
    last = datetime.fromtimestamp(report.last, UTC).strftime("%Y-%m-%d %H:%M:%S")
    screen.say(f"the last one at {last} UTC")
    if report.times is not None:
        low, high = report.times
        screen.say(f"the replacement takes {low:.2g} to {high:.2g} times as long as legacy")


def _fields(screen: Screen, report: Report) -> None:
    if not report.differences:
        return
    rows = []
    for one in report.differences:
        rows.append([f"[bold]{escape(_cut(one.field))}[/]", str(one.count), _winners(one), ""])
        rows += [
            ["", "", f"[yellow]{_value(shown.legacy)}[/]", f"[green]{_value(shown.replacement)}[/]"]
            for shown in one.examples
        ]
    screen.table(["where they differ", ">requests", "legacy", "replacement"], rows)
    screen.say(f"by the newest {report.looked_at} comparisons; tagged values are masked")


def _draw(screen: Screen, report: Report, alpha: float) -> None:
    width = min(screen.out.width, 80)
    colours = screen.out.color_system is not None
    drawn = plot(report.course, alpha, width, colours=colours)
    screen.out.print(Text.from_ansi(drawn) if colours else Text(drawn), soft_wrap=True)


def _verdicts(screen: Screen, report: Report) -> None:
    rows = [
        [escape(one.guardrail), coloured(one.outcome), escape(one.reason)]
        for one in report.evidence.verdicts
    ]
    verdict = report.evidence.verdict
    rows.append(["[bold]together[/]", coloured(verdict.outcome), ""])
    screen.table(["guardrail", "verdict", "says"], rows)


def _next(screen: Screen, report: Report) -> None:
    if report.next is None:
        return
    step = _step(report.next)
    if report.route.stage is Stage.LEGACY:
        screen.say(f"next: {step} needs no evidence; fig route advance {report.endpoint}")
        return
    if not report.forecast.missing:
        screen.say(f"next: {step}; nothing is missing: fig route advance {report.endpoint}")
        return
    rows = [
        [escape(one.guardrail), escape(one.missing), when(one.seconds)]
        for one in report.forecast.missing
    ]
    screen.table([f"missing for {step}", "what", "about in"], rows)
    pairs, requests = _rate(report.pairs_rate), _rate(report.requests_rate)
    speed = f"{pairs} pairs and {requests} requests"
    screen.say(f"all of it about in {when(report.forecast.seconds)}, at {speed} a minute")


def when(seconds: float | None) -> str:
    """Give a time in words that are as exact as a forecast can be."""
    if seconds is None:
        return "nobody can say"
    for size, title in ((86_400, "days"), (3_600, "hours"), (60, "minutes")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {title}"
    return f"{max(1, round(seconds))} s" if seconds > 0 else "now"


def _rate(rate: float) -> str:
    minute = rate * 60
    return f"{minute:,.0f}" if minute >= 10 else f"{minute:.2g}"


def _winners(one: Difference) -> str:
    """Say who was right, in the column of legacy."""
    told = [f"{name} {one.winners[name]}" for name in _WINNERS if name in one.winners]
    return f"[dim]right: {', '.join(told)}[/]"


def _value(value: object) -> str:
    return escape(_cut("nothing" if value is None else str(value)))


def _cut(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _CUT else line[: _CUT - 1] + "…"


def _name(revision: str) -> str:
    return escape(revision[:24]) if revision else "none yet"


def _step(step: Step) -> str:
    return f"canary {step.percent:g} %" if step.stage is Stage.CANARY else step.stage.value
