"""The limits of a source as ``fig.toml`` has them."""

from __future__ import annotations

import pytest

from stranglerfig.bridge import Limits
from stranglerfig.errors import ConfigError
from stranglerfig.settings import BridgeSettings, EndpointLimits, SourceSettings


def test_every_setting_arrives():
    source = SourceSettings(
        in_flight=7,
        at_once=3,
        attempts=5,
        first=1.5,
        longest=9.0,
        later="park",
        spent="block",
        share=4,
    )
    limits = Limits.of(BridgeSettings(drain=2.5, source={"claims": source}), "claims")
    assert (limits.in_flight, limits.at_once, limits.share, limits.drain) == (7, 3, 4, 2.5)
    retries = limits.retries
    assert (retries.attempts, retries.backoff.first, retries.backoff.longest) == (5, 1.5, 9.0)
    assert (retries.park, retries.blocks) == (True, True)


def test_a_source_without_settings_has_the_usual_ones():
    limits = Limits.of(BridgeSettings(), "claims")
    assert limits == Limits()


@pytest.mark.parametrize("wrong", [{"in_flight": 0}, {"at_once": 0}, {"share": 0}, {"attempts": 2}])
def test_what_cannot_be_is_refused_by_its_key(wrong):
    (key,) = wrong
    settings = BridgeSettings(source={"claims": SourceSettings(**wrong)})
    with pytest.raises(ConfigError) as caught:
        Limits.of(settings, "claims")
    assert caught.value.place == f"fig.toml: bridge.source.claims.{key}"


@pytest.mark.parametrize(
    "wrong",
    [
        {"at_once": 0},
        {"drain": -1},
        {"lease": 0},
        {"stuck": 0},
        {"endpoint": {"claim": EndpointLimits(at_once=0)}},
    ],
)
def test_what_cannot_be_of_the_bridge_is_refused_by_its_key(wrong):
    (key,) = wrong
    with pytest.raises(ConfigError, match="too small") as caught:
        Limits.of(BridgeSettings(**wrong), "claims")
    assert caught.value.place.startswith(f"fig.toml: bridge.{key}")
