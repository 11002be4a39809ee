# SPDX-License-Identifier: MIT
"""The bound on the loss probability, against independent arithmetic."""

from __future__ import annotations

from fractions import Fraction
from math import comb

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from physbuf_lab.statistics import loss_bound


@pytest.mark.parametrize(("trials", "bound"), [(59, 0.05), (299, 0.01), (2995, 0.001)])
def test_the_numbers_that_everybody_quotes(trials: int, bound: float) -> None:
    """So many clean trials just suffice, one fewer does not."""
    assert loss_bound(trials, 0) < bound < loss_bound(trials - 1, 0)


def at_most(losses: int, trials: int, probability: Fraction) -> Fraction:
    """The binomial distribution in whole numbers."""
    return sum(
        (comb(trials, k) * probability**k * (1 - probability) ** (trials - k) for k in range(losses + 1)), Fraction(0)
    )


@settings(deadline=None, max_examples=50)
@given(st.data())
def test_at_the_bound_so_few_losses_have_five_percent(data: st.DataObject) -> None:
    trials = data.draw(st.integers(1, 120))
    losses = data.draw(st.integers(0, trials - 1))
    bound = Fraction(loss_bound(trials, losses))
    assert abs(at_most(losses, trials, bound) - Fraction(5, 100)) < Fraction(1, 10**9)


@pytest.mark.parametrize(
    ("trials", "losses", "bound"),
    # Beta(losses + 1, trials - losses) at 0.95, as tables of Clopper and Pearson's limits have them.
    [
        (10, 1, 0.3942),
        (10, 5, 0.7776),
        (20, 2, 0.2826),
        (100, 1, 0.0466),
        (100, 10, 0.1637),
        (3, 0, 0.6316),
        (2, 1, 0.9747),
    ],
)
def test_published_limits(trials: int, losses: int, bound: float) -> None:
    assert round(loss_bound(trials, losses), 4) == bound


@pytest.mark.parametrize("confidence", [0.5, 0.9, 0.99])
def test_another_confidence(confidence: float) -> None:
    bound = Fraction(loss_bound(30, 2, confidence))
    assert abs(at_most(2, 30, bound) - Fraction(1 - confidence)) < Fraction(1, 10**9)


def test_without_a_trial_nothing_is_known() -> None:
    assert loss_bound(0, 0) == 1.0


@pytest.mark.parametrize("trials", [1, 7])
def test_when_all_is_lost_nothing_is_excluded(trials: int) -> None:
    assert loss_bound(trials, trials) == 1.0


@pytest.mark.parametrize(("trials", "losses"), [(3000, 300), (5000, 2500), (20_000, 30)])
def test_large_campaigns(trials: int, losses: int) -> None:
    """Their binomial coefficients do not fit into a float; the bound lies where the normal distribution has it."""
    rate = losses / trials
    deviation = (rate * (1 - rate) / trials) ** 0.5
    assert rate + 1.5 * deviation < loss_bound(trials, losses) < rate + 2.0 * deviation


@given(st.integers(1, 300), st.integers(0, 20))
@settings(deadline=None)
def test_more_losses_and_fewer_trials_are_worse(trials: int, losses: int) -> None:
    assert loss_bound(trials, losses) <= loss_bound(trials, losses + 1)
    assert loss_bound(trials + 1, losses) <= loss_bound(trials, losses)
