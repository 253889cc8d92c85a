from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import Bounds, LinearConstraint, milp

from matching.assignment import Wishes, assign, coverage, keep_useful


def make(rng: np.random.Generator, customers: int, offers: int, channels: int) -> tuple[Wishes, np.ndarray, np.ndarray]:
    """Random wishes with every offer in them, all scores, and what may be given."""
    scores = rng.integers(1, 9, (customers, offers)) / 4
    mask = rng.random((customers, offers)) < 0.8
    through = rng.random((offers, channels)) < 0.5
    open_ = np.array([np.ones(channels, bool), rng.random(channels) < 0.5])
    group = rng.integers(0, 2, customers).astype(np.int8)
    order = np.array([np.append(np.flatnonzero(t), [-1] * channels)[:channels] for t in through], np.int16)
    best = np.array([rng.permutation(channels)[:2] for _ in range(customers)], np.int16).reshape(customers, -1)
    rows = [np.flatnonzero(m)[np.argsort(-s[m], kind="stable")] for s, m in zip(scores, mask, strict=True)]
    starts = np.append(0, np.cumsum([len(row) for row in rows]))
    items = np.concatenate([np.zeros(0, int), *rows]).astype(np.int32)
    values = scores[np.repeat(np.arange(customers), np.diff(starts)), items]
    return Wishes(starts, items, values, best, group, open_, through, order), scores, mask


def best_possible(wishes: Wishes, room: np.ndarray, k: int) -> tuple[float, float]:
    """The optimum of whole offers, and of shares of offers, by a general solver over all (customer, offer, channel)."""
    owner = np.repeat(np.arange(len(wishes.group)), np.diff(wishes.starts))
    usable = wishes.open_[wishes.group[owner]] & wishes.through[wishes.items]
    wish, channel = np.nonzero(usable)
    if not len(wish):
        return 0.0, 0.0
    bounded = np.flatnonzero(room >= 0)
    rows = [wish == w for w in range(len(owner))] + [owner[wish] == b for b in range(len(wishes.group))]
    most = [1] * len(owner) + [k] * len(wishes.group) + list(room[bounded])
    table = np.array([*rows, *[channel == c for c in bounded]], float)
    limits = LinearConstraint(table, -np.inf, most)
    kinds = [np.full(len(wish), whole) for whole in (1, 0)]
    found = [milp(-wishes.values[wish], integrality=kind, bounds=Bounds(0, 1), constraints=limits) for kind in kinds]
    return -float(found[0].fun or 0), -float(found[1].fun or 0)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 7), st.integers(1, 5), st.integers(1, 4), st.integers(1, 3))
def test_never_over_the_room_near_the_optimum_and_truly_bounded(seed, customers, offers, channels, k):
    rng = np.random.default_rng(seed)
    wishes, *_ = make(rng, customers, offers, channels)
    room = rng.integers(-1, 4, channels)
    plan = assign(wishes, room, k)
    owner = np.repeat(np.arange(customers), np.diff(wishes.starts))
    given_ = plan.channel >= 0
    assert np.bincount(owner[given_], minlength=customers).max() <= k
    load = np.bincount(plan.channel[given_], minlength=channels)
    assert (load[room >= 0] <= room[room >= 0]).all()
    assert wishes.through[wishes.items[given_], plan.channel[given_]].all()
    assert wishes.open_[wishes.group[owner[given_]], plan.channel[given_]].all()
    assert plan.total == wishes.values[given_].sum()
    whole, shares = best_possible(wishes, room, k)
    assert plan.greedy <= plan.total + 1e-9 <= whole + 2e-9
    assert plan.total >= whole / 2 - 1e-9
    assert plan.bound >= whole - 1e-6
    assert plan.bound == pytest.approx(shares, rel=1e-4, abs=1e-6)


@pytest.mark.parametrize("seed", range(3))
def test_many_customers_get_nearly_the_optimum_where_greed_does_not(seed):
    rng = np.random.default_rng(seed)
    wishes, *_ = make(rng, 400, 6, 4)
    values = np.sort(rng.random(len(wishes.values)))[::-1].copy()
    wishes = Wishes(**{**wishes.__dict__, "values": values})
    plan = assign(wishes, np.array([30, 60, 40, 25]), 2)
    assert plan.gap < 0.005
    assert plan.total >= plan.greedy


def test_by_hand_greed_takes_the_room_that_another_needed():
    """Two customers, two channels of one place: the first could go through either, the second through one only."""
    wishes = Wishes(
        starts=np.array([0, 1, 2]),
        items=np.array([0, 1], np.int32),
        values=np.array([3.0, 2.0]),
        best=np.array([[0], [0]], np.int16),
        group=np.zeros(2, np.int8),
        open_=np.ones((1, 2), bool),
        through=np.array([[True, True], [True, False]]),
        order=np.array([[0, 1], [0, -1]], np.int16),
    )
    plan = assign(wishes, np.array([1, 1]), 1)
    assert plan.channel.tolist() == [1, 0]
    assert (plan.greedy, plan.total, plan.gap) == (3.0, 5.0, pytest.approx(0, abs=1e-6))


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("k", [1, 2])
def test_what_is_left_out_is_never_needed(seed, k):
    rng = np.random.default_rng(seed)
    every, scores, mask = make(rng, 6, 6, 3)
    room = rng.integers(-1, 4, 3)
    counts, items, values = keep_useful(scores, mask, coverage(every.through, every.open_, room), every.group, k)
    few = Wishes(**{**every.__dict__, "starts": np.append(0, np.cumsum(counts)), "items": items, "values": values})
    assert len(items) <= len(every.items)
    assert best_possible(few, room, k) == pytest.approx(best_possible(every, room, k))


def test_without_bounds_the_k_best_through_the_own_best_channel():
    rng = np.random.default_rng(0)
    every, scores, mask = make(rng, 20, 6, 3)
    plan = assign(every, np.full(3, -1), 2)
    assert plan.gap == 0
    assert (plan.prices == 0).all()
    counts, *_ = keep_useful(scores, mask, coverage(every.through, every.open_, np.full(3, -1)), every.group, 2)
    usable = (every.open_[every.group][:, None, :] & every.through[None]).any(axis=2) & mask
    assert (counts >= np.minimum(usable.sum(axis=1), 2)).all()
