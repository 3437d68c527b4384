"""A new workspace keeps out of version control what it makes as it runs."""

from __future__ import annotations

from click.testing import CliRunner

from stranglerfig import app
from stranglerfig.cli import fig


def test_what_runs_make_is_ignored(tmp_path):
    assert CliRunner().invoke(fig, ["init", str(tmp_path / "desk")]).exit_code == 0
    ignored = (tmp_path / "desk" / ".gitignore").read_text("utf-8").split()
    assert {"/fig.db*", f"/{app.KEPT_ROUTES}", f"/{app.KILL_FILE}"} <= set(ignored)


def test_an_ignore_file_that_is_there_stays(tmp_path):
    (tmp_path / ".gitignore").write_text("mine\n", "utf-8")
    assert CliRunner().invoke(fig, ["init", str(tmp_path)]).exit_code == 0
    assert (tmp_path / ".gitignore").read_text("utf-8") == "mine\n"
