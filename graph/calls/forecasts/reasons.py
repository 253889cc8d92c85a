"""Why: the groups of features that push a customer's log odds up the most, each with a sentence."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from graph.calls.forecasts.words import GROUPS

MOST = 3
LEAST = 0.1
"""Log odds below which a reason is none: it would move a probability of 5 % by half a point."""
TYPE = pa.list_(pa.struct([("feature", pa.string()), ("contribution", pa.float64()), ("words", pa.string())]))


def reasons(X: np.ndarray, contributions: np.ndarray, names: list[str]) -> pa.Array:
    """A list a row, highest first. `X` and `contributions` (rows, features), in the order of `names`."""
    groups = list(GROUPS)
    of = {name: i for i, group in enumerate(groups) for name in GROUPS[group].features}
    summed = np.zeros((len(X), len(groups)))
    for column, name in enumerate(names):
        summed[:, of[name]] += contributions[:, column]
    best = np.argsort(-summed, axis=1, kind="stable")[:, :MOST]
    value = np.take_along_axis(summed, best, axis=1)
    kept = value >= LEAST
    many, group = kept.sum(axis=1), best[kept]
    chosen = iter(group.tolist())
    sentences = [
        GROUPS[groups[next(chosen)]].say(values)
        for row, count in zip(X, many.tolist(), strict=True)
        if count
        for values in [dict(zip(names, row.tolist(), strict=True))] * count
    ]
    return as_lists(many, pa.array(groups, pa.string()).take(pa.array(group)), value[kept], sentences)


def as_lists(many: np.ndarray, feature: pa.Array, contribution: np.ndarray, sentences: list[str]) -> pa.Array:
    """Lists of `many[i]` reasons each, one after the other."""
    offsets = np.concatenate([[0], np.cumsum(many)]).astype(np.int32)
    columns = [feature, pa.array(np.round(contribution, 4)), pa.array(sentences, pa.string())]
    return pa.ListArray.from_arrays(
        pa.array(offsets), pa.StructArray.from_arrays(columns, fields=list(TYPE.value_type))
    )


def none(rows: int) -> pa.Array:
    return pa.array([[]] * rows, TYPE)
