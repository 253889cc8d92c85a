"""What a policy would have earned on logged showings: by inverse probabilities, and doubly robust.

Each logged showing i had the probability p_i of being chosen, earned r_i (1 for an acceptance, or its value), and the
policy would have chosen the same item with the chance a_i (1 or 0 where it leaves nothing to chance). With q_i what is
expected of the shown item, v_i of what the policy would choose, and w_i = a_i / p_i:

- inverse probabilities: mean of w_i · r_i: unbiased where all that the policy chooses had a chance of being shown;
- normalised: the same over the mean of w_i, slightly biased, of less variance;
- doubly robust: mean of v_i + w_i · (r_i - q_i): unbiased where either the probabilities or what is expected are
  right (Dudík, Langford and Li 2011, "Doubly Robust Policy Evaluation and Learning").
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from lake.errors import BadValue

MOST_WEIGHT = 100.0
"""No showing counts for more than so many: a little bias for much less variance."""
ESTIMATES = ("inverse_probability", "normalised", "doubly_robust")
DRAWS = 1000
_ENTRIES = 1 << 24


@dataclass(frozen=True)
class Logged:
    """r logged showings: `probability` of having been shown, `reward` earned, `agrees` the chance that the policy would
    have chosen the same item, `expected` reward of the shown item and `expected_own` of what the policy would choose (0
    where it would show nothing), and `customer`, whose draws go together."""

    probability: np.ndarray
    reward: np.ndarray
    agrees: np.ndarray
    expected: np.ndarray
    expected_own: np.ndarray
    customer: np.ndarray

    def __post_init__(self) -> None:
        if not (np.isfinite(self.probability).all() and (self.probability > 0).all() and (self.probability <= 1).all()):
            raise BadValue("a probability of having been shown is not above 0 and up to 1", "estimate those missing")


@dataclass(frozen=True)
class Estimate:
    """A `mean`, and what it is in each of the `draws` of customers; nan where nothing can be said."""

    mean: float
    draws: np.ndarray

    def __sub__(self, other: Estimate) -> Estimate:
        """The difference, draw by draw: of two policies on the same showings."""
        return Estimate(self.mean - other.mean, self.draws - other.draws)

    @property
    def interval(self) -> tuple[float, float]:
        """95 % of the draws."""
        told = self.draws[np.isfinite(self.draws)]
        if not np.isfinite(self.mean) or not len(told):
            return float("nan"), float("nan")
        low, high = np.quantile(told, [0.025, 0.975])
        return float(low), float(high)


@dataclass(frozen=True)
class Support:
    """How much of a policy the log can tell of.

    agreement  mean chance that the policy would have chosen what was shown
    covered    mean weight: 1 where all that the policy chooses had a chance of being shown, less where it had none
    effective  effective sample size: (Σ w)² / Σ w²
    clipped    showings whose weight was cut to `MOST_WEIGHT`
    """

    agreement: float
    covered: float
    effective: float
    clipped: int


def weights(logged: Logged, most: float = MOST_WEIGHT) -> np.ndarray:
    """Chance that the policy agrees over the probability (r), that at most `most` times."""
    return np.asarray(logged.agrees * np.minimum(1 / logged.probability, most))


def support(logged: Logged) -> Support:
    """What there is to go by; nan without any showing."""
    w = weights(logged)
    squares = float((w**2).sum())
    agreement, covered = (float(x.mean()) if len(x) else float("nan") for x in (logged.agrees * 1.0, w))
    clipped = int(((logged.agrees > 0) & (1 / logged.probability > MOST_WEIGHT)).sum())
    return Support(agreement, covered, float(w.sum()) ** 2 / squares if squares else 0.0, clipped)


def estimates(policies: Mapping[str, Logged], seed: int = 0, draws: int = DRAWS) -> dict[str, dict[str, Estimate]]:
    """`ESTIMATES` of each policy on the same showings, with the same draws of customers for all.

    `normalised` is nan where the policy agrees nowhere, everything without any showing.
    """
    columns = []
    for logged in policies.values():
        w = weights(logged)
        columns += [w * logged.reward, w, logged.expected_own + w * (logged.reward - logged.expected)]
    customer = next(iter(policies.values())).customer
    who = np.unique(customer, return_inverse=True)[1]
    if not len(who):
        nothing = Estimate(float("nan"), np.full(draws, np.nan))
        return {name: dict.fromkeys(ESTIMATES, nothing) for name in policies}
    sums = np.stack([np.bincount(who, column) for column in [np.ones(len(who)), *columns]], axis=1)
    total = np.vstack([sums.sum(axis=0), _drawn(sums, seed, draws)])
    found = {}
    with np.errstate(divide="ignore", invalid="ignore"):
        for at, name in enumerate(policies):
            earned, weight, robust = total[:, 1 + 3 * at : 4 + 3 * at].T
            each = (earned / total[:, 0], earned / weight, robust / total[:, 0])
            found[name] = {
                kind: Estimate(float(values[0]), values[1:]) for kind, values in zip(ESTIMATES, each, strict=True)
            }
    return found


def _drawn(sums: np.ndarray, seed: int, draws: int) -> np.ndarray:
    """Sums over customers (draws, q), who are drawn anew with replacement each time."""
    rng = np.random.default_rng(seed)
    n = len(sums)
    found = np.zeros((draws, sums.shape[1]))
    step = max(1, _ENTRIES // n)
    for at in range(0, draws, step):
        size = min(step, draws - at)
        drawn = rng.integers(0, n, (size, n)) + np.arange(size)[:, None] * n
        times = np.bincount(drawn.ravel(), minlength=size * n).reshape(size, n)
        found[at : at + size] = np.einsum("dn,nq->dq", times.astype(np.float64), sums)
    return found
