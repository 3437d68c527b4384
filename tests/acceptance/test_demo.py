"""The main job, whole: the demo as its users run it."""

import csv
import json
import os
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.process


def _run(*arguments: str) -> list[dict[str, Any]]:
    command = [sys.executable, "-m", "stranglerfig", "demo", "--json", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=540)
    assert done.returncode == 0, done.stderr[-2000:]
    return [json.loads(line) for line in done.stdout.splitlines()]


def _check_story(events: list[dict[str, Any]]) -> dict[str, Any]:
    summary = events[-1]
    assert summary["event"] == "summary"
    assert summary["final_stage"] == "live"
    assert summary["lost"] == 0
    assert summary["caller_errors"] == 0
    assert summary["requests"] == summary["answered"]
    assert summary["replacement_accuracy"] > summary["legacy_accuracy"]
    rollback = summary["rollback"]
    assert rollback["revision"] != summary["revision"]
    assert rollback["after_requests"] > 0
    assert rollback["accuracy"] < summary["legacy_accuracy"]
    assert summary["fallbacks"]["deadline"] > 0
    assert summary["events"] == summary["tickets"] > 0
    stages = [stage.split(",")[0] for stage in summary["stages"]]
    assert stages[:5] == ["legacy", "shadow", "canary 10 %", "canary 50 %", "live"]
    return summary


def test_the_demo_moves_the_endpoint_and_tells_the_truth(tmp_path: Path) -> None:
    report = tmp_path / "report.html"
    kept = tmp_path / "kept"
    events = _run("--report", str(report), "--keep", str(kept))
    summary = _check_story(events)
    assert summary["endpoint"] == "triage-ticket"
    page = report.read_text("utf-8")
    assert "<svg" in page
    assert "http://" not in page
    assert "https://" not in page
    # The journal that was kept says the same.
    command = [sys.executable, "-m", "stranglerfig", "-w", str(kept), "route", "show"]
    shown = subprocess.run(
        [*command, "triage-ticket", "--json"], capture_output=True, text=True, check=True
    )
    route = json.loads(shown.stdout)
    assert route["stage"] == "live"
    assert route["revision"] == summary["revision"]
    assert route["evidence"]["verdict"]["outcome"] == "pass"


def test_the_demo_on_real_messages_of_somebody_else(tmp_path: Path) -> None:
    data = os.environ.get("FIG_DATA")
    if not data:
        pytest.skip("FIG_DATA names no folder with real data")
    groups: dict[str, list[dict[str, str]]] = defaultdict(list)
    with (Path(data) / "banking77" / "train.csv").open(encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream):
            groups[row["category"]].append(row)
    learn: list[dict[str, str]] = []
    traffic: list[dict[str, str]] = []
    for category in sorted(groups)[:25]:
        learn += groups[category][:80]
        traffic += groups[category][80:100]
    traffic.sort(key=lambda row: row["text"])
    for name, rows in (("learn.csv", learn), ("traffic.csv", traffic)):
        with (tmp_path / name).open("w", encoding="utf-8", newline="") as stream:
            writer = csv.DictWriter(stream, ["text", "category"])
            writer.writeheader()
            writer.writerows(rows)
    events = _run(
        "--data", str(tmp_path / "traffic.csv"), "--learn-from", str(tmp_path / "learn.csv")
    )
    summary = _check_story(events)
    assert summary["replacement_accuracy"] >= 0.9


def test_a_missing_column_is_refused_with_its_name(tmp_path: Path) -> None:
    file = tmp_path / "traffic.csv"
    file.write_text("text,label\nhello,greeting\n", "utf-8")
    command = [sys.executable, "-m", "stranglerfig", "demo", "--data", str(file)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 4
    assert "'category' is missing" in done.stderr
    assert "Traceback" not in done.stderr
