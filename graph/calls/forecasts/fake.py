"""Fake users: accounts of agents and SIM boxes, which call as hardly anybody does.

Nobody hands in who is fake, so what counts is how far out a customer lies in the directions that such accounts are
known for. The score sums the tails of the network's own distributions, each on its suspicious side,

    score = sum over signs of -ln(share of customers who are at least as far out)

(Z. Li et al., "ECOD: Unsupervised Outlier Detection Using Empirical Cumulative Distribution Functions", TKDE 2022).
Shares of few events are drawn to the network's share, as if `PRIOR` more had been seen, so that a single call is no
sign. `probability` is one less the false discovery rate of everybody this far out: ln score as a normal
distribution with the median and the lower spread of the network (B. Efron, "Large-Scale Simultaneous Hypothesis
Testing", JASA 99, 2004). It says how surely a customer is unlike the others, and orders them; a person has to look.
"""

from __future__ import annotations

import numpy as np
from scipy.stats import norm, rankdata

from graph.calls.forecasts.history import Columns

PRIOR = 10.0
READS = ("events", "contacts", "one_way", "out_share", "top_share", "seconds_a_call", "new", "mb", "tenure")
"""The features that it looks at."""
SIGNS: dict[str, str] = {
    "scattered": "hardly calls anybody twice",
    "never called back": "most of those called never call back",
    "only calls out": "begins nearly all the calls",
    "many contacts": "calls far more people than most",
    "one cell": "calls from one cell",
    "short calls": "the calls are very short",
    "new contacts": "hardly any contact lasts",
    "no data": "hardly uses data",
    "activated in a batch": "many numbers were activated on the same day",
    "new number": "has not been a customer for long",
}


def signs(now: Columns, batch: np.ndarray) -> np.ndarray:
    """(n, signs): higher is more suspicious, nan where not known. `batch` (n,): customers activated on the same day."""
    events, contacts = now["events"], now["contacts"]
    columns = [
        _drawn(contacts, events),
        _drawn(now["one_way"] * contacts, contacts),
        _drawn(now["out_share"] * events, events),
        contacts,
        _drawn(now["top_share"] * events, events),
        -now["seconds_a_call"],
        _drawn(now["new"], contacts),
        -now["mb"],
        batch,
        -now["tenure"],
    ]
    return np.column_stack(columns)


def _drawn(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """part / whole, drawn to the network's share where there is little of it."""
    known = ~np.isnan(part) & (whole > 0)
    share = part[known].sum() / max(float(whole[known].sum()), 1.0)
    return (part + PRIOR * share) / (whole + PRIOR)


def fake(now: Columns, batch: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Probability (n,), nan for who has no calls, and what each sign adds to the score (n, signs)."""
    active = now["events"] > 0
    parts = np.zeros((len(active), len(SIGNS)))
    p = np.full(len(active), np.nan)
    if active.sum() < 100:
        return p, parts
    parts[active] = np.column_stack([_tails(column) for column in signs(now, batch)[active].T])
    p[active] = discovered(parts[active].sum(axis=1))
    return p, parts


def _tails(column: np.ndarray) -> np.ndarray:
    """-ln of the share of rows that are at least as high; of the unknown, as of the middle."""
    known = ~np.isnan(column)
    found = np.full(len(column), np.log(2))
    if known.any():
        found[known] = -np.log(rankdata(-column[known], "max") / known.sum())
    return found


def discovered(score: np.ndarray) -> np.ndarray:
    """One less the false discovery rate among all rows with at least this score; rises with the score."""
    value = np.log(np.maximum(score, 1e-9))
    middle, low = np.quantile(value, [0.5, float(norm.cdf(-1))])
    order = np.argsort(-value, kind="stable")
    expected = norm.sf((value[order] - middle) / max(middle - low, 1e-9)) * len(value)
    rate = np.minimum(expected / np.arange(1, len(value) + 1), 1)
    found = np.empty(len(value))
    found[order] = 1 - np.maximum.accumulate(rate)
    return found
