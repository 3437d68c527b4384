r"""Two tests on paired outcomes that stay valid however often one looks.

Of ``n`` requests that both sides answered, ``b`` were right on legacy's side only, ``c`` on the
replacement's only. Both tests are e-processes (Ramdas et al., *Game-theoretic statistics and safe
anytime-valid inference*, 2023): under the hypothesis they test, the chance that they ever reach
1/α is at most α (Ville's inequality), so looking after every request costs nothing.
"""

from __future__ import annotations

from math import exp, inf, lgamma, log, log1p, log2

__all__ = ["log_e_not_worse", "log_e_worse", "pairs_until_pass"]

_BETS = tuple((step + 0.5) / 20 for step in range(20))


def log_e_worse(b: int, c: int) -> float:
    """Give ln E against "the replacement is not worse", from discordant pairs.

    Among discordant pairs, each is lost by the replacement with chance p; not worse means p <= 1/2.
    The e-value is the likelihood ratio of p uniform on (1/2, 1) to p = 1/2:
    E = 2^(b+c+1) * B(b+1, c+1) * P(X > 1/2), X ~ Beta(b+1, c+1), and that tail is the binomial
    P(Bin(b+c+1, 1/2) <= b).
    """
    total = b + c + 1
    log_beta = lgamma(b + 1) + lgamma(c + 1) - lgamma(total + 1)
    return total * log(2) + log_beta + _log_binomial_tail(total, b)


def log_e_not_worse(n: int, b: int, c: int, margin: float) -> float:
    """Give ln E against "the replacement is worse by at least ``margin``" (a share of requests).

    A bettor starts with 1 and, for a stake λ, multiplies by 1 + λ(margin - x) at every pair, where
    x is +1 for a pair that only legacy got right, -1 for one that only the replacement did, else 0.
    Under the hypothesis each factor has a mean of at most 1. The capital is averaged over a grid
    of stakes, so it depends on the counts alone (Waudby-Smith & Ramdas, 2024).
    """
    same = n - b - c
    logs = []
    for bet in _BETS:
        stake = bet / (1 - margin)
        loss = 1 + stake * (margin - 1)
        logs.append(
            b * log(loss) + c * log1p(stake * (margin + 1)) + same * log1p(stake * margin)
            if loss > 0
            else -inf
        )
    return _log_mean_exp(logs)


def pairs_until_pass(n: int, b: int, c: int, margin: float, goal: float) -> int | None:
    """Say about how many further pairs like those seen so far bring ``ln E`` to ``goal``.

    None where at this rate it never gets there.
    """
    if n == 0:
        n = same = 1
    else:
        same = n
    now = log_e_not_worse(n, b, c, margin)
    if now >= goal:
        return 0
    for factor in (2, 4, 8, 16, 32, 64):
        if log_e_not_worse(n * factor, b * factor, c * factor, margin) >= goal:
            low, high = factor / 2, float(factor)
            while high - low > 1 / max(n, 20):
                middle = (low + high) / 2
                more = (round(count * middle) for count in (n, b, c))
                if log_e_not_worse(next(more), next(more), next(more), margin) >= goal:
                    high = middle
                else:
                    low = middle
            return max(1, round(n * high) - same)
    return None


def _log_binomial_tail(n: int, k: int) -> float:
    """Give ln P(Bin(n, 1/2) <= k)."""
    if 2 * k >= n:
        # The mass lies below k: take the upper tail, which is the lower one of the other side.
        return 0.0 if k >= n else log1p(-exp(_log_binomial_tail(n, n - k - 1)))
    logs = [_log_choose(n, i) for i in range(max(0, k - _terms(n)), k + 1)]
    peak = max(logs)
    return min(0.0, peak + log(sum(exp(value - peak) for value in logs)) - n * log(2))


def _terms(n: int) -> int:
    """Say how many terms below k can matter at double precision: some 12 standard deviations."""
    return int(6 * (n**0.5)) + 64 + int(log2(n + 1))


def _log_choose(n: int, k: int) -> float:
    return lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1)


def _log_mean_exp(logs: list[float]) -> float:
    peak = max(logs)
    return peak + log(sum(exp(value - peak) for value in logs) / len(logs))
