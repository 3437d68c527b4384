"""The report for the browser: one file, with its plot, that needs nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from html import escape
from pathlib import Path
from string import Template
from typing import Final

import msgspec

from ..store.routes import Change
from .curve import Curve
from .screen import model_of
from .summary import Summary
from .tally import Tally

__all__ = ["stretch_marks", "write_report"]

_WIDTH: Final = 900
_HEIGHT: Final = 300
_LINES: Final = {
    "legacy": ("legacy right", "#b58900"),
    "replacement": ("replacement right", "#2a9d4a"),
    "share": ("share of the replacement", "#a03c9c"),
}

_PAGE: Final = Template("""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>$title</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>
body { font: 16px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem;
       color: #222; background: #fff }
h1 { font-size: 1.5rem } h2 { font-size: 1.15rem; margin-top: 2rem }
table { border-collapse: collapse; width: 100%; font-size: .9rem }
th, td { text-align: left; padding: .3rem .6rem; border-bottom: 1px solid #ddd }
td:first-child { white-space: nowrap }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums }
svg { width: 100%; height: auto; background: #fafafa; border: 1px solid #ddd }
.figures { display: flex; flex-wrap: wrap; gap: 1rem }
.figures div { flex: 1 1 9rem; border: 1px solid #ddd; padding: .6rem .8rem }
.figures b { display: block; font-size: 1.4rem }
@media (prefers-color-scheme: dark) {
  body { color: #ddd; background: #181818 } svg { background: #202020; border-color: #444 }
  th, td, .figures div { border-color: #444 } svg text { fill: #ccc }
}
</style></head><body>
<h1>$title</h1>
<p>$lead</p>
<div class="figures">$figures</div>
<h2>Right answers, and who served</h2>
$plot
<h2>What happened</h2>
$stretches
<h2>Every change of the route</h2>
$history
<p>Every number is counted from the journal. Accuracies are over distinct messages with a golden
label, of what each side answered.</p>
</body></html>
""")


def write_report(
    file: Path, summary: Summary, tally: Tally, drawn: Curve, history: Sequence[Change]
) -> None:
    """Write the report. Raises ``OSError`` where the file cannot be written."""
    title = f"{summary.endpoint}: from legacy to {summary.final_stage}"
    page = _PAGE.substitute(
        title=escape(title),
        lead=escape(
            f"{summary.requests} requests in {summary.seconds:g} s; {summary.lost} lost; "
            f"{summary.caller_errors} errors that callers met."
        ),
        figures=_figures(summary),
        plot=_plot(drawn, tally),
        stretches=_stretches(tally),
        history=_history(history),
    )
    file.write_text(page, "utf-8")


def _figures(summary: Summary) -> str:
    figures = {
        "legacy right": f"{summary.legacy_accuracy:.1%}",
        "replacement right": f"{summary.replacement_accuracy:.1%}",
        "answered by it": f"{summary.coverage:.1%}",
        "lost": str(summary.lost),
        "errors met by callers": str(summary.caller_errors),
        "bad revision took": (
            f"{summary.rollback.after_requests} requests" if summary.rollback else "-"
        ),
    }
    return "".join(f"<div><b>{escape(v)}</b>{escape(k)}</div>" for k, v in figures.items())


def _plot(drawn: Curve, tally: Tally) -> str:
    last = max(drawn.numbers, default=1)
    parts = [f'<svg viewBox="-40 -10 {_WIDTH + 60} {_HEIGHT + 60}" role="img">']
    for percent in (0, 25, 50, 75, 100):
        y = _y(percent)
        parts.append(f'<line x1="0" x2="{_WIDTH}" y1="{y}" y2="{y}" stroke="#8884"/>')
        parts.append(f'<text x="-8" y="{y + 4}" font-size="12" text-anchor="end">{percent}</text>')
    for row, (number, label) in enumerate(stretch_marks(tally)):
        x = round(_WIDTH * number / last, 1)
        y = _HEIGHT + 14 + 12 * (row % 2)
        parts.append(
            f'<line x1="{x}" x2="{x}" y1="0" y2="{_HEIGHT}" stroke="#888" stroke-dasharray="3 3"/>'
            f'<text x="{x + 3}" y="{y}" font-size="10">{escape(label)}</text>'
        )
    for row, (name, (label, colour)) in enumerate(_LINES.items()):
        values: Sequence[float] = getattr(drawn, name)
        points = " ".join(
            f"{_WIDTH * n / last:.1f},{_y(v)}" for n, v in zip(drawn.numbers, values, strict=True)
        )
        x = 220 * row
        parts.append(
            f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>'
        )
        parts.append(f'<rect x="{x}" y="{_HEIGHT + 38}" width="14" height="4" fill="{colour}"/>')
        parts.append(f'<text x="{x + 20}" y="{_HEIGHT + 45}" font-size="13">{label}, %</text>')
    return "".join(parts) + "</svg>"


def stretch_marks(tally: Tally) -> list[tuple[int, str]]:
    """Give where each stretch begins: the number of its first request, and its name."""
    marks, number = [], 0
    for one in tally.stretches:
        label = f"canary {one.percent:g} %" if one.stage == "canary" else one.stage
        marks.append((number, label))
        number += one.requests
    return marks


def _y(percent: float) -> float:
    return round(_HEIGHT * (1 - percent / 100), 1)


def _stretches(tally: Tally) -> str:
    rows = [
        {
            "stage": f"canary {one.percent:g} %" if one.stage == "canary" else one.stage,
            "revision": model_of(one.revision),
            "requests": one.requests,
            "by the replacement": one.by_replacement,
            "from legacy instead": ", ".join(f"{n} {why}" for why, n in one.fallbacks.items()),
            "legacy right": _share(one.legacy_right, one.compared),
            "replacement right": _share(one.replacement_right, one.compared),
        }
        for one in tally.stretches
    ]
    return _table(rows)


def _history(history: Sequence[Change]) -> str:
    rows = [
        {
            "version": change.version,
            "when (UTC)": datetime.fromtimestamp(change.at, UTC).strftime("%H:%M:%S"),
            "who": change.who,
            "action": change.action,
            "stage": change.after.stage.value,
            "percent": f"{change.after.percent:g}" if change.after.percent else "",
            "revision": change.after.revision,
            "evidence": _evidence(change),
            "why": change.why,
        }
        for change in history
    ]
    return _table(rows)


def _evidence(change: Change) -> str:
    verdict = change.evidence.get("verdict")
    if not isinstance(verdict, dict):
        return ""
    return f"{verdict['outcome']}, {verdict['figures'].get('pairs', 0):g} pairs"


def _table(rows: Sequence[Mapping[str, object]]) -> str:
    if not rows:
        return ""
    head = "".join(f"<th{_kind(value)}>{escape(name)}</th>" for name, value in rows[0].items())
    body = "".join(
        "<tr>" + "".join(_cell(value) for value in row.values()) + "</tr>" for row in rows
    )
    return f"<table><tr>{head}</tr>{body}</table>"


def _cell(value: object) -> str:
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    return f"<td{_kind(value)}>{escape(text)}</td>"


def _kind(value: object) -> str:
    return ' class="n"' if isinstance(value, int) else ""


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.1%}" if whole else "-"
