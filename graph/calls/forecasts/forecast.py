"""One forecast: learn from the past, test on the latest known answers, foresee the periods to come."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from graph.calls.forecasts import reasons
from graph.calls.forecasts.features import KEEP
from graph.calls.forecasts.history import History
from graph.calls.forecasts.labels import Label
from graph.calls.forecasts.model import Model, fit
from graph.calls.forecasts.report import report
from graph.calls.forecasts.split import Sample, latest, learnt, needed, sample

LEAST_POSITIVES = 100
"""Ten for each of the ten features that such trees end up with: P. Peduzzi et al., "A simulation study of the number of
events per variable", Journal of Clinical Epidemiology 49 (1996)."""
TOLD = 2
"""Deciles whose customers get reasons: the others are not about to do it."""


def feature_names(history: History) -> list[str]:
    """The columns of `features`."""
    file = history.lake.files("features", history.periods[-1])[0]
    return [name for name in pq.ParquetFile(file).schema_arrow.names if name != "user"]


def learn(history: History, label: Label, names: list[str]) -> tuple[Model | None, dict[str, Any]]:
    """The model to foresee the last period's future with, and its facts: `test` by an earlier model of the same making.

    Without enough history None, and in `off` what was found and what is needed.
    """
    off = _missing(history, label)
    if off:
        return None, {"off": off}
    last, first = history.last, max(0, len(history.periods) - KEEP)
    test = last - label.horizon
    past = sample(history, label, learnt(test, label.horizon, first), names)
    now = sample(history, label, learnt(last, label.horizon, first), names)
    few = _few(label, past) or _few(label, now)
    if few:
        return None, {"off": few}
    known = sample(history, label, range(test, test + 1), names)
    facts: dict[str, Any] = {"test_period": history.periods[test], "test": report(known.y, _fit(past).predict(known.X))}
    model = _fit(now)
    periods = [history.periods[place] for place in learnt(last, label.horizon, first)]
    facts |= {
        "learnt_from": periods,
        "rows": len(now.y),
        "positives": int(now.y.sum()),
        "trees": model.rounds,
        "calibration": {"slope": round(model.slope, 4), "intercept": round(model.intercept, 4)},
    }
    return model, facts


def _fit(known: Sample) -> Model:
    return fit(known.X, known.y, known.fold, known.place == known.place.max())


def _missing(history: History, label: Label) -> str:
    periods = history.last + 1
    if absent := [name for name in label.needs if not history.lake.has(name)]:
        return f"the lake has no {' and no '.join(absent)}"
    if periods < needed(label.horizon):
        return (
            f"there are {periods} whole periods of calls, and {needed(label.horizon)} are needed to learn and to test"
        )
    return ""


def _few(label: Label, known: Sample) -> str:
    yes = int(known.y.sum())
    if min(yes, len(known.y) - yes) >= LEAST_POSITIVES:
        return ""
    return (
        f"{label.name} is known of {yes} of {len(known.y)} customers; {LEAST_POSITIVES} and as many others are needed"
    )


def foresee(history: History, model: Model, names: list[str]) -> tuple[np.ndarray, np.ndarray]:
    """Positions of the customers who stayed until now, and their probabilities."""
    parts = [(at, model.predict(X)) for at, X in latest(history, names)]
    if not parts:
        return np.empty(0, np.int64), np.empty(0)
    return np.concatenate([at for at, _ in parts]), np.concatenate([p for _, p in parts])


def explained(
    history: History, model: Model, names: list[str], decile: np.ndarray
) -> Iterator[tuple[np.ndarray, pa.Array]]:
    """Positions and lists of reasons, batch by batch, in the order of `foresee`; empty beyond the first deciles."""
    for at, X in latest(history, names):
        told = decile[at] <= TOLD
        lists = reasons.reasons(X[told], model.contributions(X[told]), names) if told.any() else reasons.none(0)
        place = np.where(told, np.cumsum(told) - 1, -1)
        every = pa.concat_arrays([lists, reasons.none(1)])
        yield at, every.take(pa.array(np.where(place < 0, len(lists), place)))


def deciles(p: np.ndarray) -> np.ndarray:
    """1 for the tenth with the highest values, to 10; ties in the order of the rows.

    >>> deciles(np.array([0.1, 0.9, 0.5]))
    array([7, 1, 4])
    """
    order = np.argsort(-p, kind="stable")
    found = np.empty(len(p), np.int64)
    found[order] = np.arange(len(p)) * 10 // max(len(p), 1) + 1
    return found
