"""Learning: honest figures, the same revision again, and enough of them on real messages."""

from __future__ import annotations

import csv
import os
from collections import defaultdict
from pathlib import Path

import pytest

pytest.importorskip("onnxruntime")

import msgspec

from stranglerfig.ai.classifier import load
from stranglerfig.ai.embedding import Embedder
from stranglerfig.ai.learn import learn
from stranglerfig.ai.report import Report
from stranglerfig.errors import InputError, StoreError


def write(file, rows):
    with file.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(("text", "category"))
        writer.writerows(rows)
    return file


ROWS = [
    *((f"I cannot log in, the password {n} is wrong", "login") for n in range(8)),
    *((f"please cancel policy number {n} today", "cancel") for n in range(8)),
    *((f"how much is a quote for {n} cars", "quote") for n in range(8)),
]


def test_a_report_is_whole_and_kept_beside_the_model(tmp_path):
    told = []
    file = write(tmp_path / "x.csv", [*ROWS, ROWS[0], (ROWS[0][0].upper(), "login")])
    report = learn(file, folder=tmp_path / "m", progress=lambda *step: told.append(step), threads=1)
    assert told[-1] == (24, 24)
    assert (report.examples, report.duplicates, report.classes, report.folds) == (24, 2, 3, 5)
    assert report.accuracy == 1.0
    assert report.accuracy_low < 0.9 < report.accuracy_high
    assert sum(one.count for one in report.bins) == 24
    assert [one.name for one in report.per_class] == ["cancel", "login", "quote"]
    assert report.confused == ()
    kept = Path(report.folder, "report.json").read_bytes()
    assert msgspec.json.decode(kept, type=Report) == report
    assert load(tmp_path / "m", report.revision).manifest.margin == report.margin


def test_the_same_examples_give_the_same_revision_and_others_another(tmp_path):
    file = write(tmp_path / "x.csv", ROWS)
    first = learn(file, folder=tmp_path / "m", threads=1).revision
    assert learn(file, folder=tmp_path / "m", threads=1).revision == first
    assert learn(file, folder=tmp_path / "m", threads=1, margin=0.77).margin == 0.77
    write(file, ROWS[1:])
    assert learn(file, folder=tmp_path / "m", threads=1).revision != first


def test_labels_that_say_nothing_are_foretold_by_chance(tmp_path):
    """Had a fold seen its own examples, these would be learnt by heart."""
    rows = [(f"message number {n * 7919 % 1000}", "ab"[n * 31 % 97 % 2]) for n in range(120)]
    report = learn(write(tmp_path / "x.csv", rows), folder=tmp_path / "m", threads=1)
    assert report.accuracy < 0.75


def test_contradictions_are_counted_and_confused_pairs_named(tmp_path):
    rows = [*ROWS, *((text, "other") for text, label in ROWS if label == "quote")]
    report = learn(write(tmp_path / "x.csv", rows), folder=tmp_path / "m", threads=1)
    assert report.contradictions == 8
    assert {(one.truth, one.told) for one in report.confused} <= {
        ("quote", "other"),
        ("other", "quote"),
    }
    assert sum(one.count for one in report.confused) >= 6


@pytest.mark.parametrize("copies", [2, 5])
def test_the_fewest_examples_that_can_be_learnt_from(tmp_path, copies):
    rows = [("yes please", "a")] * copies + [("no", "b"), ("never", "b")]
    report = learn(write(tmp_path / "x.csv", rows), folder=tmp_path / "m", threads=1)
    assert report.examples == 4
    assert report.classes == 2


def test_a_margin_out_of_range_and_a_folder_that_cannot_be(tmp_path):
    file = write(tmp_path / "x.csv", ROWS)
    with pytest.raises(InputError, match="margin"):
        learn(file, folder=tmp_path / "m", margin=1.0)
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="cannot be written"):
        learn(file, folder=tmp_path / "file" / "m", threads=1)


def test_real_messages(tmp_path):
    """A subset of banking77: learnt from one part, right on another that was never seen."""
    data = os.environ.get("FIG_DATA")
    if not data:
        pytest.skip("FIG_DATA does not name the folder of the real data sets")
    groups = defaultdict(list)
    with Path(data, "banking77", "train.csv").open(encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream):
            groups[row["category"]].append((row["text"], row["category"]))
    names = sorted(groups)[:15]
    learnt = [row for name in names for row in groups[name][:70]]
    unseen = [row for name in names for row in groups[name][70:100]]
    report = learn(write(tmp_path / "x.csv", learnt), folder=tmp_path / "m")
    model = load(tmp_path / "m", report.revision)
    told = model.best(Embedder().embed([text for text, _ in unseen]))
    answered = [confidence >= report.margin for _, confidence in told]
    right = [name == label for (name, _), (_, label) in zip(told, unseen, strict=True)]
    whole = sum(a and r for a, r in zip(answered, right, strict=True)) / len(unseen)
    assert whole >= 0.9
    assert report.accuracy_low - 0.03 <= sum(right) / len(right) <= report.accuracy_high + 0.03
    assert sum(answered) / len(answered) >= 0.95
    assert report.calibration_error < 0.06
