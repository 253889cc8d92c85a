"""The chance that a customer begins to use an app, told from the app's score: of apps that scored like it for customers
like these before the cut, how many were begun after it.

chance(score) is isotonic regression (Zadrozny and Elkan 2002, "Transforming classifier scores into accurate multiclass
probability estimates") over groups of pairs (customer, app not used before) with about equally many begun, linear in
between. It holds for as many days as were held out by time; a random cut says nothing of when, and nothing is learned.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from scipy.optimize import isotonic_regression

from embeddings.calibration import distance, tenths
from embeddings.evaluate import CHUNK_ENTRIES, K, Score, most_users, top_k
from embeddings.snapshot import UPTAKE
from embeddings.split import EPOCH
from embeddings.trial import Trial

UNITS = {"deviations": 1.0, "shares": 1e-4}
"""Scores are told apart by asinh(score / unit): in even steps near 0, in even ratios beyond."""
LOW, HIGH, BINS = -8.0, 12.0, 1 << 14
KNOTS = 64
FEWEST = 50
"""With fewer begun apps than this nothing is learned; nor where there is nobody else to hold it against."""


@dataclass(frozen=True)
class Uptake:
    """A `table` of UPTAKE, without rows where nothing was learned, and the `metrics` that say how well it held for
    customers whom it was not learned from."""

    table: pa.Table
    metrics: dict[str, Any]


@dataclass
class Counts:
    """Pairs by bin of their score: how many (BINS,), and how many of them were begun."""

    unit: float
    pairs: np.ndarray
    begun: np.ndarray

    def knots(self) -> tuple[np.ndarray, np.ndarray]:
        """Scores and chances (≤ KNOTS,) that rise."""
        wanted = max(1, -(-int(self.begun.sum()) // KNOTS))
        # From the top, so that what is shown most is told apart best; the last group takes what is left below.
        begun, pairs = self.begun[::-1], self.pairs[::-1]
        some = np.flatnonzero(pairs)
        group = np.minimum((np.cumsum(begun) - begun) // wanted, KNOTS - 1)[some]
        middle = np.sinh((np.arange(BINS)[::-1] + 0.5) * (HIGH - LOW) / BINS + LOW)[some] * self.unit
        size = np.bincount(group, pairs[some])
        score = np.bincount(group, pairs[some] * middle) / np.maximum(size, 1)
        rate = np.bincount(group, begun[some]) / np.maximum(size, 1)
        there = size > 0
        order = np.argsort(score[there], kind="stable")
        score, rate, size = score[there][order], rate[there][order], size[there][order]
        chance = np.asarray(isotonic_regression(rate, weights=size).x)
        level = np.diff(chance) == 0
        inner = np.append(False, level) & np.append(level, False)  # within a level stretch, which its ends say
        return score[~inner], chance[~inner]


def learn_uptake(trial: Trial, score: Score, served: str) -> Uptake:
    """From `score` as it is `served`, customers with use by deviations, those without by the shares they are served."""
    held = trial.held
    if held.cutoff is None or not held.held.shape[1]:
        return Uptake(UPTAKE.empty_table(), {})
    days = int(held.held.last.max()) + 1 - (held.cutoff - EPOCH).days
    used = np.diff(trial.known.indptr) > 0
    warm = "shares" if served == "popularity" else "deviations"
    parts = [(warm, np.flatnonzero(used))]
    if warm == "deviations":
        parts.append(("shares", np.flatnonzero(~used)))
    rows, metrics = [], dict[str, Any]()
    most = most_users(held.held.shape[1])
    for kind, users in parts:
        some = np.random.default_rng(trial.seed).permutation(users)[:most]
        learned, _, _ = count(trial, score, np.sort(some[::2]), kind)
        others, shown, begun = count(trial, score, np.sort(some[1::2]), kind)
        both = Counts(learned.unit, learned.pairs + others.pairs, learned.begun + others.begun)
        if learned.begun.sum() >= FEWEST and len(shown):
            expected = np.interp(shown, *learned.knots())
            metrics[kind] = {"customers": len(some), "begun": int(both.begun.sum()), **held_up(expected, begun)}
            rows += [{"kind": kind, "score": at, "chance": p} for at, p in zip(*both.knots(), strict=True)]
    table = pa.Table.from_pylist(rows, UPTAKE)
    return Uptake(table, {"days": days, **metrics} if metrics else {})


def count(trial: Trial, score: Score, users: np.ndarray, kind: str) -> tuple[Counts, np.ndarray, np.ndarray]:
    """All pairs of `users` with apps they had not used; and of the first K of each, flat, the scores, and whether they
    were begun."""
    m = trial.known.shape[1]
    found = Counts(UNITS[kind], np.zeros(BINS, np.int64), np.zeros(BINS, np.int64))
    shown, begun = [np.zeros(0, np.float32)], [np.zeros(0, bool)]
    step = max(1, CHUNK_ENTRIES // max(1, m))
    for at in range(0, len(users), step):
        rows = users[at : at + step]
        scores = np.array(score(rows), np.float32)
        if kind == "deviations":
            scores -= scores.mean(axis=1, keepdims=True)
            scores /= np.maximum(scores.std(axis=1, keepdims=True), np.float32(1e-9))
        new = trial.known[rows].toarray() == 0
        later = (trial.wanted[rows].toarray() > 0) & new
        bins = (np.arcsinh(scores / np.float32(found.unit)) - LOW) * (BINS / (HIGH - LOW))
        place = np.clip(bins, 0, BINS - 1).astype(np.int32)
        found.pairs += np.bincount(place[new], minlength=BINS)
        found.begun += np.bincount(place[later], minlength=BINS)
        top = top_k(np.where(new, scores, -np.inf), K)
        there = np.take_along_axis(new, top, axis=1)
        shown.append(np.take_along_axis(scores, top, axis=1)[there])
        begun.append(np.take_along_axis(later, top, axis=1)[there])
    return found, np.concatenate(shown), np.concatenate(begun)


def held_up(expected: np.ndarray, begun: np.ndarray) -> dict[str, Any]:
    """Chances against what came, of the first places of lists: means, and by tenths of what was expected; `ece` is the
    mean over these of the difference, by pairs."""
    parts = tenths(expected, begun)
    return {
        "expected": round(float(expected.mean()), 5),
        "seen": round(float(begun.mean()), 5),
        "ece": round(distance(parts), 5),
        "reliability": parts,
    }
