"""Apps used alike and look-alikes, by hand."""

from __future__ import annotations

import numpy as np

from embeddings import alike
from embeddings.alike import Alike

APPS = np.array([[1, 0], [1, 0], [0, 1], [-1, 0], [0, 0]], np.float32)
ALIKE = np.full(5, 0.1)
CUSTOMERS = np.array([[2, 0], [1, 0], [0, 1], [0, 3], [1, 1], [0, 0]], np.float32)


def test_apps_by_cosine_equal_ones_by_position_unknown_ones_left_out():
    apps, scores = Alike.of(APPS, ALIKE, CUSTOMERS).apps_like(0, 9)
    assert apps.tolist() == [1, 2, 3]
    assert scores[0] == 1
    assert scores[2] < scores[1] < 1
    assert Alike.of(APPS, ALIKE, CUSTOMERS).apps_like(4, 9)[0].tolist() == []


def test_popularity_is_taken_out():
    # The first dimension is taste, the second grows with the share of users.
    apps = np.array([[1, 3], [-1, 3], [1, -3], [-1, -3]], np.float32)
    popularity = np.array([0.4, 0.4, 0.01, 0.01])
    assert alike.unit(apps)[0] @ alike.unit(apps)[1] > alike.unit(apps)[0] @ alike.unit(apps)[2]
    found, scores = Alike.of(apps, popularity, CUSTOMERS).apps_like(0, 3)
    assert found.tolist() == [2, 1, 3]
    assert scores.tolist() == [1, -1, -1]


def test_one_app_or_none_has_no_neighbour():
    assert alike.app_space(np.ones((0, 2), np.float32), np.ones(0)).shape == (0, 2)
    assert Alike.of(APPS[:1], ALIKE[:1], CUSTOMERS).apps_like(0, 3)[0].tolist() == []


def test_apps_that_nothing_tells_apart_are_not_alike():
    same = np.tile(APPS[:1], (3, 1))
    assert Alike.of(same, np.array([0.1, 0.2, 0.3]), CUSTOMERS).apps_like(0, 3)[0].tolist() == []


def test_look_alikes_go_the_way_of_the_list(monkeypatch):
    everybody = np.arange(6)
    for rows in (1, 2, 100):
        monkeypatch.setattr(alike, "ROWS", rows)
        found, scores = Alike.of(APPS, ALIKE, CUSTOMERS).customers_like(np.array([0]), everybody, 9)
        assert found.tolist() == [1, 4, 2, 3]  # equal ones by position; 5 has no vector, 0 is on the list
        # unit vectors (1, 0), (1, 0), (0, 1), (0, 1), (.71, .71): their mean is (.54, .54), so the way is (.46, -.54)
        usual = (2 + 0.5**0.5) / 5
        way = np.array([1 - usual, -usual]) / np.hypot(1 - usual, usual)
        assert np.allclose(scores, [way[0], way.sum() * 0.5**0.5, way[1], way[1]], atol=1e-6)


def test_only_candidates_are_found_and_no_more_than_k():
    told = Alike.of(APPS, ALIKE, CUSTOMERS)
    assert told.customers_like(np.array([0, 0]), np.array([2, 3, 4]), 2)[0].tolist() == [4, 2]
    assert told.customers_like(np.array([5]), np.arange(6), 2)[0].tolist() == []
    assert told.customers_like(np.array([], np.int64), np.arange(6), 2)[0].tolist() == []
    assert told.customers_like(np.arange(6), np.arange(6), 2)[0].tolist() == []
    assert told.told(np.array([0, 5])) == 1


def test_each_kind_of_vector_counts_alike():
    long, short = np.array([[9, 0], [9, 0], [0, 9]], np.float32), np.array([[1, 0], [0, 1], [1, 0]], np.float32)
    _, scores = Alike.of(APPS, ALIKE, long, short).customers_like(np.array([0]), np.arange(3), 3)
    assert scores[0] == scores[1]
