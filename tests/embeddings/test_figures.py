from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st

from embeddings.evaluate import Lists, bootstrap, ranked
from embeddings.figures import NONE, REST, SEGMENTS, by_segment, commonness, coverage, gini, margin, novelty, rows_of


def _lists(top: list[list[int]], hits: list[list[int]] | None = None) -> Lists:
    shown = np.array(top, np.int32)
    found = np.zeros(shown.shape, bool) if hits is None else np.array(hits, bool)
    return Lists(shown, found, np.ones(len(shown), np.int64))


def test_the_figures_of_two_lists_by_hand():
    lists = _lists([[0, 1], [0, 2]])
    users = np.array([4, 2, 1, 0])  # of four users
    assert coverage(lists, 4) == 0.75
    assert novelty(lists, users, 4).tolist() == [0.5, 1.0]
    assert commonness(lists, users) == pytest.approx([5 / 6, 2 / 3])
    assert novelty(_lists([[3]]), users, 4).tolist() == [2.0]  # used by nobody: as if by one


def test_a_list_shorter_than_k_counts_what_is_there():
    lists = _lists([[1, -1, -1], [-1, -1, -1]])
    assert coverage(lists, 2) == 0.5
    assert novelty(lists, np.array([1, 1]), 2).tolist() == [1.0, 0.0]


@given(st.lists(st.integers(0, 50), min_size=1, max_size=20))
def test_gini_is_half_the_relative_mean_difference(counts):
    x = np.array(counts)
    differences = np.abs(x[:, None] - x[None, :]).mean()
    assert gini(x) == pytest.approx(differences / (2 * x.mean()) if x.sum() else 0)


def test_what_a_scorer_cannot_show_is_neither_shown_nor_found():
    held = sp.csr_array(np.array([[0, 0, 1.0]]))
    scores = np.array([[1.0, -np.inf, -np.inf]], np.float32)
    lists = ranked(lambda rows: scores[rows], held * 0, held, np.array([0]), k=3)
    assert lists.top.tolist() == [[0, -1, -1]]
    assert not lists.hits.any()


def test_rows_carry_figures_at_both_k_and_their_intervals():
    lists = _lists([[0, 1], [1, 0], [2, 0]], [[1, 0], [0, 1], [0, 0]])
    row = rows_of({"x": lists}, np.array([3, 2, 1]), 3, seed=0)["x"]
    assert row["recall@10"] == row["recall@20"] == pytest.approx(2 / 3, abs=1e-5)
    for name, (low, high) in row["interval"].items():
        assert low <= row[name] <= high
    assert {"coverage@20", "gini@20", "novelty@20", "popularity@20"} < set(row)


def test_nothing_measured_gives_zeros():
    none = Lists(np.zeros((0, 2), np.int32), np.zeros((0, 2), bool), np.zeros(0, np.int64))
    row = rows_of({"x": none}, np.array([1, 1]), 1, seed=0)["x"]
    assert row["ndcg@20"] == row["coverage@20"] == 0
    assert row["interval"]["ndcg@20"] == [0, 0]
    assert by_segment({"x": none}, ["a"], np.zeros(0, np.int32), "x", seed=0) == []


def test_the_largest_segments_are_reported_the_rest_together():
    sizes = [3] * SEGMENTS + [2, 2]
    of = np.append(np.repeat(np.arange(len(sizes)), sizes), [-1])
    hit = np.ones((len(of), 1), bool)
    lists = Lists(np.zeros((len(of), 1), np.int32), hit, np.ones(len(of), np.int64))
    found = by_segment({"x": lists}, [f"s{i:02d}" for i in range(len(sizes))], of, "x", seed=0)
    assert [part["segment"] for part in found] == [*(f"s{i:02d}" for i in range(SEGMENTS)), REST, NONE]
    assert [part["users"] for part in found][-2:] == [4, 1]
    assert all(part["ndcg@20"]["x"] == 1 for part in found)


def test_the_margin_is_paired_and_over_the_best_simple_method():
    good, bad = _lists([[0]] * 40, [[1]] * 20 + [[0]] * 20), _lists([[0]] * 40, [[1]] * 10 + [[0]] * 30)
    found = margin({"popularity": bad, "als": good, "gnn": good}, "gnn", seed=0)
    assert found == {"over": "als", "difference": 0.0, "interval": [0.0, 0.0]}
    assert margin({"popularity": bad, "gnn": good}, "gnn", seed=0)["interval"][0] > 0
    assert margin({"popularity": bad, "segment": good}, "popularity", seed=0)["over"] == "popularity"


def test_a_bootstrap_interval_is_as_wide_as_theory_says():
    values = np.random.default_rng(0).normal(size=(400, 1))
    assert bootstrap(values, seed=1).std() == pytest.approx(values.std() / 20, rel=0.1)
