"""A split by time: what a forecast made at the end of a period may learn from.

At the end of period t an answer that takes h periods is known for the periods up to t - h. Every forecast, the one
that is tested and the one that is used, learns from those alone: the test at T - 1 - h sees nothing that was
not known then. Calibration takes the last of them, by customers whom the trees did not see.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from graph.calls.forecasts.history import Columns, History
from graph.calls.forecasts.labels import Label
from graph.calls.ids import as_words

ROWS = 500_000
"""Rows that a model learns from, or is tested on, at most: drawn evenly, so that shares stay as they are."""
FOLDS = 3
MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)
"""2^64 over the golden ratio: Fibonacci hashing (Knuth, The Art of Computer Programming 3, 6.4)."""


def learnt(place: int, horizon: int, first: int = 0) -> range:
    """The periods whose answers are known at the end of one.

    >>> learnt(5, 2), learnt(1, 2)
    (range(0, 4), range(0, 0))
    """
    return range(first, max(first, place - horizon + 1))


def needed(horizon: int) -> int:
    """Periods without which there is nothing to learn from and to test on."""
    return 2 * horizon + 1


@dataclass(frozen=True)
class Sample:
    """Rows of some periods: `X` (rows, features) float32, `y` bool, `fold` 0 … FOLDS - 1 by customer, `place`."""

    X: np.ndarray
    y: np.ndarray
    fold: np.ndarray
    place: np.ndarray


def sample(history: History, label: Label, places: range, names: list[str]) -> Sample:
    """At most `ROWS` rows, evenly from the periods of `places`, drawn by the customers' pseudonyms alone."""
    parts = [_period(history, label, place, names, ROWS // max(len(places), 1)) for place in places]
    if not parts:
        return Sample(np.empty((0, len(names)), np.float32), np.empty(0, bool), np.empty(0, np.int64), np.empty(0, int))
    return Sample(*(np.concatenate([part[i] for part in parts]) for i in range(4)))


def _period(history: History, label: Label, place: int, names: list[str], most: int) -> tuple[np.ndarray, ...]:
    answer = label.of(history, place)
    present = int(history.present(place).sum())
    limit = np.uint64(min(1.0, most / max(present, 1)) * (2**64 - 1025))
    parts: list[tuple[np.ndarray, ...]] = []
    for at, X in matrices(history, place, names):
        words = as_words(history.customers.users.take(pa.array(at)))
        drawn = _mixed(words[:, 0], place) <= limit
        fold = (_mixed(words[:, 1], 0) >> np.uint64(33)).astype(np.int64) % FOLDS
        at = at[drawn]
        parts.append((X[drawn], answer[at], fold[drawn], np.full(len(at), place)))
    if not parts:
        return np.empty((0, len(names)), np.float32), np.empty(0, bool), np.empty(0, np.int64), np.empty(0, np.int64)
    return tuple(np.concatenate([part[i] for part in parts])[:most] for i in range(4))


def _mixed(words: np.ndarray, place: int) -> np.ndarray:
    return ((words ^ (words >> np.uint64(32))) + np.uint64(place)) * MULTIPLIER


def matrices(history: History, place: int, names: list[str]) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Positions of customers and their features, in batches, in order; only those who were there at the end."""
    present = history.present(place)
    for file in history.lake.files("features", history.periods[place]):
        for batch in pq.ParquetFile(file).iter_batches(1 << 18, columns=["user", *names]):
            at = history.customers.positions.of(batch["user"])
            kept = (at >= 0) & present[at]
            X = np.empty((int(kept.sum()), len(names)), np.float32)
            for i, name in enumerate(names):
                X[:, i] = pc.fill_null(batch[name], np.nan).to_numpy()[kept]
            yield at[kept], X


def latest(history: History, names: list[str]) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """As `matrices` of the last period that is over, of those who stayed until now."""
    staying = history.staying()
    for at, X in matrices(history, history.last, names):
        yield at[staying[at]], X[staying[at]]


def columns(history: History, place: int, names: list[str]) -> Columns:
    """Some features of a period by position; nan for who was not there, and where the period is not kept."""
    found = {name: np.full(history.n, np.nan, np.float32) for name in names}
    if history.lake.files("features", history.periods[place]):
        for at, X in matrices(history, place, names):
            for i, name in enumerate(names):
                found[name][at] = X[:, i]
    return found
