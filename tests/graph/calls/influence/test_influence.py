"""Sets, seeds and cascades against exact answers on networks small enough to add up every outcome."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graph.calls.influence import cascades, cover, imm, reverse_sets
from graph.calls.influence.network import network, weighted_cascade
from graph.calls.influence.reverse_sets import ReverseSets
from lake.errors import BadValue
from tests.graph.calls.influence import oracle

MODELS = ("cascade", "threshold")


def small(seed: int, n: int = 5, m: int = 8):
    """A random network of n people and m ties, weights into one person adding up to 1 at most."""
    rng = np.random.default_rng(seed)
    pairs = [(u, v) for u in range(n) for v in range(n) if u != v]
    picked = [pairs[i] for i in rng.choice(len(pairs), m, replace=False)]
    source, target = np.array(picked).T
    weight = rng.random(m)
    total = np.bincount(target, weights=weight, minlength=n)
    return network(n, source, target, weight / np.maximum(total[target] * rng.uniform(1, 1.5), 1e-9))


def star():
    """0 reaches 1, 2, 3 surely; 4 reaches 5 surely; 6 is alone."""
    return network(7, np.array([0, 0, 0, 4]), np.array([1, 2, 3, 5]), np.ones(4))


def test_a_star_is_chosen_before_a_pair():
    found = imm.choose(star(), 2)
    assert found.seeds.tolist() == [0, 4]
    assert found.spread == pytest.approx(6, abs=0.3)


def test_all_of_a_small_network_can_be_seeds():
    found = imm.choose(star(), 50)
    assert found.spread == pytest.approx(7, abs=0.01)
    assert set(found.seeds.tolist()) >= {0, 4, 6}


def test_only_eligible_customers_are_seeds():
    eligible = np.array([False, True, True, True, False, True, True])
    found = imm.choose(star(), 2, eligible=eligible)
    assert eligible[found.seeds].all()
    assert found.spread == pytest.approx(2, abs=0.1)


def test_nobody_eligible_or_nobody_counted_gives_no_seeds():
    assert not len(imm.choose(star(), 2, eligible=np.zeros(7, bool)).seeds)
    assert not len(imm.choose(star(), 2, counted=np.zeros(7, bool)).seeds)


def test_only_counted_customers_are_worth_reaching():
    counted = np.array([False, False, False, False, True, True, False])
    found = imm.choose(star(), 1, counted=counted)
    assert found.seeds.tolist() == [4]
    assert found.spread == pytest.approx(2)


def test_a_budget_buys_the_cheap_pair_rather_than_the_dear_star():
    cost = np.array([10.0, 1, 1, 1, 1, 1, 1])
    found = imm.choose(star(), budget=2.0, cost=cost)
    assert found.seeds[0] == 4
    assert cost[found.seeds].sum() <= 2


def test_a_budget_buys_one_dear_star_rather_than_many_cheap_leaves():
    cost = np.array([2.0, 0.9, 2, 2, 2, 2, 2])  # by gain per cost 0 (4 / 2) is first anyway; 1 alone would give 1 / 0.9
    assert imm.choose(star(), budget=2.0, cost=cost).seeds.tolist() == [0]


def test_the_best_single_seed_wins_where_gain_per_cost_is_a_trap():
    sets = ReverseSets(np.array([0, 1, 2, 3, 4, 5]), np.array([0, 1, 1, 1, 1], np.int32))
    found = cover.by_budget(sets, np.ones(2, bool), np.array([0.1, 1.0]), 1.0)  # 0: 1 / 0.1, 1: 4 / 1, not both
    assert found.seeds.tolist() == [1]
    assert found.met == 4


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10_000), model=st.sampled_from(MODELS))
def test_sets_meet_seeds_as_often_as_seeds_reach_customers(seed, model):
    graph = small(seed)
    sets = reverse_sets.sample(graph, model, 0, 40_000, seed, np.arange(5, dtype=np.int32))
    for chosen in ([0], [1, 3]):
        inside = np.isin(sets.members, chosen)
        met = np.add.reduceat(inside, sets.starts[:-1]) > 0
        assert 5 * met.mean() == pytest.approx(oracle.spread(graph, chosen, model), abs=0.06)


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10_000), model=st.sampled_from(MODELS))
def test_simulated_spread_is_the_exact_one(seed, model):
    graph = small(seed)
    counted = np.array([True, True, False, True, True])
    found = cascades.spread(graph, np.array([0, 2]), model=model, runs=20_000, counted=counted)
    exact = oracle.spread(graph, [0, 2], model, counted)
    assert found.mean == pytest.approx(exact, abs=0.05)
    assert found.reached.sum() == pytest.approx(found.mean)
    assert found.low < found.mean < found.high or found.deviation == 0


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 10_000), model=st.sampled_from(MODELS), k=st.integers(1, 3))
def test_the_guarantee_holds(seed, model, k):
    graph = small(seed, n=6, m=9)
    found = imm.choose(graph, k, model=model, epsilon=0.3, seed=seed)
    reached = oracle.spread(graph, found.seeds.tolist(), model)
    assert reached >= (1 - 1 / np.e - 0.3) * oracle.best(graph, k, model)


def test_jumps_over_unlikely_ties_keep_their_chances():
    n = 60
    chance = np.r_[np.full(20, 0.2), np.full(20, 0.05), np.linspace(0.04, 0.01, 19)]
    graph = network(n, np.arange(1, n), np.zeros(n - 1, int), chance)
    sets = reverse_sets.sample(graph, "cascade", 0, 200_000, 3, np.zeros(1, np.int32))
    often = np.bincount(sets.members, minlength=n)[1:] / len(sets)
    assert np.abs(often - chance).max() < 5 * np.sqrt(0.2 * 0.8 / 200_000)


def test_the_same_seed_gives_the_same_bytes_in_parts_and_at_once():
    graph = weighted_cascade(50, *np.array([(i, j) for i in range(50) for j in range(50) if (i * j) % 7 == 1]).T)
    roots = np.arange(50, dtype=np.int32)
    whole = reverse_sets.sample(graph, "cascade", 0, 20_000, 5, roots)
    parts = [reverse_sets.sample(graph, "cascade", first, 10_000, 5, roots) for first in (0, 10_000)]
    both = reverse_sets.joined(*parts)
    assert np.array_equal(whole.members, both.members)
    assert np.array_equal(whole.starts, both.starts)
    other = reverse_sets.sample(graph, "cascade", 0, 20_000, 6, roots)
    assert not np.array_equal(whole.members, other.members)


def test_one_who_reaches_nobody_reaches_themselves():
    alone = network(1, np.zeros(0, int), np.zeros(0, int), np.zeros(0))
    assert imm.choose(alone, 1).spread == 1.0
    assert cascades.spread(alone, np.array([0]), runs=10).mean == 1.0


@pytest.mark.parametrize(
    "wrong",
    [
        {"k": 0},
        {"k": 1, "epsilon": 0.7},
        {"k": 1, "delta": 0.0},
        {},
        {"k": 1, "budget": 2.0},
        {"budget": 2.0},
        {"budget": -1.0, "cost": np.ones(7)},
    ],
)
def test_parameters_outside_their_range_are_refused(wrong):
    with pytest.raises(BadValue):
        imm.choose(star(), **wrong)


def test_networks_that_cannot_be_are_refused():
    with pytest.raises(BadValue, match="outside 0 to 1"):
        network(2, np.array([0]), np.array([1]), np.array([1.5]))
    with pytest.raises(BadValue, match="twice"):
        network(2, np.array([0, 0]), np.array([1, 1]), np.array([0.5, 0.5]))
    heavy = network(3, np.array([0, 1]), np.array([2, 2]), np.array([0.8, 0.8]))
    with pytest.raises(BadValue, match="add up to"):
        cascades.spread(heavy, np.array([0]), model="threshold", runs=10)
    with pytest.raises(BadValue, match="add up to"):
        imm.choose(heavy, 1, model="threshold")
