from __future__ import annotations

import datetime as dt

import numpy as np

from embeddings.catalogue import read_catalogue
from embeddings.graph import Edges, Graph, read_holds, read_uses
from embeddings.split import cutoff_day, random_cut, split


def _edges(users, first, last=None) -> Edges:
    users = np.array(users, np.int32)
    first = np.array(first, np.int32)
    items = np.arange(len(users), dtype=np.int32)
    last = first if last is None else np.array(last, np.int32)
    return Edges(users, items, np.ones(len(users), np.float32), first, last, (int(users.max()) + 1, len(users)))


def _graph(lake) -> Graph:
    nodes = read_catalogue(lake)
    return Graph(nodes, read_uses(lake, nodes), read_holds(lake, nodes))


def test_the_last_fifth_of_the_days_is_held_out():
    edges = _edges([0, 0, 0, 1, 1], [0, 3, 9, 0, 8], [9, 9, 9, 0, 9])
    assert cutoff_day(edges) == 8


def test_one_day_or_nothing_new_gives_no_cutoff():
    assert cutoff_day(_edges([0, 0], [5, 5])) is None
    assert cutoff_day(_edges([0, 0], [0, 0], [9, 9])) is None


def test_nothing_of_the_held_out_days_is_left_in_training(lake, write):
    write["customers"](lake, 2)
    rows = [(0, "a", 0, 1), (0, "a", 9, 100), (0, "b", 9, 1), (1, "a", 0, 1), (1, "c", 2, 1)]
    write["usage"](lake, rows)
    found = split(lake, _graph(lake), seed=0)
    assert found.cutoff == dt.date(2026, 1, 9)
    pairs = list(zip(found.held.users.tolist(), found.held.items.tolist(), strict=True))
    assert pairs == [(0, 1)]
    train = found.train.uses
    assert list(zip(train.users.tolist(), train.items.tolist(), strict=True)) == [(0, 0), (1, 0), (1, 2)]
    one_minute_a_session = 1 + np.log1p(1) + np.log1p(1)
    assert np.allclose(train.strength, one_minute_a_session)


def test_a_random_cut_keeps_single_edges_and_takes_a_fifth():
    edges = _edges([0] + [1] * 2 + [2] * 10, [0] * 13)
    mask = random_cut(edges, seed=3)
    assert not mask[0]
    assert mask[1:3].sum() == 1
    assert mask[3:].sum() == 2
    assert np.array_equal(mask, random_cut(edges, seed=3))


def test_without_time_pairs_are_drawn_at_random(lake, write):
    write["customers"](lake, 1)
    write["usage"](lake, [(0, f"a{i}", 0) for i in range(10)])
    found = split(lake, _graph(lake), seed=0)
    assert found.cutoff is None
    assert len(found.held) == 2
    assert len(found.train.uses) == 8
    assert not set(found.held.items.tolist()) & set(found.train.uses.items.tolist())
