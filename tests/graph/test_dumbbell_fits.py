"""Fits: smoothed share, lift over base, the best channel; every number here is worked out by hand."""

import datetime as dt

import numpy as np
import pytest
from scipy import sparse

from graph.dumbbell.best_channel import rank_channels
from graph.dumbbell.categories import learn_categories
from graph.dumbbell.channel_use import measure_channel_use
from graph.dumbbell.fits import count_by_segment, measure_fits, shares
from graph.dumbbell.holdings import app_use, products_held
from graph.dumbbell.population import Population
from graph.dumbbell.segments import Segments

TODAY = dt.date(2026, 7, 1)


def test_without_segments_nothing_fits():
    assert [part.tolist() for part in shares(np.zeros((0, 2)), np.zeros(0))] == [[], [], [], []]


def test_share_is_smoothed_towards_everybody_and_lift_is_share_over_base():
    # ten customers, five a segment; item 0 is had by all five of segment 0, item 1 by one of each
    held = np.zeros((10, 2))
    held[:5, 0] = 1
    held[[0, 5], 1] = 1
    segments = Segments(("one", "two"), np.array([0] * 5 + [1] * 5))
    segment, item, score, lift = shares(count_by_segment(segments, sparse.csr_array(held)), np.array([5, 5]))
    found = {(s, i): (sc, li) for s, i, sc, li in zip(segment, item, score, lift, strict=True)}
    assert set(found) == {(0, 0), (0, 1), (1, 1)}
    assert found[0, 0] == (pytest.approx((5 + 20 * 0.5) / 25), pytest.approx((5 + 20 * 0.5) / 25 / 0.5))
    assert found[0, 1] == found[1, 1] == (pytest.approx((1 + 20 * 0.2) / 25), pytest.approx(1.0))


def test_only_the_best_are_kept():
    held = np.zeros((8, 3))
    held[:4, 0] = held[:, 1] = held[:2, 2] = 1
    segments = Segments(("one", "two"), np.array([0] * 4 + [1] * 4))
    segment, item, *_ = shares(count_by_segment(segments, sparse.csr_array(held)), np.array([4, 4]), keep=1)
    assert list(zip(segment.tolist(), item.tolist(), strict=True)) == [(0, 0), (1, 1)]


def test_what_few_have_or_all_have_alike_does_not_fit():
    counted = np.array([[40, 2, 30], [40, 0, 0]])
    segment, item, *_ = shares(counted, np.array([50, 50]), support=3, least_lift=1.1)
    assert list(zip(segment.tolist(), item.tolist(), strict=True)) == [(0, 2)]


@pytest.mark.parametrize("seed", range(3))
def test_counts_agree_with_a_slow_count(seed):
    rng = np.random.default_rng(seed)
    held, codes = rng.random((60, 11)) < 0.2, np.r_[np.arange(4), rng.integers(0, 4, 56)]
    counted = count_by_segment(Segments(tuple("abcd"), codes), sparse.csr_array(held))
    assert counted.tolist() == [[int(held[codes == s, i].sum()) for i in range(11)] for s in range(4)]


def test_the_table_has_categories_apps_and_products_of_each_segment(fill):
    lake = fill(
        customers=[1, 2, {"user": 3, "off_net": True}],
        apps=[{"app": "chess", "name": "Chess", "category": "games"}],
        app_usage=[{"user": u, "app": "chess", "at": "2026-06-01"} for u in (1, 3)],
        products=[{"product": "s", "name": "S", "kind": "plan"}, {"product": "old", "name": "Old", "kind": "plan"}],
        subscriptions=[
            {"user": 2, "product": "s", "since": "2026-01-01"},
            {"user": 2, "product": "old", "since": "2025-01-01", "until": "2025-12-31"},
        ],
    )
    population = Population.read(lake)
    apps = app_use(lake, population)
    found = measure_fits(
        lake,
        population,
        apps,
        products_held(lake, population, TODAY),
        learn_categories(lake, apps),
        Segments(("all",), np.array([0, 0])),
        measure_channel_use(lake, TODAY),
        TODAY,
    )
    assert [(r["item_kind"], r["item"], r["score"], r["lift"], r["channel"]) for r in found.to_pylist()] == [
        ("category", "games", pytest.approx(0.5), pytest.approx(1.0), None),
        ("category", "plan", pytest.approx(0.5), pytest.approx(1.0), None),
    ]


def test_apps_and_products_that_a_segment_has_more_than_others_are_there_with_a_channel_that_their_offers_allow(fill):
    half = range(1, 31)
    lake = fill(
        customers=range(1, 61),
        apps=[{"app": "chess", "name": "Chess"}],
        app_usage=[{"user": u, "app": "chess", "at": "2026-06-01"} for u in half],
        products=[{"product": p, "name": p, "kind": "plan" if p == "s" else "service"} for p in ("s", "t", "u")],
        subscriptions=[{"user": u, "product": p, "since": "2026-01-01"} for u in half for p in ("s", "t", "u")],
        touches=touched(1, "sms", 9) + touched(2, "web", 5),
        offers=[
            {"offer": "o1", "product": "s", "title": "S", "channels": ["web", "store"], "starts_on": "2026-01-01"},
            {"offer": "o2", "product": "t", "title": "T", "channels": ["store"], "starts_on": "2026-01-01"},
            {"offer": "o3", "product": "u", "title": "U", "channels": ["web"], "starts_on": "2026-12-01"},
        ],
    )
    population = Population.read(lake)
    apps = app_use(lake, population)
    found = measure_fits(
        lake,
        population,
        apps,
        products_held(lake, population, TODAY),
        learn_categories(lake, apps),
        Segments(("one", "two"), np.array([0] * 30 + [1] * 30)),
        measure_channel_use(lake, TODAY),
        TODAY,
    )
    score, lift = pytest.approx((30 + 10) / 50), pytest.approx(1.6)
    assert [tuple(row.values()) for row in found.to_pylist()] == [
        ("one", "app", "chess", score, lift, "sms"),
        ("one", "category", "plan", score, lift, "web"),
        ("one", "category", "service", score, lift, "store"),
        ("one", "product", "s", score, lift, "web"),
        ("one", "product", "t", score, lift, "store"),  # the one channel of its offer, though nobody was seen there
        ("one", "product", "u", score, lift, "sms"),  # its offer does not run yet
    ]


def touched(user, channel, times):
    return [{"user": user, "channel": channel, "at": "2026-06-01T10:00"}] * times


def answered(user, channel, outcome, times):
    row = {"user": user, "offer": "o", "channel": channel, "at": "2026-06-01T10:00", "outcome": outcome}
    return [row] * times


def channels(lake, codes):
    labels = tuple(f"segment {i}" for i in range(max(codes) + 1))
    found = Segments(labels, np.array(codes))
    ranked = rank_channels(lake, Population.read(lake), found, measure_channel_use(lake, TODAY))
    return [ranked.of(s) for s in range(len(labels))]


def test_the_best_channel_is_where_offers_are_accepted_not_where_most_are_made(fill):
    lake = fill(
        customers=[1, 2, 3],
        touches=touched(1, "sms", 9) + touched(2, "web", 5) + touched(2, "sms", 1),
        responses=answered(1, "sms", "refused", 90)
        + answered(1, "sms", "accepted", 10)
        + answered(1, "app", "accepted", 8)
        + answered(1, "app", "ignored", 12)
        + answered(2, "sms", "refused", 3),
    )
    # segment 0 accepts in the app; 1 accepted nothing: its most touched; 2 is unknown: the most touched of all
    assert channels(lake, [0, 1, 2]) == ["app", "web", "sms"]


def test_without_touches_or_answers_there_is_no_best_channel(fill):
    assert channels(fill(customers=[1]), [0]) == [None]
