"""What an offer without responses is expected to be accepted at: learned from the facts of the other offers.

y_o, the empirical log-odds of offer o (Cox 1970), is normal around b + x_o · β with β ~ N(0, σ²), what is the offer's
own ~ N(0, τ²), and the counting's variance 1 / (accepted + ½) + 1 / (not accepted + ½): a ridge regression in which an
offer shown ten times weighs little. σ² and τ² maximise the restricted likelihood (Patterson and Thompson 1971), so
where facts tell nothing (σ² = 0) all get the mean. The mean of a logistic-normal is brought in by MacKay's factor
(1992), 1 / √(1 + π v / 8).

Measured with whole offers left out, each alone or a twentieth at a time: nothing of any answer to an offer, nor of what
was chosen by it, is in what is expected of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from embeddings.calibration import above
from embeddings.evaluate import DRAWS, ends
from embeddings.offer_facts import OFFER, SEGMENT, WEIGHTS, counted_as, keys, levels, no_weights
from embeddings.offers import STRENGTH, UNSEEN, acceptance, smoothed
from embeddings.propensity import odds

SPREADS = (0.02, 0.05, 0.1, 0.2, 0.5, 1.0)
"""Variances v = σ² + τ² of log-odds among offers that are tried."""
SHARES = (0.0, 0.25, 0.5, 0.75, 0.95)
"""Shares σ² / v that facts explain, that are tried."""
MOST, FEWEST = 500, 8
"""Offers that are learned from, those shown most; with fewer that were shown nothing is measured."""
FEW = 50
"""With fewer acceptances nothing is measured either."""
FOLDS = 20
FEWEST_HAVE = 2
"""A fact of fewer offers tells nothing of any other."""


@dataclass(frozen=True)
class Counts:
    """Showings and acceptances (s + 1, o) of offers by segment, the last row those of customers without one."""

    shown: np.ndarray
    accepted: np.ndarray

    @classmethod
    def of(cls, shown: np.ndarray, accepted: np.ndarray) -> Counts:
        """Of what `offers.counted` gives, where the last row is everybody."""
        return cls(*(np.vstack([t[:-1], t[-1] - t[:-1].sum(axis=0)]) for t in (shown, accepted)))

    def take(self, offers: np.ndarray) -> Counts:
        return Counts(self.shown[:, offers], self.accepted[:, offers])

    def rates(self) -> np.ndarray:
        """Smoothed acceptance (o,) of each offer."""
        return smoothed(*(np.vstack([t, t.sum(axis=0)]) for t in (self.shown, self.accepted)))[-1]

    def ready(self) -> np.ndarray:
        """By how much more readily each segment says yes than its offers let expect, as log-odds (s + 1,), 0 for
        customers without one: log of (accepted + w g) / (expected + w g), g the acceptance of all, w = `STRENGTH`."""
        general = STRENGTH * acceptance(self.accepted.sum(), self.shown.sum(), UNSEEN)
        found = np.log((self.accepted.sum(axis=1) + general) / (self.shown @ self.rates() + general))
        return np.append(found[:-1], 0.0)


@dataclass(frozen=True)
class Unshown:
    """What serves offers without responses: `mean` of the others, `segment` (the mean, by how readily each segment says
    yes) or `facts` (of the offer, beside that of the segment); and what was measured."""

    served: str
    metrics: dict[str, Any]


def measure_unshown(counts: Counts, known: pa.Table, seed: int) -> Unshown:
    """Leave offers out of `counts`, whose facts are `known`, and tell their showings from the others.

    Facts are served where their log loss is surely lower than those of the mean and of popularity in segment; that
    where it is surely lower than the mean's. Offers are drawn for the intervals, as showings of one offer are alike.
    (The mean's AUC is below .5: without an offer that many accept the mean of the others is lower.)
    """
    offers = np.flatnonzero(counts.shown.sum(axis=0) > 0)
    shown, accepted = int(counts.shown.sum()), int(counts.accepted.sum())
    if len(offers) < FEWEST or accepted < FEW:
        return Unshown("mean", {"offers": len(offers), "shown": shown, "accepted": accepted, "served": "mean"})
    folds = np.random.default_rng(seed).permutation(len(offers)) % FOLDS
    expected = {name: np.zeros_like(counts.shown, np.float64) for name in ("mean", "segment", "facts")}
    for fold in range(min(FOLDS, len(offers))):
        left, others = offers[folds == fold], offers[folds != fold]
        rest = counts.take(others)
        mean, ready = odds(rest.rates().mean()), rest.ready()[:, None]
        expected["mean"][:, left] = mean
        expected["segment"][:, left] = mean + ready
        told = learn_levels(rest, known, others)
        expected["facts"][:, left] = levels(told, known, counts.shown.shape[1])[left] + ready
    told_of = {name: Told.of(counts.take(offers), z[:, offers], seed) for name, z in expected.items()}
    pairs = (("segment", "mean"), ("facts", "mean"), ("facts", "segment"))
    gains = {f"{one} over {other}": told_of[one].gain(told_of[other]) for one, other in pairs}

    def sure(*names: str) -> bool:
        return all(gains[name]["interval"][0] > 0 for name in names)

    served = "facts" if sure("facts over mean", "facts over segment") else "mean"
    served = "segment" if served == "mean" and sure("segment over mean") else served
    metrics = {
        "offers": len(offers),
        "shown": shown,
        "accepted": accepted,
        "left_out": "each offer alone" if len(offers) <= FOLDS else f"a {FOLDS}th of the offers at a time",
        "table": {name: told.summary() for name, told in told_of.items()},
        "gain": gains,
        "served": served,
    }
    return Unshown(served, metrics)


def learn_unshown(served: str, counts: Counts, known: pa.Table, segments: pa.Array) -> pa.Table:
    """The weights that a snapshot holds for what is `served`, learned from all answers; none for the mean."""
    offers = np.flatnonzero(counts.shown.sum(axis=0) > 0)
    if served == "mean" or not len(offers):
        return no_weights()
    counts = counts.take(offers)
    by_segment = {
        "fact": [SEGMENT] * len(segments),
        "value": segments,
        "weight": counts.ready()[:-1],
        "mean": pa.nulls(len(segments), pa.float64()),
        "spread": pa.nulls(len(segments), pa.float64()),
    }
    told = learn_levels(counts, known, offers) if served == "facts" else _level(float(odds(counts.rates().mean())))
    return pa.concat_tables([told, pa.table(by_segment, schema=WEIGHTS)])


def learn_levels(counts: Counts, known: pa.Table, offers: np.ndarray) -> pa.Table:
    """Weights of facts, from the answers `counts` to the `offers` (o, places in `known`) that were shown."""
    shown, accepted = counts.shown.sum(axis=0), counts.accepted.sum(axis=0)
    most = np.sort(np.argsort(-shown, kind="stable")[:MOST])
    n, a = shown[most].astype(np.float64), accepted[most].astype(np.float64)
    y, noise = np.log((a + 0.5) / (n - a + 0.5)), 1 / (a + 0.5) + 1 / (n - a + 0.5)
    x, told = _design(known, offers[most])
    b, beta, v = _fit(x, y, noise)
    factor = 1 / np.sqrt(1 + np.pi * v / 8)
    told = told.set_column(2, "weight", pa.array(factor * beta, pa.float64()))
    return pa.concat_tables([_level(float(factor * b)), told])


def _level(log_odds: float) -> pa.Table:
    """The weight of the fact that every offer has."""
    return pa.Table.from_pylist([{"fact": OFFER, "value": "", "weight": log_odds}], schema=WEIGHTS)


def _design(known: pa.Table, offers: np.ndarray) -> tuple[np.ndarray, pa.Table]:
    """Facts of the `offers` (o,) as columns (o, f), and the table (f) that says which; weights are not known yet."""
    place = np.full(max(int(known["at"].to_numpy().max(initial=-1)), int(offers.max(initial=-1))) + 1, -1)
    place[offers] = np.arange(len(offers))
    at = place[known["at"].to_numpy()]
    known = known.filter(pa.array((at >= 0) & (np.asarray(known["fact"].to_pylist()) != OFFER)))
    at = place[known["at"].to_numpy()]
    _, first, column, have = np.unique(
        np.asarray(keys(known).to_pylist(), str), return_index=True, return_inverse=True, return_counts=True
    )
    amount, plain = known["amount"].to_numpy(), np.asarray(known["value"].to_pylist(), str)[first] != ""
    mean = np.bincount(column, amount, len(have)) / np.maximum(have, 1)
    spread = np.sqrt(np.bincount(column, (amount - mean[column]) ** 2, len(have)) / np.maximum(have, 1))
    mean[plain], spread[plain] = np.nan, np.nan
    kept = (have >= FEWEST_HAVE) & (plain | (spread > 0))
    x = np.zeros((len(offers), len(have)))
    some = kept[column]
    x[at[some], column[some]] = counted_as(amount[some], mean[column[some]], spread[column[some]])
    named = known.take(pa.array(first[kept]))
    columns = [named["fact"], named["value"], np.zeros(kept.sum())]
    columns += [pa.array(values[kept], pa.float64(), from_pandas=True) for values in (mean, spread)]
    return x[:, kept], pa.table(columns, schema=WEIGHTS)


def _fit(x: np.ndarray, y: np.ndarray, noise: np.ndarray) -> tuple[float, np.ndarray, float]:
    """b, β (f,) and v = σ² + τ² at the greatest restricted likelihood; σ² is x · β's variance, on the offers' mean."""
    gram = x @ x.T
    scale = max(float(np.trace(gram)) / max(1, len(y)), 1e-12)
    best, found = -np.inf, (0.0, np.zeros(x.shape[1]), 0.0)
    for v in SPREADS:
        for share in SHARES:
            of_all = v * (share * gram / scale + (1 - share) * np.eye(len(y))) + np.diag(noise)
            inverse = np.linalg.inv(of_all)
            ones = float(inverse.sum())
            b = float(inverse.sum(axis=0) @ y) / ones
            pulled = inverse @ (y - b)
            likelihood = -(np.linalg.slogdet(of_all)[1] + np.log(ones) + (y - b) @ pulled) / 2
            if likelihood > best:
                best, found = likelihood, (b, v * share / scale * (x.T @ pulled), v)
    return found


@dataclass(frozen=True)
class Told:
    """What was expected of showings, against what came: log loss and AUC, and both in `DRAWS` draws of the offers."""

    loss: float
    auc: float
    losses: np.ndarray
    aucs: np.ndarray

    @classmethod
    def of(cls, counts: Counts, log_odds: np.ndarray, seed: int) -> Told:
        """Of counts and log-odds (s + 1, o)."""
        cells, o = log_odds.size, log_odds.shape[1]
        z, n, yes = (part.reshape(cells).astype(np.float64) for part in (log_odds, counts.shown, counts.accepted))
        owner = np.tile(np.arange(o), log_odds.shape[0])
        rng = np.random.default_rng(seed)
        times = np.stack([np.ones(o), *(np.bincount(rng.integers(0, o, o), minlength=o) for _ in range(DRAWS))])
        lost = np.bincount(owner, n * np.logaddexp(0, z) - yes * z, o)
        losses = (times @ lost) / np.maximum(times @ np.bincount(owner, n, o), 1)
        place = np.unique(z, return_inverse=True)[1].reshape(cells)
        aucs = np.array([above(place, yes * often[owner], (n - yes) * often[owner]) for often in times])
        return cls(float(losses[0]), float(aucs[0]), losses[1:], aucs[1:])

    def summary(self) -> dict[str, Any]:
        """Both figures with their 95 % intervals."""
        return {
            "log_loss": round(self.loss, 5),
            "auc": round(self.auc, 5),
            "interval": {"log_loss": ends(self.losses), "auc": ends(self.aucs)},
        }

    def gain(self, other: Told) -> dict[str, Any]:
        """How much lower the log loss and how much higher the AUC is than of `other`, with paired intervals."""
        return {
            "log_loss": round(other.loss - self.loss, 5),
            "interval": ends(other.losses - self.losses),
            "auc": round(self.auc - other.auc, 5),
            "auc_interval": ends(self.aucs - other.aucs),
        }
