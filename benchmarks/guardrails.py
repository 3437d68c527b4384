"""Guardrails: false alarms under continuous looking, and how soon a worse replacement is caught.

Every case is run 10,000 times and looked at after every request. The boundaries are asked of the
guardrails themselves, once, and the runs are then drawn with numpy: what is simulated is the code
that decides. Beside them stand what others do: a fixed threshold (5 % errors in a window of 100
requests) and a z-test that is peeked at every 20 requests.
"""

from __future__ import annotations

import argparse
import json
import sys
from functools import lru_cache
from math import inf, log, sqrt

import numpy as np

from stranglerfig.guardrail_settings import Errors, Mismatch
from stranglerfig.routing.guardrails.betting import log_e_above
from stranglerfig.routing.guardrails.binomial import log_e_more, log_e_other
from stranglerfig.routing.guardrails.eprocess import log_e_not_worse, log_e_worse
from stranglerfig.routing.guardrails.latency import MOST, STEPS
from stranglerfig.routing.guardrails.mismatch import log_ratio

ALPHA, RATIO_ALPHA = 0.01, 0.001
GOAL, RATIO_GOAL = log(1 / ALPHA), log(1 / RATIO_ALPHA)
SHARE = 0.1
BATCH = 2_000


def least(reaches, top):
    """Give the least number in 0..top for which a rising condition holds; top + 1 for none."""
    low, high = 0, top + 1
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if reaches(middle) else (middle + 1, high)
    return low


@lru_cache
def bound_worse(most):
    """By c: the least b at which the paired test fails."""
    return np.array(
        [least(lambda b, c=c: log_e_worse(b, c) >= GOAL, 3 * most) for c in range(most)]
    )


@lru_cache
def bound_more(most, share):
    """By b + c: the least b at which the errors test fails."""
    strength = Errors().strength
    return np.array(
        [
            least(lambda b, n=n: b > n or log_e_more(b, n - b, share, strength) >= GOAL, n)
            for n in range(most + 1)
        ]
    )


@lru_cache
def bounds_other(most, share):
    """By keys: below which and above which number of them the sample ratio fails."""

    def reached(b, n):
        return log_e_other(b, n - b, share, 20.0) >= RATIO_GOAL

    low, high = np.full(most + 1, -1), np.full(most + 1, most + 1)
    for n in range(1, most + 1):
        middle = int(n * share)
        high[n] = middle + least(
            lambda b, n=n, m=middle: m + b > n or reached(m + b, n), n - middle
        )
        low[n] = middle - least(lambda b, n=n, m=middle: m - b < 0 or reached(m - b, n), middle + 1)
    return low, high


def first(alarms):
    """Give the number of the first look that alarms in each run; infinite where none does."""
    any_ = alarms.any(axis=1)
    return np.where(any_, alarms.argmax(axis=1) + 1.0, inf)


def in_batches(runs, draw):
    return np.concatenate([draw(min(BATCH, runs - done)) for done in range(0, runs, BATCH)])


# -- each test: (random, runs, requests, ...) -> the request at which each run alarms -----------


def paired(random, runs, requests, legacy_wrong, replacement_wrong):
    """Only legacy right, only the replacement right: each side errs by itself."""
    boundary = bound_worse(requests // 2)

    def draw(count):
        old = random.random((count, requests), dtype=np.float32) < legacy_wrong
        new = random.random((count, requests), dtype=np.float32) < replacement_wrong
        b = np.cumsum(new & ~old, axis=1, dtype=np.int32)
        c = np.cumsum(old & ~new, axis=1, dtype=np.int32)
        return first(b >= boundary[c])

    return in_batches(runs, draw)


def passes(random, runs, requests, margin, agree):
    """Draw a replacement that is worse by just the margin: how often it is passed.

    Looked at where the state is: the e-value depends on b and c, asked once for each that occurs.
    """
    asked = {}

    def reached(n, b, c):
        state = (n, b, c)
        if state not in asked:
            asked[state] = log_e_not_worse(n, b, c, margin) >= GOAL
        return asked[state]

    found = []
    rest = (1 - agree - margin) / 2
    for _ in range(runs):
        drawn = random.random(requests)
        b = np.cumsum(drawn < rest + margin)
        c = np.cumsum(drawn > 1 - rest)
        # Only where the replacement leads by what a pass needs at all is it worth asking.
        near = np.flatnonzero(c - b > -margin * np.arange(1, requests + 1) + 1 / margin * 0.9)
        hit = next((at + 1.0 for at in near if reached(at + 1, int(b[at]), int(c[at]))), inf)
        found.append(hit)
    return np.array(found)


def mismatch(random, runs, requests, rate):
    bounds = Mismatch()
    upper = log((1 - bounds.beta) / bounds.alpha)
    lower = log(bounds.beta / (1 - bounds.alpha))
    one, other = log_ratio(0, 1, bounds), log_ratio(1, 0, bounds)
    failed, passed = [], []

    def draw(count):
        wrong = random.random((count, requests), dtype=np.float32) < rate
        ratio = np.cumsum(np.where(wrong, one, other), axis=1)
        passed.append(first(ratio <= lower))
        failed.append(first(ratio >= upper))
        return failed[-1]

    in_batches(runs, draw)
    return np.concatenate(failed), np.concatenate(passed)


def errors(random, runs, requests, legacy_rate, replacement_rate, share=SHARE):
    """Unpaired: requests until the errors of the two sides are told apart."""
    most = int(requests * (legacy_rate * (1 - share) + replacement_rate * share) * 2) + 50
    boundary = bound_more(most, share)
    total_rate = legacy_rate * (1 - share) + replacement_rate * share
    mine = replacement_rate * share / total_rate

    def draw(count):
        # Between two errors nothing changes: only errors are drawn, and the requests between them.
        worse = np.cumsum(random.random((count, most)) < mine, axis=1)
        at = np.cumsum(random.geometric(total_rate, (count, most)), axis=1)
        alarm = (worse >= boundary[np.arange(1, most + 1)]) & (at <= requests)
        place = alarm.argmax(axis=1)
        return np.where(alarm.any(axis=1), at[np.arange(count), place], inf)

    return in_batches(runs, draw)


def sample_ratio(random, runs, keys, share, true_share):
    low, high = bounds_other(keys, share)

    def draw(count):
        mine = np.cumsum(random.random((count, keys), dtype=np.float32) < true_share, axis=1)
        numbers = np.arange(1, keys + 1)
        return first((mine >= high[numbers]) | (mine <= low[numbers]))

    return in_batches(runs, draw)


SPREADS = {
    "normal": lambda random, size: random.normal(0, 0.6, size),
    "long tail": lambda random, size: random.standard_t(3, size) * 0.4,
    "skewed": lambda random, size: 0.7 * (1 - random.exponential(1.0, size)),
    "rare slow legacy": lambda random, size: np.where(random.random(size) < 0.02, -4.9, 0.1),
}
"""How the log ratio (octaves) lies around its mean, which is 0."""


def latency(random, runs, pairs, spread, octaves):
    """Replay the bet, stake by stake, as ``log_e_above`` sums it up; asserted to be the same."""
    limit = 1.0  # at most twice as long
    bets = np.array([0.8 * 2.0**-step for step in range(9)]) / (limit + MOST)

    def draw(count):
        values = limit + octaves + SPREADS[spread](random, (count, pairs))
        steps = np.clip(np.floor(values * STEPS), -MOST * STEPS, MOST * STEPS - 1) / STEPS
        capital = np.full((count, pairs), -inf)
        for bet in bets:
            capital = np.logaddexp(capital, np.cumsum(np.log1p(bet * (steps - limit)), axis=1))
        capital -= log(len(bets))
        values, numbers = np.unique(steps[0], return_counts=True)
        again = log_e_above(dict(zip(values.tolist(), numbers.tolist(), strict=True)), limit, -MOST)
        assert abs(again - capital[0, -1]) < 1e-6
        return first(capital >= GOAL)

    return np.concatenate([draw(min(500, runs - done)) for done in range(0, runs, 500)])


def normal_sequence(random, runs, pairs, spread, octaves, tuned=5_000):
    """GrowthBook's asymptotic confidence sequence (Howard and Ramdas; Waudby-Smith et al.)."""
    numbers = np.arange(1, pairs + 1)
    rho2 = (-2 * log(ALPHA) + log(-2 * log(ALPHA)) + 1) / tuned
    v = numbers * rho2 + 1
    wide = np.sqrt(2 * v / (numbers**2 * rho2) * np.log(np.sqrt(v) / ALPHA))

    def draw(count):
        values = octaves + SPREADS[spread](random, (count, pairs))
        mean = np.cumsum(values, axis=1) / numbers
        spread_ = np.cumsum(values**2, axis=1) / numbers - mean**2
        alarms = mean - np.sqrt(np.maximum(spread_, 0)) * wide > 0
        alarms[:, 0] = False
        return first(alarms)

    return np.concatenate([draw(min(500, runs - done)) for done in range(0, runs, 500)])


# -- what others do ----------------------------------------------------------------------------


def threshold(random, runs, requests, replacement_wrong):
    """Fail on at least 5 % errors in a window of 100 requests, one window after the other."""
    windows = requests // 100
    wrong = random.binomial(100, replacement_wrong, (runs, windows))
    return first(wrong >= 5) * 100


def z_test(random, runs, requests, legacy_wrong, replacement_wrong, every=20):
    """Fail on one-sided p < 0.01 of McNemar's z, looked at every 20 requests."""

    def draw(count):
        old = random.random((count, requests), dtype=np.float32) < legacy_wrong
        new = random.random((count, requests), dtype=np.float32) < replacement_wrong
        b = np.cumsum(new & ~old, axis=1, dtype=np.int32)[:, every - 1 :: every]
        c = np.cumsum(old & ~new, axis=1, dtype=np.int32)[:, every - 1 :: every]
        return first((b - c) / np.sqrt(np.maximum(b + c, 1)) > 2.326) * every

    return in_batches(runs, draw)


def rate(found):
    return float(np.isfinite(found).mean())


def median(found):
    middle = float(np.median(found))
    return None if middle == inf else round(middle)


def false_alarms(random, runs):
    """By test: how often a replacement that is as good as legacy is ever failed."""
    found = {
        "paired, 20 % wrong": rate(paired(random, runs, 4_000, 0.2, 0.2)),
        "paired, 2 % wrong": rate(paired(random, runs, 4_000, 0.02, 0.02)),
        "false pass at the margin": rate(passes(random, runs, 2_000, 0.05, 0.85)),
        "mismatch at p0": rate(mismatch(random, runs, 6_000, 0.005)[0]),
        "errors, 1 % at 10 %": rate(errors(random, runs, 100_000, 0.01, 0.01)),
        "errors, 1 % at 1 %": rate(errors(random, runs, 100_000, 0.01, 0.01, share=0.01)),
    }
    for spread in SPREADS:
        found[f"latency, {spread}"] = rate(latency(random, runs, 2_000, spread, 0.0))
    found["sample ratio, 10 %"] = rate(sample_ratio(random, runs, 4_000, SHARE, SHARE))
    return found


def others(random, runs):
    found = {
        "threshold, 2 % wrong, a window": rate(threshold(random, runs, 100, 0.02)),
        "threshold, 2 % wrong, 4,000 requests": rate(threshold(random, runs, 4_000, 0.02)),
        "z-test peeked, 20 % wrong": rate(z_test(random, runs, 4_000, 0.2, 0.2)),
    }
    for spread in SPREADS:
        name = f"asymptotic sequence, {spread}"
        found[name] = rate(normal_sequence(random, runs, 2_000, spread, 0.0))
    return found


def detection(random, runs):
    """By points that the replacement is worse: the median request at which each test alarms."""
    found = {}
    for points, requests in ((2, 40_000), (5, 10_000), (20, 2_000)):
        wrong = 0.02 + points / 100
        some = min(runs, 2_000 if points == 2 else runs)
        found[points] = {
            "paired": median(paired(random, some, requests // 4, 0.02, wrong)),
            "mismatch": median(mismatch(random, runs, requests // 4, 0.005 + points / 100)[0]),
            "errors at 10 %": median(errors(random, runs, requests * 2, 0.02, wrong)),
            "threshold": median(threshold(random, runs, requests, wrong)),
            "z-test": median(z_test(random, some, requests // 4, 0.02, wrong)),
        }
    return found


def slowness(random, runs):
    """By how many times legacy's time, where twice is allowed: the median pairs until caught."""
    return {
        times: median(latency(random, runs, 1_000, "normal", np.log2(times / 2)))
        for times in (2.5, 3, 4, 8)
    }


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--runs", type=int, default=10_000)
    arguments.add_argument("--seed", type=int, default=5)
    given = arguments.parse_args()
    random = np.random.default_rng(given.seed)
    alarms = false_alarms(random, given.runs)
    goals = {name: RATIO_ALPHA if name.startswith("sample") else ALPHA for name in alarms}
    print(f"{'false alarms, looked at always':44}{'found':>9}{'at most':>9}")
    for name, share in alarms.items():
        print(f"{name:44}{share:9.2%}{goals[name]:9.2%}")
    beside = others(random, given.runs)
    for name, share in beside.items():
        print(f"{name:44}{share:9.2%}")
    caught = detection(random, given.runs)
    tests = list(caught[2])
    print(f"\n{'median requests until caught':30}" + "".join(f"{name:>16}" for name in tests))
    for points, by_test in caught.items():
        line = "".join(f"{by_test[name] or 'never':>16}" for name in tests)
        print(f"{f'{points} points worse than 2 %':30}{line}")
    slow = slowness(random, min(given.runs, 2_000))
    print(f"median pairs until a latency of so many times legacy's is caught, 2 allowed: {slow}")
    # 10,000 runs are a sample too: what is over the bound by chance alone is let through.
    met = all(
        share <= goals[name] + 2.326 * sqrt(goals[name] * (1 - goals[name]) / given.runs)
        for name, share in alarms.items()
    )
    figures = {"ratios": alarms, "others": beside, "median_requests": caught, "median_pairs": slow}
    print(json.dumps({"benchmark": "guardrails", **figures, "goals": goals, "met": met}))
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
