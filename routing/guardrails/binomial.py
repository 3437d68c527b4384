"""Beta-binomial Bayes factors: a count of two kinds against the share that one should have.

Both are e-processes against their hypothesis (a mixture of likelihood ratios), so that the chance
that they ever reach 1/α is at most α, however often one looks (Ville's inequality). The two-sided
one is that of Lindon and Malek, *Anytime-valid inference for multinomial count data* (2022), as in
``ssrm``; in the one-sided one the prior is cut off at the share, which makes it valid for every
share below it too.
"""

from __future__ import annotations

from math import exp, inf, lgamma, log, log1p

__all__ = ["log_e_more", "log_e_other", "log_tail"]

_TINY = 1e-300
_CLOSE = 1e-14
_STEPS = 10_000


def log_e_other(b: int, c: int, share: float, strength: float) -> float:
    """Give ln E against "each of the b + c is one of the b with chance ``share``"."""
    first, second = strength * share, strength * (1 - share)
    grown = _log_beta(first + b, second + c) - _log_beta(first, second)
    return grown - b * log(share) - c * log1p(-share)


def log_e_more(b: int, c: int, share: float, strength: float) -> float:
    """Give ln E against "... with a chance of at most ``share``": it grows with b only.

    For θ above the share, θ/s and (1-θ)/(1-s) average to at most 1 under any chance up to s.
    """
    first, second = strength * share, strength * (1 - share)
    tails = log_tail(first + b, second + c, share) - log_tail(first, second, share)
    return log_e_other(b, c, share, strength) + tails


def log_tail(a: float, b: float, x: float) -> float:
    """Give ln P(X > x) for X ~ Beta(a, b): the incomplete beta function's continued fraction.

    By Lentz's method, as in *Numerical Recipes*, 6.4; from whichever side it converges quickly.
    """
    front = a * log(x) + b * log1p(-x) - _log_beta(a, b)
    if x < (a + 1) / (a + b + 2):
        below = front - log(a) + log(_fraction(a, b, x))
        return log1p(-exp(below)) if below < 0 else -inf
    return front - log(b) + log(_fraction(b, a, 1 - x))


def _fraction(a: float, b: float, x: float) -> float:
    c, d = 1.0, 1 / _away(1 - (a + b) * x / (a + 1))
    value = d
    for m in range(1, _STEPS):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        for term in (even, odd):
            d = 1 / _away(1 + term * d)
            c = _away(1 + term / c)
            value *= c * d
        if abs(c * d - 1) < _CLOSE:
            break
    return value


def _away(value: float) -> float:
    """Keep a divisor away from zero."""
    return value if abs(value) > _TINY else _TINY


def _log_beta(a: float, b: float) -> float:
    return lgamma(a) + lgamma(b) - lgamma(a + b)
