"""Every provider of ours keeps the laws, in this process and in one of its own."""

from __future__ import annotations

import shutil
from types import MappingProxyType

import pytest

from stranglerfig.ai.local import LocalProvider
from stranglerfig.ai.process import ProviderProcess
from stranglerfig.ai.rules import RulesProvider
from stranglerfig.testing.provider import ProviderContract

RULES = """
[[rule]]
pattern = "refund|money back"
confidence = 0.9
gives = { category = "refund", priority = "low", share = 0.5 }

[[rule]]
pattern = "passw.rd"
gives = { category = "login", priority = "high", share = 0.25 }

[[rule]]
pattern = "invoice"
confidence = 0.3
gives = { category = "billing", priority = "low", share = 0.1 }
"""


class RulesKit:
    sure = ({"text": "I want my MONEY back"}, {"text": "password, again"})
    unsure = MappingProxyType({"text": "where is my invoice"})
    unfit = MappingProxyType({"body": "text is missing", "pin": "s3cret-pin"})
    secrets = ("s3cret-constant", "s3cret-pin")
    provider = "rules"

    def __init__(self, root) -> None:
        self.root = root
        self.options = {
            "table": "rules.toml",
            "margin": 0.4,
            "confidence": "score",
            "constant": {"by": "s3cret-constant"},
        }
        (root / "rules.toml").write_text(RULES)

    def build(self, revision=""):
        return RulesProvider(
            name="triage", options=self.options, place="p", root=self.root, revision=revision
        )

    def change(self) -> None:
        (self.root / "rules.toml").write_text(RULES.replace("0.9", "0.8"))

    def take_away(self) -> None:
        (self.root / "rules.toml").unlink()


class LocalKit:
    sure = (
        {"text": "I forgot my password and cannot log in"},
        {"text": "please cancel my policy"},
        {"text": "how much would a quote for my car be"},
    )
    unsure = MappingProxyType({"text": "qwertz 17 17 17"})
    unfit = MappingProxyType({"text": 17, "pin": "s3cret-pin"})
    secrets = ("s3cret-constant", "s3cret-pin")
    provider = "local"

    def __init__(self, root, taught) -> None:
        folder, reports = taught
        shutil.copytree(folder, root / "models" / "triage")
        self.root = root
        self.other = reports[0].revision
        self.options = {
            "model": "models/triage",
            "confidence": "score",
            "margin": 0.55,
            "derive": {"priority": {"table": {"login": "high"}, "else": "normal"}},
            "constant": {"by": "s3cret-constant"},
        }

    def build(self, revision=""):
        return LocalProvider(
            name="triage", options=self.options, place="p", root=self.root, revision=revision
        )

    def change(self) -> None:
        (self.root / "models" / "triage" / "CURRENT").write_text(self.other)

    def take_away(self) -> None:
        shutil.rmtree(self.root / "models")


def in_process(kit):
    """Give the same kit, with every provider in a process of its own."""

    def build(revision=""):
        return ProviderProcess(
            provider=kit.provider,
            name="triage",
            options=kit.options,
            place="p",
            root=kit.root,
            revision=revision,
            deadline=20.0,
        )

    kit.build = build
    return kit


class TestRules(ProviderContract):
    @pytest.fixture
    def kit(self, tmp_path):
        return RulesKit(tmp_path)


class TestLocal(ProviderContract):
    @pytest.fixture
    def kit(self, tmp_path, taught):
        return LocalKit(tmp_path, taught)


@pytest.mark.process
class TestRulesInItsProcess(ProviderContract):
    @pytest.fixture
    def kit(self, tmp_path):
        return in_process(RulesKit(tmp_path))


@pytest.mark.process
class TestLocalInItsProcess(ProviderContract):
    @pytest.fixture
    def kit(self, tmp_path, taught):
        return in_process(LocalKit(tmp_path, taught))
