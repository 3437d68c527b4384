"""A migration that never ends is told of, by whoever looks, until it is over."""

from __future__ import annotations

from datetime import date

import msgspec
import pytest

from stranglerfig.model import Data, Route, Stage
from stranglerfig.routing.expiry import LATE, expiry

DAY = date(2026, 3, 31)


@pytest.fixture
def owned(settings):
    return msgspec.structs.replace(settings, owner="claims team", expires=DAY)


@pytest.mark.parametrize("stage", [Stage.SHADOW, Stage.CANARY, Stage.LIVE])
def test_what_is_under_way_is_late_from_the_day_after(owned, stage):
    route = Route(endpoint="triage", stage=stage)
    assert expiry(owned, route, DAY) == "is to be over by 2026-03-31, in 0 days; ask claims team"
    late = expiry(owned, route, date(2026, 4, 1))
    assert late == f"{LATE}was to be over by 2026-03-31, 1 day ago; ask claims team"
    assert "30 days ago" in expiry(owned, route, date(2026, 4, 30))


def test_long_before_nobody_is_named(owned):
    route = Route(endpoint="triage", stage=Stage.SHADOW)
    assert expiry(owned, route, date(2026, 1, 1)) == "is to be over by 2026-03-31"


@pytest.mark.parametrize("stage", [Stage.LEGACY, Stage.RETIRED])
def test_what_has_not_begun_or_is_over_is_never_late(owned, stage):
    assert expiry(owned, Route(endpoint="triage", stage=stage), date(2030, 1, 1)) == ""


def test_data_that_moves_is_under_way_whoever_serves(owned):
    route = Route(endpoint="triage", stage=Stage.LEGACY, data=Data.LEGACY_FIRST)
    assert expiry(owned, route, date(2030, 1, 1)).startswith(LATE)


def test_without_a_day_nothing_is_said(settings):
    assert expiry(settings, Route(endpoint="triage", stage=Stage.LIVE)) == ""
