# SPDX-License-Identifier: MIT
"""What a number of trials allows to be said."""

from __future__ import annotations

from math import exp, expm1, lgamma, log, log1p

__all__ = ["loss_bound"]


def loss_bound(trials: int, losses: int, confidence: float = 0.95) -> float:
    """The exact upper bound (Clopper and Pearson, one-sided) of the probability to lose, per reset.

    Without a loss it is 1 - (1 - confidence)^(1/trials). Without a trial nothing is known and it is 1.
    """
    if trials == 0 or losses >= trials:
        return 1.0
    if losses == 0:
        return -expm1(log1p(-confidence) / trials)
    low, high = losses / trials, 1.0
    for _ in range(100):
        middle = (low + high) / 2
        if _at_most(losses, trials, middle) > 1.0 - confidence:
            low = middle
        else:
            high = middle
    return high


def _at_most(losses: int, trials: int, probability: float) -> float:
    """The probability of at most so many losses; by logarithms, since large coefficients do not fit into a float."""
    lose, keep = log(probability), log1p(-probability)
    whole = lgamma(trials + 1)
    ways = (whole - lgamma(k + 1) - lgamma(trials - k + 1) for k in range(losses + 1))
    return sum(exp(way + k * lose + (trials - k) * keep) for k, way in enumerate(ways))
