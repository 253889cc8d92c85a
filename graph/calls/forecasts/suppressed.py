"""Suppressed demand: customers who would use more data than they do, were the plan open.

Who is held back shows in two ways at once: use that stops near the plan's limit month after month, without packs, and
similar customers who use more. What a customer of these properties x wants is log-normal and seen only up to the
limit where use comes near it, so it is estimated as a censored regression,

    log wanted = x b + e,  e ~ N(0, s^2);   wanted = used, or, near the limit, wanted >= used

(J. Tobin, "Estimation of Relationships for Limited Dependent Variables", Econometrica 26, 1958; concave in 1/s and b/s:
R. Olsen, Econometrica 46, 1978). The plan is not part of x: it is the limit, not the wish. Then

    probability = share of the last months near the limit × P(wanted > 1.1 used | wanted >= used)

and 0 for who is not near it now. It orders customers; nothing that is handed in says how much anybody wanted.
"""

from __future__ import annotations

import numpy as np
from scipy.optimize import minimize
from scipy.stats import norm

from graph.calls.forecasts.history import Columns

NEAR, OVER = 0.7, 1.05
"""Use within these shares of the plan's data is near the limit. A choice: a customer who saves stops before it."""
MORE = 1.1
"""Use a tenth higher counts as more."""
ROWS = 200_000
READS = (
    "mb", "plan_mb", "packs", "age", "person", "handset_price", "handset_age", "events", "contacts",
    "message_share", "off_net_share", "services", "tenure",
)  # fmt: skip
"""The features that it looks at."""


def suppressed(months: list[Columns]) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """(n,) each: probability (nan without a limited plan, or without any use of data), in how many months near the
    limit and in how many known at all, and the median mb that similar customers want.

    `months`: features of the last periods, latest first.
    """
    now = months[0]
    used, limit = now["mb"].astype(np.float64), now["plan_mb"].astype(np.float64)
    known = (used > 0) & (limit > 0)
    near = np.stack([_near(month) for month in months]) & known
    held = near[0] & (now["packs"] == 0)
    many = near.sum(axis=0)
    seen = np.stack([~np.isnan(month["mb"]) for month in months]).sum(axis=0)
    p = np.where(known, 0.0, np.nan)
    wanted = np.full(len(used), np.nan)
    if known.sum() < 100 or not held.any() or held[known].all():
        return p, many, seen, wanted
    x = _properties(now)[known]
    mean, spread = tobit(x, np.log(used[known]), held[known])
    wanted[known] = np.exp(mean)
    floor = np.log(used[known])
    rest = norm.sf((floor + np.log(MORE) - mean) / spread) / np.maximum(norm.sf((floor - mean) / spread), 1e-300)
    p[known] = np.where(held[known], many[known] / seen[known] * np.minimum(rest, 1), 0.0)
    return p, many, seen, wanted


def _near(month: Columns) -> np.ndarray:
    share = month["mb"] / np.where(month["plan_mb"] > 0, month["plan_mb"], np.nan)
    return (share >= NEAR) & (share <= OVER)


def _properties(now: Columns) -> np.ndarray:
    """(rows, k): what tells of a customer's wishes and not of the plan; the unknown at the mean."""
    columns = [
        now["age"],
        now["age"] ** 2,
        now["person"],
        np.log(now["handset_price"]),
        np.log1p(now["handset_age"]),
        np.log1p(now["events"]),
        np.log1p(now["contacts"]),
        now["message_share"],
        now["off_net_share"],
        np.log1p(now["services"]),
        np.log1p(now["tenure"]),
    ]
    x = np.column_stack(columns).astype(np.float64)
    x[~np.isfinite(x)] = np.nan
    known = ~np.isnan(x)
    many = np.maximum(known.sum(axis=0), 1)
    mean = np.nansum(x, axis=0) / many
    x = np.where(known, x - mean, 0.0)
    spread = np.sqrt((x**2).sum(axis=0) / many)
    return np.column_stack([np.ones(len(x)), x / np.where(spread > 0, spread, 1)])


def tobit(x: np.ndarray, y: np.ndarray, censored: np.ndarray) -> tuple[np.ndarray, float]:
    """Means of all rows and the spread, by maximum likelihood from evenly spaced rows, at most `ROWS`."""
    step = max(1, len(y) // ROWS)
    some, value, cut = x[::step], y[::step], censored[::step]
    free = ~cut

    def loss(theta: np.ndarray) -> tuple[float, np.ndarray]:
        precision, b = np.exp(theta[0]), theta[1:]
        fit = some @ b
        gap = precision * value - fit
        z = -gap[cut]
        tail = norm.logcdf(z)
        ratio = np.exp(norm.logpdf(z) - tail)
        total = (theta[0] - 0.5 * gap[free] ** 2).sum() + tail.sum()
        slope = some[free].T @ gap[free] + some[cut].T @ ratio
        level = free.sum() - precision * ((gap[free] * value[free]).sum() + (ratio * value[cut]).sum())
        return -total / len(value), -np.concatenate([[level], slope]) / len(value)

    start = np.zeros(x.shape[1] + 1)
    start[0] = -np.log(max(value.std(), 1e-3))
    start[1] = value.mean() * np.exp(start[0])
    found = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": 500}).x
    return x @ found[1:] / np.exp(found[0]), float(np.exp(-found[0]))
