"""A learnt model on disk: whole, checked, and never half there."""

from __future__ import annotations

import json
import shutil

import pytest

pytest.importorskip("onnxruntime")

import numpy as np

from stranglerfig.ai import artefact
from stranglerfig.ai.classifier import load, save
from stranglerfig.ai.embedding import SPACE, WIDTH
from stranglerfig.errors import ReplacementUnavailable

MANIFEST = {
    "classes": ("a", "b"),
    "temperature": 1.0,
    "margin": 0.4,
    "text_field": "text",
    "predicts": "category",
    "space": SPACE,
}


def put(folder, value=1.0, **changes):
    weight = np.full((2, WIDTH), value, np.float32)
    bias = np.array([0, value], np.float32)
    return save(folder, {**MANIFEST, **changes}, weight, bias, lambda name: name.encode())


def test_it_is_read_as_it_was_written(tmp_path):
    revision = put(tmp_path / "deep" / "model")
    assert artefact.current(tmp_path / "deep" / "model") == revision
    found = load(tmp_path / "deep" / "model", revision)
    assert found.manifest.classes == ("a", "b")
    assert found.weight.sum() == 2 * WIDTH
    told, confidence = found.best(np.zeros((1, WIDTH), np.float32))[0]
    assert (told, confidence) == ("b", 0.7311)
    report = tmp_path / "deep" / "model" / revision / "report.json"
    assert report.read_text() == revision


def test_everything_that_decides_is_in_the_revision(tmp_path):
    changes = [{}, {"value": 2.0}, {"margin": 0.5}, {"temperature": 2.0}, {"classes": ("a", "c")}]
    revisions = [put(tmp_path, **change) for change in changes]
    assert len(set(revisions)) == len(changes)
    assert artefact.current(tmp_path) == revisions[-1]
    assert put(tmp_path) == revisions[0]
    assert not [one for one in tmp_path.iterdir() if one.name.startswith(".")]


def test_nothing_learnt_is_no_revision(tmp_path):
    assert artefact.current(tmp_path / "none") == ""


@pytest.mark.parametrize("text", ["", "latest", "ABCDEF012345", "é"])
def test_a_current_that_names_nothing_is_refused(tmp_path, text):
    (tmp_path / "CURRENT").write_text(text, "utf-8")
    with pytest.raises(ReplacementUnavailable, match="CURRENT"):
        artefact.current(tmp_path)


@pytest.mark.parametrize("name", ["manifest.json", "weights.npz"])
def test_every_flipped_byte_is_noticed(tmp_path, name):
    revision = put(tmp_path)
    file = tmp_path / revision / name
    whole = file.read_bytes()
    for at in range(0, len(whole), max(1, len(whole) // 40)):
        file.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        with pytest.raises(ReplacementUnavailable) as caught:
            load(tmp_path, revision)
        assert caught.value.place == str(file)
        assert "fig learn" in caught.value.remedy
    file.unlink()
    with pytest.raises(ReplacementUnavailable, match=name):
        load(tmp_path, revision)
    put(tmp_path)  # learning the same again mends it
    assert load(tmp_path, revision)


def test_a_foreign_manifest_is_refused_though_its_folder_fits(tmp_path):
    revision = put(tmp_path)
    manifest = json.loads((tmp_path / revision / "manifest.json").read_text())
    for change in ({"margin": "high"}, {"extra": 1}, {"space": "other"}, {"classes": ["a"]}):
        content = json.dumps({**manifest, **change}).encode()
        home = tmp_path / artefact.identify(content)
        shutil.copytree(tmp_path / revision, home)
        (home / "manifest.json").write_bytes(content)
        with pytest.raises(ReplacementUnavailable):
            load(tmp_path, home.name)
