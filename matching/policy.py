"""What a deterministic policy would have earned on logged showings: by inverse probabilities, and doubly robust.

Each logged showing i had the probability p_i of being chosen, earned r_i (1 for an acceptance, or its value), and the
policy would have chosen the same item (a_i is 1) or another one. With q_i what is expected of the shown item, and v_i
of the item that the policy would choose:

- inverse probabilities: mean of a_i · w_i · r_i, w_i = 1 / p_i: unbiased where all that the policy chooses had one;
- normalised: the same over the mean of a_i · w_i, slightly biased, of less variance;
- doubly robust: mean of v_i + a_i · w_i · (r_i - q_i): unbiased where either the probabilities or what is expected are
  right (Dudík, Langford and Li 2011, "Doubly Robust Policy Evaluation and Learning").
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lake.errors import BadValue

MOST_WEIGHT = 100.0
"""No showing counts for more than so many: a little bias for much less variance."""


@dataclass(frozen=True)
class Value:
    """A mean and its 95 % bootstrap interval."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True)
class Logged:
    """r logged showings: `probability` of having been shown, `reward` earned, `agrees` whether the policy would have
    chosen the same item, `expected` reward of the shown item and `expected_own` of the item that the policy would
    choose (0 where it would show nothing), and `customer`, whose draws go together."""

    probability: np.ndarray
    reward: np.ndarray
    agrees: np.ndarray
    expected: np.ndarray
    expected_own: np.ndarray
    customer: np.ndarray

    def __post_init__(self) -> None:
        if not (np.isfinite(self.probability).all() and (self.probability > 0).all() and (self.probability <= 1).all()):
            raise BadValue("a probability of having been shown is not above 0 and up to 1", "estimate those missing")


def weights(logged: Logged, most: float = MOST_WEIGHT) -> np.ndarray:
    """1 / probability (r), at most `most`, where the policy agrees; 0 elsewhere."""
    return np.where(logged.agrees, np.minimum(1 / logged.probability, most), 0.0)


def inverse_probability(logged: Logged, seed: int = 0, draws: int = 1000) -> Value:
    """What the policy would have earned a showing, from the showings on which it agrees."""
    w = weights(logged)
    return _value(w * logged.reward, np.ones(len(w)), logged.customer, seed, draws)


def normalised(logged: Logged, seed: int = 0, draws: int = 1000) -> Value:
    """The same divided by the mean weight; nan where the policy agrees nowhere."""
    w = weights(logged)
    return _value(w * logged.reward, w, logged.customer, seed, draws)


def doubly_robust(logged: Logged, seed: int = 0, draws: int = 1000) -> Value:
    """What is expected of the policy's own choices, mended by what the shown ones earned beyond what was expected."""
    w = weights(logged)
    return _value(
        logged.expected_own + w * (logged.reward - logged.expected), np.ones(len(w)), logged.customer, seed, draws
    )


def difference(one: Logged, other: Logged, seed: int = 0, draws: int = 1000) -> Value:
    """Doubly robust value of one policy less another's on the same showings, with the interval of the difference."""
    parts = [p.expected_own + weights(p) * (p.reward - p.expected) for p in (one, other)]
    return _value(parts[0] - parts[1], np.ones(len(parts[0])), one.customer, seed, draws)


def _value(above: np.ndarray, below: np.ndarray, customer: np.ndarray, seed: int, draws: int) -> Value:
    """Σ above / Σ below, and its interval over draws of customers."""
    who = np.unique(customer, return_inverse=True)[1]
    sums = np.stack([np.bincount(who, above), np.bincount(who, below)], axis=1) if len(who) else np.zeros((0, 2))
    if not len(who) or not below.sum():
        return Value(float("nan"), float("nan"), float("nan"))
    rng = np.random.default_rng(seed)
    found = np.full(draws, np.nan)
    for i in range(draws):
        total = sums[rng.integers(0, len(sums), len(sums))].sum(axis=0)
        found[i] = total[0] / total[1] if total[1] else np.nan
    low, high = np.nanquantile(found, [0.025, 0.975])
    return Value(float(above.sum() / below.sum()), float(low), float(high))
