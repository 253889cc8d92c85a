"""Weights that make customers who stayed look like those who left, so that the two differ in leaving alone.

Leavers call less and know fewer people towards the end, so that chance gives them other evidence than customers who
stayed. With e(x) the probability to be a leaver given what a past is like (x), who stayed counts e(x) / (1 - e(x)), by
logistic regression on x and the squares: the weights for the effect on the treated of K. Hirano, G. Imbens, G. Ridder,
"Efficient estimation of average treatment effects using the estimated propensity score", Econometrica 71 (2003).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit

from graph.calls.returning.evidence import USUAL_DAYS
from graph.calls.returning.pasts import Pasts
from graph.calls.returning.seen import Seen

if TYPE_CHECKING:
    from graph.calls.returning.rounds import Entries

RIDGE = 1.0
MOST = 10.0
"""Nobody counts for more than this many of those who stayed on average."""


def weights(traits: np.ndarray, left: np.ndarray) -> np.ndarray:
    """(m,) float64: 1 for who `left` (m,) bool, and weights that add up to the same for who stayed.

    `traits` (k, m) float64: what each past is like. Without anybody of either kind all weigh 1.

    >>> size, left = np.array([[1.0, 1.0, 1.0, 3.0, 1.0, 3.0]]), np.array([True, True, True, True, False, False])
    >>> found = weights(size, left)
    >>> bool(found[4] > found[5]), float(found[4:].sum().round(6))
    (True, 4.0)
    """
    found = np.ones(len(left))
    if left.all() or not left.any():
        return found
    spread = traits.std(axis=1, keepdims=True)
    scaled = (traits - traits.mean(axis=1, keepdims=True)) / np.where(spread > 0, spread, 1)
    columns = [*scaled, *(scaled**2 - 1)]

    def log_odds(parameters: np.ndarray) -> np.ndarray:
        total = np.full(len(left), parameters[0])
        for weight, column in zip(parameters[1:], columns, strict=True):
            total = total + weight * column
        return total

    def cost(parameters: np.ndarray) -> tuple[float, np.ndarray]:
        total = log_odds(parameters)
        missed = expit(total) - left
        slope = np.r_[missed.sum(), [(missed * column).sum() for column in columns]] + RIDGE * parameters
        return np.logaddexp(0, total).sum() - total[left].sum() + RIDGE / 2 * (parameters**2).sum(), slope

    fitted = minimize(cost, np.zeros(1 + len(columns)), jac=True, method="TNC").x
    stayed = np.exp(log_odds(fitted)[~left])
    stayed = np.minimum(stayed / stayed.mean(), MOST)
    found[~left] = stayed / stayed.sum() * left.sum()
    return found


def traits(past: Pasts, entries: Entries, known: Seen, on_net: np.ndarray) -> np.ndarray:
    """(7, m) what pasts are like: logarithms of contacts, of on-net contacts, and of the contacts expected in the 30
    days after, all and on-net; the share of contacts still there then, their rarity, and the last period."""
    row = np.repeat(np.arange(len(past.user)), np.diff(entries.starts))
    there = known.last[entries.contact] > past.end[row]
    usual = (1 - np.exp(-entries.rate * USUAL_DAYS)) * there
    own = on_net[entries.contact]

    def total(values: np.ndarray) -> np.ndarray:
        return np.bincount(row, values, len(past.user))

    many = np.maximum(np.diff(entries.starts), 1)
    rarity = total(-np.log(np.maximum(known.contacts[entries.contact], 1))) / many
    sizes = [np.log1p(total(values)) for values in (own + 0.0, usual, usual * own)]
    return np.stack([np.log(many), *sizes, total(there) / many, rarity, past.ends.astype(float)])
