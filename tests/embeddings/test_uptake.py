"""Chances that an app is begun: counts by hand, knots that rise, and a planted truth that comes back."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from embeddings.catalogue import Catalogue
from embeddings.graph import Edges, Graph, no_edges
from embeddings.popularity import Segments
from embeddings.split import EPOCH, Split
from embeddings.trial import Trial
from embeddings.uptake import BINS, KNOTS, Counts, count, learn_uptake

CUT = 100


def trial(known: np.ndarray, later: np.ndarray, days: int = 30) -> Trial:
    """What n customers used before day CUT, and began within so many days from it: bool (n, m)."""
    n, m = known.shape

    def edges(mask: np.ndarray, day: int) -> Edges:
        users, apps = (part.astype(np.int32) for part in np.nonzero(mask))
        when = np.full(len(users), day, np.int32)
        return Edges(users, apps, np.ones(len(users), np.float32), when, when, mask.shape)

    names = [pa.array([f"{i:05d}" for i in range(size)]) for size in (m, 0, 0)]
    nodes = Catalogue(pa.array([i.to_bytes(16, "big") for i in range(n)]), *names)
    graph = Graph(nodes, edges(known, CUT - 1), no_edges(n, 0), None, None, None)
    held = edges(later, CUT + days - 1)
    split = Split(graph, held, no_edges(n, 0), "later apps", EPOCH + dt.timedelta(days=CUT))
    return Trial(split, Segments(pa.array(["all"]), np.zeros(n, np.int32)), 0)


def test_pairs_are_those_not_used_before() -> None:
    known = np.array([[1, 0, 0], [0, 0, 1]], bool)
    later = np.array([[0, 1, 0], [0, 0, 0]], bool)
    scores = np.array([[9.0, 0.2, 0.1], [0.3, 0.2, 9.0]], np.float32)
    found, shown, begun = count(trial(known, later), lambda rows: scores[rows], np.arange(2), "shares")
    assert (found.pairs.sum(), found.begun.sum()) == (4, 1)
    assert sorted(zip(shown.tolist(), begun.tolist(), strict=True)) == [
        (pytest.approx(0.1), False), (pytest.approx(0.2), False), (pytest.approx(0.2), True),
        (pytest.approx(0.3), False),
    ]  # fmt: skip


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50)), min_size=1, max_size=300))
def test_knots_rise_and_keep_the_mean_between_them(rows: list[tuple[int, int]]) -> None:
    pairs, begun = np.zeros(BINS, np.int64), np.zeros(BINS, np.int64)
    for i, (no, yes) in enumerate(rows):
        pairs[7000 + i], begun[7000 + i] = no + yes, yes
    if not pairs.any():
        return
    score, chance = Counts(1.0, pairs, begun).knots()
    assert 1 <= len(score) <= KNOTS
    assert (np.diff(score) > 0).all()
    assert (np.diff(chance) >= 0).all()
    mean = begun.sum() / pairs.sum()
    assert 0 <= chance.min() <= mean + 1e-12
    assert mean - 1e-12 <= chance.max() <= 1


def test_a_planted_chance_comes_back() -> None:
    """chance = .02 below one deviation, .2 above; ours says so, and holds for others."""
    rng = np.random.default_rng(1)
    scores = rng.standard_normal((3000, 40)).astype(np.float32)
    known = rng.random(scores.shape) < 0.1
    known[:500] = False  # these have no use: told by their score as a share
    z = (scores - scores.mean(axis=1, keepdims=True)) / scores.std(axis=1, keepdims=True)
    later = (rng.random(scores.shape) < np.where(z > 1, 0.2, 0.02)) & ~known
    later[:500] = (rng.random((500, 40)) < np.clip(scores[:500], 0, 1) / 2) & ~known[:500]
    made = trial(known, later)
    found = learn_uptake(made, lambda rows: scores[rows], "filter")
    rows = found.table.to_pandas()
    knots = rows[rows.kind == "deviations"]
    at = np.interp([-1.0, 0.5, 1.5, 2.5], knots.score, knots.chance)
    assert at == pytest.approx([0.02, 0.02, 0.2, 0.2], abs=0.02)
    assert found.metrics["days"] == 30
    assert found.metrics["deviations"]["ece"] < 0.02
    assert found.metrics["deviations"]["customers"] == int(known.any(axis=1).sum())
    shares = rows[rows.kind == "shares"]
    assert np.interp([0.0, 0.8], shares.score, shares.chance) == pytest.approx([0.0, 0.4], abs=0.06)
    assert set(learn_uptake(made, lambda rows: scores[rows], "popularity").metrics) == {"days", "shares"}
    again = learn_uptake(made, lambda rows: scores[rows], "filter")
    assert again.table.equals(found.table)


def test_without_time_or_begun_apps_nothing_is_learned() -> None:
    known, scores = np.eye(4, dtype=bool), np.eye(4, dtype=np.float32)
    made = trial(known, ~known)
    assert learn_uptake(made, lambda rows: scores[rows], "filter").table.num_rows == 0  # 12 begun: too few
    made.held = replace(made.held, cutoff=None)
    found = learn_uptake(made, lambda rows: scores[rows], "filter")
    assert (found.table.num_rows, found.metrics) == (0, {})


def test_one_customer_who_begins_much_is_nobody_to_hold_it_against() -> None:
    known = np.zeros((1, 120), bool)
    known[0, 60:] = True
    made = trial(known, ~known)
    found = learn_uptake(made, lambda rows: np.zeros((len(rows), 120), np.float32), "filter")
    assert (found.table.num_rows, found.metrics) == (0, {})
