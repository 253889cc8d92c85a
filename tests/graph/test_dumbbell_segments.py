"""Segments: names from attributes, coarsened where few, everybody has one."""

import datetime as dt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from graph.dumbbell.attributes import Attribute, age_band, favourite_category, handset_brand, spend_tier
from graph.dumbbell.categories import learn_categories
from graph.dumbbell.holdings import app_use
from graph.dumbbell.population import Population
from graph.dumbbell.segments import REST, assign_segments, coarsen, wanted_number

TODAY = dt.date(2026, 7, 1)


def attribute(labels, codes):
    return Attribute(tuple(labels), np.array(codes))


def names(found):
    return found.of_users().to_pylist()


def four(age, spend, favourite, brand=None):
    n = len(age)
    return [
        attribute(["young", "old"], age),
        attribute(["low", "high"], spend),
        attribute(["games", "news"], favourite),
        attribute(["Acme owners"], [-1] * n if brand is None else brand),
    ]


def test_a_large_combination_keeps_all_its_attributes():
    found = coarsen(four([0] * 6 + [1] * 6, [1] * 6 + [0] * 6, [0] * 6 + [1] * 6), wanted=2)
    assert names(found) == ["young · high · games"] * 6 + ["old · low · news"] * 6


def test_a_small_combination_gives_up_spending_first_then_age():
    # four spenders and four savers: neither is five, together they are
    found = coarsen(four([0] * 8, [0] * 4 + [1] * 4, [0] * 8), wanted=4)
    assert set(names(found)) == {"young · games"}
    found = coarsen(four([0] * 4 + [1] * 4, [0, 0, 1, 1] * 2, [0] * 8), wanted=4)
    assert set(names(found)) == {"games"}


def test_without_taste_age_and_spending_remain_then_the_handset_then_the_rest():
    age = [0] * 5 + [-1] * 8
    spend = [0] * 5 + [-1] * 8
    brand = [-1] * 5 + [0] * 5 + [-1] * 3
    found = coarsen(four(age, spend, [-1] * 13, brand), wanted=9)
    assert names(found) == ["young · low"] * 5 + ["Acme owners"] * 5 + [REST] * 3


@given(st.lists(st.tuples(*[st.integers(-1, 1)] * 3), min_size=1, max_size=80), st.integers(1, 9))
def test_everybody_has_a_segment_and_there_are_never_more_than_wanted(rows, wanted):
    age, spend, favourite = zip(*rows, strict=True)
    found = coarsen(four(age, spend, favourite), wanted)
    assert len(found.codes) == len(rows)
    assert len(found.labels) <= wanted
    assert sorted(set(names(found))) == list(found.labels)
    for label, size in zip(found.labels, np.bincount(found.codes), strict=True):
        assert size >= 5 or label == REST


@given(st.lists(st.tuples(*[st.integers(-1, 1)] * 3), min_size=1, max_size=40), st.randoms())
def test_a_name_does_not_depend_on_the_order_of_customers(rows, random):
    order = list(range(len(rows)))
    random.shuffle(order)
    columns = [list(c) for c in zip(*rows, strict=True)]
    shuffled = [[column[i] for i in order] for column in columns]
    straight = names(coarsen(four(*columns), 4))
    assert names(coarsen(four(*shuffled), 4)) == [straight[i] for i in order]


def test_the_number_of_segments_grows_with_the_operator():
    assert wanted_number(1) == 1
    assert wanted_number(300) < 20 < wanted_number(20_000) < 150
    assert 750 < wanted_number(2_200_000) < 850


@pytest.mark.parametrize(
    ("birth_year", "band"),
    [(2026, "under 18"), (2009, "under 18"), (2008, "18-24"), (1992, "25-34"), (1961, "65+"), (1906, "65+")],
)
def test_age_bands_are_of_the_age_reached_this_year(fill, birth_year, band):
    population = Population.read(fill(customers=[{"user": 1, "birth_year": birth_year}]))
    found = age_band(population, TODAY)
    assert found.labels[found.codes[0]] == band


@pytest.mark.parametrize("birth_year", [None, 2027, 1905])
def test_an_impossible_age_is_unknown(fill, birth_year):
    assert age_band(Population.read(fill(customers=[{"user": 1, "birth_year": birth_year}])), TODAY).codes[0] == -1


def test_spending_is_arpu_or_else_the_recent_bills_in_thirds(fill):
    lake = fill(
        customers=[{"user": 1, "arpu": 5.0}, {"user": 2}, {"user": 3, "arpu": 50.0}, 4],
        bills=[
            {"user": 2, "month": "2026-05", "fee": 10.0},
            {"user": 2, "month": "2026-06", "fee": 30.0},
            {"user": 2, "month": "2026-01", "fee": 900.0},  # over three months old
            {"user": 3, "month": "2026-06", "fee": 1.0},  # arpu is known: not looked at
        ],
    )
    found = spend_tier(lake, Population.read(lake), TODAY)
    assert [found.labels[c] if c >= 0 else None for c in found.codes] == [
        "low spend",
        "medium spend",
        "high spend",
        None,
    ]


def test_spending_that_is_the_same_for_all_tells_nobody_apart(fill):
    lake = fill(customers=[{"user": u, "arpu": 7.0} for u in range(1, 10)])
    assert set(spend_tier(lake, Population.read(lake), TODAY).codes) == {-1}


def test_the_favourite_stands_out_against_everybody_it_is_not_the_most_used(fill):
    rows = [{"user": u, "app": "chat", "at": "2026-06-01", "sessions": 100} for u in (1, 2, 3)]
    rows += [{"user": 3, "app": "chess", "at": "2026-06-02", "sessions": 60}]
    rows += [{"user": 4, "app": "chat", "at": "2026-06-02", "sessions": 0}]  # used all the same
    lake = fill(
        customers=[1, 2, 3, 4, 5],
        apps=[
            {"app": "chat", "name": "Chat", "category": "talk"},
            {"app": "chess", "name": "Chess", "category": "games"},
        ],
        app_usage=rows,
    )
    apps = app_use(lake, Population.read(lake))
    found = favourite_category(apps, learn_categories(lake, apps))
    assert found.labels == ("games", "talk")
    assert found.codes.tolist() == [1, 1, 0, 1, -1]


def test_the_handset_is_the_one_in_use_today(fill):
    lake = fill(
        customers=[1, 2, 3],
        handsets=[{"handset": "a1", "brand": "Acme"}, {"handset": "z1", "brand": "Zeta"}, {"handset": "n"}],
        user_handsets=[
            {"user": 1, "handset": "a1", "since": "2026-01-01"},
            {"user": 1, "handset": "z1", "since": "2026-03-01"},
            {"user": 2, "handset": "a1", "since": "2026-01-01", "until": "2026-02-01"},
            {"user": 3, "handset": "n", "since": "2026-01-01"},
        ],
    )
    found = handset_brand(lake, Population.read(lake), TODAY)
    assert [found.labels[c] if c >= 0 else None for c in found.codes] == ["Zeta owners", None, None]


def test_customers_known_by_use_alone_get_segments_of_taste(fill):
    use = [{"user": u, "app": app, "at": "2026-06-01"} for u in range(1, 7) for app in ("a", "b", "c")]
    use += [{"user": u, "app": app, "at": "2026-06-01"} for u in range(7, 14) for app in ("x", "y", "z")]
    use += [{"user": 13, "app": "b", "at": "2026-06-01"}]
    lake = fill(customers=range(1, 14), app_usage=use)
    population = Population.read(lake)
    apps = app_use(lake, population)
    found = assign_segments(lake, population, apps, learn_categories(lake, apps), TODAY)
    assert names(found) == ["like: b"] * 6 + ["like: x"] * 7


def test_off_net_numbers_are_in_no_segment(fill):
    lake = fill(customers=[{"user": 1}, {"user": 2, "off_net": True}])
    population = Population.read(lake)
    assert len(population) == 1
    assert names(
        assign_segments(
            lake, population, app_use(lake, population), learn_categories(lake, app_use(lake, population)), TODAY
        )
    ) == [REST]
